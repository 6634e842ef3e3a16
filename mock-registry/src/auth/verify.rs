//! Passwords whose check is slow. It is made outside the registry, which continues meanwhile.

use std::collections::{BTreeSet, VecDeque};

use longshore_core::Digest;

use super::credentials::hashed;
use super::{Auth, Kept};
use crate::random::same_secret;

/// How many right passwords, and how many wrong ones, are remembered.
const REMEMBERED: usize = 1000;

/// The results of passwords that were checked, as hashes.
#[derive(Debug, Default)]
pub(crate) struct VerifiedPasswords {
    right: BTreeSet<Digest>,
    wrong: BTreeSet<Digest>,
    /// The wrong ones in the order in which they came: the oldest are forgotten first.
    oldest: VecDeque<Digest>,
}

/// A password whose check needs a slow hash.
pub(crate) struct PasswordCheck {
    key: Digest,
    hash: String,
    password: String,
    /// Whether the user exists. The check of an unknown user takes as long as that of a wrong password.
    is_user: bool,
}

/// A password that was checked.
pub(crate) struct CheckedPassword {
    key: Digest,
    is_right: bool,
}

impl PasswordCheck {
    /// Checks it. This takes milliseconds to seconds.
    pub(crate) fn run(self) -> CheckedPassword {
        let right = verified(&self.password, &self.hash);
        CheckedPassword { key: self.key, is_right: right && self.is_user }
    }
}

#[cfg(feature = "htpasswd")]
fn verified(password: &str, hash: &str) -> bool {
    bcrypt::verify(password, hash).unwrap_or(false)
}

/// Without htpasswd files there are no hashes to check.
#[cfg(not(feature = "htpasswd"))]
const fn verified(_: &str, _: &str) -> bool {
    false
}

impl VerifiedPasswords {
    /// Whether this is the password of that user.
    pub(super) fn check(&mut self, auth: &Auth, name: &str, password: &str) -> bool {
        if let Some(check) = self.unverified(auth, name, password) {
            self.remember(&check.run());
        }
        match auth.users.get(name).map(|user| &user.password.0) {
            None => false,
            Some(Kept::Plain(kept)) => same_secret(&hashed(&[kept]).hex(), &hashed(&[password]).hex()),
            Some(Kept::Bcrypt(hash)) => self.right.contains(&hashed(&[name, hash, password])),
        }
    }

    /// The check that must be made before it is known whether this password is right.
    pub(super) fn unverified(&self, auth: &Auth, name: &str, password: &str) -> Option<PasswordCheck> {
        let user = auth.users.get(name);
        let Kept::Bcrypt(hash) = &user.or_else(|| auth.users.values().next())?.password.0 else { return None };
        let key = hashed(&[name, hash, password]);
        if self.right.contains(&key) || self.wrong.contains(&key) {
            return None;
        }
        Some(PasswordCheck { key, hash: hash.clone(), password: password.to_owned(), is_user: user.is_some() })
    }

    /// The same for the credentials in a request's head.
    #[cfg(feature = "server")]
    pub(crate) fn unverified_head(&self, auth: &Auth, headers: &http::HeaderMap) -> Option<PasswordCheck> {
        use super::credentials::SentCredentials;

        match SentCredentials::of(headers) {
            SentCredentials::Basic(name, password) => self.unverified(auth, &name, &password),
            SentCredentials::Nothing | SentCredentials::Bearer(_) | SentCredentials::Other => None,
        }
    }

    pub(crate) fn remember(&mut self, checked: &CheckedPassword) {
        if checked.is_right {
            if self.right.len() >= REMEMBERED {
                self.right.pop_first();
            }
            self.right.insert(checked.key);
        } else if self.wrong.insert(checked.key) {
            self.oldest.push_back(checked.key);
            if self.oldest.len() > REMEMBERED
                && let Some(oldest) = self.oldest.pop_front()
            {
                self.wrong.remove(&oldest);
            }
        }
    }
}
