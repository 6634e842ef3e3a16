//! Accepts connections from several listeners.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;

use super::connection::{ConnectionState, Watched};
use super::handle::Service;
use super::tls::Acceptor;

/// The time limit of a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a connection without a request stays open while the server stops.
const FAREWELL: Duration = Duration::from_millis(500);
/// How long to wait after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves these listeners until `stop` is done, then waits for the end of the running requests.
pub(super) async fn serve(
    listeners: Vec<TcpListener>,
    acceptor: Option<Acceptor>,
    service: Service,
    stop: impl Future<Output = ()>,
) {
    let (stopping, stopped) = watch::channel(());
    let mut waiting = JoinSet::new();
    for (at, listener) in listeners.into_iter().enumerate() {
        waiting.spawn(accept(listener, at as u64, acceptor.clone(), service.clone(), stopped.clone()));
    }
    drop(stopped);
    stop.await;
    drop(stopping);
    while waiting.join_next().await.is_some() {}
}

/// Accepts connections until the server stops, then waits for their end.
async fn accept(
    listener: TcpListener,
    listener_number: u64,
    acceptor: Option<Acceptor>,
    service: Service,
    mut stopped: watch::Receiver<()>,
) {
    let mut tasks = JoinSet::new();
    let mut number = listener_number << 56;
    loop {
        let next = async {
            let accepted = listener.accept().await.ok()?;
            Some((accepted.0, service.connections.place().await?))
        };
        let accepted = tokio::select! {
            accepted = next => accepted,
            _ = stopped.changed() => break,
        };
        let Some((stream, place)) = accepted else {
            // For example too many open files, which is temporary.
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        number += 1;
        tasks.spawn(connection(stream, number, acceptor.clone(), service.clone(), stopped.clone(), place));
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
}

/// Serves one connection to its end.
async fn connection(
    stream: TcpStream,
    id: u64,
    acceptor: Option<Acceptor>,
    service: Service,
    mut stopped: watch::Receiver<()>,
    _place: OwnedSemaphorePermit,
) {
    // Small answers are sent at once. If this cannot be set, they are only slower.
    drop(stream.set_nodelay(true));
    let handshake = tokio::time::timeout(HANDSHAKE, Acceptor::stream(acceptor, stream));
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        _ = stopped.changed() => return,
    };
    let Ok(Ok(stream)) = shaken else { return };
    let state = Arc::new(ConnectionState::default());
    state.set_idle(service.shared.millis());
    service.connections.enter(id, &state);
    let watched = TokioIo::new(Watched::new(stream, Arc::clone(&state)));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).half_close(false);
    builder.http2().timer(TokioTimer::new());
    let mut serving = pin!(builder.serve_connection(watched, service.on(Arc::clone(&state))));
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = state.closed() => Ok(()),
        _ = stopped.changed() => {
            serving.as_mut().graceful_shutdown();
            tokio::select! {
                served = serving.as_mut() => served,
                () = state.closed() => Ok(()),
                // A client that does not react to the shutdown, or that has sent only a part of a head.
                () = state.quiet_for(FAREWELL) => Ok(()),
            }
        }
    };
    service.connections.leave(id);
    if let Err(error) = served {
        service.refused(&state, error.as_ref());
    }
}
