//! The state that a session's handles, its driver and the driver's tasks share.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use longshore_core::auth::Credentials;
use longshore_core::driver::{AskFailed, Input, Key, OperationId};
use longshore_core::{Client, Failure, Receipt, Registry, Repository};
use longshore_http_body::Reading;
use longshore_sources::{Sink, Source, SourceError};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::http::Http;
use crate::lock::lock;

/// The result of an operation.
pub(crate) type Ended<K> = Result<Receipt<K>, Box<Failure>>;

/// Looks up credentials.
pub(crate) type Credential =
    dyn Fn(&Registry, Option<&Repository>, bool) -> Result<Option<Credentials>, AskFailed> + Send + Sync;

/// The state that the handles, the driver and its tasks share.
pub(crate) struct Shared<K> {
    pub(crate) http: Http,
    pub(crate) state: Mutex<State<K>>,
    /// Wakes the driver after the client has changed.
    pub(crate) wake: Notify,
    /// Wakes the callers that wait until the cleanup is complete.
    pub(crate) clean: Notify,
    /// How long the cleanup may take.
    pub(crate) grace: Duration,
    pub(crate) reading: Reading,
    pub(crate) start: Instant,
    /// Each source, with the number of times it was added.
    pub(crate) sources: Mutex<BTreeMap<K, (Source, usize)>>,
    pub(crate) sinks: Mutex<BTreeMap<K, Sink>>,
    /// Locked while an image is pulled.
    pub(crate) pulling: tokio::sync::Mutex<()>,
    pub(crate) credentials: Box<Credential>,
}

/// The client, and the callers that wait for its operations.
pub(crate) struct State<K> {
    pub(crate) client: Client<K>,
    pub(crate) waiting: BTreeMap<OperationId, oneshot::Sender<Ended<K>>>,
    /// Whether all handles are dropped, so that no operation can be started.
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

    /// The time since the session was started.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}
