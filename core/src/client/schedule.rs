//! The schedule: which task continues, and which request is sent now.
//!
//! Nothing is searched for: a task whose flow has changed, a lane that has changed and a timer are each recorded when
//! they change, and only these are examined.

use super::any_flow::AnyFlow;
use super::lane::{LARGE, Lane, Priority, Room, Ticket};
use super::task::{Phase, Purpose, Queued, Task};
use super::task_id::TaskId;
use super::{Client, Timer};
use crate::driver::{Deadline, Key, Output, Waiting};
use crate::endpoint::Row;
use crate::flow::{Exchange, Next, Outcome};
use crate::outcome::{Failure, FailureKind};
use crate::target::{Source, Target, admit};
use crate::{Instant, Origin};

impl<K: Key> Client<K> {
    /// Asks the flows that have changed for their next step. Returns whether there were any.
    pub(super) fn go_on(&mut self) -> bool {
        let mut has_moved = false;
        while let Some(id) = self.moved.pop_first() {
            if let Some(task) = self.tasks.remove(&id) {
                has_moved = true;
                self.go_on_with(id, task);
            }
        }
        has_moved
    }

    fn go_on_with(&mut self, id: TaskId, mut task: Task<K>) {
        if !matches!(task.phase, Phase::Moved) {
            self.tasks.insert(id, task);
            return;
        }
        if !task.is_begun {
            self.with_context(&mut task, AnyFlow::reconsider);
        }
        self.finish_early(id, &mut task);
        match task.flow.next(&self.options) {
            Next::Done => return self.finish(id, task),
            Next::Hold => task.phase = Phase::Waiting,
            Next::Read { from, up_to } => {
                task.phase = Phase::Reading;
                if let Some(blob) = task.flow.blob().cloned() {
                    self.outbox.push_back(Output::Read { operation: task.operation, blob, from, up_to });
                }
            }
            Next::Send(exchange) => {
                if let Err(failure) = exchange.and_then(|exchange| self.enqueue(id, &mut task, *exchange)) {
                    self.settle(&mut task, Outcome::Failed(failure));
                }
            }
        }
        self.put_back(id, task);
    }

    /// Stores a task, and records what it waits for.
    pub(super) fn put_back(&mut self, id: TaskId, task: Task<K>) {
        match &task.phase {
            Phase::Moved => {
                self.moved.insert(id);
            }
            Phase::Resting { until, origin } => {
                self.timers.insert((*until, Timer::Task(id)));
                self.lane(&origin.clone()).resting.insert(id);
            }
            Phase::Waiting | Phase::Queued(_) | Phase::Reading | Phase::Flying(_) => {}
        }
        self.tasks.insert(id, task);
    }

    /// Puts a request into the queue of the origin that it goes to.
    fn enqueue(&mut self, id: TaskId, task: &mut Task<K>, exchange: Exchange<K>) -> Result<(), Failure> {
        let row = exchange.row;
        let (target, may_sign) = self
            .admitted(task, row, exchange.target.clone(), exchange.named_by.clone())
            .map_err(|failure| failure.at(row, Target::root(task.registry.clone())))?;
        let is_large = exchange.request.body().len().is_none_or(|len| len > LARGE);
        let priority = Priority::new(task.is_begun, task.flow.blob().map(|_| task.flow.size().unwrap_or(0)));
        let ticket = Ticket { operation: task.operation, priority, is_large };
        let origin = target.origin().clone();
        let lane = self.lane(&origin);
        match task.purpose {
            Purpose::Shared(_) => lane.queue.push_shared(id),
            Purpose::Operations(_) | Purpose::Cleanup => lane.queue.push(id, ticket),
        }
        task.phase = Phase::Queued(Box::new(Queued { exchange, target, may_sign, ticket }));
        self.woken.insert(origin);
        Ok(())
    }

    /// Removes a task from the lane in which it waits for a place or for a moment. Its flow will be asked again.
    pub(super) fn leave_lane(&mut self, id: TaskId, task: &mut Task<K>) {
        match &task.phase {
            Phase::Queued(queued) => {
                if let Some(lane) = self.lanes.get_mut(queued.target.origin()) {
                    lane.queue.remove(id, &queued.ticket);
                }
            }
            Phase::Resting { origin, .. } => {
                if let Some(lane) = self.lanes.get_mut(origin) {
                    lane.resting.remove(&id);
                }
            }
            Phase::Moved | Phase::Waiting | Phase::Reading | Phase::Flying(_) => return,
        }
        task.phase = Phase::Moved;
    }

    /// The target that a request is sent to, and whether the registry's credentials may be sent there.
    fn admitted(
        &self,
        task: &Task<K>,
        row: Row,
        target: Target,
        named_by: Option<Target>,
    ) -> Result<(Target, bool), Failure> {
        if let Some(redirect) = &task.redirect {
            return Ok((redirect.target.clone(), redirect.credentials_may_follow));
        }
        // The token service was admitted when its challenge was read.
        if row == Row::FetchToken {
            return Ok((target, false));
        }
        let named_by = named_by.unwrap_or_else(|| Target::root(task.registry.clone()));
        match admit(&self.options.policy, &task.registry, &named_by, target, Source::Location) {
            Ok(admitted) => Ok((admitted.target, admitted.credentials_may_follow)),
            Err(refusal) => Err(Failure::new(FailureKind::Refused(refusal.to_string()))),
        }
    }

    /// Whether the request goes to a redirect's target with an anonymous token.
    pub(super) fn is_guest(&self, task: &Task<K>, row: Row, target: &Target) -> bool {
        let is_elsewhere = task.redirect.is_some() && *target.origin() != task.registry;
        self.options.policy.guest_tokens() && is_elsewhere && row != Row::FetchToken
    }

    /// Sends requests: in each lane as many as its window allows, and if the total of all lanes is limited, the lanes
    /// in turn. Returns whether anything happened.
    pub(super) fn send_what_may(&mut self) -> bool {
        let mut has_moved = false;
        loop {
            if let Some(origin) = self.woken.pop_first() {
                while self.take_place(&origin) {
                    has_moved = true;
                }
            } else if self.extra_places < self.options.in_flight_total
                && let Some(origin) = self.starved.pop_front()
            {
                self.turn = Some(origin.clone());
                has_moved |= self.take_place(&origin);
                self.turn = None;
                self.woken.insert(origin);
            } else {
                return has_moved;
            }
        }
    }

    /// Sends the request of the first ready task of a lane, if there is a place for it. Returns whether anything
    /// happened.
    fn take_place(&mut self, origin: &Origin) -> bool {
        let Some(lane) = self.lanes.get_mut(origin).filter(|lane| !lane.queue.is_empty()) else { return false };
        if lane.paused_until() > self.now {
            let asked = lane.asked_until().since(self.now);
            if asked > self.options.retry_after_limit {
                return self.refuse_to_wait(origin, asked);
            }
            self.timers.insert((lane.paused_until(), Timer::Lane(origin.clone())));
            return false;
        }
        let room = lane.room(&self.options, self.now);
        let Some(id) = lane.queue.first(room == Room::Anything).filter(|_| room != Room::Nothing) else { return false };
        // The first place of each origin is not counted. If the total of the others is reached, the lanes take turns.
        let is_scarce = self.extra_places >= self.options.in_flight_total
            || !self.starved.is_empty() && self.turn.as_ref() != Some(origin);
        if !lane.is_empty() && is_scarce {
            if !self.starved.contains(origin) {
                self.starved.push_back(origin.clone());
            }
            return false;
        }
        let Some(mut task) = self.tasks.remove(&id) else {
            // This cannot happen: a task that ends is removed from the queue.
            return false;
        };
        if let Phase::Queued(mut queued) = std::mem::replace(&mut task.phase, Phase::Moved) {
            match self.sign(id, &mut task, &mut queued) {
                Ok(Some(sent_credential)) => {
                    if let Some(lane) = self.lanes.get_mut(origin) {
                        lane.queue.take(id, &queued.ticket);
                    }
                    self.send(id, &mut task, *queued, sent_credential);
                }
                // Its operation is parked; the task keeps its place in the queue.
                Ok(None) => task.phase = Phase::Queued(queued),
                Err(failure) => {
                    let failure = failure.at(queued.exchange.row, queued.target.clone());
                    task.phase = Phase::Queued(queued);
                    self.leave_lane(id, &mut task);
                    self.settle(&mut task, Outcome::Failed(failure));
                }
            }
        }
        self.put_back(id, task);
        true
    }

    /// The lane of an origin.
    pub(super) fn lane(&mut self, origin: &Origin) -> &mut Lane {
        if !self.lanes.contains_key(origin) {
            self.forget_idle_lanes();
        }
        let (options, now) = (&self.options, self.now);
        self.lanes.entry(origin.clone()).or_insert_with(|| Lane::new(origin, options, now))
    }

    /// If there are too many lanes, forgets the half that was not used for the longest time. What they knew is learned
    /// again.
    fn forget_idle_lanes(&mut self) {
        if self.lanes.len() < self.lanes_allowed {
            return;
        }
        let idle = self.lanes.iter().filter(|(_, lane)| lane.is_idle(self.now));
        let mut idle: Vec<(Instant, Origin)> = idle.map(|(origin, lane)| (lane.used, origin.clone())).collect();
        idle.sort();
        let half = self.options.registries.max(1).div_ceil(2);
        for (_, origin) in idle.into_iter().take(half) {
            self.lanes.remove(&origin);
        }
        // If most of them are in use, this is not tried again for every new one.
        self.lanes_allowed = self.options.registries.max(self.lanes.len().saturating_mul(2));
    }

    /// Continues the tasks and lanes whose wait is over.
    pub(super) fn wake(&mut self) {
        while let Some((at, timer)) = self.timers.first().cloned().filter(|(at, _)| *at <= self.now) {
            self.timers.remove(&(at, timer.clone()));
            match timer {
                Timer::Lane(origin) => {
                    self.woken.insert(origin);
                }
                Timer::Task(id) => {
                    let Some(task) = self.tasks.get_mut(&id) else { continue };
                    if let Phase::Resting { until, origin } = &task.phase
                        && *until <= self.now
                    {
                        if let Some(lane) = self.lanes.get_mut(origin) {
                            lane.resting.remove(&id);
                        }
                        task.phase = Phase::Moved;
                        self.moved.insert(id);
                    }
                }
            }
        }
    }

    /// The next moment at which the client can do something without an input.
    pub(super) fn deadline(&mut self) -> Option<Deadline> {
        while let Some((at, timer)) = self.timers.first().cloned() {
            let is_needed = match &timer {
                Timer::Lane(origin) => self.lanes.get(origin).is_some_and(|lane| !lane.queue.is_empty()),
                Timer::Task(id) => {
                    let is_its = |task: &Task<K>| matches!(&task.phase, Phase::Resting { until, .. } if *until == at);
                    self.tasks.get(id).is_some_and(is_its)
                }
            };
            if is_needed {
                let waiting = if matches!(timer, Timer::Lane(_)) { Waiting::Pause } else { Waiting::Retry };
                return Some(Deadline { at, waiting });
            }
            self.timers.remove(&(at, timer));
        }
        None
    }
}

#[cfg(test)]
mod tests;
