//! Which requests a fault strikes.

use std::time::Duration;

use http::Method;
use longshore_core::{Algorithm, Digest, Instant, Repository, Row};

use crate::row::row_id;

/// How many requests in a million are all of them.
pub(super) const MILLION: u32 = 1_000_000;

/// Which requests a fault strikes: those that fit all that is said here. They are counted from 1 among those that method,
/// row, repository and digest fit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct When {
    /// The method.
    pub method: Option<Method>,
    /// The id of the row of the spec's table, one of [`row_ids`](crate::row_ids).
    pub row: Option<&'static str>,
    /// The repository.
    pub repository: Option<Repository>,
    /// The blob or manifest that path or query name.
    pub digest: Option<Digest>,
    /// The number of the first that is struck, from 1.
    pub first: u64,
    /// The number of the last, inclusive; nothing where there is no last.
    pub last: Option<u64>,
    /// How many in a million of those are struck, at random, by the registry's seed: 1 to 1,000,000.
    pub per_million: u32,
    /// For how long, counted from the first request after the faults were set.
    pub within: Option<Duration>,
}

impl When {
    /// Every request.
    #[must_use]
    pub const fn every() -> Self {
        Self {
            method: None,
            row: None,
            repository: None,
            digest: None,
            first: 1,
            last: None,
            per_million: MILLION,
            within: None,
        }
    }

    /// The request of this number, from 1.
    #[must_use]
    pub fn nth(number: u64) -> Self {
        Self { first: number, last: Some(number), ..Self::every() }
    }

    /// The requests from this number on.
    #[must_use]
    pub fn from_nth(number: u64) -> Self {
        Self { first: number, ..Self::every() }
    }

    /// Only up to this number, inclusive.
    #[must_use]
    pub const fn until(mut self, number: u64) -> Self {
        self.last = Some(number);
        self
    }

    /// Only those with this method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only those of this row of the spec's table. GET and HEAD of a blob are one row, `end-2`, as those of a manifest are:
    /// [`When::method`] tells them apart.
    #[must_use]
    pub const fn row(mut self, row: Row) -> Self {
        self.row = Some(row.id());
        self
    }

    /// Only those to this repository.
    #[must_use]
    pub fn repository(mut self, repository: Repository) -> Self {
        self.repository = Some(repository);
        self
    }

    /// Only those about this blob or manifest.
    #[must_use]
    pub const fn digest(mut self, digest: Digest) -> Self {
        self.digest = Some(digest);
        self
    }

    /// Only this share of them, from 0 (no request; values below are taken for it) to 1 (all, as values above), at random
    /// by the registry's seed.
    #[must_use]
    pub fn probability(mut self, share: f64) -> Self {
        // The range makes the conversion exact enough, and never out of bounds.
        self.per_million = (share.clamp(0.0, 1.0) * f64::from(MILLION)).round() as u32;
        self
    }

    /// Only for so long, counted from the first request after the faults were set.
    #[must_use]
    pub const fn for_first(mut self, time: Duration) -> Self {
        self.within = Some(time);
        self
    }

    /// Whether a request is one of those that are counted.
    pub(super) fn counts(&self, request: &Candidate<'_>) -> bool {
        self.method.as_ref().is_none_or(|method| method == request.method)
            && self.row.is_none_or(|row| row == row_id(request.row))
            && self.repository.as_ref().is_none_or(|repository| Some(repository) == request.repository)
            && self.digest.is_none_or(|digest| Some(digest) == request.digest)
    }

    /// Whether the request of this number, among those that are counted, is struck.
    pub(super) fn strikes(&self, number: u64, elapsed: Duration, chance: impl FnOnce() -> u32) -> bool {
        number >= self.first
            && self.last.is_none_or(|last| number <= last)
            && self.within.is_none_or(|within| elapsed < within)
            && (self.per_million >= MILLION || chance() < self.per_million)
    }
}

/// What of a request decides whether a fault strikes it.
pub(super) struct Candidate<'a> {
    pub(super) method: &'a Method,
    pub(super) row: Option<Row>,
    pub(super) repository: Option<&'a Repository>,
    pub(super) digest: Option<Digest>,
}

/// How far a registry is in its faults: how many requests each rule counted.
#[derive(Debug, Default)]
pub(crate) struct FaultCounters {
    counts: Vec<u64>,
    begin: Option<Instant>,
}

impl FaultCounters {
    /// Counts a request for each of so many rules, and says which of them strike.
    pub(super) fn count<'a>(
        &mut self,
        rules: impl Iterator<Item = &'a When>,
        request: &Candidate<'_>,
        now: Instant,
        seed: &[u8; 32],
    ) -> Vec<usize> {
        let begin = *self.begin.get_or_insert(now);
        let elapsed = Duration::from_micros(now.as_micros().saturating_sub(begin.as_micros()));
        let mut striking = Vec::new();
        for (at, when) in rules.enumerate() {
            if self.counts.len() <= at {
                self.counts.push(0);
            }
            if when.counts(request) {
                self.counts[at] += 1;
                let number = self.counts[at];
                if when.strikes(number, elapsed, || chance(seed, at, number)) {
                    striking.push(at);
                }
            }
        }
        striking
    }
}

/// A number below a million, the same for the same seed, rule and number.
fn chance(seed: &[u8; 32], rule: usize, number: u64) -> u32 {
    let input = [&seed[..], b"fault", &(rule as u64).to_be_bytes(), &number.to_be_bytes()].concat();
    let hex = Digest::of(Algorithm::Sha256, &input).hex();
    u32::from_str_radix(&hex[..8], 16).unwrap_or_default() % MILLION
}
