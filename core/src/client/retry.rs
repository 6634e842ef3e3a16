//! Retries: whether and when a request is repeated, and what that costs.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::Client;
use super::task::{Flight, Phase, Task, Throttled};
use super::task_id::TaskId;
use crate::driver::{End, Key, NoAnswer, Output};
use crate::endpoint::{Refused, Row};
use crate::flow::{IfLost, Outcome};
use crate::header::RetryAfter;
use crate::outcome::{Event, Failure, FailureKind};
use crate::{Instant, Origin, text};

/// Transient statuses, after which a request is retried (quirk `retryable-status-set`).
pub(super) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 499 | 500 | 502 | 503 | 504 | 522)
}

/// Statuses that mean that the origin is overloaded.
fn is_throttling(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 503)
}

/// Whether there is another attempt.
enum Attempt {
    Next,
    /// No: the maximum is reached.
    Last,
    /// No: the lane's retry budget is used up.
    Unpaid,
}

impl<K: Key> Client<K> {
    /// Handles an answer with a transient status.
    pub(super) fn refused_for_now(&mut self, task: &mut Task<K>, flight: &Flight, response: Response<Bytes>, end: End) {
        let (status, now) = (response.status(), self.now);
        let asked = match RetryAfter::read(response.headers()) {
            RetryAfter::Delay(asked) => Some(asked),
            RetryAfter::Absent | RetryAfter::Malformed => None,
        };
        if is_throttling(status) {
            self.lane(flight.target.origin()).overloaded(flight.sent_at, now);
        }
        if flight.if_lost == IfLost::Forget {
            self.settle(task, Outcome::Unknown { answer: None });
        } else if let Some(asked) = asked.filter(|asked| *asked > self.options.retry_after_limit) {
            let failure = Failure::new(FailureKind::RetryAfter { asked, limit: self.options.retry_after_limit });
            self.settle(task, Outcome::Failed(failure.at(flight.row, flight.target.clone())));
        } else {
            let answer = Outcome::Answer { from: flight.target.clone(), response, end };
            self.wait_and_repeat(task, flight, answer, status, asked);
        }
        // The wait applies to all requests to this origin. If it is too long for another one, that fails when its turn
        // comes.
        if let Some(asked) = asked {
            self.lane(flight.target.origin()).pause(now.after(asked));
        }
    }

    fn wait_and_repeat(
        &mut self,
        task: &mut Task<K>,
        flight: &Flight,
        answer: Outcome,
        status: StatusCode,
        asked: Option<Duration>,
    ) {
        let why = format!("the registry answered {}", status.as_u16());
        let attempt = match asked.filter(|asked| !asked.is_zero()) {
            // A wait that the registry asked for costs nothing. `Retry-After: 0` asks for no wait.
            Some(asked) => self.wait_as_asked(task, flight, asked, is_throttling(status), why),
            None if is_throttling(status) => self.wait_for_lane(task, flight, why),
            None => self.another_attempt(task, flight, why),
        };
        match attempt {
            // 429 means that the request was not applied. After every other status that is unknown.
            Attempt::Next
                if flight.if_lost == IfLost::Repeat || status == StatusCode::TOO_MANY_REQUESTS && !flight.is_poured =>
            {
                task.refusal = Some((flight.row, answer));
            }
            Attempt::Next => {
                let refused = match &answer {
                    Outcome::Answer { response, .. } => Some(Box::new(Refused::read(flight.row, response))),
                    Outcome::Unknown { .. } | Outcome::Failed(_) => None,
                };
                self.unknown(task, refused);
            }
            // The last answer is final: the registry may never answer differently.
            Attempt::Last | Attempt::Unpaid => {
                task.troubles.remove(&flight.row);
                task.waited.remove(&flight.row);
                task.attempts = flight.attempt;
                self.settle(task, answer);
            }
        }
    }

    /// No answer came, and none will.
    pub(super) fn failed(&mut self, task: &mut Task<K>, flight: Flight, why: &NoAnswer) {
        if flight.if_lost == IfLost::Forget {
            self.settle(task, Outcome::Unknown { answer: None });
            if task.flow.list().is_some() {
                // The write of a list may still be applied, so no other task changes that list until this moment.
                let until = self.now.after(self.options.limits.silence);
                task.phase = Phase::Resting { until, origin: task.registry.clone() };
            }
            return;
        }
        let why = shown(why);
        let is_lost = matches!(why, NoAnswer::Lost(_));
        let may_pass = matches!(why, NoAnswer::NotSent(_) | NoAnswer::Lost(_));
        let attempt = if may_pass { self.another_attempt(task, &flight, why.to_string()) } else { Attempt::Last };
        match attempt {
            Attempt::Next if is_lost && (flight.if_lost == IfLost::Ask || flight.is_poured) => {
                self.unknown(task, None);
            }
            Attempt::Next if is_lost => task.lost = Some((flight.row, why)),
            Attempt::Next => {}
            Attempt::Last | Attempt::Unpaid => {
                task.troubles.remove(&flight.row);
                task.attempts = flight.attempt;
                // What may have reached the registry says more than what was not sent after it.
                let lost =
                    task.lost.take().filter(|(row, _)| *row == flight.row && matches!(why, NoAnswer::NotSent(_)));
                let why = lost.map_or(why, |(_, lost)| lost);
                // An earlier refusal by the registry says more than the connection failure after it.
                let outcome = match task.refusal.take().filter(|(row, _)| *row == flight.row && may_pass) {
                    Some((_, refusal)) => refusal,
                    None => {
                        let is_unpaid = matches!(attempt, Attempt::Unpaid);
                        let kind = if is_unpaid { FailureKind::RetryBudget } else { why.into() };
                        Outcome::Failed(Failure::new(kind).at(flight.row, flight.target))
                    }
                };
                self.settle(task, outcome);
            }
        }
    }

    /// The flow is told at once that the outcome is unknown. Its next exchange waits as a retry would.
    pub(super) fn unknown(&mut self, task: &mut Task<K>, answer: Option<Box<Refused>>) {
        let phase = std::mem::replace(&mut task.phase, Phase::Moved);
        self.settle(task, Outcome::Unknown { answer });
        if matches!(task.phase, Phase::Moved) {
            task.phase = phase;
        }
    }

    /// Makes the task wait until its next attempt, if it has one.
    fn another_attempt(&mut self, task: &mut Task<K>, flight: &Flight, why: String) -> Attempt {
        let (attempt, now, options) = (trouble(task, flight.row), self.now, self.options.clone());
        if attempt > options.attempts {
            return Attempt::Last;
        }
        let lane = self.lane(flight.target.origin());
        if !lane.pay(false, now) {
            return Attempt::Unpaid;
        }
        let wait = lane.backoff.before(attempt, &options);
        self.rest(task, flight, now.after(wait), why);
        Attempt::Next
    }

    /// The origin is overloaded and states no wait: all requests to it wait, longer each time. This does not count as
    /// an attempt if the origin has served other requests of the same kind since this one was last refused: then the
    /// cause is their number and not this request.
    fn wait_for_lane(&mut self, task: &mut Task<K>, flight: &Flight, why: String) -> Attempt {
        let (now, options) = (self.now, self.options.clone());
        let lane = self.lane(flight.target.origin());
        let until = lane.throttle(flight.sent_at, now, &options);
        let (row, served) = (flight.row, lane.served(flight.method.is_safe()));
        let before = task.throttled.filter(|before| before.row == row);
        let since = before.map_or(now, |before| before.since);
        task.throttled = Some(Throttled { row, since, served });
        if !before.is_some_and(|before| before.served < served && now.since(since) < options.patience) {
            if trouble(task, flight.row) > options.attempts {
                return Attempt::Last;
            }
            if !self.lane(flight.target.origin()).pay(true, now) {
                return Attempt::Unpaid;
            }
        }
        self.rest(task, flight, until, why);
        Attempt::Next
    }

    /// Makes the task wait as long as its origin asked for, and longer each time. This is the last attempt if the origin
    /// has asked for longer waits than [`Options::patience`](crate::Options::patience) before requests of this row, but
    /// answers other requests: otherwise a registry that serves questions and defers every upload would never be left.
    fn wait_as_asked(
        &mut self,
        task: &mut Task<K>,
        flight: &Flight,
        asked: Duration,
        is_throttled: bool,
        why: String,
    ) -> Attempt {
        task.waits = task.waits.saturating_add(1);
        let options = self.options.clone();
        let backoff = &mut self.lane(flight.target.origin()).backoff;
        let attempt = task.waits.saturating_add(1);
        let own =
            if is_throttled { backoff.throttled(task.waits, &options) } else { backoff.before(attempt, &options) };
        let wait = backoff.after(asked, &options).max(own);
        let (until, patience) = (self.now.after(wait), self.options.patience);
        let serves_others = self.lane(flight.target.origin()).refused_for() < patience;
        let waited = task.waited.entry(flight.row).or_default();
        if *waited >= patience && serves_others {
            return Attempt::Last;
        }
        *waited = waited.saturating_add(wait);
        self.rest(task, flight, until, why);
        self.lose_patience_after(task);
        Attempt::Next
    }

    /// Makes the task wait until this moment.
    fn rest(&mut self, task: &mut Task<K>, flight: &Flight, until: Instant, why: String) {
        // A redirect is for one attempt: a signed address may expire (RFC 9110, section 15.4.8).
        task.redirect = None;
        // Tokens may expire during the wait, and the next attempt is signed again.
        task.login = super::task::Login::default();
        let origin = flight.target.origin().clone();
        task.phase = Phase::Resting { until, origin: origin.clone() };
        let attempt = flight.attempt.saturating_add(1);
        self.outbox.push_back(Output::Event(Event::Retrying { row: flight.row, origin, attempt, at: until, why }));
    }

    /// Counts the wait of a task whose origin asked for it. If the origin has only asked for waits for too long, the
    /// tasks that wait for it fail.
    fn lose_patience_after(&mut self, task: &Task<K>) {
        let Phase::Resting { until, origin } = &task.phase else { return };
        let now = self.now;
        let refused_for = self.lane(origin).waits(*until, now);
        if refused_for >= self.options.patience {
            self.impatient.insert(origin.clone(), refused_for);
        }
    }

    /// Fails the tasks that wait for origins which have only asked for waits for too long.
    pub(super) fn lose_patience(&mut self) {
        while let Some((origin, waited)) = self.impatient.pop_first() {
            for id in self.waiting_at(&origin) {
                let Some(mut task) = self.tasks.remove(&id) else { continue };
                self.leave_lane(id, &mut task);
                let failure = Failure::new(FailureKind::PatienceExhausted { origin: origin.clone(), waited });
                self.settle(&mut task, Outcome::Failed(failure));
                self.put_back(id, task);
            }
            if let Some(lane) = self.lanes.get_mut(&origin) {
                lane.forgive();
            }
        }
    }

    /// Fails the first task that waits for a place at an origin which asked for a longer wait than the options allow.
    /// Returns whether there was one.
    pub(super) fn refuse_to_wait(&mut self, origin: &Origin, asked: Duration) -> bool {
        let first = self.lanes.get_mut(origin).and_then(|lane| lane.queue.first(true));
        let Some((id, mut task)) = first.and_then(|id| Some((id, self.tasks.remove(&id)?))) else { return false };
        let failure = Failure::new(FailureKind::RetryAfter { asked, limit: self.options.retry_after_limit });
        let failure = match &task.phase {
            Phase::Queued(queued) => failure.at(queued.exchange.row, queued.target.clone()),
            _ => failure,
        };
        self.leave_lane(id, &mut task);
        self.settle(&mut task, Outcome::Failed(failure));
        self.put_back(id, task);
        true
    }

    /// The tasks whose next request goes to this origin.
    fn waiting_at(&self, origin: &Origin) -> Vec<TaskId> {
        let Some(lane) = self.lanes.get(origin) else { return Vec::new() };
        lane.resting.iter().copied().chain(lane.queue.tasks()).collect()
    }

    /// When to ask again for content that was missing `tries` times.
    pub(super) fn recovery_at(&mut self, origin: &Origin, tries: u32) -> Instant {
        let options = self.options.clone();
        let wait = self.lane(origin).backoff.before_recovery(tries, &options);
        self.now.after(wait)
    }
}

/// Counts a failed request for this row. Returns the number of the next attempt.
fn trouble<K>(task: &mut Task<K>, row: Row) -> u32 {
    let troubles = task.troubles.entry(row).or_default();
    *troubles = troubles.saturating_add(1);
    troubles.saturating_add(1)
}

/// The driver's reason, escaped for display.
fn shown(why: &NoAnswer) -> NoAnswer {
    match why {
        NoAnswer::NotSent(text) => NoAnswer::NotSent(text::shown(text)),
        NoAnswer::Lost(text) => NoAnswer::Lost(text::shown(text)),
        NoAnswer::Source(text) => NoAnswer::Source(text::shown(text)),
        NoAnswer::Sink(text) => NoAnswer::Sink(text::shown(text)),
        NoAnswer::Unsendable(text) => NoAnswer::Unsendable(text::shown(text)),
        NoAnswer::Untrusted(text) => NoAnswer::Untrusted(text::shown(text)),
    }
}
