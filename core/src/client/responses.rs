//! What the client makes of an input: an outcome for a flow, another attempt, or another place to ask.

use std::time::Duration;

use bytes::Bytes;
use http::header::LOCATION;
use http::{Response, StatusCode};

use super::Client;
use super::retry::{is_passing, is_throttling};
use super::task::{Flight, Phase, Redirect, Task, carries_content};
use crate::driver::{End, Input, Key, OperationId, Output, RequestId};
use crate::endpoint::Row;
use crate::flow::{IfLost, Outcome};
use crate::header::{RetryAfter, warnings};
use crate::outcome::{Event, Failure, FailureKind, NoAnswer};
use crate::target::{Source, Target, admit, check_redirect, is_redirect};
use crate::text;

impl<K: Key> Client<K> {
    pub(super) fn take_in(&mut self, input: Input<K>) {
        match input {
            Input::Answered { id, response, end } => self.in_flight_task(id, |client, task, flight| {
                let received = match end {
                    End::Poured { len, .. } => len,
                    End::Complete | End::OverLimit | End::Cut => response.body().len() as u64,
                };
                let event = flight.exchanged(client.now, Some(response.status()), received);
                client.outbox.push_back(Output::Event(event));
                client.answered(task, flight, response, end);
            }),
            Input::Failed { id, why } => {
                self.in_flight_task(id, |client, task, flight| {
                    client.outbox.push_back(Output::Event(flight.exchanged(client.now, None, 0)));
                    client.failed(task, flight, &why);
                });
            }
            Input::Sent { id, total } => self.sent(id, total),
            Input::Filled { operation, blob, len } => {
                self.reading(Some(operation), &blob, |upload, context| upload.filled(len, context));
            }
            Input::Ended { operation, blob, len, digest } => {
                self.reading(Some(operation), &blob, |upload, context| upload.ended(len, digest, context));
            }
            Input::Unreadable { blob, why } => self.reading(None, &blob, |upload, _| upload.unreadable(&why)),
            Input::Credentials { id, answer } => self.credentials_came(id, answer),
        }
    }

    /// A late answer, to an attempt that is dead, is nobody's.
    fn in_flight_task(&mut self, id: RequestId, act: impl FnOnce(&mut Self, &mut Task<K>, Flight)) {
        let Some(task_id) = self.flights.remove(&id) else { return };
        let Some(mut task) = self.tasks.remove(&task_id) else { return };
        if let Phase::Flying(flight) = std::mem::replace(&mut task.phase, Phase::Ready) {
            task.has_moved = true;
            act(self, &mut task, flight);
        }
        self.tasks.insert(task_id, task);
    }

    /// Tells the upload of a one-shot blob what became of its bytes.
    fn reading(
        &mut self,
        operation: Option<OperationId>,
        blob: &K,
        act: impl FnOnce(&mut crate::flow::Upload<K>, &mut crate::flow::Context<'_, K>),
    ) {
        let is_its = |task: &Task<K>| {
            task.blob() == Some(blob)
                && (operation.is_none() || task.source_of == operation)
                && matches!(task.phase, Phase::Reading | Phase::Flying(_))
        };
        let Some(id) = self.tasks.iter().find(|(_, task)| is_its(task)).map(|(id, _)| *id) else { return };
        let Some(mut task) = self.tasks.remove(&id) else { return };
        if task.phase == Phase::Reading {
            task.phase = Phase::Ready;
        }
        let is_ending = self.with_context(&mut task, |flow, context| {
            if let super::task::AnyFlow::Upload(upload) = flow {
                act(upload, context);
                upload.is_ending()
            } else {
                false
            }
        });
        // Its answer is not wanted any more; what is left to do is to clean up.
        if is_ending == Some(true)
            && let Phase::Flying(flight) = &task.phase
        {
            self.flights.remove(&flight.id);
            self.outbox.push_back(Output::Abort { id: flight.id });
            self.outbox.push_back(Output::Event(flight.exchanged(self.now, None, 0)));
            task.phase = Phase::Ready;
        }
        self.tasks.insert(id, task);
    }

    fn sent(&mut self, id: RequestId, total: u64) {
        let Some(task) = self.flights.get(&id).and_then(|id| self.tasks.get(id)) else { return };
        let Some(start) = task.sending_from() else { return };
        let Some(blob) = task.blob().cloned() else { return };
        let sent = start.saturating_add(total);
        self.outbox.push_back(Output::Event(Event::BlobSending { blob, sent, total: task.total() }));
        for (owner, part) in &task.owners {
            if let (Some(super::Job::Push(job)), super::Part::Node(node)) = (self.jobs.get_mut(owner), part)
                && let Some((done, total)) = job.sending(node, sent)
            {
                self.outbox.push_back(Output::Event(Event::Progress { operation: *owner, done, total }));
            }
        }
    }

    fn answered(&mut self, task: &mut Task<K>, flight: Flight, response: Response<Bytes>, end: End) {
        let status = response.status();
        // A failure that passes shows nothing, and neither does somebody else.
        let shows = *flight.target.origin() == task.registry && flight.row != Row::FetchToken && !is_passing(status);
        if let Some(registry) = self.registries.get_mut(&task.registry).filter(|_| shows) {
            registry.is_known = true;
        }
        if let Some(registry) = self.registries.get_mut(&task.registry) {
            registry.door.told.place(&flight.target);
        }
        self.warn(task, &flight, &response);
        if flight.row != Row::FetchToken && self.is_turned_away(task, &flight, &response) {
            return;
        }
        if flight.row != Row::FetchToken && is_redirect(status) && response.headers().contains_key(LOCATION) {
            return self.redirected(task, &flight, &response);
        }
        if is_passing(status) {
            return self.refused_for_now(task, flight, response, end);
        }
        // What a refusal of a manifest is about is only in its body.
        let is_told_in_full = matches!(flight.row, Row::PutManifest | Row::PutTaggedManifest) && !status.is_success();
        if is_told_in_full && end == End::Cut {
            return self.failed(task, flight, &NoAnswer::Lost("the refusal was cut short".to_owned()));
        }
        if status.is_success() && carries_content(flight.row) {
            match end {
                End::Cut => return self.failed(task, flight, &NoAnswer::Lost("the answer was cut short".to_owned())),
                End::OverLimit => {
                    let failure = Failure::new(FailureKind::TooLarge).at(flight.row, flight.target);
                    return self.settle(task, Outcome::Failed(failure));
                }
                End::Complete | End::Poured { .. } => {}
            }
        }
        self.retry.earn();
        task.troubles.remove(&flight.row);
        self.settle(task, Outcome::Answer { from: flight.target, response, end });
    }

    /// Hands a flow the outcome of its exchange.
    pub(super) fn settle(&mut self, task: &mut Task<K>, outcome: Outcome) {
        task.redirect = None;
        task.login = super::task::Login::default();
        self.with_context(task, |flow, context| flow.outcome(outcome, context));
    }

    fn warn(&mut self, task: &Task<K>, flight: &Flight, response: &Response<Bytes>) {
        let Some(registry) = self.registries.get_mut(&task.registry) else { return };
        for text in warnings(response.headers()) {
            let text = text::shown(&registry.door.told.scrub(&text));
            if registry.is_new_warning(&text) {
                let origin = flight.target.origin().clone();
                self.outbox.push_back(Output::Event(Event::Warning { origin, text }));
            }
        }
    }

    /// An answer that may be another one a moment later.
    fn refused_for_now(&mut self, task: &mut Task<K>, flight: Flight, response: Response<Bytes>, end: End) {
        let status = response.status();
        let asked = match RetryAfter::read(response.headers()) {
            RetryAfter::Delay(asked) => Some(asked),
            RetryAfter::Absent | RetryAfter::Malformed => None,
        };
        // Whatever becomes of this request, the others wait too.
        if let Some(asked) = asked.filter(|asked| *asked <= self.options.retry_after_limit) {
            let until = self.now.after(asked);
            if let Some(registry) = self.registries.get_mut(&task.registry) {
                registry.paused_until = registry.paused_until.max(until);
            }
        }
        if flight.if_lost == IfLost::Forget {
            return self.settle(task, Outcome::Unknown { status: Some(status) });
        }
        if let Some(asked) = asked.filter(|asked| *asked > self.options.retry_after_limit) {
            let failure = Failure::new(FailureKind::RetryAfter { asked, limit: self.options.retry_after_limit });
            return self.settle(task, Outcome::Failed(failure.at(flight.row, flight.target)));
        }
        let why = format!("the registry answered {}", status.as_u16());
        match self.another_attempt(task, &flight, why, is_throttling(status), asked) {
            // 429 says that nothing was done; after all else it is unknown.
            Attempt::Now if flight.if_lost == IfLost::Repeat => {}
            Attempt::Now if status == StatusCode::TOO_MANY_REQUESTS && !flight.is_poured => {}
            Attempt::Now => self.unknown(task, Some(status)),
            Attempt::Spent => {
                let failure = Failure::new(FailureKind::RetryBudget).at(flight.row, flight.target);
                self.settle(task, Outcome::Failed(failure));
            }
            // The last answer stands: it may be the registry's way of saying that it never will.
            Attempt::Last => {
                task.troubles.remove(&flight.row);
                self.settle(task, Outcome::Answer { from: flight.target, response, end });
            }
        }
    }

    fn failed(&mut self, task: &mut Task<K>, flight: Flight, why: &NoAnswer) {
        if flight.if_lost == IfLost::Forget {
            return self.settle(task, Outcome::Unknown { status: None });
        }
        let is_lost = matches!(why, NoAnswer::Lost(_));
        let failure = |attempts| Failure { attempts, ..Failure::new(shown(why)).at(flight.row, flight.target.clone()) };
        if !matches!(why, NoAnswer::NotSent(_) | NoAnswer::Lost(_)) {
            return self.settle(task, Outcome::Failed(failure(1)));
        }
        let reason = shown(why).to_string();
        match self.another_attempt(task, &flight, reason, false, None) {
            Attempt::Now if is_lost && (flight.if_lost == IfLost::Ask || flight.is_poured) => {
                self.unknown(task, None);
            }
            Attempt::Now => {}
            Attempt::Spent => {
                let failure = Failure::new(FailureKind::RetryBudget).at(flight.row, flight.target);
                self.settle(task, Outcome::Failed(failure));
            }
            Attempt::Last => {
                task.troubles.remove(&flight.row);
                let failure = failure(self.options.attempts);
                self.settle(task, Outcome::Failed(failure));
            }
        }
    }

    /// The flow is told at once, but its next exchange waits as the repetition would have.
    pub(super) fn unknown(&mut self, task: &mut Task<K>, status: Option<StatusCode>) {
        let phase = task.phase.clone();
        self.settle(task, Outcome::Unknown { status });
        if task.phase == Phase::Ready {
            task.phase = phase;
        }
    }

    /// Sets the task to rest until its next attempt, if it has one.
    fn another_attempt(
        &mut self,
        task: &mut Task<K>,
        flight: &Flight,
        why: String,
        throttled: bool,
        asked: Option<Duration>,
    ) -> Attempt {
        let troubles = task.troubles.entry(flight.row).or_default();
        *troubles = troubles.saturating_add(1);
        let attempt = troubles.saturating_add(1);
        if attempt > self.options.attempts {
            return Attempt::Last;
        }
        if !self.retry.pay(throttled) {
            return Attempt::Spent;
        }
        let backoff = self.retry.backoff(attempt, throttled, &self.options);
        // Tokens may end in the pause, and the next attempt is let in afresh.
        task.login = super::task::Login::default();
        let wait = asked.map_or(backoff, |asked| self.retry.after(asked, &self.options).max(backoff));
        let at = self.now.after(wait);
        task.phase = Phase::Resting(at);
        let origin = flight.target.origin().clone();
        self.outbox.push_back(Output::Event(Event::Retrying { row: flight.row, origin, attempt, at, why }));
        Attempt::Now
    }

    /// The only place where a redirect is followed.
    fn redirected(&mut self, task: &mut Task<K>, flight: &Flight, response: &Response<Bytes>) {
        match self.redirect(task, flight, response) {
            Ok(redirect) => task.redirect = Some(redirect),
            Err(failure) => self.settle(task, Outcome::Failed(failure.at(flight.row, flight.target.clone()))),
        }
    }

    fn redirect(&self, task: &Task<K>, flight: &Flight, response: &Response<Bytes>) -> Result<Redirect, Failure> {
        let followed = task.redirect.as_ref().map_or(0, |redirect| redirect.followed);
        check_redirect(&flight.method, response.status(), followed, self.options.redirects)
            .map_err(|error| Failure::new(FailureKind::Refused(error.to_string())))?;
        let is_list = matches!(flight.row, Row::ListReferrers | Row::ListSomeReferrers);
        if is_list && location(&flight.target, response)?.origin() != flight.target.origin() {
            // Whoever sends us elsewhere for referrers has none to list (quirk `referrers-303-to-html`).
            return Err(Failure::new(FailureKind::Refused(
                "the registry sends us elsewhere for its referrers".to_owned(),
            )));
        }
        if flight.is_poured {
            return Err(Failure::new(FailureKind::NotReplayable));
        }
        let to = location(&flight.target, response)?;
        let admitted = admit(&self.options.policy, &task.registry, &flight.target, to, Source::Redirect);
        let admitted = admitted.map_err(|refusal| Failure::new(FailureKind::Refused(refusal.to_string())))?;
        // Once away from the registry, always away: what comes back was aimed by somebody else.
        let was_trusted = task.redirect.as_ref().is_none_or(|redirect| redirect.credentials_may_follow);
        let credentials_may_follow = admitted.credentials_may_follow && was_trusted;
        Ok(Redirect { target: admitted.target, followed: followed.saturating_add(1), credentials_may_follow })
    }
}

/// Whether there is another attempt.
enum Attempt {
    Now,
    /// There were as many as are allowed.
    Last,
    /// There is nothing left to pay for one.
    Spent,
}

fn location(from: &Target, response: &Response<Bytes>) -> Result<Target, Failure> {
    match crate::header::location(response.headers(), from) {
        Ok(Some(target)) => Ok(target),
        Ok(None) => {
            Err(Failure::new(FailureKind::Refused("the registry redirects without saying where to".to_owned())))
        }
        Err(error) => Err(Failure::new(FailureKind::Refused(format!("the registry redirects to nowhere: {error}")))),
    }
}

/// A driver's text as it may be shown.
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

#[cfg(test)]
mod tests;
