//! The driver: carries out the core's outputs, and gives the results back as inputs.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::http::Request;
use longshore_core::driver::{
    AskFailed, AskId, Body, Deadline, Input, Keep, Key, Limits, NoAnswer, OperationId, Output, RequestId,
};
use longshore_core::{Event, Instant, Registry, Repository};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::exchange;
use crate::lock::lock;
use crate::shared::Shared;

/// Drives one client until all handles of its session are dropped.
pub(crate) struct Driver<K> {
    shared: Arc<Shared<K>>,
    on_event: Box<dyn FnMut(Event<K>) + Send>,
    flights: BTreeMap<RequestId, AbortHandle>,
    /// When the last handle was dropped.
    closed: Option<Instant>,
}

impl<K: Key + Send + 'static> Driver<K> {
    pub(crate) fn new(shared: Arc<Shared<K>>, on_event: Box<dyn FnMut(Event<K>) + Send>) -> Self {
        Self { shared, on_event, flights: BTreeMap::new(), closed: None }
    }

    pub(crate) async fn drive(mut self) {
        loop {
            let now = self.now();
            let output = lock(&self.shared.state).client.poll(now);
            match output {
                Output::Send { id, request, keep, limits } => self.send(id, request, keep, limits),
                Output::Abort { id } => {
                    if let Some(flight) = self.flights.remove(&id) {
                        flight.abort();
                    }
                }
                Output::Read { operation, blob, from, up_to } => self.read(operation, blob, from, up_to),
                Output::Ask { id, registry, repository, stale } => self.ask(id, registry, repository, stale),
                Output::Event(event) => (self.on_event)(event),
                Output::Done { operation, result } => {
                    if let Some(caller) = lock(&self.shared.state).waiting.remove(&operation) {
                        // If the caller was dropped, the result is not needed.
                        drop(caller.send(result));
                    }
                }
                Output::Wait(_) if self.is_over() => return,
                Output::Wait(deadline) => {
                    self.tell_if_clean();
                    self.wait(deadline).await;
                }
            }
        }
    }

    /// Starts a task for an exchange. If the task ends without an answer, the request has failed.
    fn send(&mut self, id: RequestId, request: Request<Body<K>>, keep: Keep<K>, limits: Limits) {
        let why = NoAnswer::Lost("it was given up".to_owned());
        let promise = self.promise(Input::Failed { id, why });
        let flight = tokio::spawn(async move {
            let input = exchange::run(&promise.shared, id, request, keep, limits).await;
            promise.keep(input);
        });
        self.flights.retain(|_, flight| !flight.is_finished());
        self.flights.insert(id, flight.abort_handle());
    }

    fn read(&self, operation: OperationId, blob: K, from: u64, up_to: u64) {
        let why = "the thread that reads it panicked".to_owned();
        let promise = self.promise(Input::Unreadable { blob: blob.clone(), why });
        tokio::task::spawn_blocking(move || {
            let input = match promise.shared.source(&blob) {
                Ok(source) => source.answer_read(operation, blob, from, up_to),
                Err(error) => Input::Unreadable { blob, why: error.to_string() },
            };
            promise.keep(input);
        });
    }

    fn ask(&self, id: AskId, registry: Registry, repository: Option<Repository>, stale: bool) {
        let failed = AskFailed("the thread that looks them up panicked".to_owned());
        let promise = self.promise(Input::Credentials { id, answer: Err(failed) });
        tokio::task::spawn_blocking(move || {
            let answer = (promise.shared.credentials)(&registry, repository.as_ref(), stale);
            promise.keep(Input::Credentials { id, answer });
        });
    }

    async fn wait(&mut self, deadline: Option<Deadline>) {
        let woken = self.shared.wake.notified();
        let end = self.closed.map(|closed| closed + self.shared.grace);
        // Whether the wake-up is early or late, the next poll handles it.
        match deadline.map(|deadline| deadline.at).into_iter().chain(end).min() {
            Some(moment) => drop(timeout(moment.since(self.now()), woken).await),
            None => woken.await,
        }
    }

    /// Whether all handles are dropped, and the cleanup is complete or has taken as long as the options allow.
    fn is_over(&mut self) -> bool {
        let now = self.now();
        let state = lock(&self.shared.state);
        if !state.is_closed || !state.waiting.is_empty() {
            return false;
        }
        let closed = *self.closed.get_or_insert(now);
        !state.client.is_cleaning_up() || now.since(closed) >= self.shared.grace
    }

    /// Wakes the callers that wait until the cleanup is complete.
    fn tell_if_clean(&self) {
        if !lock(&self.shared.state).client.is_cleaning_up() {
            self.shared.clean.notify_waiters();
        }
    }

    /// The core's time: microseconds since the session began.
    fn now(&self) -> Instant {
        Instant::ZERO + self.shared.elapsed()
    }

    fn promise(&self, otherwise: Input<K>) -> Promise<K> {
        Promise { shared: Arc::clone(&self.shared), otherwise: Some(otherwise) }
    }
}

impl<K> Drop for Driver<K> {
    /// Wakes all callers, because the driver also ends if `on_event` panics.
    fn drop(&mut self) {
        lock(&self.shared.state).waiting.clear();
    }
}

/// Gives the core an input even if a task panics. Otherwise the core would wait for ever.
struct Promise<K: Key> {
    shared: Arc<Shared<K>>,
    otherwise: Option<Input<K>>,
}

impl<K: Key> Promise<K> {
    fn keep(mut self, input: Input<K>) {
        self.otherwise = Some(input);
    }
}

impl<K: Key> Drop for Promise<K> {
    fn drop(&mut self) {
        if let Some(input) = self.otherwise.take() {
            self.shared.tell(input);
        }
    }
}
