//! Names and passwords.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use http::header::AUTHORIZATION;
use longshore_core::{Algorithm, Digest};

use super::{Auth, Kept};
use crate::random::same_secret;
use crate::request::ParsedRequest;

/// How many passwords that were right are remembered, so that they need not be hashed slowly again.
const REMEMBERED: usize = 1000;

/// Name and password, or a token, of a request.
pub(super) enum SentCredentials {
    Nothing,
    Basic(String, String),
    Bearer(String),
    /// Something else.
    Other,
}

impl SentCredentials {
    pub(super) fn of(request: &ParsedRequest) -> Self {
        let Some(value) = request.headers.get(AUTHORIZATION) else { return Self::Nothing };
        let Some((scheme, rest)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else {
            return Self::Other;
        };
        let rest = rest.trim_matches(' ');
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" => Self::Bearer(rest.to_owned()),
            "basic" => {
                let decoded = STANDARD.decode(rest).or_else(|_| STANDARD_NO_PAD.decode(rest));
                let pair = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok());
                let pair = pair.as_ref().and_then(|pair| pair.split_once(':'));
                pair.map_or(Self::Other, |(name, password)| Self::Basic(name.to_owned(), password.to_owned()))
            }
            _ => Self::Other,
        }
    }
}

/// Passwords that were right before, as hashes.
#[derive(Debug, Default)]
pub(crate) struct VerifiedPasswords(BTreeSet<Digest>);

impl VerifiedPasswords {
    /// Whether this is the password of that user. An unknown user takes as long as a wrong password.
    pub(super) fn check(&mut self, auth: &Auth, name: &str, password: &str) -> bool {
        let user = auth.users.get(name);
        let compared = user.or_else(|| auth.users.values().next());
        let Some(kept) = compared.map(|user| &user.password.0) else { return false };
        let right = match kept {
            Kept::Plain(kept) => same_secret(&hashed(&[kept]).hex(), &hashed(&[password]).hex()),
            Kept::Bcrypt(hash) => {
                let key = hashed(&[name, hash, password]);
                let known = self.0.contains(&key);
                let right = known || bcrypt::verify(password, hash).unwrap_or(false);
                if right && user.is_some() && self.0.len() < REMEMBERED {
                    self.0.insert(key);
                }
                right
            }
        };
        right && user.is_some()
    }
}

/// The hash of some texts, each with its length before it.
pub(super) fn hashed(texts: &[&str]) -> Digest {
    let mut bytes = Vec::new();
    for text in texts {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    Digest::of(Algorithm::Sha256, &bytes)
}
