//! A client that the calling thread drives.

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

/// Pushes an image from an OCI layout in a folder or a tar. `PATH:name` or `PATH@digest` chooses an image if it has
/// several.
///
/// Without tag and digest the reference means `latest`. The credentials are those that `docker login` has stored on
/// this machine; `Session::new(Http::default()).push_image(&Closure::find(source)?, &reference)` uses none.
///
/// # Errors
/// If the source or the reference cannot be read, or the push fails.
pub fn push(source: &str, reference: &str) -> Result<Pushed, ImageError> {
    let reference = reference.parse()?;
    let mut session = Session::builder(Http::default()).stored_credentials().build();
    session.push_image(&Closure::find(source)?, &reference)
}

/// A [`Client`] that the calling thread drives: a call blocks until its operations have ended.
///
/// What the client learns about a registry, and which content a repository has, is used by later operations. `K` is the
/// caller's own key for a blob, as in the core; for images, use [`Digest`].
pub struct Session<K> {
    driver: Driver<K>,
}

/// Builds a [`Session`].
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

    /// Starts to build a session.
    #[must_use]
    pub fn builder(http: Http) -> SessionBuilder<K> {
        SessionBuilder {
            http,
            options: Options::default(),
            credentials: Arc::new(|_, _, _| Ok(None)),
            on_event: Box::new(|_| {}),
        }
    }

    /// The sources of blobs. Add a source before an operation that sends it, and remove it afterwards.
    pub const fn sources(&mut self) -> &mut Sources<K> {
        &mut self.driver.sources
    }

    /// The sinks of blobs to pull.
    pub const fn sinks(&mut self) -> &mut BTreeMap<K, Sink> {
        &mut self.driver.sinks
    }

    /// Runs an operation to its end.
    ///
    /// # Errors
    /// If the operation fails.
    pub fn run(&mut self, operation: impl Into<Operation<K>>) -> Result<Receipt<K>, Box<Failure>> {
        let mut results = self.run_all([operation.into()]);
        results.pop().expect("each operation has a result")
    }

    /// Runs operations in parallel, and returns their results in the same order.
    pub fn run_all(
        &mut self,
        operations: impl IntoIterator<Item = Operation<K>>,
    ) -> Vec<Result<Receipt<K>, Box<Failure>>> {
        let ids: Vec<OperationId> =
            operations.into_iter().map(|operation| self.driver.client.start(operation)).collect();
        let mut results = self.driver.drive(BTreeSet::from_iter(ids.iter().copied()));
        ids.iter().filter_map(|id| results.remove(id)).collect()
    }

    /// What the client has learned about a registry. It can be saved and given to another session.
    #[must_use]
    pub fn learned(&self, registry: &Registry) -> Option<&Learned> {
        self.driver.client.learned(registry)
    }

    /// Gives the client what another session has learned about a registry.
    pub fn teach(&mut self, registry: &Registry, learned: Learned) {
        self.driver.client.teach(registry, learned);
    }
}

impl Session<Digest> {
    /// Pushes an image.
    ///
    /// # Errors
    /// If the reference has another digest than the image, or the push fails.
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
    /// Sets the client's options.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Looks up credentials. It is asked for one registry at a time, in a thread of its own; the flag says that what it
    /// answered before was refused.
    #[must_use]
    pub fn credentials<F>(mut self, credentials: F) -> Self
    where
        F: Fn(&Registry, Option<&Repository>, bool) -> Result<Option<Credentials>, AskFailed> + Send + Sync + 'static,
    {
        self.credentials = Arc::new(credentials);
        self
    }

    /// Uses the credentials that `docker login` and similar commands have stored on this machine, in files or in the
    /// helpers that the files name.
    #[must_use]
    pub fn stored_credentials(self) -> Self {
        let environment = Environment::from_process();
        self.credentials(move |registry, repository, _| {
            environment.credentials(registry, repository).map_err(|error| AskFailed(error.to_string()))
        })
    }

    /// Sets the function that is called for each event. It must not block, because the driver waits for it.
    #[must_use]
    pub fn on_event(mut self, on_event: impl FnMut(Event<K>) + Send + 'static) -> Self {
        self.on_event = Box::new(on_event);
        self
    }

    /// Builds the session.
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
