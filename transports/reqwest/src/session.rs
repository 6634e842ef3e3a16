//! A client that is driven: operations are given to it and awaited.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use longshore_core::auth::Credentials;
use longshore_core::driver::{AskFailed, Input, Key, OperationId};
use longshore_core::{Checkpoint, Client, Event, Failure, Learned, Operation, Options, Receipt, Registry, Supply};
use longshore_sources::{Source, Sources};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::driver::Driver;
use crate::{Exchange, Http, Sink};

/// A [`Client`] with a driver: operations go in, results come out, several at a time.
///
/// A clone is another handle on the same client. What was learned of a registry, and which blobs are where, serves all of its
/// operations. `K` is the caller's own key for a blob, as in the core; [`Digest`](longshore_core::Digest) suits images.
pub struct Session<K: Key> {
    handle: Arc<Handle<K>>,
}

/// How a [`Session`] is set up.
pub struct SessionBuilder<K> {
    http: Http,
    options: Options,
    credentials: Box<Credential>,
    on_event: Box<dyn FnMut(Event<K>) + Send>,
    on_exchange: Box<OnExchange>,
}

/// An operation under way: a future of its result. Dropping it gives the operation up.
#[must_use = "an operation that nobody waits for is given up"]
pub struct Running<K: Key> {
    handle: Arc<Handle<K>>,
    operation: OperationId,
    result: oneshot::Receiver<Ended<K>>,
}

type Ended<K> = Result<Receipt<K>, Box<Failure>>;
pub(crate) type Credential = dyn Fn(&Registry, bool) -> Result<Option<Credentials>, AskFailed> + Send + Sync;
pub(crate) type OnExchange = dyn Fn(&Exchange) + Send + Sync;

impl<K: Key + Send + 'static> Session<K> {
    /// A session with the default options, without credentials.
    ///
    /// # Panics
    /// Outside a tokio runtime with time and I/O enabled.
    #[must_use]
    pub fn new(http: Http) -> Self {
        Self::builder(http).start()
    }

    /// Sets up a session.
    #[must_use]
    pub fn builder(http: Http) -> SessionBuilder<K> {
        SessionBuilder {
            http,
            options: Options::default(),
            credentials: Box::new(|_, _| Ok(None)),
            on_event: Box::new(|_| {}),
            on_exchange: Box::new(|_| {}),
        }
    }

    /// Says where the bytes of blobs come from. Do so before the operation that sends them is started.
    pub fn add_sources(&self, sources: &Sources<K>) {
        let added = sources.iter().map(|(key, source)| (key.clone(), source.clone()));
        lock(&self.handle.shared.sources).extend(added);
    }

    /// Says where the bytes of one blob come from.
    pub fn add_source(&self, key: K, source: Source) {
        lock(&self.handle.shared.sources).insert(key, source);
    }

    /// Forgets the source and the sink of a blob: a session that lives long should, when an operation has ended.
    pub fn forget(&self, key: &K) {
        lock(&self.handle.shared.sources).remove(key);
        lock(&self.handle.shared.sinks).remove(key);
    }

    /// Says where the bytes of a blob go that is pulled.
    pub fn add_sink(&self, key: K, sink: Sink) {
        lock(&self.handle.shared.sinks).insert(key, sink);
    }

    /// Starts an operation. It goes on whether or not it is awaited at once, until it ends or what is returned is dropped.
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

    /// What was learned of a registry, to save and to give to another session.
    #[must_use]
    pub fn learned(&self, registry: &Registry) -> Option<Learned> {
        lock(&self.handle.shared.state).client.learned(registry).cloned()
    }

    /// Tells what was learned of a registry before.
    pub fn teach(&self, registry: &Registry, learned: Learned) {
        lock(&self.handle.shared.state).client.teach(registry, learned);
    }
}

impl<K: Key + Send + 'static> SessionBuilder<K> {
    /// How the client behaves.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Who knows the credentials. It is asked for one registry at a time, in a thread that may block; the flag says that what
    /// it answered before was refused.
    #[must_use]
    pub fn credentials<F>(mut self, credentials: F) -> Self
    where
        F: Fn(&Registry, bool) -> Result<Option<Credentials>, AskFailed> + Send + Sync + 'static,
    {
        self.credentials = Box::new(credentials);
        self
    }

    /// Who is told what happens. It must not block: the driver waits for it.
    #[must_use]
    pub fn on_event(mut self, on_event: impl FnMut(Event<K>) + Send + 'static) -> Self {
        self.on_event = Box::new(on_event);
        self
    }

    /// Who is told of each exchange when it has ended: a trace. It must not block.
    #[must_use]
    pub fn on_exchange(mut self, on_exchange: impl Fn(&Exchange) + Send + Sync + 'static) -> Self {
        self.on_exchange = Box::new(on_exchange);
        self
    }

    /// Starts the session.
    ///
    /// # Panics
    /// Outside a tokio runtime with time and I/O enabled.
    #[must_use]
    pub fn start(self) -> Session<K> {
        let shared = Arc::new(Shared {
            http: self.http,
            state: Mutex::new(State { client: Client::new(self.options), waiting: BTreeMap::new(), is_closed: false }),
            wake: Notify::new(),
            start: Instant::now(),
            sources: Mutex::new(Sources::new()),
            sinks: Mutex::new(BTreeMap::new()),
            credentials: self.credentials,
            on_exchange: self.on_exchange,
        });
        tokio::spawn(Driver::new(Arc::clone(&shared), self.on_event).drive());
        Session { handle: Arc::new(Handle { shared }) }
    }
}

impl<K: Key> Running<K> {
    /// The core's name for this operation, as in [`Event::Progress`].
    #[must_use]
    pub const fn operation(&self) -> OperationId {
        self.operation
    }

    /// Gives the operation up: open uploads are cancelled, no manifest is sent any more. Wait for the result all the same.
    pub fn cancel(&self) {
        lock(&self.handle.shared.state).client.cancel(self.operation);
        self.handle.shared.wake.notify_one();
    }

    /// What a push has done so far, for another process to go on with ([`Push::resume`](longshore_core::Push::resume));
    /// `None` where it is none, or has ended.
    #[must_use]
    pub fn save(&self) -> Option<Checkpoint> {
        lock(&self.handle.shared.state).client.save(self.operation)
    }

    /// Adds to a push that was left [open](longshore_core::Push::open).
    ///
    /// # Errors
    /// Where the push was not left open, or has ended.
    pub fn supply(&self, supply: Supply<K>) -> Result<(), Failure> {
        lock(&self.handle.shared.state).client.supply(self.operation, supply)?;
        self.handle.shared.wake.notify_one();
        Ok(())
    }
}

impl<K: Key> Future for Running<K> {
    type Output = Result<Receipt<K>, Box<Failure>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // The driver answers every operation before it ends; it ends early only where an `on_event` panicked.
        Pin::new(&mut self.result).poll(context).map(|result| result.expect("the driver of this session panicked"))
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

/// What all handles share: when it goes, the driver finishes what is under way and ends.
struct Handle<K: Key> {
    shared: Arc<Shared<K>>,
}

impl<K: Key> Drop for Handle<K> {
    fn drop(&mut self) {
        lock(&self.shared.state).is_closed = true;
        self.shared.wake.notify_one();
    }
}

/// What the handles, the driver and its tasks share.
pub(crate) struct Shared<K> {
    pub(crate) http: Http,
    pub(crate) state: Mutex<State<K>>,
    /// Wakes the driver: something was put into the client.
    pub(crate) wake: Notify,
    start: Instant,
    pub(crate) sources: Mutex<Sources<K>>,
    pub(crate) sinks: Mutex<BTreeMap<K, Sink>>,
    pub(crate) credentials: Box<Credential>,
    pub(crate) on_exchange: Box<OnExchange>,
}

/// The client, and who waits for its operations.
pub(crate) struct State<K> {
    pub(crate) client: Client<K>,
    pub(crate) waiting: BTreeMap<OperationId, oneshot::Sender<Ended<K>>>,
    /// Whether nobody can start anything any more.
    pub(crate) is_closed: bool,
}

impl<K: Key> Shared<K> {
    pub(crate) fn tell(&self, input: Input<K>) {
        lock(&self.state).client.handle(input);
        self.wake.notify_one();
    }

    /// How long the session has lived.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A panic elsewhere leaves nothing half done in here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
