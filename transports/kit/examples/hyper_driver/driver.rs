//! A whole driver over raw hyper and tokio: HTTP/1.1 with and without TLS, many requests at once, bodies as streams.
//!
//! Each request has a connection of its own; a pool would be the next thing to add.

use std::collections::BTreeMap;
use std::sync::Arc;

use longshore_core::driver::{Deadline, Input, NoAnswer, OperationId, Output, RequestId};
use longshore_core::{Client, Failure, Instant, Operation, Receipt};
use longshore_sources::{Sink, Sources};
use longshore_transport_kit::CredentialLookup;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::exchange;

/// What came of an operation.
pub(crate) type Ended = Result<Receipt<u32>, Box<Failure>>;

/// What the driver is told while it waits: what its own tasks found, and what its caller wants.
pub(crate) enum Message {
    /// Something for the client.
    Input(Input<u32>),
    /// Start an operation, also while others run, and tell what came of it.
    Start(Operation<u32>, oneshot::Sender<Ended>),
    /// Nothing more will be started: end when the client is idle.
    Close,
}

/// What all exchanges share.
pub(crate) struct Shared {
    /// The bytes of the blobs that are sent.
    pub(crate) sources: Sources<u32>,
    /// Where the bytes of pulled blobs go.
    pub(crate) sinks: BTreeMap<u32, Sink>,
    /// Where credentials are looked up.
    pub(crate) credentials: CredentialLookup,
    /// Whom TLS trusts.
    pub(crate) tls: tokio_rustls::TlsConnector,
    /// Where tasks tell what they found.
    pub(crate) messages: mpsc::UnboundedSender<Message>,
}

impl Shared {
    /// Tells the client. A driver that has ended does not want to know.
    pub(crate) fn tell(&self, input: Input<u32>) {
        drop(self.messages.send(Message::Input(input)));
    }
}

/// Drives a client until it is idle and nobody can ask it for anything any more.
pub(crate) async fn drive(mut client: Client<u32>, shared: Arc<Shared>, mut inbox: mpsc::UnboundedReceiver<Message>) {
    let start = tokio::time::Instant::now();
    let mut callers: BTreeMap<OperationId, oneshot::Sender<Ended>> = BTreeMap::new();
    let mut flights: BTreeMap<RequestId, AbortHandle> = BTreeMap::new();
    // The operation that each one-shot blob is read for.
    let mut reading: BTreeMap<u32, OperationId> = BTreeMap::new();
    let mut is_closed = false;
    loop {
        let now = Instant::ZERO + start.elapsed();
        match client.poll(now) {
            Output::Send { id, request, keep, limits } => {
                let (exchange, shared, reading) =
                    (exchange::Exchange::new(id, keep, limits), Arc::clone(&shared), reading.clone());
                let flight = tokio::spawn(async move {
                    let input = exchange.run(&shared, &reading, request).await;
                    shared.tell(input.unwrap_or_else(|why| Input::Failed { id, why }));
                });
                flights.insert(id, flight.abort_handle());
            }
            // What is aborted is dropped where it waits, and its connection with it.
            Output::Abort { id } => drop(flights.remove(&id).map(|flight| flight.abort())),
            Output::Read { operation, blob, from, up_to } => {
                reading.insert(blob, operation);
                let shared = Arc::clone(&shared);
                tokio::task::spawn_blocking(move || {
                    shared.tell(shared.sources.answer_read(operation, blob, from, up_to));
                });
            }
            Output::Ask { id, registry, repository, stale } => {
                let shared = Arc::clone(&shared);
                tokio::task::spawn_blocking(move || {
                    let answer = shared.credentials.look_up(&registry, repository.as_ref(), stale);
                    shared.tell(Input::Credentials { id, answer });
                });
            }
            Output::Event(_) => {}
            Output::Done { operation, result } => {
                // A caller that has gone away does not want to know.
                drop(callers.remove(&operation).map(|caller| caller.send(result)));
            }
            Output::Wait(None) if is_closed && client.in_flight() == 0 => return,
            Output::Wait(deadline) => match next(&mut inbox, deadline, now).await {
                Some(Message::Input(input)) => {
                    if let Input::Answered { id, .. } | Input::Failed { id, .. } = &input {
                        flights.remove(id);
                    }
                    client.handle(input);
                }
                Some(Message::Start(operation, caller)) => drop(callers.insert(client.start(operation), caller)),
                Some(Message::Close) => is_closed = true,
                // The deadline has passed: the next poll finds out what for.
                None => {}
            },
        }
    }
}

async fn next(
    inbox: &mut mpsc::UnboundedReceiver<Message>,
    deadline: Option<Deadline>,
    now: Instant,
) -> Option<Message> {
    match deadline {
        Some(deadline) => tokio::time::timeout(deadline.at.since(now), inbox.recv()).await.ok().flatten(),
        None => inbox.recv().await,
    }
}

/// A failure to use what was given.
pub(crate) fn source_failed(error: &longshore_sources::SourceError) -> NoAnswer {
    NoAnswer::Source(error.to_string())
}
