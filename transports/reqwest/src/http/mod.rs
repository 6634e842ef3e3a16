//! The HTTP stack: one reqwest client for each set of rules that connections may need.

mod proxy;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use longshore_core::driver::{Limits, NoAnswer};
use longshore_core::{Origin, Scheme};
use longshore_tls::{NO_CA, Tls, TlsBuilder, TlsError};

use crate::lock::lock;

/// Bodies of more bytes than this go over a connection that offers HTTP/1.1 only.
///
/// Over HTTP/2 no more than the registry's flow-control window is sent in a round trip: 64 KiB by default, and rarely
/// more than 1 MiB.
const LARGE_BODY: u64 = 64 * 1024;

/// The flow-control window for one answer over HTTP/2, in bytes; the connection's is twice as large. It limits what a
/// pull receives in a round trip, and what slow sinks may leave in memory. hyper's adaptive window would need many
/// round trips to grow so large.
///
/// 96 MB need six round trips with the connection's window. So a pull of them takes 0.52 s at a round trip of 50 ms,
/// and 0.32 s over HTTP/1.1, which has a connection, and the kernel's window, for each layer. A larger window would
/// save that, and let slow sinks leave as much more in memory.
const STREAM_WINDOW: u32 = 8 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

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
    http1_only: bool,
}

struct Inner {
    tls: Tls,
    no_proxy: bool,
    http1_only: bool,
    clients: Mutex<BTreeMap<Kind, reqwest::Client>>,
}

/// The TLS rules of an origin.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Trust {
    /// There is no TLS.
    None,
    /// The rules for all origins without own rules.
    Everybody,
    /// This origin's own.
    Own(Origin),
}

/// What distinguishes one connection pool from another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    trust: Trust,
    direct: bool,
    /// Whether HTTP/2 is not offered.
    http1: bool,
    connect: Duration,
    head_fields: usize,
    head_bytes: usize,
}

impl Http {
    /// Sets up a stack.
    pub fn builder() -> HttpBuilder {
        HttpBuilder::default()
    }

    /// The client for an origin and for a request body of this size. It is made when it is first needed, so that a
    /// machine without any CA can still push to loopback.
    pub(crate) fn client(
        &self,
        origin: &Origin,
        body: Option<u64>,
        limits: &Limits,
    ) -> Result<reqwest::Client, NoAnswer> {
        let inner = &*self.inner;
        let is_large = body.is_none_or(|len| len > LARGE_BODY);
        let kind = Kind {
            trust: match origin.scheme() {
                Scheme::Http => Trust::None,
                Scheme::Https if inner.tls.has_own_rules(origin) => Trust::Own(origin.clone()),
                Scheme::Https => Trust::Everybody,
            },
            http1: inner.http1_only || (is_large && origin.scheme() == Scheme::Https),
            // Requests to this machine do not go through a proxy.
            direct: inner.no_proxy || origin.host().is_loopback(),
            connect: limits.connect,
            head_fields: limits.head_fields,
            head_bytes: limits.head_bytes,
        };
        let mut clients = lock(&inner.clients);
        if let Some(client) = clients.get(&kind) {
            return Ok(client.clone());
        }
        let client = inner.build(&kind)?;
        clients.insert(kind, client.clone());
        Ok(client)
    }
}

impl Inner {
    fn build(&self, kind: &Kind) -> Result<reqwest::Client, NoAnswer> {
        let tls = match &kind.trust {
            Trust::None => self.tls.nobody(),
            Trust::Everybody => self.tls.config(None),
            Trust::Own(origin) => self.tls.config(Some(origin)),
        };
        let mut tls = tls.map_err(|error| match error {
            rustls::Error::General(_) => NoAnswer::Untrusted(NO_CA.to_owned()),
            error => NoAnswer::Unsendable(error.to_string()),
        })?;
        if !kind.http1 {
            tls.alpn_protocols.push(b"h2".to_vec());
        }
        tls.alpn_protocols.push(b"http/1.1".to_vec());
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(kind.connect)
            .http1_max_headers(kind.head_fields)
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .http2_max_header_list_size(u32::try_from(kind.head_bytes).unwrap_or(u32::MAX));
        let scheme = if matches!(kind.trust, Trust::None) { Scheme::Http } else { Scheme::Https };
        builder = if kind.direct { builder.no_proxy() } else { proxy::of_environment(builder, scheme)? };
        let why = |error| format!("it cannot be set up: {}", crate::words::chain(&error));
        builder.build().map_err(|error| NoAnswer::Unsendable(why(error)))
    }
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

    /// Uses HTTP/1.1 even if the server offers HTTP/2.
    pub const fn http1_only(mut self) -> Self {
        self.http1_only = true;
        self
    }

    /// Builds the stack. Nothing is connected yet.
    ///
    /// # Errors
    /// If a certificate or key cannot be read.
    pub fn build(self) -> Result<Http, TlsError> {
        let (tls, no_proxy, http1_only) = (self.tls.build()?, self.no_proxy, self.http1_only);
        Ok(Http { inner: Arc::new(Inner { tls, no_proxy, http1_only, clients: Mutex::default() }) })
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
