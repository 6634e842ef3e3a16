//! The driver, in one thread and in virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use longshore_core::auth::Credentials;
use longshore_core::driver::{AskFailed, Deadline, Input, Key, OperationId, Output, RequestId};
use longshore_core::{Event, Failure, Instant, Receipt, Registry, Repository};

use crate::random::Random;
use crate::source::NoBytes;
use crate::wire::Happening;
use crate::{Choice, Driven, Handler, Order, Said, Schedule, Source, Transcript};

/// Drives clients against a [`Handler`], in one thread, without sockets, and in virtual time.
///
/// All randomness comes from the seed: the same seed gives the same [`Transcript`].
pub struct Simulation<K, H> {
    /// The handler. It can be examined and changed between steps.
    pub handler: H,
    /// The transcript so far.
    pub transcript: Transcript<K>,
    pub(crate) seed: u64,
    pub(crate) random: Random,
    pub(crate) now: Instant,
    pub(crate) latency: Range<Duration>,
    pub(crate) order: Order,
    pub(crate) choices: Vec<Choice>,
    pub(crate) schedule: Schedule,
    pub(crate) sources: BTreeMap<K, Source>,
    pub(crate) sinks: BTreeMap<K, Bytes>,
    /// The operation of each one-shot blob, which the input at the blob's end names.
    pub(crate) reading: BTreeMap<K, OperationId>,
    pub(crate) pending: Vec<Happening<K>>,
    pub(crate) aborted: BTreeSet<RequestId>,
    pub(crate) ordinals: BTreeMap<RequestId, u64>,
    /// Requests that the client sent.
    pub(crate) requests: u64,
    /// The last id of a delivery to the handler, or of another event.
    pub(crate) last_id: u64,
    credentials: Box<Lookup>,
    steps: u64,
    step_limit: u64,
    deadline: Option<Deadline>,
}

type Lookup = dyn FnMut(&Registry, Option<&Repository>, bool) -> Result<Option<Credentials>, AskFailed>;

/// The result of a step of a simulation. Exhaustive on purpose, as what the core asks of a driver is.
#[derive(Debug)]
#[must_use]
pub enum Step<K> {
    /// The client or the handler did something.
    Worked,
    /// The client returned an event.
    Event(Event<K>),
    /// An operation has ended.
    Done {
        /// Which one.
        operation: OperationId,
        /// Its result.
        result: Result<Receipt<K>, Box<Failure>>,
    },
    /// Nothing more will happen.
    Idle,
}

impl<K: Key, H: Handler> Simulation<K, H> {
    /// A simulation without blobs, faults and credentials, in which an answer takes up to 50 milliseconds each way.
    pub fn new(seed: u64, handler: H) -> Self {
        Self {
            handler,
            seed,
            random: Random::new(seed),
            now: Instant::ZERO,
            latency: Duration::from_millis(1)..Duration::from_millis(50),
            order: Order::Latency,
            choices: Vec::new(),
            schedule: Schedule::default(),
            sources: BTreeMap::new(),
            sinks: BTreeMap::new(),
            reading: BTreeMap::new(),
            pending: Vec::new(),
            aborted: BTreeSet::new(),
            transcript: Transcript::default(),
            ordinals: BTreeMap::new(),
            requests: 0,
            last_id: 0,
            credentials: Box::new(|_, _, _| Ok(None)),
            steps: 0,
            step_limit: 1_000_000,
            deadline: None,
        }
    }

    /// Adds a blob.
    #[must_use]
    pub fn source(mut self, key: K, source: Source) -> Self {
        self.sources.insert(key, source);
        self
    }

    /// Sets how long a message takes each way.
    #[must_use]
    pub const fn latency(mut self, latency: Range<Duration>) -> Self {
        self.latency = latency;
        self
    }

    /// Sets the order of events.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Sets the faults.
    #[must_use]
    pub fn faults(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Sets the function that returns credentials. It is given the registry, the repository, and whether the previous
    /// credentials were refused.
    #[must_use]
    pub fn credentials(
        mut self,
        lookup: impl FnMut(&Registry, Option<&Repository>, bool) -> Result<Option<Credentials>, AskFailed> + 'static,
    ) -> Self {
        self.credentials = Box::new(lookup);
        self
    }

    /// Sets after how many steps the simulation panics because it does not seem to end. The default is 1,000,000.
    #[must_use]
    pub const fn step_limit(mut self, steps: u64) -> Self {
        self.step_limit = steps;
        self
    }

    /// Runs until an operation has ended and no request is in flight any more.
    ///
    /// # Panics
    /// Those of [`Simulation::run_all`].
    pub fn run(&mut self, client: &mut dyn Driven<K>, operation: OperationId) -> Result<Receipt<K>, Box<Failure>> {
        let mut results = self.run_all(client, [operation]);
        results.remove(&operation).unwrap_or_else(|| self.stop("the operation has no result"))
    }

    /// Runs until these operations have ended and no request is in flight any more.
    ///
    /// # Panics
    /// If the client hangs (it waits for nothing, but an operation has not ended), does not end, or breaks its contract
    /// with a driver. The message has the seed, the faults and the transcript.
    pub fn run_all(
        &mut self,
        client: &mut dyn Driven<K>,
        operations: impl IntoIterator<Item = OperationId>,
    ) -> BTreeMap<OperationId, Result<Receipt<K>, Box<Failure>>> {
        let mut open: BTreeSet<OperationId> = operations.into_iter().collect();
        let mut results = BTreeMap::new();
        loop {
            match self.step(client) {
                Step::Worked | Step::Event(_) => {}
                Step::Done { operation, result } => {
                    if open.remove(&operation) {
                        results.insert(operation, result);
                    }
                }
                Step::Idle if open.is_empty() => return results,
                Step::Idle => self.stop("the client hangs: it waits for nothing, and an operation has not ended"),
            }
        }
    }

    /// Does the next step. This function is a complete driver.
    ///
    /// # Panics
    /// Those of [`Simulation::run_all`], but it does not know which operations should end.
    pub fn step(&mut self, client: &mut dyn Driven<K>) -> Step<K> {
        self.steps += 1;
        if self.steps > self.step_limit {
            self.stop("the simulation goes round in circles: it has reached its limit of steps");
        }
        match client.poll(self.now) {
            Output::Send { id, request, keep, limits: _ } => self.send(id, request, keep),
            Output::Abort { id } => self.abort(id),
            Output::Read { operation, blob, from, up_to } => self.read(operation, blob, from, up_to),
            Output::Ask { id, registry, repository, stale } => {
                self.note(format!("credentials for {registry}, stale: {stale}"));
                let answer = (self.credentials)(&registry, repository.as_ref(), stale);
                self.later(Input::Credentials { id, answer });
            }
            Output::Event(event) => return Step::Event(event),
            Output::Done { operation, result } => {
                let how = result.as_ref().map_or_else(ToString::to_string, |_| "done".to_owned());
                self.note(format!("{operation:?}: {how}"));
                return Step::Done { operation, result };
            }
            Output::Wait(deadline) => return self.wait(client, deadline),
        }
        Step::Worked
    }

    /// Advances the time to the next event, and carries it out.
    fn wait(&mut self, client: &mut dyn Driven<K>, deadline: Option<Deadline>) -> Step<K> {
        let stuck = deadline.is_some_and(|deadline| deadline.at <= self.now) && self.deadline == deadline;
        if stuck {
            self.stop("the client waits for a moment that has passed");
        }
        self.deadline = deadline;
        match (self.next_happening(deadline.map(|deadline| deadline.at)), deadline) {
            (Some(happening), _) => {
                if let Some(input) = self.happen(happening, client) {
                    client.handle(input);
                }
                Step::Worked
            }
            (None, Some(deadline)) => {
                self.now = self.now.max(deadline.at);
                Step::Worked
            }
            (None, None) => Step::Idle,
        }
    }

    fn read(&mut self, operation: OperationId, blob: K, from: u64, up_to: u64) {
        self.note(format!("read {blob:?} {from}..{up_to}"));
        self.reading.insert(blob.clone(), operation);
        let input = match self.sources.get_mut(&blob).map(|source| source.read(operation, blob.clone(), from, up_to)) {
            Some(Ok(input)) => input,
            Some(Err(NoBytes::Contract(why))) => self.stop(&why),
            Some(Err(NoBytes::Source(why))) => Input::Unreadable { blob, why },
            None => Input::Unreadable { blob, why: "there is no such source".to_owned() },
        };
        self.later(input);
    }

    fn note(&mut self, what: String) {
        self.transcript.add(self.now, 0, Said::Note(what));
    }

    /// Panics with everything that is needed to repeat the run.
    ///
    /// # Panics
    /// Always.
    pub fn stop(&self, why: &str) -> ! {
        let Self { seed, order, schedule, transcript, .. } = self;
        panic!("{why}\nseed {seed}, order {order:?}, faults {schedule}\n{transcript}")
    }
}

impl<K: Key, H> Simulation<K, H> {
    /// The current moment.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Advances the time without any event, as if the machine was suspended.
    pub fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    /// How many requests the client has sent.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// What was said.
    #[must_use]
    pub const fn transcript(&self) -> &Transcript<K> {
        &self.transcript
    }

    /// The choices that were made so far, for [`every_order`](crate::every_order).
    #[must_use]
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// The faults, including those that have occurred.
    #[must_use]
    pub const fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The bytes that were written into the sink with this key.
    #[must_use]
    pub fn sink(&self, key: &K) -> Option<&Bytes> {
        self.sinks.get(key)
    }

    /// A blob that can be sent.
    #[must_use]
    pub fn source_of(&self, key: &K) -> Option<&Source> {
        self.sources.get(key)
    }
}
