//! A whole driver over raw hyper and tokio: HTTP/1.1 with and without TLS, many requests at once, bodies as streams.
//!
//! Each request has a connection of its own; a pool would be the next thing to add.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::driver::{Input, OperationId, Output, RequestId};
use longshore_core::{Client, Failure, Instant, Operation, Receipt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::sleep;

use crate::exchange::{self, Shared};

/// What came of an operation.
pub(crate) type Ended = Result<Receipt<u32>, Box<Failure>>;

/// An operation to start, also while others run, and who is told what came of it.
pub(crate) type Command = (Operation<u32>, oneshot::Sender<Ended>);

/// Drives a client until it is idle and nobody can ask it for anything any more. `inputs` is what the tasks find.
pub(crate) async fn drive(
    mut client: Client<u32>,
    shared: Arc<Shared>,
    mut inputs: mpsc::UnboundedReceiver<Input<u32>>,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    let start = tokio::time::Instant::now();
    let mut callers: BTreeMap<OperationId, oneshot::Sender<Ended>> = BTreeMap::new();
    let mut flights: BTreeMap<RequestId, AbortHandle> = BTreeMap::new();
    let mut is_closed = false;
    loop {
        let now = Instant::ZERO + start.elapsed();
        let task = Arc::clone(&shared);
        match client.poll(now) {
            Output::Send { id, request, keep, limits } => {
                let flight = tokio::spawn(async move {
                    let input = exchange::run(&task, id, request, keep, limits).await;
                    task.tell(input.unwrap_or_else(|why| Input::Failed { id, why }));
                });
                flights.insert(id, flight.abort_handle());
            }
            // What is aborted is dropped where it waits, and its connection with it.
            Output::Abort { id } => drop(flights.remove(&id).map(|flight| flight.abort())),
            Output::Read { operation, blob, from, up_to } => {
                spawn_blocking(move || task.tell(task.sources.answer_read(operation, blob, from, up_to)));
            }
            Output::Ask { id, registry, repository, stale } => {
                spawn_blocking(move || {
                    let answer = task.credentials.look_up(&registry, repository.as_ref(), stale);
                    task.tell(Input::Credentials { id, answer });
                });
            }
            Output::Event(_) => {}
            // A caller that has gone away does not want to know.
            Output::Done { operation, result } => drop(callers.remove(&operation).map(|caller| caller.send(result))),
            Output::Wait(None) if is_closed && client.in_flight() == 0 => return,
            Output::Wait(deadline) => tokio::select! {
                Some(input) = inputs.recv() => {
                    if let Input::Answered { id, .. } | Input::Failed { id, .. } = &input {
                        flights.remove(id);
                    }
                    client.handle(input);
                }
                command = commands.recv(), if !is_closed => match command {
                    Some((operation, caller)) => drop(callers.insert(client.start(operation), caller)),
                    None => is_closed = true,
                },
                // The next poll finds out what for.
                () = sleep(deadline.map_or(Duration::MAX, |deadline| deadline.at.since(now))) => {}
            },
        }
    }
}
