//! The HTTP stack: one ureq agent for each set of rules that connections may need.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use longshore_core::driver::Limits;
use longshore_core::{Origin, Scheme};
use longshore_tls::{Tls, TlsBuilder, TlsError};
use ureq::config::AutoHeaderValue;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector as _, SocksConnector, TcpConnector};
use ureq::{Agent, Proxy, ProxyBuilder, ProxyProtocol};

use crate::tls::TlsConnector;

/// The HTTP stack: connection pools and TLS rules. A clone shares them.
///
/// By default the system's certificate authorities are trusted, and the proxies of the environment are used.
#[derive(Clone)]
pub struct Http {
    inner: Arc<Inner>,
}

/// Builds an [`Http`].
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct HttpBuilder {
    tls: TlsBuilder,
    no_proxy: bool,
}

struct Inner {
    tls: Arc<Tls>,
    no_proxy: bool,
    agents: Mutex<BTreeMap<Kind, Agent>>,
}

/// What distinguishes one connection pool from another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    /// The one origin with its own rules: a client certificate, or no check of the server's.
    own: Option<Origin>,
    direct: bool,
    connect: Duration,
    silence: Duration,
    head_bytes: usize,
}

impl Http {
    /// Sets up a stack.
    pub fn builder() -> HttpBuilder {
        HttpBuilder::default()
    }

    /// The agent for an origin.
    pub(crate) fn agent(&self, origin: &Origin, limits: &Limits) -> Agent {
        let inner = &*self.inner;
        let has_own = inner.tls.has_own_rules(origin);
        let kind = Kind {
            own: (origin.scheme() == Scheme::Https && has_own).then(|| origin.clone()),
            // Requests to this machine do not go through a proxy.
            direct: inner.no_proxy || origin.host().is_loopback(),
            connect: limits.connect,
            silence: limits.silence,
            head_bytes: limits.head_bytes,
        };
        let mut agents = inner.agents.lock().unwrap_or_else(PoisonError::into_inner);
        agents.entry(kind.clone()).or_insert_with(|| inner.build(&kind)).clone()
    }
}

impl Inner {
    fn build(&self, kind: &Kind) -> Agent {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(AutoHeaderValue::None)
            .accept(AutoHeaderValue::None)
            .accept_encoding(AutoHeaderValue::None)
            .proxy(if kind.direct { None } else { proxy_of_environment() })
            .max_response_header_size(kind.head_bytes)
            .timeout_resolve(Some(kind.connect))
            .timeout_connect(Some(kind.connect))
            .timeout_per_read(Some(kind.silence))
            .timeout_per_write(Some(kind.silence))
            .build();
        let tls = TlsConnector::new(Arc::clone(&self.tls), kind.own.clone());
        let connector = ().chain(SocksConnector::default()).chain(ConnectProxyConnector::default());
        Agent::with_parts(config, connector.chain(TcpConnector::default()).chain(tls), DefaultResolver::default())
    }
}

/// The proxy that the environment names. A `socks5://` proxy resolves names itself, as with Go's clients: a machine
/// that needs such a proxy usually cannot resolve them. ureq does that only for `socks5h://`.
fn proxy_of_environment() -> Option<Proxy> {
    let proxy = Proxy::try_from_env()?;
    if proxy.protocol() != ProxyProtocol::Socks5 {
        return Some(proxy);
    }
    let mut builder = Proxy::builder(ProxyProtocol::Socks5h).host(proxy.host()).port(proxy.port());
    if let (Some(user), password) = (proxy.username(), proxy.password()) {
        builder = builder.username(user).password(password.unwrap_or_default());
    }
    let exempt = std::env::var("NO_PROXY").or_else(|_| std::env::var("no_proxy")).unwrap_or_default();
    exempt.split(',').map(str::trim).fold(builder, ProxyBuilder::no_proxy).build().ok()
}

impl HttpBuilder {
    /// Trusts the CA certificates in this PEM text, in addition to the system's. They are trusted for all origins,
    /// because a registry's token service and storage usually have certificates of the same CA.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls = self.tls.ca_pem(pem);
        self
    }

    /// Sends this client certificate to one origin, and to no other. The certificate with its chain, and the key, are
    /// PEM texts.
    pub fn client_certificate(
        mut self,
        origin: Origin,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.tls = self.tls.client_certificate(origin, certificate, key);
        self
    }

    /// Accepts any certificate from one origin, and from no other. An attacker in the network can then read and change
    /// everything that is sent.
    pub fn insecure_skip_verify(mut self, origin: Origin) -> Self {
        self.tls = self.tls.insecure_skip_verify(origin);
        self
    }

    /// Ignores the proxies of the environment.
    pub const fn no_proxy(mut self) -> Self {
        self.no_proxy = true;
        self
    }

    /// Builds the stack. Nothing is connected yet.
    ///
    /// # Errors
    /// If a certificate or key cannot be read.
    pub fn build(self) -> Result<Http, TlsError> {
        let (tls, no_proxy, agents) = (Arc::new(self.tls.build()?), self.no_proxy, Mutex::default());
        Ok(Http { inner: Arc::new(Inner { tls, no_proxy, agents }) })
    }
}

impl Default for Http {
    /// The system's trust and the environment's proxies.
    fn default() -> Self {
        HttpBuilder::default().build().expect("there is nothing to read")
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}
