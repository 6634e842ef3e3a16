//! What goes wrong with which requests.

use super::{Fault, RetryAfter, When};
use crate::random::Random;

/// One fault, and the requests that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultRule {
    /// Which requests.
    pub when: When,
    /// Their fault.
    pub fault: Fault,
}

/// The faults of chosen requests. [`Display`](std::fmt::Display) writes the text that it can be read from.
///
/// Of the rules that match a request, all that only slow it down apply, and the first of the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Faults {
    /// The rules.
    pub rules: Vec<FaultRule>,
}

impl Faults {
    /// No faults.
    #[must_use]
    pub const fn none() -> Self {
        Self { rules: Vec::new() }
    }

    /// Starts a rule for the request with this number, from 1.
    #[must_use]
    pub fn nth(number: u64) -> When {
        When::nth(number)
    }

    /// Starts a rule for the requests from this number on.
    #[must_use]
    pub fn from_nth(number: u64) -> When {
        When::from_nth(number)
    }

    /// Starts a rule for every request.
    #[must_use]
    pub const fn every() -> When {
        When::every()
    }

    /// These rules, followed by those.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.rules.extend(others.rules);
        self
    }

    /// A number of random faults among the first requests. The same seed gives the same faults.
    #[must_use]
    pub fn seeded(seed: u64, faults: u64, requests: u64) -> Self {
        let mut full_seed = [0; 32];
        full_seed[..8].copy_from_slice(&seed.to_be_bytes());
        let mut random = Random::new(full_seed);
        let rules = (0..faults).map(|_| {
            let when = When::nth(1 + random.below(requests.max(1)));
            FaultRule { when, fault: draw(&mut random) }
        });
        Self { rules: rules.collect() }
    }
}

/// A fault that a client can recover from.
fn draw(random: &mut Random) -> Fault {
    match random.below(20) {
        0 => Fault::RequestLost,
        1 => Fault::AnswerLost,
        2 => Fault::BodyCut(random.below(2000)),
        3 => Fault::AnswerCut(random.below(200)),
        4 => Fault::Latency(random.below(30_000_000)),
        5 => Fault::Status(429, Some(RetryAfter::Seconds(random.below(10)))),
        6 => Fault::Status(503, Some(RetryAfter::Date(random.below(10)))),
        7 => Fault::Status([500, 502, 504, 408, 499, 522][(random.below(6)) as usize], None),
        8 => Fault::Status(429, None),
        9 => Fault::TokenExpired,
        10 => Fault::BlobNotYetVisible,
        11 => Fault::UploadGone,
        12 => Fault::UploadMissed,
        13 => Fault::NotSent,
        14 => Fault::AnswerReset,
        15 => Fault::HeadCut(random.below(100)),
        16 => Fault::Garbage,
        17 => Fault::Twice,
        18 => Fault::Bandwidth(1 + random.below(100_000)),
        _ => Fault::HealthCheck,
    }
}
