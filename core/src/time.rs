//! The core's own time: what a driver says it is.

use std::fmt;
use std::time::Duration;

/// A moment, in microseconds from an origin that the driver chooses and keeps.
///
/// The core never reads a clock. A test may begin at [`Instant::ZERO`] and let hours pass in no time.
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

    /// The moment so many microseconds after the origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the origin.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero where it is not after.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Instant {
    /// The moment so long after this one; it sticks at [`Instant::NEVER`].
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
