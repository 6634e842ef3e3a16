//! TLS rules for every HTTP stack on rustls: which certificates are trusted, and which client certificates are sent.
//!
//! * The system's CAs are trusted, and so are the CAs that the caller names. Both are trusted for all origins.
//! * A server's certificate is trusted if it is exactly one of the named certificates, whether it is marked as a CA's
//!   or not: `openssl req -x509` marks the certificates that it makes as a CA's. Its names and its validity are still
//!   checked.
//! * A named certificate that is not a CA's is trusted itself, but not as the issuer of others.
//! * A client certificate is sent to one origin only, and the check can be skipped for one origin only.
//!
//! ```
//! use longshore_core::Target;
//! use longshore_tls::{Tls, TlsError};
//!
//! assert!(matches!(Tls::builder().ca_pem("no PEM").build(), Err(TlsError::Ca(_))));
//! let tls = Tls::builder().build()?;
//! assert!(!tls.has_own_rules(Target::parse("https://registry.example/")?.origin()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod verifier;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use longshore_core::Origin;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, Error, RootCertStore};
use thiserror::Error;

use verifier::{Anyone, Named};
pub use words::{NO_CA, certificate};

/// All rules about TLS.
pub struct Tls {
    provider: Arc<CryptoProvider>,
    named: Vec<CertificateDer<'static>>,
    identities: BTreeMap<Origin, Identity>,
    unverified: BTreeSet<Origin>,
    /// What all configurations share: the system's certificates need time to read, and memory.
    verifier: Mutex<Option<Arc<Named>>>,
}

/// Builds a [`Tls`].
#[derive(Clone, Default)]
#[must_use]
pub struct TlsBuilder {
    named: Vec<Vec<u8>>,
    identities: BTreeMap<Origin, (Vec<u8>, Vec<u8>)>,
    unverified: BTreeSet<Origin>,
}

/// Why a [`Tls`] could not be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The CA certificates cannot be read.
    #[error("the CA certificates cannot be used: {0}; give them as PEM, -----BEGIN CERTIFICATE-----")]
    Ca(String),
    /// A client certificate or its key cannot be read, or they do not belong together.
    #[error("the client certificate for {origin} cannot be used: {why}; give certificate and key as PEM")]
    Identity {
        /// The origin that it is for.
        origin: Origin,
        /// What is wrong.
        why: String,
    },
    /// The key of a client certificate is encrypted.
    #[error(
        "the key of the client certificate for {origin} is encrypted: decrypt it, for example with openssl pkey -in KEY -out DECRYPTED"
    )]
    EncryptedKey {
        /// The origin that the certificate is for.
        origin: Origin,
    },
}

/// A client's certificate and its key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Tls {
    /// Starts to build rules.
    pub fn builder() -> TlsBuilder {
        TlsBuilder::default()
    }

    /// Whether an origin has its own rules: a client certificate, or no check of the server's. Its connections must not
    /// be used for other origins.
    #[must_use]
    pub fn has_own_rules(&self, origin: &Origin) -> bool {
        self.unverified.contains(origin) || self.identities.contains_key(origin)
    }

    /// A configuration that trusts no certificate, for a stack that needs one even for plain HTTP.
    ///
    /// # Errors
    /// If rustls rejects its own protocol versions.
    pub fn nobody(&self) -> Result<ClientConfig, Error> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider));
        let builder = builder.with_safe_default_protocol_versions()?;
        Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
    }

    /// The configuration for an origin with its own rules, or for all other origins. The system's CAs are read once, when
    /// they are first needed.
    ///
    /// # Errors
    /// [`Error::General`] with the text [`NO_CA`] if no CA is trusted on this machine, and rustls's error if it rejects
    /// a client certificate.
    pub fn config(&self, own: Option<&Origin>) -> Result<ClientConfig, Error> {
        let provider = Arc::clone(&self.provider);
        let builder =
            ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let builder = builder.dangerous();
        let builder = if own.is_some_and(|origin| self.unverified.contains(origin)) {
            builder.with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        } else {
            builder.with_custom_certificate_verifier(self.verifier()?)
        };
        match own.and_then(|origin| self.identities.get(origin)) {
            Some(Identity { chain, key }) => builder.with_client_auth_cert(chain.clone(), key.clone_key()),
            None => Ok(builder.with_no_client_auth()),
        }
    }

    fn verifier(&self) -> Result<Arc<Named>, Error> {
        let mut verifier = self.verifier.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(verifier) = &*verifier {
            return Ok(Arc::clone(verifier));
        }
        let named = Arc::new(Named::new(&self.named, Arc::clone(&self.provider))?);
        *verifier = Some(Arc::clone(&named));
        Ok(named)
    }
}

impl TlsBuilder {
    /// Trusts the certificates in this PEM text, in addition to the system's.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.named.push(pem.into());
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
        self.identities.insert(origin, (certificate.into(), key.into()));
        self
    }

    /// Accepts any certificate from one origin, and from no other. An attacker in the network can then read and change
    /// everything that is sent.
    pub fn insecure_skip_verify(mut self, origin: Origin) -> Self {
        self.unverified.insert(origin);
        self
    }

    /// Reads the certificates and keys. Nothing is connected yet.
    ///
    /// # Errors
    /// If a certificate or key cannot be read.
    pub fn build(self) -> Result<Tls, TlsError> {
        let mut named = Vec::new();
        for pem in &self.named {
            named.extend(roots(pem).map_err(TlsError::Ca)?);
        }
        let mut identities = BTreeMap::new();
        for (origin, (certificate, key)) in self.identities {
            if is_encrypted(&key) {
                return Err(TlsError::EncryptedKey { origin });
            }
            let identity =
                Identity::read(&certificate, &key).map_err(|why| TlsError::Identity { origin: origin.clone(), why })?;
            identities.insert(origin, identity);
        }
        let provider = Arc::new(ring::default_provider());
        Ok(Tls { provider, named, identities, unverified: self.unverified, verifier: Mutex::default() })
    }
}

impl Identity {
    /// Reads both, and checks that they belong together.
    fn read(certificate: &[u8], key: &[u8]) -> Result<Self, String> {
        let chain = certificates(certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("the key: {error}"))?;
        rustls::sign::CertifiedKey::from_der(chain.clone(), key.clone_key(), &ring::default_provider())
            .map_err(|error| error.to_string())?;
        Ok(Self { chain, key })
    }
}

/// Whether a PEM text holds an encrypted key, in the form of PKCS #8 or the older one (RFC 1421, section 4.6).
#[must_use]
pub fn is_encrypted(pem: &[u8]) -> bool {
    pem.split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .any(|line| line == b"-----BEGIN ENCRYPTED PRIVATE KEY-----" || line.starts_with(b"Proc-Type: 4,ENCRYPTED"))
}

/// The certificates in a PEM text, at least one. Each must be usable as a trusted certificate.
fn roots(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = certificates(pem)?;
    let mut store = RootCertStore::empty();
    found.iter().try_for_each(|root| store.add(root.clone())).map_err(|error| error.to_string())?;
    Ok(found)
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

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl fmt::Debug for TlsBuilder {
    /// `Debug` does not print the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsBuilder").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
