//! How long to wait, and when to stop trying.

use std::time::Duration;

use crate::config::Options;
use http::StatusCode;

/// What one lost request takes from the budget.
const LOST: u32 = 14;
/// What one throttled request takes.
const THROTTLED: u32 = 5;

/// The client's randomness and its budget for trouble.
#[derive(Debug)]
pub(super) struct Retry {
    random: u64,
    budget: u32,
    limit: u32,
}

impl Retry {
    pub(super) const fn new(options: &Options) -> Self {
        Self { random: options.seed, budget: options.retry_budget, limit: options.retry_budget }
    }

    /// Pays for one repetition; false where nothing is left to pay with.
    pub(super) const fn pay(&mut self, throttled: bool) -> bool {
        let cost = if throttled { THROTTLED } else { LOST };
        match self.budget.checked_sub(cost) {
            Some(left) => {
                self.budget = left;
                true
            }
            None => false,
        }
    }

    /// A request went well: a little trouble is forgotten.
    pub(super) const fn earn(&mut self) {
        if self.budget < self.limit {
            self.budget = self.budget.saturating_add(1);
        }
    }

    /// The wait before attempt `attempt` (2 is the first repetition): anywhere from nothing to a bound that doubles.
    pub(super) fn backoff(&mut self, attempt: u32, throttled: bool, options: &Options) -> Duration {
        let base = if throttled { options.backoff_throttled } else { options.backoff };
        let doublings = attempt.saturating_sub(2).min(31);
        let bound = base.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(options.backoff_limit);
        self.up_to(bound)
    }

    /// The wait before content is looked for again that the registry said was missing: never less than the bound, because
    /// what was stored may take its time to be seen (quirk `blob-visible-after-delay`: seconds).
    pub(super) fn patience(&mut self, recoveries: u32, options: &Options) -> Duration {
        let doublings = recoveries.saturating_sub(1).min(31);
        let bound = options.backoff_throttled.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX));
        self.after(bound.min(options.backoff_limit), options)
    }

    /// A little after what the registry asked for, so that those it sent away do not all come back at once.
    pub(super) fn after(&mut self, asked: Duration, options: &Options) -> Duration {
        asked.saturating_add(self.up_to(options.backoff))
    }

    fn up_to(&mut self, bound: Duration) -> Duration {
        let micros = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.next().checked_rem(micros.saturating_add(1)).unwrap_or(0))
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
    const fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Answers that may be other ones a moment later (quirk `retryable-status-set`).
pub(super) fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 499 | 500 | 502 | 503 | 504 | 522)
}

/// Answers that say that there is too much to do.
pub(super) fn is_throttling(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 503)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_bound_and_the_same_seed_gives_the_same() {
        let options = Options::default();
        let waits = |seed| {
            let mut retry = Retry::new(&Options { seed, ..Options::default() });
            (2..40).map(|attempt| retry.backoff(attempt, false, &options)).collect::<Vec<_>>()
        };
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
        for (attempt, wait) in waits(7).into_iter().enumerate() {
            let bound = options.backoff * 2_u32.pow(attempt.min(20) as u32);
            assert!(wait <= bound.min(options.backoff_limit));
        }
    }

    #[test]
    fn i26_retry_after_is_never_undercut() {
        let options = Options::default();
        let mut retry = Retry::new(&options);
        for seconds in [0, 1, 300] {
            let asked = Duration::from_secs(seconds);
            assert!(retry.after(asked, &options) >= asked);
        }
    }

    #[test]
    fn what_is_missing_gets_at_least_three_seconds_to_be_seen() {
        let (options, mut retry) = (Options::default(), Retry::new(&Options::default()));
        let waits: Vec<Duration> = (1..=3).map(|recoveries| retry.patience(recoveries, &options)).collect();
        assert!(waits.is_sorted() && waits.iter().sum::<Duration>() >= Duration::from_secs(3), "{waits:?}");
        assert!(retry.patience(u32::MAX, &options) >= options.backoff_limit);
    }

    #[test]
    fn the_budget_ends_and_is_earned_back() {
        let mut retry = Retry::new(&Options { retry_budget: 20, ..Options::default() });
        assert!(retry.pay(false));
        assert!(!retry.pay(false));
        assert!(retry.pay(true));
        assert!(!retry.pay(true));
        (0..14).for_each(|_| retry.earn());
        assert!(retry.pay(false));
    }
}
