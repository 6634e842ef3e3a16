//! The client: many flows at once, to many registries. It decides which request is sent when, signs, redirects and
//! retries, and keeps what it learns about a registry.
//!
//! | where | what |
//! |---|---|
//! | [`schedule`] | which task goes on, and which request is sent now |
//! | [`lane`] | all that decides whether one origin may be sent a request: window, queue, pause, budget |
//! | [`send`] | handing a request to the driver, and its place |
//! | [`responses`] | what an input means: an outcome for a flow, another attempt, another place to ask |
//! | [`retry`], [`redirects`] | making a request again, and elsewhere |
//! | [`auth`] | tokens and credentials: what is known, signing, refusals, redaction |
//! | [`tasks`] | beginning a task, sharing one, telling what came of it |
//! | [`cleanup`] | the end of an operation, and what is done after it |
//! | [`push`], [`presence`] | the graph of a push, and what repositories were seen to hold |

mod any_flow;
mod auth;
mod cleanup;
mod lane;
mod operation;
mod presence;
mod push;
mod redirects;
mod registry;
mod responses;
mod retry;
mod schedule;
mod send;
mod task;
mod task_id;
mod tasks;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::config::{Learned, Operation, Options, RepositoryRef, Supply};
use crate::driver::{AskId, Input, Key, OperationId, Output, RequestId};
use crate::outcome::{Failure, FailureKind, Receipt};
use crate::{Digest, Instant, Origin, Registry};
use auth::{Awaited, Parked};
use cleanup::Ending;
use lane::Lane;
use operation::{Job, OperationState, Part, SimpleJob};
use presence::Presence;
use push::{OneShotKeys, OpenPipes, PushContext, PushJob};
use registry::RegistryState;
use task::Task;
use task_id::TaskId;

/// A client for any number of registries, without I/O.
///
/// The module [`driver`](crate::driver) describes how to drive it. It can be used for as long as the process runs: what
/// it learns about a registry, and which content a repository has, is used by later operations. Its [`Options`] limit
/// what it keeps.
pub struct Client<K> {
    options: Options,
    now: Instant,
    inbox: VecDeque<Input<K>>,
    outbox: VecDeque<Output<K>>,
    /// Operations that the caller has ended since the last poll.
    ended: Vec<(OperationId, Ending)>,
    operations: BTreeMap<OperationId, OperationState<K>>,
    /// Operations whose state has changed since [`Self::advance`] last looked at them.
    news: BTreeSet<OperationId>,
    tasks: BTreeMap<TaskId, Task<K>>,
    /// Tasks whose flow has changed since it was last asked for its next step.
    moved: BTreeSet<TaskId>,
    /// Tasks that clean up after operations that are done.
    cleanups: BTreeSet<TaskId>,
    flights: BTreeMap<RequestId, TaskId>,
    /// Uploads that other operations can wait for.
    uploads: BTreeMap<(RepositoryRef, Digest), TaskId>,
    /// The updates of each list of referrers, in order.
    lines: BTreeMap<(RepositoryRef, Digest), VecDeque<TaskId>>,
    /// Which content repositories are known to have.
    presence: Presence,
    /// The keys of blobs that can be read only once.
    keys: OneShotKeys<K>,
    /// The blobs of unknown digest that are open.
    pipes: OpenPipes,
    registries: BTreeMap<Origin, RegistryState>,
    /// If there are more registries than this, those without an operation are forgotten.
    registries_allowed: usize,
    lanes: BTreeMap<Origin, Lane>,
    /// The same for lanes.
    lanes_allowed: usize,
    /// Lanes that have changed, so that a task may take a place.
    woken: BTreeSet<Origin>,
    /// Lanes that wait for a place because the total of all lanes is reached, in turn.
    starved: VecDeque<Origin>,
    /// The lane that may take the next free place.
    turn: Option<Origin>,
    /// How many places are taken, without the first one of each lane.
    extra_places: usize,
    /// Origins that have asked for longer waits than [`Options::patience`], and how long.
    impatient: BTreeMap<Origin, Duration>,
    timers: BTreeSet<(Instant, Timer)>,
    /// Operations that wait for something before their requests can be signed.
    awaiting: BTreeMap<Awaited, VecDeque<Parked>>,
    /// The registry of each question for credentials.
    asking: BTreeMap<AskId, Origin>,
    /// How many requests are in flight or queued at each token service.
    fetching: BTreeMap<Origin, usize>,
    last_id: u64,
}

/// What happens at a certain time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The pause of a lane is over.
    Lane(Origin),
    /// The wait of a task is over.
    Task(TaskId),
}

impl<K: Key> Client<K> {
    /// A client with these options, which knows nothing about any registry.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let allowed = options.registries.max(1);
        let presence = Presence::new(options.presence_entries, options.presence_for);
        Self {
            options,
            now: Instant::ZERO,
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            ended: Vec::new(),
            operations: BTreeMap::new(),
            news: BTreeSet::new(),
            tasks: BTreeMap::new(),
            moved: BTreeSet::new(),
            cleanups: BTreeSet::new(),
            flights: BTreeMap::new(),
            uploads: BTreeMap::new(),
            lines: BTreeMap::new(),
            presence,
            keys: OneShotKeys::new(),
            pipes: OpenPipes::default(),
            registries: BTreeMap::new(),
            registries_allowed: allowed,
            lanes: BTreeMap::new(),
            lanes_allowed: allowed,
            woken: BTreeSet::new(),
            starved: VecDeque::new(),
            turn: None,
            extra_places: 0,
            impatient: BTreeMap::new(),
            timers: BTreeSet::new(),
            awaiting: BTreeMap::new(),
            asking: BTreeMap::new(),
            fetching: BTreeMap::new(),
            last_id: 0,
        }
    }

    /// Starts an operation. It ends with an [`Output::Done`] that has the returned id.
    pub fn start(&mut self, operation: impl Into<Operation<K>>) -> OperationId {
        let operation = operation.into();
        let id = OperationId(self.fresh_id());
        let place = operation.place();
        self.registry(operation.registry());
        if let Operation::Delete { what, .. } = &operation {
            self.presence.delete(&place, what, self.now);
        }
        let job = match operation {
            Operation::Push(push) => self
                .with_push_context(&place.origin, id, |context| PushJob::new(push, context))
                .map(|job| Job::Push(Box::new(job))),
            other => SimpleJob::new(other).map(|job| Job::Simple(Box::new(job))),
        };
        if let Some(job) = job {
            self.operations.insert(id, OperationState::new(job, place.origin));
            self.news.insert(id);
        }
        id
    }

    /// Adds to a push that was left [open](crate::Push::open).
    ///
    /// # Errors
    /// If there is no such push any more, if it was not left open, or if the addition contradicts what was given
    /// before, in the size of a blob or the content of a key. Then nothing is added, and the push continues.
    pub fn supply(&mut self, operation: OperationId, supply: Supply<K>) -> Result<(), Failure> {
        self.news.insert(operation);
        let result = self.with_push(operation, |job, context| job.supply(supply, context));
        let no_push = || Err(FailureKind::Misuse("there is no such push".to_owned()));
        result.unwrap_or_else(no_push).map_err(Failure::new)
    }

    /// Calls `act` with a push and its context.
    fn with_push<R>(
        &mut self,
        id: OperationId,
        act: impl FnOnce(&mut PushJob<K>, &mut PushContext<'_, K>) -> R,
    ) -> Option<R> {
        let mut state = self.operations.remove(&id)?;
        let result = match &mut state.job {
            Job::Push(job) => self.with_push_context(&state.registry, id, |context| act(job, context)),
            Job::Simple(_) => None,
        };
        if let Job::Push(job) = &state.job {
            self.pipes.note(id, job.open_pipes());
        }
        self.operations.insert(id, state);
        result
    }

    fn with_push_context<R>(
        &mut self,
        registry: &Origin,
        operation: OperationId,
        act: impl FnOnce(&mut PushContext<'_, K>) -> R,
    ) -> Option<R> {
        let registry = self.registries.get_mut(registry)?;
        let mut events = Vec::new();
        let mut context = PushContext {
            operation,
            options: &self.options,
            learned: &mut registry.learned,
            presence: &mut self.presence,
            keys: &mut self.keys,
            pipes: &mut self.pipes,
            events: &mut events,
            now: self.now,
        };
        let result = act(&mut context);
        self.outbox.extend(events.into_iter().map(Output::Event));
        Some(result)
    }

    /// Cancels an operation: it is done at the next [`poll`](Self::poll), and no more manifests are sent. Its open
    /// uploads are cancelled after that; see [`Options::grace`].
    pub fn cancel(&mut self, operation: OperationId) {
        self.ended.push((operation, Ending::Cancelled));
    }

    /// Suspends a push, so that another process can continue it: it is done at the next [`poll`](Self::poll) with
    /// [`Receipt::Suspended`], and its uploads stay open. An operation of another kind is cancelled.
    pub fn suspend(&mut self, operation: OperationId) {
        self.ended.push((operation, Ending::Suspended));
    }

    /// Takes an input. The outputs that follow from it are returned by [`poll`](Self::poll).
    pub fn handle(&mut self, input: Input<K>) {
        self.inbox.push_back(input);
    }

    /// Returns what the driver must do next. Poll until [`Output::Wait`] before you block.
    ///
    /// If `now` is before the time of an earlier call, that earlier time is used.
    pub fn poll(&mut self, now: Instant) -> Output<K> {
        self.now = self.now.max(now);
        self.end_what_was_ended();
        loop {
            if let Some(output) = self.outbox.pop_front() {
                if let Output::Send { id, .. } = &output {
                    self.handed_out(*id);
                }
                return output;
            }
            if let Some(input) = self.inbox.pop_front() {
                self.take_in(input);
                self.lose_patience();
                continue;
            }
            self.wake();
            if !self.go_on() && !self.advance() && !self.send_what_may() && self.outbox.is_empty() {
                return Output::Wait(self.deadline());
            }
        }
    }

    /// What the client has learned about a registry. It can be saved and given to another client.
    #[must_use]
    pub fn learned(&self, registry: &Registry) -> Option<&Learned> {
        self.registries.get(&registry.origin()).map(|state| &state.learned)
    }

    /// Gives the client what another client has learned about a registry.
    pub fn teach(&mut self, registry: &Registry, learned: Learned) {
        self.registry(registry).learned = learned;
    }

    /// Whether the client still cleans up after operations that are done. A driver that has nothing else to do
    /// continues for at most [`Options::grace`].
    #[must_use]
    pub fn is_cleaning_up(&self) -> bool {
        !self.cleanups.is_empty()
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

    fn registry(&mut self, registry: &Registry) -> &mut RegistryState {
        let origin = registry.origin();
        if !self.registries.contains_key(&origin) && self.registries.len() >= self.registries_allowed {
            self.forget_idle_registries();
        }
        self.registries.entry(origin).or_insert_with(|| RegistryState::new(registry.clone()))
    }

    /// If there are too many registries, forgets those without an operation.
    fn forget_idle_registries(&mut self) {
        let at_work = self.operations.values().map(|operation| &operation.registry);
        let at_work: BTreeSet<Origin> =
            at_work.chain(self.tasks.values().map(|task| &task.registry)).cloned().collect();
        self.registries.retain(|origin, _| at_work.contains(origin));
        // If most of them are in use, this is not tried again for every new one.
        self.registries_allowed = self.options.registries.max(self.registries.len().saturating_mul(2)).max(1);
    }

    /// Lets every operation that has changed start its next tasks, and ends those that are complete. Returns whether
    /// anything happened.
    fn advance(&mut self) -> bool {
        let mut has_moved = false;
        while let Some(id) = self.news.pop_first().or_else(|| self.pipes.next(self.options.open_pipes)) {
            has_moved |= self.advance_one(id);
        }
        has_moved
    }

    fn advance_one(&mut self, id: OperationId) -> bool {
        let Some(state) = self.operations.get_mut(&id) else { return false };
        let origin = state.registry.clone();
        let starts: Vec<_> = match &mut state.job {
            Job::Push(_) => {
                let starts = self.with_push(id, PushJob::advance).unwrap_or_default().into_iter();
                starts.map(|start| (Part::Node(start.node), start.flow, start.tries)).collect()
            }
            Job::Simple(job) => job.start().map(|flow| (Part::Whole, flow, 0)).into_iter().collect(),
        };
        let is_released = self.with_push(id, |job, _| job.ends_holds()).unwrap_or_default();
        if is_released {
            self.end_holds(id);
        }
        let has_started = !starts.is_empty() || is_released;
        for (part, flow, tries) in starts {
            let not_before = (tries > 0).then(|| self.recovery_at(&origin, tries));
            self.add_task(id, origin.clone(), part, flow, not_before);
        }
        has_started || self.end_if_over(id)
    }

    fn end_if_over(&mut self, id: OperationId) -> bool {
        let Some(state) = self.operations.get(&id).filter(|state| state.tasks.is_empty()) else { return false };
        let result = match (&state.job, &state.suspended) {
            (_, Some(checkpoint)) => Some(Ok(Receipt::Suspended(checkpoint.clone()))),
            (Job::Push(job), None) => job.result().map(|result| result.map(Receipt::Pushed)),
            (Job::Simple(job), None) => job.result(),
        };
        let Some(result) = result else { return false };
        let Some(mut state) = self.operations.remove(&id) else { return false };
        if let (Job::Push(job), Ok(Receipt::Pushed(_))) = (&mut state.job, &result) {
            for flow in job.cancel_left_open() {
                self.add_cleanup(flow, state.registry.clone(), id);
            }
        }
        self.keys.release(id);
        self.pipes.release(id);
        let result = result.map_err(|mut failure| {
            // Some registries repeat secrets in their errors, and failures are shown.
            if let Some(registry) = self.registries.get(&state.registry) {
                registry.auth.redactor.scrub_failure(&mut failure);
            }
            Box::new(failure)
        });
        self.outbox.push_back(Output::Done { operation: id, result });
        true
    }
}
