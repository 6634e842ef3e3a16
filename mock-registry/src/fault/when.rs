//! Which requests a fault strikes.

use std::time::Duration;

use http::Method;
use longshore_core::{Algorithm, Digest, Instant, Repository, Row};

use crate::row::row_id;

/// The value of [`When::per_million`] with which a fault strikes every request.
pub(super) const MILLION: u32 = 1_000_000;

/// Which requests a fault strikes.
///
/// A request is counted if method, row, repository and digest are those that are given here; what is not given fits every
/// request. The first request that is counted has the number 1. Of the requests that are counted, the fault strikes those
/// that the other fields select.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct When {
    /// The method.
    pub method: Option<Method>,
    /// The id of the row of the spec's table, one of [`row_ids`](crate::row_ids).
    pub row: Option<&'static str>,
    /// The repository.
    pub repository: Option<Repository>,
    /// The digest of the blob or manifest that the path or the query names.
    pub digest: Option<Digest>,
    /// The number of the first request that the fault strikes, from 1.
    pub first: u64,
    /// The number of the last request that it strikes, inclusive. `None`: it strikes all from the first on.
    pub last: Option<u64>,
    /// How many of a million requests it strikes, from 0 to 1,000,000. The registry's seed decides which ones.
    pub per_million: u32,
    /// How long it strikes, from the first request after the faults were set. `None`: without end.
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

    /// The request with this number, from 1.
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

    /// Only this share of them: 0 is no request, 1 is every request. A value below 0 counts as 0, and one above 1 as 1. The
    /// registry's seed decides which ones.
    #[must_use]
    pub fn probability(mut self, share: f64) -> Self {
        // The value is between 0 and a million, so the conversion cannot overflow.
        self.per_million = (share.clamp(0.0, 1.0) * f64::from(MILLION)).round() as u32;
        self
    }

    /// Only for this long, from the first request after the faults were set.
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

/// The parts of a request that decide whether a fault strikes it.
pub(super) struct Candidate<'a> {
    pub(super) method: &'a Method,
    pub(super) row: Option<Row>,
    pub(super) repository: Option<&'a Repository>,
    pub(super) digest: Option<Digest>,
}

/// How many requests each rule has counted.
#[derive(Debug, Default)]
pub(crate) struct FaultCounters {
    counts: Vec<u64>,
    begin: Option<Instant>,
}

impl FaultCounters {
    /// Counts a request for every rule that fits it. Returns the indexes of the rules whose faults strike it.
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

/// A random number below a million. The same seed, rule and number of the request give the same one.
fn chance(seed: &[u8; 32], rule: usize, number: u64) -> u32 {
    let input = [&seed[..], b"fault", &(rule as u64).to_be_bytes(), &number.to_be_bytes()].concat();
    let hex = Digest::of(Algorithm::Sha256, &input).hex();
    u32::from_str_radix(&hex[..8], 16).unwrap_or_default() % MILLION
}
