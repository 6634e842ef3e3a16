//! The core's own time, which the driver supplies.

use std::fmt;
use std::time::Duration;

/// A moment, in microseconds since an origin that the driver chooses once.
///
/// The core never reads a clock, so a test can start at [`Instant::ZERO`] and advance by hours at once.
///
/// ```
/// use std::time::Duration;
/// use longshore_core::Instant;
///
/// let later = Instant::ZERO + Duration::from_secs(2);
/// assert_eq!(later.as_micros(), 2_000_000);
/// assert_eq!(later.since(Instant::ZERO), Duration::from_secs(2));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The origin.
    pub const ZERO: Self = Self(0);
    /// A moment that never comes: 584,942 years after the origin.
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment `micros` microseconds after the origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the origin.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to this moment; zero if `earlier` is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Instant {
    /// The moment `duration` after this one, at most [`Instant::NEVER`]. Parts of a microsecond are dropped.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl std::ops::Add<Duration> for Instant {
    type Output = Self;

    /// [`Instant::after`].
    fn add(self, duration: Duration) -> Self {
        self.after(duration)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}us", self.0)
    }
}
