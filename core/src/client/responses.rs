//! Handles the driver's inputs: each becomes an outcome for a flow, a retry, a redirect, or a repetition with other
//! credentials.

use bytes::Bytes;
use http::header::LOCATION;
use http::{Response, StatusCode};

use super::Client;
use super::any_flow::AnyFlow;
use super::operation::{Job, Part};
use super::retry::is_transient;
use super::task::{Flight, Phase, Task, carries_content};
use super::task_id::TaskId;
use crate::driver::{End, Input, Key, NoAnswer, OperationId, Output, RequestId};
use crate::endpoint::Row;
use crate::flow::{Context, IfLost, Outcome, Upload};
use crate::header::warnings;
use crate::outcome::{Event, Failure, FailureKind};
use crate::target::is_redirect;
use crate::text;

impl<K: Key> Client<K> {
    pub(super) fn take_in(&mut self, input: Input<K>) {
        match input {
            Input::Answered { id, response, end } => self.with_flight(id, |client, task_id, task, flight| {
                let received = match end {
                    End::Poured { len, .. } => len,
                    End::Complete | End::OverLimit | End::Cut => response.body().len() as u64,
                };
                let event = flight.exchanged(client.now, Some(response.status()), received);
                client.outbox.push_back(Output::Event(event));
                client.answered(task_id, task, flight, response, end);
            }),
            Input::Failed { id, why } => self.with_flight(id, |client, _, task, flight| {
                client.outbox.push_back(Output::Event(flight.exchanged(client.now, None, 0)));
                client.failed(task, flight, &why);
            }),
            Input::Sent { id, total } => self.sent(id, total),
            Input::Filled { operation, blob, len } => {
                self.read(Some(operation), &blob, |upload, context| upload.filled(len, context));
            }
            Input::Ended { operation, blob, len, digest } => {
                self.read(Some(operation), &blob, |upload, context| upload.ended(len, digest, context));
            }
            Input::Unreadable { blob, why } => self.read(None, &blob, |upload, _| upload.unreadable(&why)),
            Input::Credentials { id, answer } => self.credentials_came(id, answer),
        }
    }

    /// Calls `act` with the attempt. An input for an attempt that has ended is ignored.
    fn with_flight(&mut self, id: RequestId, act: impl FnOnce(&mut Self, TaskId, &mut Task<K>, Flight)) {
        let Some(task_id) = self.flights.remove(&id) else { return };
        let Some(mut task) = self.tasks.remove(&task_id) else { return };
        if let Phase::Flying(flight) = std::mem::replace(&mut task.phase, Phase::Moved) {
            self.release(&flight);
            act(self, task_id, &mut task, *flight);
        }
        self.put_back(task_id, task);
    }

    /// Tells the upload of a one-shot blob the result of a read. If the blob cannot be read, tells every upload that
    /// needs it.
    fn read(
        &mut self,
        operation: Option<OperationId>,
        blob: &K,
        mut act: impl FnMut(&mut Upload<K>, &mut Context<'_, K>),
    ) {
        let operations = match operation {
            Some(operation) => self.operations.get_key_value(&operation).into_iter().collect::<Vec<_>>(),
            None => self.operations.iter().collect(),
        };
        let ids = operations.into_iter().flat_map(|(_, operation)| &operation.tasks).copied();
        let is_its = |id: &TaskId| {
            let task = self.tasks.get(id);
            task.is_some_and(|task| {
                task.flow.blob() == Some(blob) && matches!(task.phase, Phase::Reading | Phase::Flying(_))
            })
        };
        let ids: Vec<TaskId> = ids.filter(is_its).collect();
        for id in ids {
            let Some(mut task) = self.tasks.remove(&id) else { continue };
            let (is_ending, is_leaving) = self
                .with_context(&mut task, |flow, context| {
                    let AnyFlow::Upload(upload) = flow else { return (false, false) };
                    act(upload, context);
                    (upload.is_ending(), upload.is_leaving())
                })
                .unwrap_or_default();
            match &mut task.phase {
                Phase::Reading => task.phase = Phase::Moved,
                // Its answer is not needed any more; only cleanup is left.
                Phase::Flying(flight) if is_ending => {
                    let flight = flight.clone();
                    self.abort(&flight);
                    task.phase = Phase::Moved;
                }
                Phase::Flying(flight) if is_leaving => {
                    flight.if_lost = IfLost::Forget;
                    self.finish_early(id, &mut task);
                }
                _ => {}
            }
            self.put_back(id, task);
        }
    }

    fn sent(&mut self, id: RequestId, total: u64) {
        let Some(task) = self.flights.get(&id).and_then(|id| self.tasks.get(id)) else { return };
        if let Phase::Flying(flight) = &task.phase
            && let Some(lane) = self.lanes.get_mut(flight.target.origin())
        {
            lane.hear(self.now);
        }
        let Some(start) = task.flow.sending_from() else { return };
        let Some(blob) = task.flow.blob().cloned() else { return };
        let sent = start.saturating_add(total);
        self.outbox.push_back(Output::Event(Event::BlobSending { blob, sent, total: task.flow.size() }));
        for (owner, part) in task.purpose.owners() {
            let job = self.operations.get_mut(owner).map(|operation| &mut operation.job);
            if let (Some(Job::Push(job)), Part::Node(node)) = (job, part)
                && let Some((done, total)) = job.sending(node, sent)
            {
                self.outbox.push_back(Output::Event(Event::Progress { operation: *owner, done, total }));
            }
        }
    }

    fn answered(&mut self, id: TaskId, task: &mut Task<K>, flight: Flight, response: Response<Bytes>, end: End) {
        let status = response.status();
        self.learn_of_lane(&flight, status);
        if let Some(registry) = self.registries.get_mut(&task.registry) {
            registry.auth.redactor.place(&flight.target);
        }
        self.warn(task, &flight, &response);
        if flight.row != Row::FetchToken && self.take_challenge(id, task, &flight, &response) {
            return;
        }
        // What is asked before a challenged request can be repeated does not show that the origin serves others.
        if !is_transient(status) && !matches!(flight.row, Row::Ping | Row::FetchToken) {
            self.lane(flight.target.origin()).serve(flight.method.is_safe());
        }
        if flight.row != Row::FetchToken && is_redirect(status) && response.headers().contains_key(LOCATION) {
            return self.redirected(task, &flight, &response);
        }
        if is_transient(status) {
            return self.refused_for_now(task, &flight, response, end);
        }
        // Only the body of a manifest's refusal states the reason.
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
        if let Some(lane) = self.lanes.get_mut(flight.target.origin()) {
            lane.earn();
        }
        task.troubles.remove(&flight.row);
        task.waited.remove(&flight.row);
        task.attempts = flight.attempt;
        task.throttled = task.throttled.filter(|throttled| throttled.row != flight.row);
        self.settle(task, Outcome::Answer { from: flight.target, response, end });
    }

    /// Learns about the origin from an answer.
    fn learn_of_lane(&mut self, flight: &Flight, status: StatusCode) {
        let now = self.now;
        let took = (!flight.has_body).then(|| flight.took(now));
        let lane = self.lane(flight.target.origin());
        lane.hear(now);
        // A transient status does not show how the origin wants to be authenticated.
        if !is_transient(status) {
            lane.is_known = true;
            lane.answered(flight.sent_at, took, now);
        }
    }

    /// Gives a flow the outcome of its exchange.
    pub(super) fn settle(&mut self, task: &mut Task<K>, outcome: Outcome) {
        task.redirect = None;
        task.login = super::task::Login::default();
        if !matches!(outcome, Outcome::Unknown { .. }) {
            task.refusal = None;
            task.lost = None;
            task.waits = 0;
        }
        self.with_context(task, |flow, context| flow.outcome(outcome, context));
    }

    fn warn(&mut self, task: &Task<K>, flight: &Flight, response: &Response<Bytes>) {
        let Some(registry) = self.registries.get_mut(&task.registry) else { return };
        for text in warnings(response.headers()) {
            let text = text::shown(&registry.auth.redactor.scrub(&text));
            if registry.is_new_warning(&text) {
                let origin = flight.target.origin().clone();
                self.outbox.push_back(Output::Event(Event::Warning { origin, text }));
            }
        }
    }
}

#[cfg(test)]
mod tests;
