//! The retry budget of one origin.

use std::time::Duration;

use crate::Instant;

/// The cost of a retry after a lost request.
const LOST: u32 = 14;
/// The cost of a retry after a 429 or 503.
const THROTTLED: u32 = 5;
/// The time in which an empty budget becomes full again.
const REFILL: Duration = Duration::from_secs(600);

/// What is left for retries. A success adds 1, and time adds the rest.
#[derive(Debug)]
pub(super) struct Budget {
    left: u32,
    limit: u32,
    /// The moment up to which time was added.
    counted: Instant,
}

impl Budget {
    pub(super) const fn new(limit: u32, now: Instant) -> Self {
        Self { left: limit, limit, counted: now }
    }

    /// Pays for one retry. Returns `false` if too little is left.
    pub(super) fn pay(&mut self, is_throttled: bool, now: Instant) -> bool {
        self.refill(now);
        let cost = if is_throttled { THROTTLED } else { LOST };
        let left = self.left.checked_sub(cost);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }

    /// A request succeeded.
    pub(super) fn earn(&mut self) {
        self.left = self.left.saturating_add(1).min(self.limit);
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.since(self.counted).min(REFILL).as_micros();
        let earned = passed.saturating_mul(u128::from(self.limit)).checked_div(REFILL.as_micros()).unwrap_or_default();
        // A fraction of a unit is counted the next time.
        if earned > 0 {
            self.left = self.left.saturating_add(u32::try_from(earned).unwrap_or(u32::MAX)).min(self.limit);
            self.counted = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO.after(Duration::from_secs(seconds))
    }

    #[test]
    fn it_ends_and_is_earned_back() {
        let mut budget = Budget::new(20, at(0));
        assert!(budget.pay(false, at(0)));
        assert!(!budget.pay(false, at(0)));
        assert!(budget.pay(true, at(0)));
        assert!(!budget.pay(true, at(0)));
        (0..14).for_each(|_| budget.earn());
        assert!(budget.pay(false, at(0)));
    }

    #[test]
    fn time_refills_it_and_it_never_holds_more_than_its_limit() {
        let mut budget = Budget::new(20, at(0));
        assert!(budget.pay(false, at(0)) && budget.pay(true, at(0)) && !budget.pay(true, at(0)));
        assert!(!budget.pay(true, at(60)), "2 of 20 a minute");
        assert!(budget.pay(true, at(120)));
        let year = 365 * 24 * 3600;
        assert!(budget.pay(false, at(year)) && budget.pay(true, at(year)) && !budget.pay(true, at(year)));
        let mut unlimited = Budget::new(u32::MAX, at(0));
        assert!((0..1000).all(|second| unlimited.pay(false, at(second))));
    }
}
