//! A port around a [`Registry`]: HTTP/1.1 and HTTP/2 over TCP, with hyper; TLS with the feature `tls`.
//!
//! The registry is called for one request at a time. If its storage may wait for a disk, it is called on other threads
//! than those that serve connections. The body of a request is given to the registry in pieces while it is received,
//! and a blob is sent in pieces while it is read.
//!
//! A server on a loopback address accepts only its own host names, and no server accepts requests from web pages of
//! other origins: a web page must not write to the registry of a developer.

mod body;
mod connection;
mod connections;
mod control;
mod handle;
mod head;
mod hosts;
mod listeners;
mod log;
mod record;
mod shared;
mod stream;
mod tls;

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use longshore_core::{Origin, Scheme};
use tokio::net::TcpListener;

use crate::{ContentError, Registry};
use connections::Connections;
use control::Control;
use handle::Service;
use hosts::Hosts;

pub use log::Log;
pub use record::RequestRecord;
pub use shared::Shared;
#[cfg(feature = "tls")]
pub use tls::{Tls, TlsError};

/// The path of health checks. A request to it is not counted and not judged, and no fault applies to it.
pub const HEALTH: &str = "/healthz";

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
/// serving.await?;
/// # Ok(())
/// # }
/// ```
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    /// Listeners for the storage and for the token server, with their addresses.
    storage: Option<(TcpListener, SocketAddr)>,
    tokens: Option<(TcpListener, SocketAddr)>,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
    /// Other listeners on the same port, for example those of `localhost`.
    more: Vec<TcpListener>,
    /// Whether the registry's origin was derived from the address.
    origin_is_found: bool,
    hosts: Hosts,
    control: Option<Control>,
    content: Option<Content>,
    shared: Shared,
}

/// Adds the content that the registry has at the start.
type Content = Arc<dyn Fn(&mut Registry) -> Result<(), ContentError> + Send + Sync>;

impl Server {
    /// A free port on the loopback address. This is the default.
    pub const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    /// Listens. Clients may connect from now on; they are served from [`Server::serve`] on.
    ///
    /// A registry without a seed gets a random one from the system, because tokens must not be guessable. A registry
    /// without an origin gets one from the address of the listener.
    ///
    /// # Errors
    /// If the server cannot listen on the address.
    pub async fn bind(listen: SocketAddr, registry: Registry) -> io::Result<Self> {
        Self::bind_all(&[listen], registry).await
    }

    /// Listens on the first address, and on the same port of each other address that is available. This is meant for
    /// `localhost`, which has an IPv4 and an IPv6 address.
    ///
    /// # Errors
    /// If the server cannot listen on the first address, or there is no address.
    pub async fn bind_all(listen: &[SocketAddr], mut registry: Registry) -> io::Result<Self> {
        if registry.options.seed == [0; 32] {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(io::Error::other)?;
            registry.reseed(seed);
        }
        let (first, others) = listen.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let listener = TcpListener::bind(first).await?;
        let address = listener.local_addr()?;
        let mut more = Vec::new();
        for other in others {
            // A machine without IPv6 still has `localhost`.
            more.extend(TcpListener::bind(SocketAddr::new(other.ip(), address.port())).await);
        }
        let server = Self {
            listener,
            more,
            address,
            storage: None,
            tokens: None,
            #[cfg(feature = "tls")]
            tls: None,
            origin_is_found: registry.options.origin.is_none(),
            hosts: Hosts { only_these: address.ip().is_loopback(), ..Hosts::default() },
            control: None,
            content: None,
            shared: Shared::new(registry),
        };
        server.tell_origins();
        Ok(server)
    }

    /// Sets the URL under which clients reach the server, for a server behind a proxy. It is used whatever `Host` a
    /// request has.
    #[must_use]
    pub fn with_external_url(mut self, origin: Origin) -> Self {
        self.origin_is_found = false;
        self.shared.lock().options.origin = Some(origin);
        self.tell_origins();
        self
    }

    /// Accepts this host name too, with any port, if the server is on a loopback address.
    #[must_use]
    pub fn with_host(mut self, name: impl Into<String>) -> Self {
        self.hosts.names.push(name.into());
        self
    }

    /// Accepts requests from web pages of other origins.
    #[must_use]
    pub fn with_cross_origin_requests(mut self) -> Self {
        self.hosts.cross_origin = true;
        self
    }

    /// Writes one line to the log for each request that is answered.
    #[must_use]
    pub fn with_log(mut self, log: Log) -> Self {
        self.shared.set_log(log);
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
    /// If the server cannot listen on the address.
    pub async fn with_storage(mut self, listen: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        self.storage = Some((listener, address));
        self.tell_origins();
        Ok(self)
    }

    /// Listens on a second port, which is the token server's own origin: [`Auth::tokens`](crate::auth::Auth::tokens).
    ///
    /// # Errors
    /// If the server cannot listen on the address.
    pub async fn with_tokens(mut self, listen: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        self.tokens = Some((listener, address));
        self.tell_origins();
        Ok(self)
    }

    /// Listens on another address at which tests control the registry, and keeps records of requests for them.
    ///
    /// # Errors
    /// If the server cannot listen on the address.
    pub async fn with_control(mut self, listen: SocketAddr) -> io::Result<Self> {
        self.control = Some(Control::bind(listen).await?);
        self.shared.keep_records();
        Ok(self)
    }

    /// Adds content to the registry now, and again after each reset through the control address:
    /// [`Registry::add_blob`], [`Registry::add_manifest`].
    ///
    /// # Errors
    /// The error of `add`.
    pub fn with_content(
        mut self,
        add: impl Fn(&mut Registry) -> Result<(), ContentError> + Send + Sync + 'static,
    ) -> Result<Self, ContentError> {
        add(&mut self.shared.lock())?;
        self.content = Some(Arc::new(add));
        Ok(self)
    }

    /// The URL of the control address, and the token that it requires.
    #[must_use]
    pub fn control(&self) -> Option<(String, String)> {
        self.control.as_ref().map(Control::access)
    }

    /// The address that the server listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL under which clients on this machine reach the server, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme().as_str(), reachable(self.address))
    }

    /// The registry, to be read and changed while it is served.
    #[must_use]
    pub fn shared(&self) -> Shared {
        self.shared.clone()
    }

    /// Serves until `stop` is done, then waits for the end of the running requests. If a connection cannot be accepted,
    /// for example because there are too many open files, it tries again.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) {
        #[cfg(feature = "tls")]
        let acceptor = self.tls.as_ref().map(Tls::acceptor);
        #[cfg(not(feature = "tls"))]
        let acceptor = None;
        let hosts = Hosts { origins: self.origins(), ..self.hosts.clone() };
        let others = self.storage.into_iter().chain(self.tokens).map(|(listener, _)| listener);
        let listeners = std::iter::once(self.listener).chain(self.more).chain(others).collect();
        let at_once = self.shared.lock().options.limits.connections;
        let service =
            Service { shared: self.shared, connections: Arc::new(Connections::new(at_once)), hosts: Arc::new(hosts) };
        let shared = service.shared.clone();
        let control = self.control.map(|control| tokio::spawn(control.serve(shared, self.content)));
        listeners::serve(listeners, acceptor, service, stop).await;
        if let Some(control) = control {
            control.abort();
        }
    }

    /// All origins under which clients reach the server.
    fn origins(&self) -> Vec<Origin> {
        let registry = self.shared.lock();
        let options = &registry.options;
        let tokens = options.auth.as_ref().and_then(|auth| auth.tokens.clone());
        let others = options.origin.iter().chain(&options.storage).cloned().chain(tokens);
        self.own_origins().into_iter().chain(others).collect()
    }

    /// The origins of the listener's address on this machine: a request may name any of them.
    fn own_origins(&self) -> Vec<Origin> {
        origins_of(self.scheme(), self.address)
    }

    fn scheme(&self) -> Scheme {
        #[cfg(feature = "tls")]
        if self.tls.is_some() {
            return Scheme::Https;
        }
        Scheme::Http
    }

    /// Sets the origins in the registry's options.
    fn tell_origins(&self) {
        let scheme = self.scheme();
        let own_origins = self.own_origins();
        let mut registry = self.shared.lock();
        registry.own_origins = if self.origin_is_found { own_origins } else { Vec::new() };
        let options = &mut registry.options;
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

/// The origins of a listener's address on this machine.
fn origins_of(scheme: Scheme, address: SocketAddr) -> Vec<Origin> {
    let ip = address.ip();
    if !(ip.is_loopback() || ip.is_unspecified()) {
        return origin(scheme, address).into_iter().collect();
    }
    let names = ["127.0.0.1", "localhost", "[::1]"].into_iter().filter_map(|name| name.parse().ok());
    let mut origins: Vec<Origin> = names.map(|host| Origin::new(scheme, host, Some(address.port()))).collect();
    origins.extend(origin(scheme, address).filter(|origin| !origins.contains(origin)));
    origins
}

/// The address under which this machine reaches a listener.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let loopback: IpAddr = if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
        address.set_ip(loopback);
    }
    address
}

/// The origin of a listener.
fn origin(scheme: Scheme, address: SocketAddr) -> Option<Origin> {
    let address = reachable(address);
    let host = match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    };
    Some(Origin::new(scheme, host.parse().ok()?, Some(address.port())))
}
