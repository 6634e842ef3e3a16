//! The driver: does what the core says, and tells it what came of that.

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
    /// For how long something is cleaned up when nothing else is left to do.
    pub(crate) grace: Duration,
    /// The requests under way, each with the flag that gives it up.
    pub(crate) flights: BTreeMap<RequestId, Arc<AtomicBool>>,
    pub(crate) inputs: Sender<Input<K>>,
    pub(crate) inbox: Receiver<Input<K>>,
    pub(crate) start: Instant,
}

impl<K: Key + Send + 'static> Driver<K> {
    /// Drives until all of these operations have ended.
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
                    // What was left behind is cleaned up, but not for ever.
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
        // A sender is kept here, so that the channel stays open; where time passes, the next poll finds out.
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

    /// Does something in a thread, and tells the core what came of it.
    fn spawn(&self, otherwise: Input<K>, act: impl FnOnce() -> Input<K> + Send + 'static) {
        let promise = Promise { inputs: self.inputs.clone(), input: Some(otherwise) };
        // Where no thread can be had, the promise is dropped with the closure, and tells.
        drop(thread::Builder::new().name("longshore".to_owned()).spawn(move || promise.keep(act())));
    }
}

/// Whatever becomes of a thread, also a panic, the core hears of it: or it would wait for ever.
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
            // A driver that has gone away does not want to know.
            drop(self.inputs.send(input));
        }
    }
}
