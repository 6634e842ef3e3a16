//! A port around a [`Registry`]: HTTP/1.1 and HTTP/2 over TCP, with axum; TLS with the feature `tls`.
//!
//! The registry is called one request at a time and off the threads that serve connections, because it hashes and writes
//! files. A request's body goes to it piece by piece as it comes, and a blob goes out piece by piece as it is read.

mod body;
mod guard;
mod handle;
mod listeners;
mod log;
mod tls;

use std::future::{Future, IntoFuture};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use http::StatusCode;
use longshore_core::{Origin, Scheme};
use tokio::net::TcpListener;

use crate::{Instant, Registry};
use listeners::Listeners;

pub use log::Log;
#[cfg(feature = "tls")]
pub use tls::{Tls, TlsError};

/// A registry that listens on a port.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use longshore_mock_registry::{RegistryOptions, Registry, server::Server};
///
/// let server = Server::bind(Server::LOOPBACK, Registry::new(RegistryOptions::default())).await?;
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
    /// Listeners for the storage and for the token server, and where they are reached.
    storage: Option<(TcpListener, SocketAddr)>,
    tokens: Option<(TcpListener, SocketAddr)>,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
    /// Whether the registry's origin is not given but found.
    origin_is_found: bool,
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
    pub async fn bind(listen: SocketAddr, mut registry: Registry) -> io::Result<Self> {
        if registry.options.seed == [0; 32] {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(io::Error::other)?;
            registry.reseed(seed);
        }
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let server = Self {
            listener,
            address,
            storage: None,
            tokens: None,
            #[cfg(feature = "tls")]
            tls: None,
            origin_is_found: registry.options.origin.is_none(),
            shared: Shared {
                registry: Arc::new(Mutex::new(registry)),
                log: Arc::new(Log::none()),
                start: std::time::Instant::now(),
            },
        };
        server.tell_origins();
        Ok(server)
    }

    /// Writes one line for each request that is answered.
    #[must_use]
    pub fn with_log(mut self, log: Log) -> Self {
        self.shared.log = Arc::new(log);
        self
    }

    /// Serves all ports with TLS.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self.tell_origins();
        self
    }

    /// Listens on a second port, which is the storage's own origin: [`RegistryOptions::storage`](crate::RegistryOptions::storage).
    ///
    /// # Errors
    /// Where the address cannot be had.
    pub async fn with_storage(mut self, listen: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        self.storage = Some((listener, address));
        self.tell_origins();
        Ok(self)
    }

    /// Listens on a second port, where tokens are had: [`Auth::tokens`](crate::auth::Auth::tokens).
    ///
    /// # Errors
    /// Where the address cannot be had.
    pub async fn with_tokens(mut self, listen: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        self.tokens = Some((listener, address));
        self.tell_origins();
        Ok(self)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL under which this machine reaches it, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme().as_str(), reachable(self.address))
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
        #[cfg(feature = "tls")]
        let acceptor = self.tls.as_ref().map(Tls::acceptor);
        #[cfg(not(feature = "tls"))]
        let acceptor = None;
        let others = self.storage.into_iter().chain(self.tokens).map(|(listener, _)| listener);
        let listeners = std::iter::once(self.listener).chain(others).collect();
        let at_once = self.shared.lock().options.limits.connections;
        let doors = Listeners::open(listeners, self.address, acceptor.as_ref(), at_once);
        let router = Router::new().fallback(handle::handle).with_state(self.shared);
        axum::serve(doors, router).with_graceful_shutdown(stop).into_future().await
    }

    fn scheme(&self) -> Scheme {
        #[cfg(feature = "tls")]
        if self.tls.is_some() {
            return Scheme::Https;
        }
        Scheme::Http
    }

    /// Tells the registry under which origins it is reached.
    fn tell_origins(&self) {
        let scheme = self.scheme();
        let options = &mut self.shared.lock().options;
        if self.origin_is_found {
            options.origin = origin(scheme, self.address);
        }
        if let Some((_, address)) = self.storage {
            options.storage = origin(scheme, address);
        }
        if let (Some((_, address)), Some(auth)) = (&self.tokens, &mut options.auth) {
            auth.tokens = origin(scheme, *address);
        }
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

/// The origin of what listens there.
fn origin(scheme: Scheme, address: SocketAddr) -> Option<Origin> {
    let address = reachable(address);
    let host = match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    };
    Some(Origin::new(scheme, host.parse().ok()?, Some(address.port())))
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
