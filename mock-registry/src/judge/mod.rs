//! The judge: every request that breaks the spec is written down.
//!
//! It knows what was answered, and whether the answer arrived; so it can tell a manifest that came before its blobs were
//! acknowledged from one that came after. It does not tell clients apart.
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

/// How many breaches are written down, and how many things are remembered of each kind.
const REMEMBERED: usize = 100_000;

/// What the clients of a registry did wrong, and what they still have to do.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Judge {
    /// The breaches, in order; at most 100,000 of them.
    pub breaches: Vec<Breach>,
    /// What clients still owe: a manifest with a subject was pushed without an `OCI-Subject` in the answer, and it is
    /// neither in the list under the referrers tag, nor was it seen in the answer of a referrers API.
    pub owed: BTreeSet<Owed>,
    /// What a client was told is there.
    acknowledged: BTreeSet<(Repository, Digest)>,
    /// The URLs of uploads that a client was told.
    told: BTreeMap<UploadId, KnownLocations>,
}

/// An entry that a list of referrers must get.
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
    /// The row of the spec's table that it asked; nothing where it was none.
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
    /// The breaches of rules that are at least as binding.
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
