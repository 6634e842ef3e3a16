//! The HTTP stack: one ureq agent for each set of rules that connections may need.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use longshore_core::driver::Limits;
use longshore_core::{Origin, Scheme};
use rustls::crypto::{CryptoProvider, ring};
use thiserror::Error;
use ureq::config::AutoHeaderValue;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::{Agent, Proxy};

/// The HTTP stack: pools of connections, and whom they trust. A clone shares them.
///
/// By default certificates are checked against what the system trusts, and the proxies of the environment are used.
#[derive(Clone)]
pub struct Http {
    inner: Arc<Inner>,
}

/// How an [`Http`] is set up.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct HttpBuilder {
    roots: Vec<Vec<u8>>,
    unverified: BTreeSet<Origin>,
    no_proxy: bool,
}

/// Why an [`Http`] could not be set up.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HttpError {
    /// A CA's file is none.
    #[error("the CA certificates cannot be used: {0}; give them as PEM, -----BEGIN CERTIFICATE-----")]
    Ca(String),
}

struct Inner {
    provider: Arc<CryptoProvider>,
    roots: RootCerts,
    unverified: BTreeSet<Origin>,
    no_proxy: bool,
    agents: Mutex<BTreeMap<Kind, Agent>>,
}

/// What sets one pool of connections apart from another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    /// The one origin whose certificate is not checked.
    unverified: Option<Origin>,
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
        let is_unverified = origin.scheme() == Scheme::Https && inner.unverified.contains(origin);
        let kind = Kind {
            unverified: is_unverified.then(|| origin.clone()),
            // What is on this machine is no business of a proxy.
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
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::clone(&self.provider))
            .root_certs(self.roots.clone())
            .disable_verification(kind.unverified.is_some());
        Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(AutoHeaderValue::None)
            .accept(AutoHeaderValue::None)
            .accept_encoding(AutoHeaderValue::None)
            .proxy(if kind.direct { None } else { Proxy::try_from_env() })
            .max_response_header_size(kind.head_bytes)
            .timeout_resolve(Some(kind.connect))
            .timeout_connect(Some(kind.connect))
            .timeout_per_read(Some(kind.silence))
            .timeout_per_write(Some(kind.silence))
            .build()
            .new_agent()
    }
}

impl HttpBuilder {
    /// Trusts the CA certificates in this PEM text, and those of other calls, **instead of** what the system trusts.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Takes any certificate from one origin, and from no other: whoever is on the way can read and change what is sent.
    pub fn insecure_skip_verify(mut self, origin: Origin) -> Self {
        self.unverified.insert(origin);
        self
    }

    /// Leaves the proxies of the environment alone.
    pub const fn no_proxy(mut self) -> Self {
        self.no_proxy = true;
        self
    }

    /// Makes the stack. Nothing is connected yet.
    ///
    /// # Errors
    /// Where a certificate cannot be read.
    pub fn build(self) -> Result<Http, HttpError> {
        let mut roots = Vec::new();
        for pem in &self.roots {
            let before = roots.len();
            for item in parse_pem(pem) {
                if let PemItem::Certificate(root) = item.map_err(|error| HttpError::Ca(error.to_string()))? {
                    roots.push(root);
                }
            }
            if roots.len() == before {
                return Err(HttpError::Ca("there is no certificate in it".to_owned()));
            }
        }
        Ok(Http::with(&roots, self.unverified, self.no_proxy))
    }
}

impl Http {
    fn with(roots: &[Certificate<'static>], unverified: BTreeSet<Origin>, no_proxy: bool) -> Self {
        let roots = if roots.is_empty() { RootCerts::PlatformVerifier } else { RootCerts::new_with_certs(roots) };
        let provider = Arc::new(ring::default_provider());
        Self { inner: Arc::new(Inner { provider, roots, unverified, no_proxy, agents: Mutex::default() }) }
    }
}

impl Default for Http {
    /// The system's trust and the environment's proxies.
    fn default() -> Self {
        Self::with(&[], BTreeSet::new(), false)
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}
