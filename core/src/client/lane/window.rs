//! How many requests may be in flight to one origin, adapted to its answers.

use std::time::Duration;

use crate::Instant;

/// The size of a window before the first answer.
const START: usize = 4;
/// An answer is slow if it took more than this many times as long as the origin's fastest one, ...
const SLOW_FACTOR: u32 = 4;
/// ... and longer than this.
const SLOW: Duration = Duration::from_millis(100);

/// The number of places of an origin. It doubles in each round trip until the first sign of overload, and then grows by
/// one in each. A sign of overload (429, 503 or a slow answer) halves it, at most once in a round trip.
#[derive(Debug)]
pub(in crate::client) struct Window {
    size: usize,
    limit: usize,
    /// Whether the first sign of overload was seen.
    is_linear: bool,
    /// Answers since the size last grew by one.
    answers: usize,
    /// The highest number of places that were taken since none was taken. A window that is not used does not grow.
    most_taken: usize,
    fastest: Option<Duration>,
    halved_at: Option<Instant>,
}

impl Window {
    /// The window of an origin that has not answered yet. It has at least one place and at most `limit`.
    pub(in crate::client) fn new(limit: usize) -> Self {
        let limit = limit.max(1);
        let size = START.min(limit);
        Self { size, limit, is_linear: false, answers: 0, most_taken: 0, fastest: None, halved_at: None }
    }

    /// How many places there are now.
    pub(in crate::client) const fn size(&self) -> usize {
        self.size
    }

    /// The number of places that are taken has changed to `places`.
    pub(in crate::client) fn taken(&mut self, places: usize) {
        self.most_taken = if places == 0 { 0 } else { self.most_taken.max(places) };
    }

    /// An answer came to a request that was sent at `sent`. `took` is given only for requests without a body, because
    /// the time of a body says nothing about the origin.
    pub(in crate::client) fn answered(&mut self, sent: Instant, took: Option<Duration>, now: Instant) {
        if let Some(took) = took {
            let fastest = self.fastest.map_or(took, |fastest| fastest.min(took));
            self.fastest = Some(fastest);
            if took > SLOW && took > fastest.saturating_mul(SLOW_FACTOR) {
                return self.overloaded(sent, now);
            }
        }
        if !self.is_after_halving(sent) || self.most_taken.saturating_mul(2) <= self.size || self.size >= self.limit {
            return;
        }
        self.answers = self.answers.saturating_add(1);
        if !self.is_linear || self.answers >= self.size {
            self.answers = 0;
            self.size = self.size.saturating_add(1).min(self.limit);
        }
    }

    /// The answer to a request that was sent at `sent` shows that the origin is overloaded.
    pub(in crate::client) fn overloaded(&mut self, sent: Instant, now: Instant) {
        if self.is_after_halving(sent) {
            self.is_linear = true;
            self.answers = 0;
            self.size = (self.size / 2).max(1);
            self.halved_at = Some(now);
        }
    }

    /// Whether the request was sent after the last halving. Only such an answer says something about the current size.
    fn is_after_halving(&self, sent: Instant) -> bool {
        self.halved_at.is_none_or(|halved_at| sent >= halved_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::ZERO.after(Duration::from_millis(millis))
    }

    const RTT: Duration = Duration::from_millis(50);

    /// One round trip in which every place is used.
    fn round(window: &mut Window, sent: u64) {
        let places = window.size();
        window.taken(places);
        for _ in 0..places {
            window.answered(at(sent), Some(RTT), at(sent + 50));
        }
        window.taken(0);
    }

    #[test]
    fn it_doubles_in_each_round_trip_up_to_the_limit() {
        let mut window = Window::new(32);
        let mut sizes = Vec::new();
        for trip in 0..5 {
            sizes.push(window.size());
            round(&mut window, trip * 50);
        }
        assert_eq!(sizes, [4, 8, 16, 32, 32]);
        assert_eq!((Window::new(0).size(), Window::new(3).size()), (1, 3));
    }

    #[test]
    fn after_the_first_refusal_it_grows_by_one_a_round_trip() {
        let mut window = Window::new(32);
        round(&mut window, 0);
        window.overloaded(at(50), at(100));
        assert_eq!(window.size(), 4);
        let mut sizes = Vec::new();
        for trip in 2..6 {
            round(&mut window, trip * 50);
            sizes.push(window.size());
        }
        assert_eq!(sizes, [5, 6, 7, 8]);
    }

    #[test]
    fn one_round_trip_halves_it_once() {
        let mut window = Window::new(32);
        (0..3).for_each(|trip| round(&mut window, trip * 50));
        for _ in 0..32 {
            window.overloaded(at(150), at(200));
        }
        assert_eq!(window.size(), 16);
        window.overloaded(at(200), at(250));
        assert_eq!(window.size(), 8);
        (0..9).for_each(|trip| window.overloaded(at(300 + trip), at(300 + trip)));
        assert_eq!(window.size(), 1);
    }

    #[test]
    fn slow_is_four_times_the_fastest_and_more_than_100_milliseconds() {
        let took = |fastest: u64, then: u64| {
            let mut window = Window::new(32);
            window.answered(at(0), Some(Duration::from_millis(fastest)), at(fastest));
            window.answered(at(1000), Some(Duration::from_millis(then)), at(1000 + then));
            window.size()
        };
        assert_eq!([took(50, 200), took(50, 201), took(10, 100), took(10, 101), took(500, 2000)], [4, 2, 4, 2, 4]);
        let mut window = Window::new(32);
        window.answered(at(0), Some(Duration::from_millis(1)), at(1));
        window.answered(at(0), None, at(60_000));
        assert_eq!(window.size(), 4, "how long a body takes says nothing");
    }

    #[test]
    fn a_window_that_is_not_used_does_not_grow() {
        let mut window = Window::new(32);
        for trip in 0..100 {
            window.taken(1);
            window.answered(at(trip * 50), Some(RTT), at(trip * 50 + 50));
            window.taken(0);
        }
        assert_eq!(window.size(), 4);
    }
}
