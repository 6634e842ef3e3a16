//! A lane: everything that decides whether a request may be sent to one origin now.
//!
//! Each origin has its own window, pause, budget and queue, so a registry, token service or storage host that hangs,
//! throttles or is down does not slow down the others.

mod backoff;
mod budget;
mod queue;
mod window;

use std::collections::BTreeSet;
use std::time::Duration;

pub(super) use backoff::Backoff;
use budget::Budget;
pub(super) use queue::{Priority, ReadyQueue, Ticket};
use window::Window;

use super::task_id::TaskId;
use crate::config::Options;
use crate::{Instant, Origin};

/// A lane that has had no answer for this long has only one place, unless all its requests in flight have large bodies.
const SILENT: Duration = Duration::from_secs(10);
/// Bodies of more bytes than this are large.
pub(super) const LARGE: u64 = 1024 * 1024;

/// The lane of one origin.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) queue: ReadyQueue,
    pub(super) backoff: Backoff,
    /// Tasks that wait for a moment before they are sent to this origin again.
    pub(super) resting: BTreeSet<TaskId>,
    /// Whether the origin has answered. Until then only one request is in flight.
    pub(super) is_known: bool,
    /// When it was used last: the lane that was not used for the longest time is forgotten first.
    pub(super) used: Instant,
    budget: Budget,
    window: Window,
    paused_until: Instant,
    /// The end of the longest pause that the origin itself asked for.
    asked_until: Instant,
    /// How long requests have waited because the origin asked for it, since it last served a request.
    refused_for: Duration,
    /// The moment up to which that was counted.
    waited_until: Instant,
    /// Places that are taken.
    taken: usize,
    /// The places that are taken by requests with large bodies.
    taken_by_large: usize,
    /// When the origin last answered.
    heard: Instant,
    /// How many requests the origin has served (not deferred, and not challenged): safe ones, and those that write.
    served: [u64; 2],
    /// How often in a row it was overloaded without a `Retry-After`.
    throttles: u32,
    /// When it was last overloaded so.
    throttled_at: Option<Instant>,
}

/// Which requests a lane has a place for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Nothing,
    /// Only requests without a large body.
    Small,
    Anything,
}

impl Lane {
    pub(super) fn new(origin: &Origin, options: &Options, now: Instant) -> Self {
        Self {
            queue: ReadyQueue::default(),
            backoff: Backoff::new(options.seed, origin),
            resting: BTreeSet::new(),
            is_known: false,
            used: now,
            budget: Budget::new(options.retry_budget, now),
            window: Window::new(options.in_flight),
            paused_until: Instant::ZERO,
            asked_until: Instant::ZERO,
            refused_for: Duration::ZERO,
            waited_until: Instant::ZERO,
            taken: 0,
            taken_by_large: 0,
            heard: now,
            served: [0; 2],
            throttles: 0,
            throttled_at: None,
        }
    }

    /// Whether nothing is in flight or waits here, so that the lane can be forgotten.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.taken == 0 && self.queue.is_idle() && self.resting.is_empty() && self.paused_until <= now
    }

    /// The end of the pause, whether the origin asked for it or the client chose it. It may be in the past.
    pub(super) const fn paused_until(&self) -> Instant {
        self.paused_until
    }

    /// The end of the pause that the origin asked for. It may be in the past.
    pub(super) const fn asked_until(&self) -> Instant {
        self.asked_until
    }

    /// Whether no place is taken. The first place is not counted in the total of all lanes.
    pub(super) const fn is_empty(&self) -> bool {
        self.taken == 0
    }

    /// How many places there are, taken or free.
    pub(super) fn places(&self, now: Instant) -> usize {
        let is_silent = self.taken > self.taken_by_large && now.since(self.heard) > SILENT;
        if is_silent || !self.is_known { 1 } else { self.window.size() }
    }

    /// Which requests this lane may send now.
    pub(super) fn room(&self, options: &Options, now: Instant) -> Room {
        let places = self.places(now);
        if self.paused_until > now || self.taken >= places {
            return Room::Nothing;
        }
        // One place is left for other requests while large bodies are sent.
        let large = options.large_bodies.max(1).min(places.saturating_sub(1).max(1));
        if self.taken_by_large >= large { Room::Small } else { Room::Anything }
    }

    /// A request takes a place.
    pub(super) fn take(&mut self, is_large: bool, now: Instant) {
        if self.taken == self.taken_by_large {
            self.heard = now;
        }
        self.taken = self.taken.saturating_add(1);
        self.taken_by_large = self.taken_by_large.saturating_add(usize::from(is_large));
        self.window.taken(self.taken);
        self.used = now;
    }

    /// A request gives its place back.
    pub(super) fn release(&mut self, is_large: bool) {
        self.taken = self.taken.saturating_sub(1);
        self.taken_by_large = self.taken_by_large.saturating_sub(usize::from(is_large));
        self.window.taken(self.taken);
    }

    /// The origin has answered.
    pub(super) const fn hear(&mut self, now: Instant) {
        self.heard = now;
    }

    /// The origin answered a request that was sent at `sent`, and did not defer it. `took` is given only if the request
    /// had no body.
    pub(super) fn answered(&mut self, sent: Instant, took: Option<Duration>, now: Instant) {
        self.refused_for = Duration::ZERO;
        self.throttles = 0;
        self.window.answered(sent, took, now);
    }

    /// The origin served a request. `is_safe` states whether its method is safe (RFC 9110, section 9.2.1).
    pub(super) const fn serve(&mut self, is_safe: bool) {
        let [asking, writing] = &mut self.served;
        let served = if is_safe { asking } else { writing };
        *served = served.saturating_add(1);
    }

    /// How many requests it has served with safe methods, or with others. A registry may refuse only one of the two
    /// kinds.
    pub(super) const fn served(&self, is_safe: bool) -> u64 {
        let [asking, writing] = self.served;
        if is_safe { asking } else { writing }
    }

    /// The origin was overloaded when it answered a request that was sent at `sent`. Returns the moment before which
    /// nothing is sent to it. Answers to requests that were sent before the last overload do not count again.
    pub(super) fn throttle(&mut self, sent: Instant, now: Instant, options: &Options) -> Instant {
        if self.throttled_at.is_none_or(|at| sent >= at) {
            self.throttles = self.throttles.saturating_add(1);
            self.throttled_at = Some(now);
            let wait = self.backoff.throttled(self.throttles, options);
            self.paused_until = self.paused_until.max(now.after(wait));
        }
        self.paused_until.max(now)
    }

    /// The origin answered 429 or 503 to a request that was sent at `sent`.
    pub(super) fn overloaded(&mut self, sent: Instant, now: Instant) {
        self.window.overloaded(sent, now);
    }

    /// The origin asked for a wait: nothing is sent to it before this moment.
    pub(super) fn pause(&mut self, until: Instant) {
        self.asked_until = self.asked_until.max(until);
        self.paused_until = self.paused_until.max(until);
    }

    /// A request waits until this moment because the origin asked for it. Returns how long there were only such waits
    /// before now. Overlapping waits count once.
    pub(super) fn waits(&mut self, until: Instant, now: Instant) -> Duration {
        let more = until.since(self.waited_until.max(now));
        let before = self.refused_for.saturating_sub(self.waited_until.since(now));
        self.waited_until = self.waited_until.max(until);
        self.refused_for = self.refused_for.saturating_add(more);
        before
    }

    /// How long the origin has only asked for waits.
    pub(super) const fn refused_for(&self) -> Duration {
        self.refused_for
    }

    /// The requests that waited have failed, so the sum of the waits starts again.
    pub(super) const fn forgive(&mut self) {
        self.refused_for = Duration::ZERO;
    }

    /// Pays for a retry. Returns `false` if the budget is used up.
    pub(super) fn pay(&mut self, is_throttled: bool, now: Instant) -> bool {
        self.budget.pay(is_throttled, now)
    }

    /// A request succeeded.
    pub(super) fn earn(&mut self) {
        self.budget.earn();
    }
}

#[cfg(test)]
mod tests;
