//! How long a request waits before it is repeated.

use std::time::Duration;

use crate::Origin;
use crate::config::Options;

/// The random waits of one lane. They are seeded by the client's seed and the origin, so that the requests to one
/// origin do not depend on another one.
#[derive(Debug)]
pub(in crate::client) struct Backoff {
    random: u64,
}

impl Backoff {
    pub(in crate::client) fn new(seed: u64, origin: &Origin) -> Self {
        Self { random: seed ^ fnv_1a(origin.to_string().as_bytes()) }
    }

    /// The wait before attempt `attempt` (2 is the first retry): a random time from zero to a bound that doubles with
    /// each attempt.
    pub(in crate::client) fn before(&mut self, attempt: u32, options: &Options) -> Duration {
        self.up_to(doubled(options.backoff, attempt.saturating_sub(2)).min(options.backoff_limit))
    }

    /// The wait after the origin was overloaded this many times in a row: a random time in the upper half of a bound
    /// that doubles each time.
    pub(in crate::client) fn throttled(&mut self, times: u32, options: &Options) -> Duration {
        let bound = doubled(options.backoff_throttled, times.saturating_sub(1)).min(options.backoff_limit);
        let half = bound.checked_div(2).unwrap_or_default();
        half.saturating_add(self.up_to(bound.saturating_sub(half)))
    }

    /// The wait before the client asks again for content that the registry said was missing. It is at least the bound,
    /// because stored content may become visible only seconds later (quirk `blob-visible-after-delay`).
    pub(in crate::client) fn before_recovery(&mut self, tries: u32, options: &Options) -> Duration {
        let bound = doubled(options.backoff_throttled, tries.saturating_sub(1));
        self.after(bound.min(options.backoff_limit), options)
    }

    /// The wait that the registry asked for, plus a short random time, so that not all clients return at the same
    /// moment.
    pub(in crate::client) fn after(&mut self, asked: Duration, options: &Options) -> Duration {
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

fn doubled(base: Duration, doublings: u32) -> Duration {
    base.saturating_mul(1_u32.checked_shl(doublings.min(31)).unwrap_or(u32::MAX))
}

/// FNV-1a (Fowler, Noll, Vo): the standard library's hash may differ from one version of Rust to the next.
fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(seed: u64, registry: &str) -> Backoff {
        Backoff::new(seed, &registry.parse::<crate::Registry>().unwrap().origin())
    }

    #[test]
    fn waits_grow_to_the_bound_and_differ_by_seed_and_origin() {
        let options = Options::default();
        let waits = |seed, registry| {
            let mut backoff = backoff(seed, registry);
            (2..40).map(|attempt| backoff.before(attempt, &options)).collect::<Vec<_>>()
        };
        assert_eq!(waits(7, "a.example"), waits(7, "a.example"));
        assert_ne!(waits(7, "a.example"), waits(8, "a.example"));
        assert_ne!(waits(7, "a.example"), waits(7, "b.example"));
        for (attempt, wait) in waits(7, "a.example").into_iter().enumerate() {
            let bound = options.backoff * 2_u32.pow(attempt.min(20) as u32);
            assert!(wait <= bound.min(options.backoff_limit));
        }
    }

    /// The values of the authors' reference programs: SplitMix64 for the seed 1234567, and FNV-1a.
    #[test]
    fn the_random_numbers_are_those_of_the_published_algorithms() {
        let mut backoff = Backoff { random: 1_234_567 };
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([backoff.next(), backoff.next(), backoff.next()], expected);
        for (text, hash) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            assert_eq!(fnv_1a(text.as_bytes()), hash, "{text}");
        }
    }

    #[test]
    fn who_is_throttled_waits_at_least_half_of_a_bound_that_doubles() {
        let (options, mut backoff) = (Options::default(), backoff(7, "a.example"));
        for (times, bound) in [(1, 1), (2, 2), (3, 4), (5, 16), (6, 20), (u32::MAX, 20)] {
            let (wait, bound) = (backoff.throttled(times, &options), Duration::from_secs(bound));
            assert!((bound / 2..=bound).contains(&wait), "{times}: {wait:?}");
        }
    }

    #[test]
    fn i26_retry_after_is_never_undercut() {
        let (options, mut backoff) = (Options::default(), backoff(0, "a.example"));
        for seconds in [0, 1, 300] {
            let asked = Duration::from_secs(seconds);
            assert!(backoff.after(asked, &options) >= asked);
        }
    }

    #[test]
    fn what_is_missing_gets_at_least_three_seconds_to_be_seen() {
        let (options, mut backoff) = (Options::default(), backoff(0, "a.example"));
        let waits: Vec<Duration> = (1..=3).map(|tries| backoff.before_recovery(tries, &options)).collect();
        assert!(waits.is_sorted() && waits.iter().sum::<Duration>() >= Duration::from_secs(3), "{waits:?}");
        assert!(backoff.before_recovery(u32::MAX, &options) >= options.backoff_limit);
    }
}
