//! A session with a registry: what is shown, what is traced, and how it is stopped.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use longshore_core::{
    Digest, Event, Failure, Manifest, ManifestReference, Operation, Options, Origin, Push, Receipt, Reference, Supply,
    Tag,
};
use longshore_reqwest::{Http, Running, Session};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

use crate::advice::Advisor;
use crate::args::{ConnectionArguments, Style, TrustArguments};
use crate::credentials::Wallet;
use crate::exit::{Error, Signal};
use crate::files;
use crate::output;
use crate::progress::{self, Show};
use crate::resume::Resume;
use crate::signals::Signals;
use crate::trace::Trace;
use crate::unknown_blob;

/// How often a push that can be resumed is saved while nothing else happens.
const SAVED_EVERY: Duration = Duration::from_secs(1);

/// A client of registries, with everything that watches it.
pub(crate) struct Connection {
    session: Session<Digest>,
    advisor: Advisor,
    watchers: Arc<Mutex<Watchers>>,
    signals: Signals,
    /// Another blob is stored.
    stored: Arc<Notify>,
    /// Digest and length of blobs that had none before.
    digested: UnboundedReceiver<(Digest, u64)>,
}

/// The receivers of events.
struct Watchers {
    show: Box<dyn Show + Send>,
    trace: Trace,
    /// The first line of the trace that could not be written.
    failed: Option<Error>,
}

impl Connection {
    pub(crate) fn open(arguments: &ConnectionArguments, reference: &Reference, style: Style) -> Result<Self, Error> {
        Self::watched_by(arguments, reference, progress::show(style))
    }

    pub(crate) fn watched_by(
        arguments: &ConnectionArguments,
        reference: &Reference,
        show: Box<dyn Show + Send>,
    ) -> Result<Self, Error> {
        Self::with_options(arguments, reference, show, arguments.options()?)
    }

    pub(crate) fn with_options(
        arguments: &ConnectionArguments,
        reference: &Reference,
        show: Box<dyn Show + Send>,
        options: Options,
    ) -> Result<Self, Error> {
        let trace = Trace::open(arguments.trace.as_deref())?;
        let watchers = Arc::new(Mutex::new(Watchers { show, trace, failed: None }));
        let http = http(&arguments.trust, &reference.registry.origin())?;
        let wallet = Wallet::open(&arguments.login, reference)?;
        // Not before: somebody who is to type a password may still leave.
        let signals = Signals::listen()?;
        let stored = Arc::new(Notify::new());
        let (digesting, digested) = unbounded_channel();
        let on_event = {
            let (watchers, stored) = (Arc::clone(&watchers), Arc::clone(&stored));
            move |event| {
                lock(&watchers).event(&event);
                match event {
                    Event::BlobStored { .. } => stored.notify_one(),
                    // Where nobody waits for it, nobody wants to know.
                    Event::BlobDigested { digest, size, .. } => drop(digesting.send((digest, size))),
                    _ => {}
                }
            }
        };
        let session = Session::builder(http)
            .options(options)
            .credentials(move |registry, repository, _| wallet.credentials(registry, repository))
            .on_event(on_event)
            .read_inline()
            .start();
        let advisor = Advisor::new(&arguments.login);
        Ok(Self { session, advisor, watchers, signals, stored, digested })
    }

    /// The session, to give sources and sinks to.
    pub(crate) const fn session(&self) -> &Session<Digest> {
        &self.session
    }

    /// Pulls the manifest that a reference names: by its digest, by its tag, or `latest`.
    pub(crate) async fn manifest(&mut self, reference: &Reference) -> Result<Manifest, Error> {
        let (registry, repository) = (reference.registry.clone(), reference.repository.clone());
        let name = match (reference.digest, &reference.tag) {
            (Some(digest), _) => ManifestReference::Digest(digest),
            (None, Some(tag)) => ManifestReference::Tag(tag.clone()),
            (None, None) => ManifestReference::Tag(Tag::latest()),
        };
        let receipt = self.run(Operation::PullManifest { registry, repository, reference: name }).await;
        let is_absent = |error: &Error| error.refused().is_some_and(|refused| refused.status == StatusCode::NOT_FOUND);
        match receipt.map_err(|error| if is_absent(&error) { error.about(reference) } else { error })? {
            Receipt::Pulled(manifest) if is_document(&manifest) => Ok(manifest),
            Receipt::Pulled(manifest) => Err(Error::failed(format!(
                "{reference} is of the type {}, which is no image, index or artifact; check that the address is that of a registry",
                manifest.media_type()
            ))),
            receipt => unreachable!("a pull of a manifest gives a manifest, not {receipt:?}"),
        }
    }

    /// Runs an operation to its end. The first signal gives it up in good order, the second at once.
    pub(crate) async fn run(&mut self, operation: impl Into<Operation<Digest>>) -> Result<Receipt<Digest>, Error> {
        let operation = operation.into();
        let opens_uploads = opens_uploads(&operation);
        let running = self.session.start(operation);
        self.finish(running, opens_uploads).await
    }

    /// Runs operations side by side, each to its end or up to the first that fails.
    pub(crate) async fn run_all(
        &mut self,
        operations: impl IntoIterator<Item = Operation<Digest>>,
    ) -> Result<Vec<Receipt<Digest>>, Error> {
        let start = |operation| (opens_uploads(&operation), self.session.start(operation));
        let running: Vec<_> = operations.into_iter().map(start).collect();
        let mut receipts = Vec::with_capacity(running.len());
        for (opens_uploads, running) in running {
            receipts.push(self.finish(running, opens_uploads).await?);
        }
        Ok(receipts)
    }

    /// Runs a push that was left open to its end: its root is made when the digest of its one unknown blob is known.
    pub(crate) async fn run_open(
        &mut self,
        push: Push<Digest>,
        root: impl FnOnce(Digest, u64) -> Result<Manifest, Error>,
    ) -> Result<Receipt<Digest>, Error> {
        let mut running = self.session.start(push);
        let (digest, size) = tokio::select! {
            result = &mut running => {
                let ended = self.ended(result);
                self.clean().await;
                return ended;
            }
            Some(digested) = self.digested.recv() => digested,
            signal = self.signals.next() => return self.stop(running, true, signal).await,
        };
        let supplied = running.supply(Supply::Root(root(digest, size)?)).and_then(|()| running.supply(Supply::End));
        supplied.map_err(Error::failed)?;
        self.finish(running, true).await
    }

    async fn finish(&mut self, mut running: Running<Digest>, opens_uploads: bool) -> Result<Receipt<Digest>, Error> {
        let result = tokio::select! {
            result = &mut running => self.ended(result),
            signal = self.signals.next() => return self.stop(running, opens_uploads, signal).await,
        };
        self.clean().await;
        result
    }

    /// Waits for work on this machine. A signal has it stopped, and it ends soon then.
    pub(crate) async fn stoppable<T>(
        &mut self,
        mut work: JoinHandle<Result<T, Error>>,
        stop: impl FnOnce(),
    ) -> Result<T, Error> {
        let panicked = |_| Error::failed("a thread of this program panicked: please report it");
        tokio::select! {
            ended = &mut work => ended.map_err(panicked)?,
            signal = self.signals.next() => {
                stop();
                // It may have been done before it could be stopped.
                let ended = work.await.map_err(panicked)?;
                ended.map_err(|_| Error::stopped(signal, "stopped; nothing is left of it"))
            }
        }
    }

    /// Gives what was left behind time to be cleaned up. A signal ends that.
    async fn clean(&mut self) {
        tokio::select! {
            () = self.session.clean() => {}
            _ = self.signals.next() => {}
        }
    }

    async fn stop(
        &mut self,
        mut running: Running<Digest>,
        opens_uploads: bool,
        signal: Signal,
    ) -> Result<Receipt<Digest>, Error> {
        running.cancel();
        let at_once = if opens_uploads { "stopped; an upload may lie open at the registry" } else { "stopped" };
        tokio::select! {
            result = &mut running => match self.ended(result) {
                Err(_) if !opens_uploads => Err(Error::stopped(signal, "stopped")),
                Err(_) => {
                    self.clean().await;
                    Err(Error::stopped(signal, "stopped; the uploads that were open are cancelled"))
                }
                // It was done before it could be stopped.
                done => done,
            },
            _ = self.signals.next() => Err(Error::stopped(signal, at_once)),
        }
    }

    /// Runs a push to its end, and writes down how far it is. A signal ends it at once and leaves its uploads open: the
    /// next process goes on with them.
    pub(crate) async fn run_resumable(
        &mut self,
        push: Push<Digest>,
        resume: &mut Resume,
    ) -> Result<Receipt<Digest>, Error> {
        let mut running = self.session.start(push);
        let mut often = tokio::time::interval(SAVED_EVERY);
        let result = loop {
            let signal = tokio::select! {
                result = &mut running => break result,
                _ = often.tick() => None,
                () = self.stored.notified() => None,
                signal = self.signals.next() => Some(signal),
            };
            match signal {
                None => running.save().map_or(Ok(()), |checkpoint| resume.save(&checkpoint))?,
                Some(signal) => return self.suspend(running, resume, signal).await,
            }
        };
        self.ended(result)
    }

    /// Ends a push that is to be gone on with. It may be done before it can be stopped.
    async fn suspend(
        &self,
        running: Running<Digest>,
        resume: &mut Resume,
        signal: Signal,
    ) -> Result<Receipt<Digest>, Error> {
        running.suspend();
        match self.ended(running.await)? {
            Receipt::Suspended(checkpoint) => {
                resume.save(&checkpoint)?;
                let path = resume.path().display();
                Err(Error::stopped(signal, format!("stopped; to go on, push again with --resume {path}")))
            }
            done => Ok(done),
        }
    }

    fn ended(&self, result: Result<Receipt<Digest>, Box<Failure>>) -> Result<Receipt<Digest>, Error> {
        let mut watchers = lock(&self.watchers);
        watchers.show.end();
        let receipt = result.map_err(|mut failure| {
            if failure.blob == Some(format!("{:?}", unknown_blob::key())) {
                failure.blob = Some("from standard input".to_owned());
            }
            let sentence = self.advisor.sentence(&failure);
            Error::of(failure, sentence)
        })?;
        watchers.failed.take().map_or(Ok(receipt), Err)
    }
}

impl Watchers {
    fn event(&mut self, event: &Event<Digest>) {
        self.show.event(event);
        if self.failed.is_none() {
            self.failed = self.trace.event(event).err();
        }
    }
}

/// Whether it is a manifest of some kind, and not what any server may answer.
fn is_document(manifest: &Manifest) -> bool {
    let media_type = manifest.media_type().as_str();
    !matches!(media_type, "" | "application/json" | "application/octet-stream") && !media_type.starts_with("text/")
}

/// The HTTP stack, with the trust that was asked for.
pub(crate) fn http(arguments: &TrustArguments, registry: &Origin) -> Result<Http, Error> {
    let read = |path: &PathBuf| {
        files::read(path).map_err(|error| Error::failed(format!("cannot read {}: {error}", path.display())))
    };
    let mut http = Http::builder();
    for path in &arguments.ca {
        http = http.ca_pem(read(path)?);
    }
    if let (Some(certificate), Some(key)) = (&arguments.client_cert, &arguments.client_key) {
        http = http.client_certificate(registry.clone(), read(certificate)?, read(key)?);
    }
    if arguments.insecure_skip_verify {
        output::say(format!(
            "warning: the certificate of {registry} is not checked: whoever is on the way can read and change what is sent"
        ));
        http = http.insecure_skip_verify(registry.clone());
    }
    http.build().map_err(Error::failed)
}

/// A panic elsewhere leaves nothing half done in here.
fn lock(watchers: &Mutex<Watchers>) -> MutexGuard<'_, Watchers> {
    watchers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether an operation may leave uploads open.
const fn opens_uploads(operation: &Operation<Digest>) -> bool {
    matches!(operation, Operation::Push(_) | Operation::CheckPush { .. })
}
