//! Where connections come in: several listeners as one, with or without TLS.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::guard::Guarded;
use super::tls::Acceptor;

/// How long a client may take to begin TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long to wait before the next connection is taken, where one could not be.
const PAUSE: Duration = Duration::from_millis(100);

/// The listeners of a server. Each waits for connections in a task of its own, which ends with this value.
pub(super) struct Listeners {
    connections: mpsc::Receiver<(Guarded, SocketAddr)>,
    address: SocketAddr,
    _waiting: JoinSet<()>,
}

/// One connection.
pub(super) enum Connection {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

impl Listeners {
    /// Opens them for so many connections at once; more wait.
    pub(super) fn open(
        listeners: Vec<TcpListener>,
        address: SocketAddr,
        acceptor: Option<&Acceptor>,
        at_once: usize,
    ) -> Self {
        let (sender, connections) = mpsc::channel(16);
        let places = Arc::new(Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS)));
        let mut waiting = JoinSet::new();
        for listener in listeners {
            waiting.spawn(wait(listener, acceptor.cloned(), Arc::clone(&places), sender.clone()));
        }
        Self { connections, address, _waiting: waiting }
    }
}

async fn wait(
    listener: TcpListener,
    acceptor: Option<Acceptor>,
    places: Arc<Semaphore>,
    sender: mpsc::Sender<(Guarded, SocketAddr)>,
) {
    let mut handshakes = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, peer)) = listener.accept().await else {
            // Too many open files, say: it passes.
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // Small answers must not wait for more bytes; where this cannot be set, they do.
        drop(stream.set_nodelay(true));
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        handshakes.spawn(async move {
            if let Ok(Ok(connection)) = tokio::time::timeout(HANDSHAKE, Acceptor::connection(acceptor, stream)).await {
                drop(sender.send((Guarded::new(connection, place), peer)).await);
            }
        });
        while handshakes.try_join_next().is_some() {}
    }
}

impl axum::serve::Listener for Listeners {
    type Io = Guarded;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Guarded, SocketAddr) {
        match self.connections.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Calls a method on whichever stream it is.
macro_rules! on_stream {
    ($connection:expr, $stream:ident => $call:expr) => {
        match $connection.get_mut() {
            Connection::Plain(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            #[cfg(feature = "tls")]
            Connection::Tls(stream) => {
                let $stream = Pin::new(stream.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => stream.poll_read(context, buffer))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        on_stream!(self, stream => stream.poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => stream.poll_shutdown(context))
    }
}
