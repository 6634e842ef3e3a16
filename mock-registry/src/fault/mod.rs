//! Faults: what goes wrong with which request, as data that replays.
//!
//! A fault concerns how a request or its answer is delivered, or what the registry has forgotten. The registry decides when
//! it strikes; whoever delivers, does what [`Answer::delivery`](crate::Answer::delivery) says.
//!
//! ```
//! use longshore_mock_registry::fault::{Fault, FaultPlan};
//!
//! // The answer to the second request is lost, and so is the first PUT that ends an upload, at its 100th byte.
//! let plan: FaultPlan = "2=answer-lost,end-6/1=body-cut:100".parse()?;
//! assert_eq!(plan.to_string(), "2=answer-lost,end-6/1=body-cut:100");
//! assert_eq!(plan.rules[0].fault, Fault::AnswerLost);
//! # Ok::<(), longshore_mock_registry::fault::FaultError>(())
//! ```

mod strike;
mod text;

use crate::Row;
use crate::random::Random;

pub(crate) use strike::{FaultEffect, delivered};
pub use text::FaultError;

/// Something that goes wrong with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is lost before the registry sees the request.
    RequestLost,
    /// The registry acts on the request, and its answer is lost (`put-retry-after-commit-404`).
    AnswerLost,
    /// The connection is lost after so many bytes of the request's body: what came is kept as the behaviour says
    /// (`http2-reset-mid-upload`).
    BodyCut(u64),
    /// The connection is lost after so many bytes of the answer's body. An answer without a body is lost.
    AnswerCut(u64),
    /// The answer takes so many microseconds longer.
    Slow(u64),
    /// Somebody on the way answers with this status, and the registry sees nothing (`retryable-status-set`).
    Status(u16, Option<RetryAfter>),
    /// The request's token is no longer good, nor is any other of the same user (`token-expires-mid-upload`,
    /// `client-must-replay-body`).
    TokenExpired,
    /// Blobs are not there for this request: a manifest that refers to any is refused (`blob-visible-after-delay`).
    BlobNotYetVisible,
    /// The upload that the request names is gone (`session-gone-404`, `intermittent-404-session`).
    UploadGone,
    /// The upload that the request names is not found, and is there for the next one (`intermittent-404-session`).
    UploadMissed,
    /// A load balancer on the way answers 200 with words of its own (`post-200-healthcheck`).
    HealthCheck,
}

/// The forms of `Retry-After` (`429-retry-after-forms`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryAfter {
    /// So many seconds.
    Seconds(u64),
    /// The date so many seconds after the answer's own `Date`.
    Date(u64),
}

/// Which request a fault strikes. Requests are counted from 1, as the registry opens them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// The request of this number.
    Request(u64),
    /// The request of this number among those of a row.
    Row(Row, u64),
}

/// One fault and when it strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRule {
    /// When.
    pub when: When,
    /// What.
    pub fault: Fault,
}

/// What goes wrong with which requests. It prints as what it is read from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultPlan {
    /// The rules. For each request the first that fits counts.
    pub rules: Vec<FaultRule>,
}

/// A fault that struck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Struck {
    /// The number of the request, from 1.
    pub request: u64,
    /// What it asked.
    pub row: Row,
    /// What went wrong.
    pub fault: Fault,
}

impl FaultPlan {
    /// Nothing goes wrong.
    #[must_use]
    pub const fn none() -> Self {
        Self { rules: Vec::new() }
    }

    /// So many faults among the first so many requests: the same for the same seed.
    #[must_use]
    pub fn seeded(seed: u64, faults: u64, requests: u64) -> Self {
        let mut full_seed = [0; 32];
        full_seed[..8].copy_from_slice(&seed.to_be_bytes());
        let mut random = Random::new(full_seed);
        let rules = (0..faults).map(|_| FaultRule {
            when: When::Request(1 + random.below(requests.max(1))),
            fault: match random.below(14) {
                0 => Fault::RequestLost,
                1 => Fault::AnswerLost,
                2 => Fault::BodyCut(random.below(2000)),
                3 => Fault::AnswerCut(random.below(200)),
                4 => Fault::Slow(random.below(30_000_000)),
                5 => Fault::Status(429, Some(RetryAfter::Seconds(random.below(10)))),
                6 => Fault::Status(503, Some(RetryAfter::Date(random.below(10)))),
                7 => Fault::Status([500, 502, 504, 408, 499, 522][(random.below(6)) as usize], None),
                8 => Fault::Status(429, None),
                9 => Fault::TokenExpired,
                10 => Fault::BlobNotYetVisible,
                11 => Fault::UploadGone,
                12 => Fault::UploadMissed,
                _ => Fault::HealthCheck,
            },
        });
        Self { rules: rules.collect() }
    }

    /// What strikes a request: by its number, and its number in its row.
    pub(crate) fn striking(&self, number: u64, row: Row, in_row: u64) -> Option<&Fault> {
        let fits = |rule: &&FaultRule| match rule.when {
            When::Request(wanted) => wanted == number,
            When::Row(wanted, nth) => wanted == row && nth == in_row,
        };
        self.rules.iter().find(fits).map(|rule| &rule.fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_plans_replay_and_differ() {
        assert_eq!(FaultPlan::seeded(7, 20, 50), FaultPlan::seeded(7, 20, 50));
        assert_ne!(FaultPlan::seeded(7, 20, 50), FaultPlan::seeded(8, 20, 50));
        let plan = FaultPlan::seeded(9, 200, 10);
        assert!(plan.rules.iter().all(|rule| matches!(rule.when, When::Request(1..=10))));
        assert_eq!(plan.to_string().parse(), Ok(plan));
    }
}
