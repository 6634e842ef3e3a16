//! What the handles of a session, its driver, and the tasks of that share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use longshore_core::auth::Credentials;
use longshore_core::driver::{AskFailed, Input, Key, OperationId};
use longshore_core::{Client, Failure, Receipt, Registry, Repository};
use longshore_sources::{Sink, Source, SourceError};
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::Instant;

use crate::http::Http;
use crate::lock::lock;

/// What came of an operation.
pub(crate) type Ended<K> = Result<Receipt<K>, Box<Failure>>;

/// Who knows the credentials.
pub(crate) type Credential =
    dyn Fn(&Registry, Option<&Repository>, bool) -> Result<Option<Credentials>, AskFailed> + Send + Sync;

/// What the handles, the driver and its tasks share.
pub(crate) struct Shared<K> {
    pub(crate) http: Http,
    pub(crate) state: Mutex<State<K>>,
    /// Wakes the driver: something was put into the client.
    pub(crate) wake: Notify,
    /// Wakes those who wait until nothing is left to clean up.
    pub(crate) clean: Notify,
    /// For how long something is cleaned up when nothing else is left to do.
    pub(crate) grace: Duration,
    /// Whether files are read in the threads of the runtime.
    pub(crate) reads_inline: bool,
    /// How many bodies may have a thread that hashes, beside the runtime's own, where files are read in those.
    pub(crate) hashing: Arc<Semaphore>,
    pub(crate) start: Instant,
    /// Each with how often it was added.
    pub(crate) sources: Mutex<BTreeMap<K, (Source, usize)>>,
    pub(crate) sinks: Mutex<BTreeMap<K, Sink>>,
    /// Held by whoever pulls an image.
    pub(crate) pulling: tokio::sync::Mutex<()>,
    pub(crate) credentials: Box<Credential>,
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

    pub(crate) fn source(&self, key: &K) -> Result<Source, SourceError> {
        lock(&self.sources).get(key).map(|(source, _)| source.clone()).ok_or(SourceError::NoSource)
    }

    pub(crate) fn sink(&self, key: &K) -> Option<Sink> {
        lock(&self.sinks).get(key).cloned()
    }

    /// How long the session has lived.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}
