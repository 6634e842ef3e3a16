//! Servers on loopback that answer as a script says, each in its own thread.

mod gate;
mod http1;
mod http2;
pub(crate) mod plan;
pub(crate) mod tls;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::work::lock;
use gate::{Gate, Gated};
use plan::{Plan, Script, SeenBody, SeenRequest};

/// How long a server is silent before it closes a connection.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// Bodies of more bytes than this are not hashed.
pub(crate) const HASHED: u64 = 64 << 20;

/// A server. It ends when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    /// Dropping it ends the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The settings of a server.
#[derive(Clone, Default)]
pub(crate) struct Listening {
    /// The TLS configuration; `None` for plain HTTP.
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    /// The number of bytes after which the connection of this number ends.
    pub(crate) cut_request: Option<Arc<dyn Fn(usize) -> u64 + Send + Sync>>,
}

/// The state that the thread and its owner share.
pub(crate) struct Shared {
    script: Script,
    seen: Mutex<Vec<SeenRequest>>,
    gates: Mutex<Vec<Arc<Gate>>>,
    connections: AtomicUsize,
    /// Bytes of all bodies that were read.
    pub(crate) received: AtomicU64,
}

impl Server {
    pub(crate) fn start(listening: Listening, script: Script) -> Self {
        let shared = Arc::new(Shared {
            script,
            seen: Mutex::default(),
            gates: Mutex::default(),
            connections: AtomicUsize::default(),
            received: AtomicU64::default(),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        listener.set_nonblocking(true).expect("a socket can be non-blocking");
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime can be made").block_on(async {
                    let listener = TcpListener::from_std(listener).expect("it is non-blocking");
                    tokio::select! {
                        () = serve(&listener, &listening, &shared) => {}
                        // The server was dropped.
                        _ = stopped => {}
                    }
                });
            }
        });
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// The requests that were received so far.
    pub(crate) fn seen(&self) -> Vec<SeenRequest> {
        lock(&self.shared.seen).clone()
    }

    /// The number of accepted connections.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The number of bytes of bodies that were read.
    pub(crate) fn received(&self) -> u64 {
        self.shared.received.load(Ordering::SeqCst)
    }

    /// The gate of the last connection.
    pub(crate) fn last_gate(&self) -> Option<Arc<Gate>> {
        lock(&self.shared.gates).last().cloned()
    }

    /// [`Self::received`] for another thread.
    pub(crate) fn watch_received(&self) -> impl Fn() -> u64 + Send + use<> {
        let shared = Arc::clone(&self.shared);
        move || shared.received.load(Ordering::SeqCst)
    }

    /// The number of bytes written to the last connection, for another thread.
    pub(crate) fn watch_sent(&self) -> impl Fn() -> u64 + Send + use<> {
        let shared = Arc::clone(&self.shared);
        move || lock(&shared.gates).last().map_or(0, |gate| gate.written())
    }

    /// Whether all of the last connection's answer was written.
    pub(crate) fn is_last_answer_whole(&self) -> bool {
        let is_http2 = self.seen().last().is_some_and(|seen| seen.is_http2);
        self.last_gate().is_some_and(|gate| !is_http2 || gate.is_stream_ended())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the thread is a bug in the kit; the check that uses the server fails too.
            drop(thread.join());
        }
    }
}

async fn serve(listener: &TcpListener, listening: &Listening, shared: &Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Small pieces are sent at once.
        drop(stream.set_nodelay(true));
        let number = shared.connections.fetch_add(1, Ordering::SeqCst);
        let may_read = listening.cut_request.as_ref().map_or(u64::MAX, |cut| cut(number));
        let (tls, shared) = (listening.tls.clone(), Arc::clone(shared));
        tokio::spawn(async move { connection(stream, tls, may_read, &shared).await });
    }
}

async fn connection(stream: TcpStream, tls: Option<Arc<rustls::ServerConfig>>, may_read: u64, shared: &Arc<Shared>) {
    let gate = Gate::new(may_read);
    lock(&shared.gates).push(Arc::clone(&gate));
    // Errors of a connection are intended by the scripts, and are in the records.
    if let Some(config) = tls {
        let Ok(stream) = TlsAcceptor::from(config).accept(stream).await else { return };
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let stream = Gated::new(stream, Arc::clone(&gate));
        if is_http2 {
            drop(http2::serve(stream, &gate, shared).await);
        } else {
            drop(http1::serve(stream, &gate, shared).await);
        }
    } else {
        drop(http1::serve(Gated::new(stream, Arc::clone(&gate)), &gate, shared).await);
    }
}

impl Shared {
    /// Records a request, and returns the plan for it.
    fn see(&self, mut request: SeenRequest) -> (usize, Plan) {
        let mut seen = lock(&self.seen);
        request.number = seen.len();
        let number = request.number;
        seen.push(request.clone());
        drop(seen);
        (number, (self.script)(&request))
    }

    /// Records how much of a body was read.
    fn saw(&self, number: usize, body: SeenBody) {
        if let Some(request) = lock(&self.seen).get_mut(number) {
            self.received.fetch_add(body.len.saturating_sub(request.body.len), Ordering::SeqCst);
            request.body = body;
        }
    }

    fn answered(&self, number: usize) {
        if let Some(request) = lock(&self.seen).get_mut(number) {
            request.is_answered = true;
        }
    }

    fn is_over(&self, number: usize) {
        if let Some(request) = lock(&self.seen).get_mut(number) {
            request.is_over = true;
        }
    }

    fn is_head(&self, number: usize) -> bool {
        lock(&self.seen).get(number).is_some_and(|request| request.method == "HEAD")
    }

    fn body_of(&self, number: usize) -> u64 {
        lock(&self.seen).get(number).map_or(0, |request| request.body.len)
    }
}
