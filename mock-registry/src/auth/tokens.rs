//! The tokens that are good.

use std::collections::{BTreeMap, BTreeSet};

use longshore_core::{Digest, Instant};

use super::Rights;
use super::credentials::hashed;

/// The tokens that are good. They are kept as hashes, so looking one up tells nothing about the others.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(super) access: BTreeMap<Digest, Access>,
    /// When each of them ends. What ended before its time still stands here.
    pub(super) ends: BTreeSet<(Instant, Digest)>,
    pub(super) refresh: BTreeMap<Digest, String>,
}

#[derive(Debug)]
pub(super) struct Access {
    pub(super) user: Option<String>,
    pub(super) rights: Rights,
    pub(super) good_until: Instant,
}

impl Tokens {
    /// What a token gives the right to, and until when.
    pub(super) fn rights(&self, token: &str, now: Instant) -> Option<(Rights, Instant)> {
        let access = self.access.get(&hashed(&[token])).filter(|access| access.good_until > now)?;
        Some((access.rights.clone(), access.good_until))
    }

    /// Ends a token, and all others of the same user.
    pub(super) fn expire(&mut self, token: &str) {
        if let Some(access) = self.access.remove(&hashed(&[token])) {
            self.access.retain(|_, other| other.user != access.user);
        }
    }

    /// Forgets the tokens that ended.
    pub(crate) fn advance(&mut self, now: Instant) {
        while let Some((end, token)) = self.ends.first().copied().filter(|(end, _)| *end <= now) {
            self.ends.remove(&(end, token));
            self.access.remove(&token);
        }
    }
}
