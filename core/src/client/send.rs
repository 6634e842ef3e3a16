//! Gives a signed request to the driver.

use super::Client;
use super::auth::SentCredential;
use super::lane::LARGE;
use super::operation::Job;
use super::task::{Flight, Phase, Purpose, Queued, SharedTask, Task};
use super::task_id::TaskId;
use crate::driver::{Body, Key, Output, RequestId};
use crate::flow::{Exchange, Outcome};
use crate::outcome::{Event, Failure};

impl<K: Key> Client<K> {
    /// Sends a request that was removed from its lane's queue. It takes a place until its answer comes.
    pub(super) fn send(&mut self, id: TaskId, task: &mut Task<K>, queued: Queued<K>, sent_credential: SentCredential) {
        let Queued { exchange, target, may_sign, .. } = queued;
        let Exchange { row, mut request, keep, scopes, if_lost, .. } = exchange;
        match target.uri() {
            Ok(uri) => *request.uri_mut() = uri,
            Err(error) => return self.settle(task, Outcome::Failed(Failure::new(error).at(row, target))),
        }
        if let Purpose::Shared(SharedTask::Token { asked, .. }) = &mut task.purpose {
            *asked = self.now;
        }
        let len = request.body().len();
        self.count(task, len.unwrap_or(0));
        if let Body::Blob { key, range } = request.body() {
            let event = Event::BlobSending { blob: key.clone(), sent: range.start, total: task.flow.size() };
            self.outbox.push_back(Output::Event(event));
        }
        let request_id = RequestId(self.fresh_id());
        let flight = Flight {
            id: request_id,
            row,
            method: request.method().clone(),
            attempt: task.troubles.get(&row).copied().unwrap_or_default().saturating_add(1),
            len,
            sent_at: self.now,
            if_lost,
            is_poured: matches!(request.body(), Body::Rest { .. }),
            has_body: !request.body().is_empty(),
            has_blob: matches!(request.body(), Body::Blob { .. } | Body::Rest { .. }),
            is_large: len.is_none_or(|len| len > LARGE),
            scopes,
            may_sign,
            sent_credential,
            target,
        };
        self.take(&flight);
        task.is_begun = true;
        task.phase = Phase::Flying(Box::new(flight));
        self.flights.insert(request_id, id);
        self.outbox.push_back(Output::Send { id: request_id, request, keep, limits: self.options.limits });
    }

    /// The driver takes the request now: the time of its answer is measured from this moment.
    pub(super) fn handed_out(&mut self, id: RequestId) {
        let task = self.flights.get(&id).and_then(|task| self.tasks.get_mut(task));
        if let Some(Phase::Flying(flight)) = task.map(|task| &mut task.phase) {
            flight.sent_at = self.now;
        }
    }

    fn take(&mut self, flight: &Flight) {
        let now = self.now;
        let lane = self.lane(flight.target.origin());
        let is_extra = !lane.is_empty();
        lane.take(flight.is_large, now);
        self.extra_places = self.extra_places.saturating_add(usize::from(is_extra));
    }

    /// A request has ended: its place becomes free.
    pub(super) fn release(&mut self, flight: &Flight) {
        let Some(lane) = self.lanes.get_mut(flight.target.origin()) else { return };
        lane.release(flight.is_large);
        let was_extra = !lane.is_empty();
        self.extra_places = self.extra_places.saturating_sub(usize::from(was_extra));
        self.woken.insert(flight.target.origin().clone());
    }

    /// Counts a request for its operation.
    fn count(&mut self, task: &Task<K>, bytes: u64) {
        if let Some(Job::Push(job)) = self.operations.get_mut(&task.operation).map(|operation| &mut operation.job) {
            job.count(bytes);
        }
    }

    /// Aborts a request whose answer is not needed any more.
    pub(super) fn abort(&mut self, flight: &Flight) {
        self.flights.remove(&flight.id);
        self.release(flight);
        if !self.take_back(flight) {
            self.outbox.push_back(Output::Abort { id: flight.id });
            self.outbox.push_back(Output::Event(flight.exchanged(self.now, None, 0)));
        }
    }

    /// Takes back a request that the driver was not given yet. Returns whether that was possible.
    pub(super) fn take_back(&mut self, flight: &Flight) -> bool {
        let waiting = self.outbox.len();
        self.outbox.retain(|output| !matches!(output, Output::Send { id, .. } if *id == flight.id));
        self.outbox.len() < waiting
    }
}
