//! The driver: carries out the core's outputs, and gives the results back as inputs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use ::http::Request;
use longshore_core::auth::Credentials;
use longshore_core::driver::{
    AskFailed, AskId, Body, Input, Keep, Key, Limits, NoAnswer, OperationId, Output, RequestId,
};
use longshore_core::{Client, Event, Failure, Receipt, Registry, Repository};
use longshore_sources::{Sink, SourceError, Sources};

use crate::exchange::Exchange;
use crate::http::Http;

/// Who knows the credentials.
pub(crate) type Credential =
    dyn Fn(&Registry, Option<&Repository>, bool) -> Result<Option<Credentials>, AskFailed> + Send + Sync;

/// Drives one client, in the thread that calls it.
pub(crate) struct Driver<K> {
    pub(crate) client: Client<K>,
    pub(crate) http: Http,
    pub(crate) sources: Sources<K>,
    pub(crate) sinks: BTreeMap<K, Sink>,
    pub(crate) credentials: Arc<Credential>,
    pub(crate) on_event: Box<dyn FnMut(Event<K>) + Send>,
    /// How long the cleanup may take.
    pub(crate) grace: Duration,
    /// The requests in flight, each with the flag that aborts it.
    pub(crate) flights: BTreeMap<RequestId, Arc<AtomicBool>>,
    pub(crate) inputs: Sender<Input<K>>,
    pub(crate) inbox: Receiver<Input<K>>,
    pub(crate) start: Instant,
}

impl<K: Key + Send + 'static> Driver<K> {
    /// Drives the client until all of these operations have ended.
    pub(crate) fn drive(
        &mut self,
        mut waiting: BTreeSet<OperationId>,
    ) -> BTreeMap<OperationId, Result<Receipt<K>, Box<Failure>>> {
        let (mut results, mut end) = (BTreeMap::new(), None);
        loop {
            match self.client.poll(self.now()) {
                Output::Send { id, request, keep, limits } => self.send(id, request, keep, limits),
                Output::Abort { id } => {
                    if let Some(is_aborted) = self.flights.remove(&id) {
                        is_aborted.store(true, Ordering::Relaxed);
                    }
                }
                Output::Read { operation, blob, from, up_to } => self.read(operation, blob, from, up_to),
                Output::Ask { id, registry, repository, stale } => self.ask(id, registry, repository, stale),
                Output::Event(event) => (self.on_event)(event),
                Output::Done { operation, result } => {
                    waiting.remove(&operation);
                    results.insert(operation, result);
                }
                Output::Wait(deadline) => {
                    let now = self.now();
                    let end = waiting.is_empty().then(|| *end.get_or_insert(now + self.grace));
                    // The cleanup has a time limit.
                    if end.is_some_and(|end| !self.client.is_cleaning_up() || end <= now) {
                        return results;
                    }
                    self.wait(deadline.map(|deadline| deadline.at).into_iter().chain(end).min());
                }
            }
        }
    }

    fn send(&mut self, id: RequestId, request: Request<Body<K>>, keep: Keep<K>, limits: Limits) {
        let is_aborted = Arc::new(AtomicBool::new(false));
        let exchange = Exchange {
            id,
            source: match request.body() {
                Body::Blob { key, .. } | Body::Rest { key, .. } => self.sources.source(key).cloned(),
                Body::Empty | Body::Bytes(_) => Err(SourceError::NoSource),
            },
            sink: if let Keep::Into { key, .. } = &keep { self.sinks.get(key).cloned() } else { None },
            request,
            keep,
            limits,
            http: self.http.clone(),
            inputs: self.inputs.clone(),
            is_aborted: Arc::clone(&is_aborted),
        };
        self.flights.insert(id, is_aborted);
        let why = NoAnswer::Lost("its thread could not be started, or panicked".to_owned());
        self.spawn(Input::Failed { id, why }, || exchange.run());
    }

    fn read(&self, operation: OperationId, blob: K, from: u64, up_to: u64) {
        let source = self.sources.source(&blob).cloned();
        let why = "its thread could not be started, or panicked".to_owned();
        self.spawn(Input::Unreadable { blob: blob.clone(), why }, move || match source {
            Ok(source) => source.answer_read(operation, blob, from, up_to),
            Err(error) => Input::Unreadable { blob, why: error.to_string() },
        });
    }

    fn ask(&self, id: AskId, registry: Registry, repository: Option<Repository>, stale: bool) {
        let credentials = Arc::clone(&self.credentials);
        let failed = AskFailed("its thread could not be started, or panicked".to_owned());
        self.spawn(Input::Credentials { id, answer: Err(failed) }, move || Input::Credentials {
            id,
            answer: credentials(&registry, repository.as_ref(), stale),
        });
    }

    fn wait(&mut self, until: Option<longshore_core::Instant>) {
        // The driver has a sender itself, so the channel stays open. After a timeout, the next poll decides.
        let input = match until {
            Some(moment) => self.inbox.recv_timeout(moment.since(self.now())).ok(),
            None => self.inbox.recv().ok(),
        };
        for input in input.into_iter().chain(self.inbox.try_iter()) {
            if let Input::Answered { id, .. } | Input::Failed { id, .. } = &input {
                self.flights.remove(id);
            }
            self.client.handle(input);
        }
    }

    /// The core's time: microseconds since the session began.
    fn now(&self) -> longshore_core::Instant {
        longshore_core::Instant::ZERO + self.start.elapsed()
    }

    /// Runs `act` in a thread, and gives its result to the core.
    fn spawn(&self, otherwise: Input<K>, act: impl FnOnce() -> Input<K> + Send + 'static) {
        let promise = Promise { inputs: self.inputs.clone(), input: Some(otherwise) };
        // If no thread can be started, the closure and the promise in it are dropped, which gives `otherwise` to the
        // core.
        drop(thread::Builder::new().name("longshore".to_owned()).spawn(move || promise.keep(act())));
    }
}

/// Gives the core an input even if a thread panics. Otherwise the core would wait for ever.
struct Promise<K> {
    inputs: Sender<Input<K>>,
    input: Option<Input<K>>,
}

impl<K> Promise<K> {
    fn keep(mut self, input: Input<K>) {
        self.input = Some(input);
    }
}

impl<K> Drop for Promise<K> {
    fn drop(&mut self) {
        if let Some(input) = self.input.take() {
            // If the driver was dropped, the input is not needed.
            drop(self.inputs.send(input));
        }
    }
}
