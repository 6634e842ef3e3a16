//! Many flows at once: what may fly now, signing, redirects, retries, and what was learned of a registry.

mod operation;
mod presence;
mod push;
mod redactor;
mod registry;
mod registry_auth;
mod responses;
mod retry;
mod schedule;
mod sign;
mod task;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::config::{Checkpoint, Learned, Operation, Options, Supply};
use crate::driver::{Deadline, Input, Key, OperationId, Output, RequestId, Waiting};
use crate::outcome::{Failure, FailureKind, Receipt};
use crate::{Instant, Origin, Registry};
use operation::{Job, Part, SimpleJob};
use presence::Presence;
use push::{OneShotKeys, PushContext, PushJob};
use registry::RegistryState;
use retry::Retry;
use task::{Phase, Task, TaskId};

/// A client of any number of registries, without I/O.
///
/// It is driven as [`driver`](crate::driver) describes. It lives as long as its caller likes: what it learned of a
/// registry, and which blobs are where, serves the next operation.
pub struct Client<K> {
    options: Options,
    now: Instant,
    inbox: VecDeque<Input<K>>,
    /// Operations that were cancelled since the last poll.
    cancelled: Vec<OperationId>,
    outbox: VecDeque<Output<K>>,
    jobs: BTreeMap<OperationId, Job<K>>,
    /// Operations that something happened to since they were last looked at.
    news: BTreeSet<OperationId>,
    tasks: BTreeMap<TaskId, Task<K>>,
    flights: BTreeMap<RequestId, TaskId>,
    registries: BTreeMap<Origin, RegistryState>,
    /// What repositories were seen to hold.
    presence: Presence,
    /// The keys of blobs that can be read only once.
    keys: OneShotKeys<K>,
    retry: Retry,
    last_id: u64,
}

impl<K: Key> Client<K> {
    /// A client that has seen nothing yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let retry = Retry::new(&options);
        let presence = Presence::new(options.presence_entries, options.presence_for);
        Self {
            options,
            now: Instant::ZERO,
            inbox: VecDeque::new(),
            cancelled: Vec::new(),
            outbox: VecDeque::new(),
            jobs: BTreeMap::new(),
            news: BTreeSet::new(),
            tasks: BTreeMap::new(),
            flights: BTreeMap::new(),
            registries: BTreeMap::new(),
            presence,
            keys: OneShotKeys::new(),
            retry,
            last_id: 0,
        }
    }

    /// Begins an operation. It ends with an [`Output::Done`] of this id.
    pub fn start(&mut self, operation: impl Into<Operation<K>>) -> OperationId {
        let operation = operation.into();
        let id = OperationId(self.fresh_id());
        let registry = operation.registry().clone();
        let place = operation.place();
        let is_idle = !self.tasks.values().any(|task| task.registry == place.origin);
        let state = self.registries.entry(place.origin.clone()).or_insert_with(|| RegistryState::new(registry));
        if is_idle {
            state.door.ask_again_if_refused();
        }
        if let Operation::Delete { what, .. } = &operation {
            self.presence.delete(&place, what, self.now);
        }
        let mut events = Vec::new();
        let job = match operation {
            Operation::Push(push) => {
                let mut context = PushContext {
                    operation: id,
                    options: &self.options,
                    learned: &mut state.learned,
                    presence: &mut self.presence,
                    keys: &mut self.keys,
                    events: &mut events,
                    now: self.now,
                };
                Some(Job::Push(Box::new(PushJob::new(push, &mut context))))
            }
            other => SimpleJob::new(other).map(|job| Job::Simple(Box::new(job))),
        };
        self.outbox.extend(events.into_iter().map(Output::Event));
        if let Some(job) = job {
            self.jobs.insert(id, job);
            self.news.insert(id);
        }
        id
    }

    /// Adds to a push that was left [open](Push::open).
    ///
    /// # Errors
    /// Where there is no such push any more, where it was not left open, or where this contradicts what was given before: a
    /// length, or the content of a key. Then nothing is added, and the push goes on.
    pub fn supply(&mut self, operation: OperationId, supply: Supply<K>) -> Result<(), Failure> {
        self.news.insert(operation);
        let result = self.with_push(operation, |job, context| job.supply(supply, context));
        let no_push = || Err(FailureKind::Misuse("there is no such push".to_owned()));
        result.unwrap_or_else(no_push).map_err(Failure::new)
    }

    /// Calls into a push, with what it may look at and write to.
    fn with_push<R>(
        &mut self,
        operation: OperationId,
        act: impl FnOnce(&mut PushJob<K>, &mut PushContext<'_, K>) -> R,
    ) -> Option<R> {
        let Some(Job::Push(job)) = self.jobs.get_mut(&operation) else { return None };
        let registry = self.registries.get_mut(&job.place().origin)?;
        let mut events = Vec::new();
        let mut context = PushContext {
            operation,
            options: &self.options,
            learned: &mut registry.learned,
            presence: &mut self.presence,
            keys: &mut self.keys,
            events: &mut events,
            now: self.now,
        };
        let result = act(job, &mut context);
        self.outbox.extend(events.into_iter().map(Output::Event));
        Some(result)
    }

    /// Gives an operation up. Uploads that are open are cancelled, and no manifest is sent any more; then it is done.
    ///
    /// It takes effect at the next [`poll`](Self::poll), before anything else goes out.
    pub fn cancel(&mut self, operation: OperationId) {
        self.cancelled.push(operation);
    }

    /// Does what was cancelled since the last poll. What came in meanwhile is heard first: it may name an upload that has to
    /// be cancelled, or ask to wait.
    fn cancel_now(&mut self) {
        if self.cancelled.is_empty() {
            return;
        }
        while let Some(input) = self.inbox.pop_front() {
            self.take_in(input);
        }
        for operation in std::mem::take(&mut self.cancelled) {
            match self.jobs.get_mut(&operation) {
                Some(Job::Push(job)) => job.fail(Failure::cancelled()),
                Some(Job::Simple(job)) => job.fail(Failure::cancelled()),
                None => {}
            }
            self.abandon(operation);
        }
    }

    /// What a push has done so far, for another process to go on with ([`Push::resume`]); `None` where there is no such push.
    #[must_use]
    pub fn save(&self, operation: OperationId) -> Option<Checkpoint> {
        let Some(Job::Push(job)) = self.jobs.get(&operation) else { return None };
        let mut checkpoint = Checkpoint::new(job.place(), job.acknowledged());
        // An upload that another push goes on with is its own.
        let is_alone = |task: &&Task<K>| task.owners.contains_key(&operation) && task.is_only_for(operation);
        for task in self.tasks.values().filter(is_alone) {
            if let task::AnyFlow::Upload(upload) = &task.flow
                && let Some((digest, size, open, acknowledged)) = upload.progress()
            {
                checkpoint.add(digest, size, open.target(), acknowledged);
            }
        }
        Some(checkpoint)
    }

    /// Takes an input. What follows from it comes out of [`poll`](Self::poll).
    pub fn handle(&mut self, input: Input<K>) {
        self.inbox.push_back(input);
    }

    /// What to do next, at this time. Poll until [`Output::Wait`] before blocking.
    ///
    /// Time that runs backwards is taken to stand still.
    pub fn poll(&mut self, now: Instant) -> Output<K> {
        self.now = self.now.max(now);
        self.cancel_now();
        loop {
            if let Some(output) = self.outbox.pop_front() {
                return output;
            }
            if let Some(input) = self.inbox.pop_front() {
                self.take_in(input);
            } else if !self.advance() && !self.schedule() && self.outbox.is_empty() {
                return Output::Wait(self.deadline());
            }
        }
    }

    /// What was learned of a registry, to save and to give to another client.
    #[must_use]
    pub fn learned(&self, registry: &Registry) -> Option<&Learned> {
        self.registries.get(&registry.origin()).map(|state| &state.learned)
    }

    /// Tells what was learned of a registry before.
    pub fn teach(&mut self, registry: &Registry, learned: Learned) {
        let state = self.registries.entry(registry.origin()).or_insert_with(|| RegistryState::new(registry.clone()));
        state.learned = learned;
    }

    /// How many requests are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flights.len()
    }

    const fn fresh_id(&mut self) -> u64 {
        self.last_id = self.last_id.saturating_add(1);
        self.last_id
    }

    /// Lets every operation that has news start what it can, and ends those that are over. Says whether anything happened.
    fn advance(&mut self) -> bool {
        let mut has_moved = false;
        while let Some(id) = self.news.pop_first() {
            has_moved |= self.advance_one(id);
        }
        has_moved
    }

    fn advance_one(&mut self, id: OperationId) -> bool {
        let (origin, starts) = match self.jobs.get_mut(&id) {
            Some(Job::Push(job)) => {
                let origin = job.place().origin.clone();
                let starts = self.with_push(id, PushJob::advance).unwrap_or_default().into_iter();
                let starts = starts.map(|start| (Part::Node(start.node), start.flow, start.recoveries)).collect();
                (origin, starts)
            }
            Some(Job::Simple(job)) => {
                let starts: Vec<_> = job.start().map(|flow| (Part::Whole, flow, 0)).into_iter().collect();
                (job.place.origin.clone(), starts)
            }
            None => return false,
        };
        let started = !starts.is_empty();
        for (part, flow, recoveries) in starts {
            self.add_task(id, origin.clone(), part, flow, recoveries);
        }
        started || self.end_if_over(id)
    }

    fn add_task(&mut self, owner: OperationId, origin: Origin, part: Part, flow: task::AnyFlow<K>, recoveries: u32) {
        let mut task = Task::new(flow, origin, owner, part.clone());
        if let Some(digest) = task.uploads
            && let Some(shared) = self.upload_under_way(&task, digest)
        {
            shared.owners.insert(owner, part.clone());
            // It is being sent, so it is not there.
            self.is_absent(owner, &part);
            return;
        }
        if recoveries > 0 {
            task.phase = Phase::Resting(self.now.after(self.retry.patience(recoveries, &self.options)));
        }
        let id = TaskId(self.fresh_id());
        self.with_context(&mut task, task::AnyFlow::begin);
        self.tasks.insert(id, task);
    }

    /// The registry does not have a blob that it was asked for: those that wait for this answer go on.
    fn is_absent(&mut self, owner: OperationId, part: &Part) {
        if let (Some(Job::Push(job)), Part::Node(push::Node::Blob(blob))) = (self.jobs.get_mut(&owner), part) {
            job.is_answered(*blob, false);
            self.news.insert(owner);
        }
    }

    /// Another push's upload of the same blob into the same repository.
    fn upload_under_way(&mut self, task: &Task<K>, digest: crate::Digest) -> Option<&mut Task<K>> {
        let place = task.upload_place()?.clone();
        self.tasks.values_mut().find(|other| other.uploads == Some(digest) && other.upload_place() == Some(&place))
    }

    fn end_if_over(&mut self, id: OperationId) -> bool {
        if self.tasks.values().any(|task| task.owners.contains_key(&id)) {
            return false;
        }
        let result = match self.jobs.get(&id) {
            Some(Job::Push(job)) => job.result().map(|result| result.map(Receipt::Pushed)),
            Some(Job::Simple(job)) => job.result(),
            None => None,
        };
        let Some(result) = result else { return false };
        self.jobs.remove(&id);
        self.keys.release(id);
        let result = result.map_err(|mut failure| {
            // Some repeat what they were told; and a failure is shown.
            self.registries.values().for_each(|registry| registry.door.told.scrub_failure(&mut failure));
            Box::new(failure)
        });
        self.outbox.push_back(Output::Done { operation: id, result });
        true
    }

    /// The next moment at which something can be done without an input.
    fn deadline(&self) -> Option<Deadline> {
        let moment = |task: &Task<K>| {
            let pause = self.registries.get(&task.registry).map_or(Instant::ZERO, |registry| registry.paused_until);
            match task.phase {
                Phase::Resting(until) if until >= pause => Some(Deadline { at: until, waiting: Waiting::Retry }),
                Phase::Resting(_) | Phase::Ready if pause > self.now => {
                    Some(Deadline { at: pause, waiting: Waiting::Pause })
                }
                Phase::Resting(until) => Some(Deadline { at: until, waiting: Waiting::Retry }),
                Phase::Ready | Phase::Reading | Phase::AtDoor(_) | Phase::Flying(_) => None,
            }
        };
        self.tasks.values().filter_map(moment).min()
    }
}
