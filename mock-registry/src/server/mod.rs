//! A port around a [`Registry`]: HTTP/1.1 and HTTP/2 over TCP, with axum.
//!
//! The registry is called one request at a time and off the threads that serve connections, because it hashes and writes
//! files. A request's body goes to it piece by piece as it comes, and a blob goes out piece by piece as it is read.

mod body;
mod log;

use std::future::{Future, IntoFuture};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body::Body as _;
use longshore_core::{Origin, Scheme};
use tokio::net::TcpListener;

use crate::storage::StorageError;
use crate::{Answer, Body, BodyEnd, Delivery, ExchangeId, Instant, Opened, Progress, Registry};
use log::Entry;

pub use log::Log;

/// How many bytes of a body that no longer matters are taken in, so that a client reads its answer before the end.
const DRAIN: u64 = 16 << 20;

/// A registry that listens on a port.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use longshore_mock_registry::{Options, Registry, server::Server};
///
/// let server = Server::bind(Server::LOOPBACK, Registry::new(Options::default())).await?;
/// println!("{}", server.url());
/// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
/// let serving = tokio::spawn(server.serve(async { drop(stopped.await) }));
/// drop(stop);
/// serving.await.unwrap()
/// # }
/// ```
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shared: Shared,
}

/// A registry that a server and others share.
#[derive(Clone)]
pub struct Shared {
    registry: Arc<Mutex<Registry>>,
    log: Arc<Log>,
    start: std::time::Instant,
}

impl Server {
    /// A free port that only this machine reaches: what to listen on where nobody says otherwise.
    pub const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    /// Listens. Clients may connect from now on; they are served from [`Server::serve`] on.
    ///
    /// A registry without a seed gets one from the system's randomness, because tokens must not be guessed; one without an
    /// origin gets the address that is listened on.
    ///
    /// # Errors
    /// Where the address cannot be had.
    pub async fn bind(listen: SocketAddr, registry: Registry) -> io::Result<Self> {
        let mut registry = registry;
        if registry.options.seed == [0; 32] {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(io::Error::other)?;
            registry.reseed(seed);
        }
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        if registry.options.origin.is_none() {
            registry.options.origin = origin(address);
        }
        let shared = Shared {
            registry: Arc::new(Mutex::new(registry)),
            log: Arc::new(Log::none()),
            start: std::time::Instant::now(),
        };
        Ok(Self { listener, address, shared })
    }

    /// Writes one line for each request that is answered.
    #[must_use]
    pub fn with_log(mut self, log: Log) -> Self {
        self.shared.log = Arc::new(log);
        self
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL under which this machine reaches it, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let address = reachable(self.address);
        format!("http://{address}")
    }

    /// The registry, to look at and to change while it is served.
    #[must_use]
    pub fn shared(&self) -> Shared {
        self.shared.clone()
    }

    /// Serves until `stop` is done; then lets the requests that run come to their end.
    ///
    /// # Errors
    /// Where the listener fails.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let router = Router::new().fallback(handle).with_state(self.shared);
        axum::serve(self.listener, router).with_graceful_shutdown(stop).into_future().await
    }
}

/// The address under which this machine reaches a listener.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let loopback: IpAddr = if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
        address.set_ip(loopback);
    }
    address
}

/// The origin of a registry that listens there.
fn origin(address: SocketAddr) -> Option<Origin> {
    let address = reachable(address);
    let host = match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    };
    Some(Origin::new(Scheme::Http, host.parse().ok()?, Some(address.port())))
}

impl Shared {
    /// The registry. No request is answered while it is held.
    pub fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present moment of the registry: microseconds since the server was made.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::from_micros(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// Calls the registry on a thread that may block.
    async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Registry, Instant) -> T + Send + 'static,
    ) -> Result<T, StatusCode> {
        let shared = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let mut registry = shared.lock();
            call(&mut registry, shared.now())
        });
        done.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// Answers one request.
async fn handle(State(shared): State<Shared>, request: Request) -> Result<Response, StatusCode> {
    let (head, body) = request.into_parts();
    let mut entry = Entry::of(&head);
    let opened = shared.call(move |registry, now| registry.open(now, head)).await?;
    let answer = match opened {
        Opened::Answer(answer) => {
            drain(body);
            answer
        }
        Opened::Body(id) => receive(&shared, id, body, &mut entry).await?,
    };
    entry.answered(&answer);
    shared.log.write(&entry);
    shared.respond(answer).await
}

/// Hands a body to the registry, and gives its answer.
async fn receive(
    shared: &Shared,
    id: ExchangeId,
    mut body: axum::body::Body,
    entry: &mut Entry,
) -> Result<Answer, StatusCode> {
    let unfinished = Unfinished { shared, id: Some(id) };
    let how = loop {
        match body::next(&mut body).await {
            None => break BodyEnd::Complete,
            Some(Err(_)) => break BodyEnd::Cut,
            Some(Ok(bytes)) => {
                entry.received += bytes.len() as u64;
                if let Progress::Answer(answer) = shared.call(move |registry, _| registry.piece(id, &bytes)).await? {
                    unfinished.defuse();
                    drain(body);
                    return Ok(answer);
                }
            }
        }
    };
    unfinished.defuse();
    shared.call(move |registry, now| registry.close(now, id, how)).await
}

/// An exchange whose client may go away at any `await`: then its body is cut.
struct Unfinished<'a> {
    shared: &'a Shared,
    id: Option<ExchangeId>,
}

impl Unfinished<'_> {
    fn defuse(mut self) {
        self.id = None;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let now = self.shared.now();
            self.shared.lock().close(now, id, BodyEnd::Cut);
        }
    }
}

/// Takes in what is left of a body that does not matter any more, up to a limit, beside the answer.
fn drain(mut body: axum::body::Body) {
    let empty = body.is_end_stream()
        || matches!(pin!(body::next(&mut body)).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(None));
    if !empty {
        tokio::spawn(async move {
            let mut taken = 0;
            while let Some(Ok(bytes)) = body::next(&mut body).await {
                taken += bytes.len() as u64;
                if taken > DRAIN {
                    return;
                }
            }
        });
    }
}

impl Shared {
    async fn respond(&self, answer: Answer) -> Result<Response, StatusCode> {
        let Answer { status, headers, body, delivery, .. } = answer;
        if let Delivery::Late(micros) = delivery {
            tokio::time::sleep(Duration::from_micros(micros)).await;
        }
        if delivery == Delivery::Lost {
            return Ok(Response::new(axum::body::Body::new(body::lost())));
        }
        let body = match body {
            Body::Bytes(bytes) => axum::body::Body::from(bytes),
            Body::Blob { digest, range } => {
                let opened = self.call(move |registry, _| registry.blob_bytes(&digest)).await?;
                match opened {
                    Ok(bytes) => axum::body::Body::new(body::blob(bytes, range)),
                    Err(error) => return Ok(failed(&error)),
                }
            }
        };
        let body = match delivery {
            Delivery::CutAfter(bytes) => axum::body::Body::new(body::cut(body, bytes)),
            Delivery::Whole | Delivery::Lost | Delivery::Late(_) => body,
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// For a blob that the records have and the storage cannot give.
fn failed(error: &StorageError) -> Response {
    let mut response = Response::new(axum::body::Body::from(Bytes::from(error.to_string())));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}
