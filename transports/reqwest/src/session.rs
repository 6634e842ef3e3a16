//! A client with a driver: operations are started and awaited.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZero;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use longshore_core::auth::Credentials;
use longshore_core::driver::{AskFailed, Key, OperationId};
use longshore_core::{
    Checkpoint, Client, Event, Failure, Learned, Operation, Options, Receipt, Registry, Repository, Supply,
};
use longshore_http_body::Reading;
use longshore_sources::{Environment, Sink, Source, Sources};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::driver::Driver;
use crate::http::Http;
use crate::lock::lock;
use crate::shared::{Credential, Ended, Shared, State};

/// A [`Client`] with a driver. It runs any number of operations at a time.
///
/// A clone is another handle to the same client. What the client learns about a registry, and which content a
/// repository has, is used by all of its operations. `K` is the caller's own key for a blob, as in the core; for
/// images, use [`Digest`](longshore_core::Digest).
pub struct Session<K: Key> {
    handle: Arc<Handle<K>>,
}

/// Builds a [`Session`].
pub struct SessionBuilder<K> {
    http: Http,
    options: Options,
    credentials: Box<Credential>,
    on_event: Box<dyn FnMut(Event<K>) + Send>,
    reading: Reading,
}

/// A running operation: a future of its result. Dropping it cancels the operation.
#[must_use = "an operation that nobody waits for is given up"]
pub struct Running<K: Key> {
    handle: Arc<Handle<K>>,
    operation: OperationId,
    result: oneshot::Receiver<Ended<K>>,
}

impl<K: Key + Send + 'static> Session<K> {
    /// A session with the default options, without credentials.
    ///
    /// # Panics
    /// Outside a tokio runtime with time and I/O enabled.
    #[must_use]
    pub fn new(http: Http) -> Self {
        Self::builder(http).start()
    }

    /// Starts to build a session.
    #[must_use]
    pub fn builder(http: Http) -> SessionBuilder<K> {
        SessionBuilder {
            http,
            options: Options::default(),
            credentials: Box::new(|_, _, _| Ok(None)),
            on_event: Box::new(|_| {}),
            reading: Reading::in_threads(),
        }
    }

    /// Adds the sources of blobs. Add them before you start the operation that sends them.
    pub fn add_sources(&self, sources: &Sources<K>) {
        for (key, source) in sources.iter() {
            self.add_source(key.clone(), source.clone());
        }
    }

    /// Adds the source of one blob. The session keeps it until [`forget_source`](Self::forget_source).
    pub fn add_source(&self, key: K, source: Source) {
        let mut sources = lock(&self.handle.shared.sources);
        let entry = sources.entry(key).or_insert_with(|| (source.clone(), 0));
        *entry = (source, entry.1 + 1);
    }

    /// Undoes one [`add_source`](Self::add_source). If several operations push the same blob, each adds and forgets its
    /// source.
    pub fn forget_source(&self, key: &K) {
        let mut sources = lock(&self.handle.shared.sources);
        if let Some((_, users)) = sources.get_mut(key) {
            *users -= 1;
            if *users == 0 {
                sources.remove(key);
            }
        }
    }

    /// Adds the sink of a blob to pull. A key has one sink at a time.
    pub fn add_sink(&self, key: K, sink: Sink) {
        lock(&self.handle.shared.sinks).insert(key, sink);
    }

    /// Undoes [`add_sink`](Self::add_sink).
    pub fn forget_sink(&self, key: &K) {
        lock(&self.handle.shared.sinks).remove(key);
    }

    /// Waits until no other image is being pulled: two at the same time could need two sinks for one blob.
    pub(crate) async fn pull_turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.handle.shared.pulling.lock().await
    }

    /// Starts an operation. It runs even if it is not awaited, until it ends or the returned value is dropped.
    pub fn start(&self, operation: impl Into<Operation<K>>) -> Running<K> {
        let (done, result) = oneshot::channel();
        let shared = &self.handle.shared;
        let mut state = lock(&shared.state);
        let operation = state.client.start(operation);
        state.waiting.insert(operation, done);
        drop(state);
        shared.wake.notify_one();
        Running { handle: Arc::clone(&self.handle), operation, result }
    }

    /// Waits until the cleanup after operations that are done is complete: open uploads that nothing uses any more are
    /// cancelled. It waits at most for [`Options::grace`](longshore_core::Options::grace).
    pub async fn clean(&self) {
        let shared = &self.handle.shared;
        let clean = shared.clean.notified();
        if lock(&shared.state).client.is_cleaning_up() {
            shared.wake.notify_one();
            drop(tokio::time::timeout(shared.grace, clean).await);
        }
    }

    /// What the client has learned about a registry. It can be saved and given to another session.
    #[must_use]
    pub fn learned(&self, registry: &Registry) -> Option<Learned> {
        lock(&self.handle.shared.state).client.learned(registry).cloned()
    }

    /// Gives the client what another session has learned about a registry.
    pub fn teach(&self, registry: &Registry, learned: Learned) {
        lock(&self.handle.shared.state).client.teach(registry, learned);
    }
}

impl<K: Key + Send + 'static> SessionBuilder<K> {
    /// Sets the client's options.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Sets the function that looks up credentials. It is called for one registry at a time, in a thread that may
    /// block. The flag states whether the credentials that it returned before were refused.
    #[must_use]
    pub fn credentials<F>(mut self, credentials: F) -> Self
    where
        F: Fn(&Registry, Option<&Repository>, bool) -> Result<Option<Credentials>, AskFailed> + Send + Sync + 'static,
    {
        self.credentials = Box::new(credentials);
        self
    }

    /// Uses the credentials that `docker login` and similar commands have stored on this machine, in files or in the
    /// helpers that the files name.
    #[must_use]
    pub fn stored_credentials(self) -> Self {
        let environment = Environment::from_process();
        self.credentials(move |registry, repository, _| {
            environment.credentials(registry, repository).map_err(AskFailed::from)
        })
    }

    /// Sets the function that is called for each event. It must not block, because the driver waits for it.
    #[must_use]
    pub fn on_event(mut self, on_event: impl FnMut(Event<K>) + Send + 'static) -> Self {
        self.on_event = Box::new(on_event);
        self
    }

    /// Reads files in the threads of the runtime, so that no piece is passed between threads. A body that must be
    /// hashed is read by its own thread, as long as there are fewer such threads than cores. A slow disk blocks the
    /// runtime, so use this only if the runtime has no other work. By default, files are read in threads that may
    /// block.
    #[must_use]
    pub fn read_inline(mut self) -> Self {
        self.reading = Reading::inline(cores().saturating_sub(1));
        self
    }

    /// Starts the session.
    ///
    /// # Panics
    /// Outside a tokio runtime with time and I/O enabled.
    #[must_use]
    pub fn start(self) -> Session<K> {
        let grace = self.options.grace;
        let shared = Arc::new(Shared {
            http: self.http,
            state: Mutex::new(State { client: Client::new(self.options), waiting: BTreeMap::new(), is_closed: false }),
            wake: Notify::new(),
            clean: Notify::new(),
            grace,
            reading: self.reading,
            start: Instant::now(),
            sources: Mutex::default(),
            sinks: Mutex::default(),
            pulling: tokio::sync::Mutex::new(()),
            credentials: self.credentials,
        });
        tokio::spawn(Driver::new(Arc::clone(&shared), self.on_event).drive());
        Session { handle: Arc::new(Handle { shared }) }
    }
}

impl<K: Key> Running<K> {
    /// The core's id of this operation, as in [`Event::Progress`].
    #[must_use]
    pub const fn operation(&self) -> OperationId {
        self.operation
    }

    /// Cancels the operation: its open uploads are cancelled, and no more manifests are sent. Await its result
    /// afterwards.
    pub fn cancel(&self) {
        lock(&self.handle.shared.state).client.cancel(self.operation);
        self.handle.shared.wake.notify_one();
    }

    /// Suspends a push, so that another process can continue it: its result is [`Receipt::Suspended`], and its uploads
    /// stay open. An operation of another kind is cancelled.
    pub fn suspend(&self) {
        lock(&self.handle.shared.state).client.suspend(self.operation);
        self.handle.shared.wake.notify_one();
    }

    /// Saves what a push has done so far, so that another process can continue it
    /// ([`Push::resume`](longshore_core::Push::resume)). `None` if the operation is not a push, or has ended.
    #[must_use]
    pub fn save(&self) -> Option<Checkpoint> {
        lock(&self.handle.shared.state).client.save(self.operation)
    }

    /// Adds to a push that was left [open](longshore_core::Push::open).
    ///
    /// # Errors
    /// If the push was not left open, or has ended.
    pub fn supply(&self, supply: Supply<K>) -> Result<(), Failure> {
        lock(&self.handle.shared.state).client.supply(self.operation, supply)?;
        self.handle.shared.wake.notify_one();
        Ok(())
    }
}

impl<K: Key> Future for Running<K> {
    type Output = Result<Receipt<K>, Box<Failure>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.result).poll(context).map(|result| {
            result.expect("the driver answers, unless its runtime was shut down or an `on_event` panicked")
        })
    }
}

impl<K: Key> Drop for Running<K> {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl<K: Key> Clone for Session<K> {
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle) }
    }
}

/// The state that all handles share. When it is dropped, the driver completes its operations and ends.
struct Handle<K: Key> {
    shared: Arc<Shared<K>>,
}

impl<K: Key> Drop for Handle<K> {
    fn drop(&mut self) {
        lock(&self.shared.state).is_closed = true;
        self.shared.wake.notify_one();
    }
}

/// How many threads can run in parallel.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

impl<K: Key> fmt::Debug for Session<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("http", &self.handle.shared.http).finish_non_exhaustive()
    }
}

impl<K: Key> fmt::Debug for Running<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("operation", &self.operation).finish_non_exhaustive()
    }
}
