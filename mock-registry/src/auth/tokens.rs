//! The valid tokens.

use std::collections::{BTreeMap, BTreeSet};

use longshore_core::{Digest, Instant};

use super::Rights;
use super::credentials::hashed;

/// The valid tokens. They are stored as hashes, so that the time of a look-up shows nothing about other tokens.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(super) access: BTreeMap<Digest, Access>,
    /// When each of them expires. Tokens that were ended earlier are still listed here.
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
    /// The rights that a token gives, and when it expires.
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

    /// Removes the tokens that have expired.
    pub(crate) fn advance(&mut self, now: Instant) {
        while let Some((end, token)) = self.ends.first().copied().filter(|(end, _)| *end <= now) {
            self.ends.remove(&(end, token));
            self.access.remove(&token);
        }
    }
}
