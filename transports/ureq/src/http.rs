//! The HTTP stack: one ureq agent for each set of rules that connections may need.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use longshore_core::driver::Limits;
use longshore_core::{Origin, Scheme};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, sign};
use thiserror::Error;
use ureq::config::AutoHeaderValue;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Proxy, ProxyBuilder, ProxyProtocol};

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
    identities: BTreeMap<Origin, (Vec<u8>, Vec<u8>)>,
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
    /// A client's certificate or its key is none, or they do not belong together.
    #[error("the client certificate for {origin} cannot be used: {why}; give certificate and key as PEM")]
    Identity {
        /// Whom it is for.
        origin: Origin,
        /// What is wrong.
        why: String,
    },
}

struct Inner {
    provider: Arc<CryptoProvider>,
    roots: RootCerts,
    identities: BTreeMap<Origin, ClientCert>,
    unverified: BTreeSet<Origin>,
    no_proxy: bool,
    agents: Mutex<BTreeMap<Kind, Agent>>,
}

/// What sets one pool of connections apart from another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    /// The one origin that has rules of its own: a certificate to show, or none to check.
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
        let has_own = inner.unverified.contains(origin) || inner.identities.contains_key(origin);
        let kind = Kind {
            own: (origin.scheme() == Scheme::Https && has_own).then(|| origin.clone()),
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
            .client_cert(kind.own.as_ref().and_then(|origin| self.identities.get(origin)).cloned())
            .disable_verification(kind.own.as_ref().is_some_and(|origin| self.unverified.contains(origin)));
        Agent::config_builder()
            .tls_config(tls.build())
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
            .build()
            .new_agent()
    }
}

/// The proxy that the environment names. One of `socks5://` resolves names itself, as for Go's clients: whoever needs such a
/// proxy mostly has no other way to resolve them. ureq does that for `socks5h://` alone.
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
    /// Trusts the CA certificates in this PEM text, and those of other calls, **instead of** what the system trusts: ureq
    /// takes one or the other.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Shows this certificate to one origin, and to no other. Certificate, with its chain, and key are PEM texts.
    pub fn client_certificate(
        mut self,
        origin: Origin,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.identities.insert(origin, (certificate.into(), key.into()));
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
    /// Where a certificate or key cannot be read.
    pub fn build(self) -> Result<Http, HttpError> {
        let mut roots = Vec::new();
        for pem in &self.roots {
            roots.extend(certificates(pem).and_then(trusted).map_err(HttpError::Ca)?);
        }
        let provider = Arc::new(ring::default_provider());
        let mut identities = BTreeMap::new();
        for (origin, (certificate, key)) in self.identities {
            let identity = identity(&certificate, &key, &provider)
                .map_err(|why| HttpError::Identity { origin: origin.clone(), why })?;
            identities.insert(origin, identity);
        }
        let roots = if roots.is_empty() {
            RootCerts::PlatformVerifier
        } else {
            RootCerts::new_with_certs(&roots.iter().map(owned).collect::<Vec<_>>())
        };
        let (unverified, no_proxy) = (self.unverified, self.no_proxy);
        let agents = Mutex::default();
        Ok(Http { inner: Arc::new(Inner { provider, roots, identities, unverified, no_proxy, agents }) })
    }
}

/// The certificates in a PEM text, at least one.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err("there is no certificate in it".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(error.to_string()),
    }
}

/// The same, if each is of a CA that can be trusted: ureq would leave the others out without a word.
fn trusted(roots: Vec<CertificateDer<'static>>) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut store = RootCertStore::empty();
    roots.iter().try_for_each(|root| store.add(root.clone())).map_err(|error| error.to_string())?;
    Ok(roots)
}

/// Certificate and key, if they belong together: ureq would panic if they did not.
fn identity(certificate: &[u8], key: &[u8], provider: &CryptoProvider) -> Result<ClientCert, String> {
    let chain = certificates(certificate)?;
    let read = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("the key: {error}"))?;
    sign::CertifiedKey::from_der(chain.clone(), read, provider).map_err(|error| error.to_string())?;
    let key = PrivateKey::from_pem(key).map_err(|error| format!("the key: {error}"))?;
    Ok(ClientCert::new_with_certs(&chain.iter().map(owned).collect::<Vec<_>>(), key))
}

fn owned(certificate: &CertificateDer<'_>) -> Certificate<'static> {
    Certificate::from_der(certificate).to_owned()
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
