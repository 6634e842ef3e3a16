//! A lane: all that decides whether a request may be sent to one origin now.
//!
//! A registry, a token service or a storage host that hangs, throttles or is down costs the others nothing, because window,
//! pause, budget and queue are its own.

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

/// A lane without an answer for so long has one place, while it has more than large bodies on their way.
const SILENT: Duration = Duration::from_secs(10);
/// Bodies of more bytes than this are large.
pub(super) const LARGE: u64 = 1024 * 1024;

/// The lane of one origin.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) queue: ReadyQueue,
    pub(super) backoff: Backoff,
    /// Tasks that wait before they are sent to this origin again.
    pub(super) resting: BTreeSet<TaskId>,
    /// Whether it has shown by an answer what it wants: until then one request is sent alone.
    pub(super) is_known: bool,
    /// When it was used last, to tell which lane is given up first.
    pub(super) used: Instant,
    budget: Budget,
    window: Window,
    paused_until: Instant,
    /// How long requests have waited because it asked for it, since it last did anything but refuse to serve.
    refused_for: Duration,
    /// Up to when that was counted.
    waited_until: Instant,
    /// Places that are taken.
    taken: usize,
    /// Those of them that a large body takes.
    taken_by_large: usize,
    /// When it last showed that it is there.
    heard: Instant,
    /// How many requests it has served, answered with anything but a refusal to serve: those that ask, and those that write.
    served: [u64; 2],
    /// How often in a row it said that it has too much to do, without saying for how long to wait.
    throttles: u32,
    /// When it said so last.
    throttled_at: Option<Instant>,
}

/// What a lane has a place for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Nothing,
    /// Anything but a large body.
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

    /// Whether nothing is under way or waits here, so that it can be given up.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.taken == 0 && self.queue.is_idle() && self.resting.is_empty() && self.paused_until <= now
    }

    /// Until when the origin asked not to be sent anything; it may have passed.
    pub(super) const fn paused_until(&self) -> Instant {
        self.paused_until
    }

    /// Whether a request that is sent now takes the lane's first place, which the cap on all lanes does not count.
    pub(super) const fn is_empty(&self) -> bool {
        self.taken == 0
    }

    /// How many places there are, taken or not.
    pub(super) fn places(&self, now: Instant) -> usize {
        let is_silent = self.taken > self.taken_by_large && now.since(self.heard) > SILENT;
        if is_silent || !self.is_known { 1 } else { self.window.size() }
    }

    /// What may be sent now, as far as this lane is concerned.
    pub(super) fn room(&self, options: &Options, now: Instant) -> Room {
        let places = self.places(now);
        if self.paused_until > now || self.taken >= places {
            return Room::Nothing;
        }
        // A small push gets through though large bodies are on their way.
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

    /// The origin has shown that it is there.
    pub(super) const fn hear(&mut self, now: Instant) {
        self.heard = now;
    }

    /// An answer that is no refusal to serve came to a request of `sent`, which only asks (RFC 9110, section 9.2.1: is safe) or
    /// writes; `took` where the request had no body.
    pub(super) fn answered(&mut self, is_safe: bool, sent: Instant, took: Option<Duration>, now: Instant) {
        self.refused_for = Duration::ZERO;
        self.throttles = 0;
        let [asking, writing] = &mut self.served;
        let served = if is_safe { asking } else { writing };
        *served = served.saturating_add(1);
        self.window.answered(sent, took, now);
    }

    /// How many requests it has served that ask, or that write: a registry may be closed for one and open for the other.
    pub(super) const fn served(&self, is_safe: bool) -> u64 {
        let [asking, writing] = self.served;
        if is_safe { asking } else { writing }
    }

    /// The origin said, in the answer to a request of `sent`, that it has too much to do: nothing is sent to it before the moment
    /// that this gives. Answers to what was sent before it said so are no news.
    pub(super) fn throttle(&mut self, sent: Instant, now: Instant, options: &Options) -> Instant {
        if self.throttled_at.is_none_or(|at| sent >= at) {
            self.throttles = self.throttles.saturating_add(1);
            self.throttled_at = Some(now);
            let wait = self.backoff.throttled(self.throttles, options);
            self.pause(now.after(wait));
        }
        self.paused_until.max(now)
    }

    /// The origin refused to serve a request of `sent` (429 or 503).
    pub(super) fn overloaded(&mut self, sent: Instant, now: Instant) {
        self.window.overloaded(sent, now);
    }

    /// The origin asked for a wait: nothing is sent to it before this moment.
    pub(super) fn pause(&mut self, until: Instant) {
        self.paused_until = self.paused_until.max(until);
    }

    /// A request waits until this moment because the origin asked for it. Says for how long there was nothing but such waits
    /// before; those that overlap count once.
    pub(super) fn waits(&mut self, until: Instant, now: Instant) -> Duration {
        let more = until.since(self.waited_until.max(now));
        self.waited_until = self.waited_until.max(until);
        let before = self.refused_for;
        self.refused_for = before.saturating_add(more);
        before
    }

    /// What waited for it has failed: others may try.
    pub(super) const fn forgive(&mut self) {
        self.refused_for = Duration::ZERO;
    }

    /// Pays for a repetition; false where the budget is spent.
    pub(super) fn pay(&mut self, is_throttled: bool, now: Instant) -> bool {
        self.budget.pay(is_throttled, now)
    }

    /// A request went well.
    pub(super) fn earn(&mut self) {
        self.budget.earn();
    }
}

#[cfg(test)]
mod tests;
