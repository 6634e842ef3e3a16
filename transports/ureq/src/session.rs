//! A client that is driven by the thread that calls it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Instant;

use longshore_core::auth::Credentials;
use longshore_core::driver::{AskFailed, Key, OperationId};
use longshore_core::{
    Client, Digest, Event, Failure, Learned, Operation, Options, Pushed, Receipt, Reference, Registry, Repository,
};
use longshore_sources::layout::Closure;
use longshore_sources::{Environment, ImageError, Sink, Source, Sources, push_of};

use crate::driver::{Credential, Driver};
use crate::http::Http;

/// Pushes an image out of an OCI layout: a folder, or a tar of one; `PATH`, `PATH:name` or `PATH@digest` where it holds several.
///
/// Without tag and digest the reference means `latest`. Credentials are those that `docker login` left
/// on this machine; `Session::new(Http::default()).push_image(&Closure::find(source)?, &reference)` goes without.
///
/// # Errors
/// Where the source or the reference cannot be read, or the push fails.
pub fn push(source: &str, reference: &str) -> Result<Pushed, ImageError> {
    let reference = reference.parse()?;
    let mut session = Session::builder(Http::default()).stored_credentials().build();
    session.push_image(&Closure::find(source)?, &reference)
}

/// A [`Client`] that is driven by whoever calls it: a call blocks until its operations have ended.
///
/// What was learned of a registry, and which blobs are where, serves the next operation. `K` is the caller's own key for a
/// blob, as in the core; [`Digest`] suits images.
pub struct Session<K> {
    driver: Driver<K>,
}

/// How a [`Session`] is set up.
pub struct SessionBuilder<K> {
    http: Http,
    options: Options,
    credentials: Arc<Credential>,
    on_event: Box<dyn FnMut(Event<K>) + Send>,
}

impl<K: Key + Send + 'static> Session<K> {
    /// A session with the default options, without credentials.
    #[must_use]
    pub fn new(http: Http) -> Self {
        Self::builder(http).build()
    }

    /// Sets up a session.
    #[must_use]
    pub fn builder(http: Http) -> SessionBuilder<K> {
        SessionBuilder {
            http,
            options: Options::default(),
            credentials: Arc::new(|_, _, _| Ok(None)),
            on_event: Box::new(|_| {}),
        }
    }

    /// Where the bytes of blobs come from: to add to before an operation sends them, and to take out of after.
    pub const fn sources(&mut self) -> &mut Sources<K> {
        &mut self.driver.sources
    }

    /// Where the bytes of pulled blobs go.
    pub const fn sinks(&mut self) -> &mut BTreeMap<K, Sink> {
        &mut self.driver.sinks
    }

    /// Runs an operation to its end.
    ///
    /// # Errors
    /// Where it failed.
    pub fn run(&mut self, operation: impl Into<Operation<K>>) -> Result<Receipt<K>, Box<Failure>> {
        let mut results = self.run_all([operation.into()]);
        results.pop().expect("each operation has a result")
    }

    /// Runs operations side by side, and gives what came of them in their order.
    pub fn run_all(
        &mut self,
        operations: impl IntoIterator<Item = Operation<K>>,
    ) -> Vec<Result<Receipt<K>, Box<Failure>>> {
        let ids: Vec<OperationId> =
            operations.into_iter().map(|operation| self.driver.client.start(operation)).collect();
        let mut results = self.driver.drive(BTreeSet::from_iter(ids.iter().copied()));
        ids.iter().filter_map(|id| results.remove(id)).collect()
    }

    /// What was learned of a registry, to save and to give to another session.
    #[must_use]
    pub fn learned(&self, registry: &Registry) -> Option<&Learned> {
        self.driver.client.learned(registry)
    }

    /// Tells what was learned of a registry before.
    pub fn teach(&mut self, registry: &Registry, learned: Learned) {
        self.driver.client.teach(registry, learned);
    }
}

impl Session<Digest> {
    /// Pushes an image.
    ///
    /// # Errors
    /// Where the reference names another digest than the image has, or the push fails.
    pub fn push_image(&mut self, closure: &Closure, reference: &Reference) -> Result<Pushed, ImageError> {
        closure.check(reference)?;
        let added = closure.blobs.iter().map(|blob| (blob.descriptor.digest, Source::clone(&blob.source)));
        self.sources().extend(added);
        let result = self.run(push_of(closure, reference));
        for blob in &closure.blobs {
            self.sources().remove(&blob.descriptor.digest);
        }
        match result? {
            Receipt::Pushed(pushed) => Ok(pushed),
            other => unreachable!("a push gives a receipt of a push, not {other:?}"),
        }
    }
}

impl<K: Key + Send + 'static> SessionBuilder<K> {
    /// How the client behaves.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Who knows the credentials. It is asked for one registry at a time, in a thread of its own; the flag says that what it
    /// answered before was refused.
    #[must_use]
    pub fn credentials<F>(mut self, credentials: F) -> Self
    where
        F: Fn(&Registry, Option<&Repository>, bool) -> Result<Option<Credentials>, AskFailed> + Send + Sync + 'static,
    {
        self.credentials = Arc::new(credentials);
        self
    }

    /// Credentials are those that `docker login` and its kin left on this machine, as the command takes them: files, and the
    /// helpers that they name.
    #[must_use]
    pub fn stored_credentials(self) -> Self {
        let environment = Environment::from_process();
        self.credentials(move |registry, repository, _| {
            environment.credentials(registry, repository).map_err(|error| AskFailed(error.to_string()))
        })
    }

    /// Who is told what happens. It must not block: the driver waits for it.
    #[must_use]
    pub fn on_event(mut self, on_event: impl FnMut(Event<K>) + Send + 'static) -> Self {
        self.on_event = Box::new(on_event);
        self
    }

    /// Makes the session.
    #[must_use]
    pub fn build(self) -> Session<K> {
        let grace = self.options.grace;
        let (inputs, inbox) = channel();
        let driver = Driver {
            client: Client::new(self.options),
            http: self.http,
            sources: Sources::new(),
            sinks: BTreeMap::new(),
            credentials: self.credentials,
            on_event: self.on_event,
            grace,
            flights: BTreeMap::new(),
            inputs,
            inbox,
            start: Instant::now(),
        };
        Session { driver }
    }
}

impl<K> fmt::Debug for Session<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("http", &self.driver.http).finish_non_exhaustive()
    }
}
