//! The judge: records every request that breaks the spec.
//!
//! It knows each answer and whether it arrived, so it detects a manifest that came before its blobs were acknowledged.
//! It does not distinguish clients.
//!
//! ```
//! use bytes::Bytes;
//! use http::Request;
//! use longshore_mock_registry::report::Level;
//! use longshore_mock_registry::{Instant, RegistryOptions, Registry};
//!
//! let mut registry = Registry::new(RegistryOptions::default());
//! let post = Request::post("/v2/a/blobs/uploads").header("content-length", "0").body(Bytes::new())?;
//! registry.answer(Instant::ZERO, post)?;
//! let breach = &registry.judge.breaches[0];
//! assert_eq!((breach.rule, breach.level), ("trailing-slash", Level::Must));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
#![doc = include_str!("../../RULES.md")]

mod head;
mod judged;
mod learn;
mod manifest;
mod referrers;
mod report;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use longshore_core::{Digest, Repository, Row, Tag};

use crate::report::Level;
use crate::row::row_id;
use crate::state::UploadId;

pub(crate) use judged::JudgedRequest;
pub use rules::{REFERRERS_LISTED, RULES, Rule};

/// How many breaches are recorded, and how many items of each kind are remembered, at most.
const REMEMBERED: usize = 100_000;

/// What the clients of a registry did wrong, and what they must still do.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Judge {
    /// The breaches, in order; at most 100,000 of them.
    pub breaches: Vec<Breach>,
    /// Entries that clients must still add: a manifest with a subject was pushed without an `OCI-Subject` in the
    /// answer, and it is neither in the list that is now under the referrers tag, nor was it in an answer of the
    /// referrers API. An entry that was there is owed again if a later list lacks it, or if the tag is deleted.
    pub owed: BTreeSet<Owed>,
    /// All entries that the lists under referrers tags must have, and whether they were ever there.
    debts: BTreeMap<Owed, bool>,
    /// Content that clients were told exists.
    acknowledged: BTreeSet<(Repository, Digest)>,
    /// The URLs of uploads that clients were told.
    told: BTreeMap<UploadId, KnownLocations>,
    /// The first bytes of chunks whose answers were lost, until another request of the upload is answered.
    unanswered: BTreeMap<UploadId, u64>,
}

/// An entry that must be added to a list of referrers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Owed {
    /// The repository.
    pub repository: Repository,
    /// The tag of the list.
    pub tag: Tag,
    /// The manifest that must be in it.
    pub digest: Digest,
}

/// A request that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Breach {
    /// The number of the request, from 1, as the registry opened it.
    pub request: u64,
    /// The row of the spec's endpoint table; `None` if the request is in no row.
    pub row: Option<Row>,
    /// The name of the rule.
    pub rule: &'static str,
    /// How binding the rule is.
    pub level: Level,
    /// What it did.
    pub what: String,
}

/// The URLs of one upload.
#[derive(Debug, Default)]
struct KnownLocations {
    newest: String,
    all: BTreeSet<String>,
}

impl Judge {
    /// The breaches of rules with at least this level.
    pub fn at_least(&self, level: Level) -> impl Iterator<Item = &Breach> {
        self.breaches.iter().filter(move |breach| breach.level <= level)
    }

    fn record(&mut self, judged: &JudgedRequest, level: Level, rule: &'static str, what: impl Into<String>) {
        if self.breaches.len() < REMEMBERED {
            self.breaches.push(Breach { request: judged.number, row: judged.row, rule, level, what: what.into() });
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = row_id(self.row);
        write!(f, "request {} ({row}) breaks {} ({}): {}", self.request, self.rule, self.level, self.what)
    }
}
