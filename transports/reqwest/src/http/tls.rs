//! Whom a TLS connection trusts, and what it shows of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use longshore_core::Origin;
use longshore_core::driver::NoAnswer;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// All rules about TLS.
pub(super) struct Tls {
    provider: Arc<CryptoProvider>,
    roots: Vec<CertificateDer<'static>>,
    identities: BTreeMap<Origin, Identity>,
    unverified: BTreeSet<Origin>,
}

/// Which of the rules hold for an origin.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trust {
    /// There is no TLS.
    None,
    /// Those for everybody.
    Everybody,
    /// This origin's own.
    Own(Origin),
}

/// A client's certificate and its key.
pub(super) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Tls {
    pub(super) fn new(
        roots: Vec<CertificateDer<'static>>,
        identities: BTreeMap<Origin, Identity>,
        unverified: BTreeSet<Origin>,
    ) -> Self {
        Self { provider: Arc::new(ring::default_provider()), roots, identities, unverified }
    }

    pub(super) fn trust(&self, origin: &Origin) -> Trust {
        if self.unverified.contains(origin) || self.identities.contains_key(origin) {
            Trust::Own(origin.clone())
        } else {
            Trust::Everybody
        }
    }

    pub(super) fn config(&self, trust: &Trust) -> Result<ClientConfig, NoAnswer> {
        let unsendable = |error: Error| NoAnswer::Unsendable(error.to_string());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(unsendable)?;
        let builder = match trust {
            // Never used: reqwest wants TLS configured for a client that speaks plain HTTP too.
            Trust::None => builder.with_root_certificates(RootCertStore::empty()),
            Trust::Own(origin) if self.unverified.contains(origin) => {
                let anyone = Anyone(Arc::clone(&self.provider));
                builder.dangerous().with_custom_certificate_verifier(Arc::new(anyone))
            }
            Trust::Everybody | Trust::Own(_) => {
                let verifier =
                    Verifier::new_with_extra_roots(self.roots.clone(), Arc::clone(&self.provider)).map_err(no_ca)?;
                builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            }
        };
        let identity = if let Trust::Own(origin) = trust { self.identities.get(origin) } else { None };
        match identity {
            Some(Identity { chain, key }) => {
                builder.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(unsendable)
            }
            None => Ok(builder.with_no_client_auth()),
        }
    }
}

/// The CAs that were named were looked at before: it is the system that has none.
fn no_ca(_: Error) -> NoAnswer {
    let why = "no CA is trusted on this machine: install the system's CA certificates, or name one";
    NoAnswer::Untrusted(why.to_owned())
}

impl Identity {
    /// Reads both, and finds out whether they belong together.
    pub(super) fn read(certificate: &[u8], key: &[u8]) -> Result<Self, String> {
        let chain = certificates(certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("the key: {error}"))?;
        rustls::sign::CertifiedKey::from_der(chain.clone(), key.clone_key(), &ring::default_provider())
            .map_err(|error| error.to_string())?;
        Ok(Self { chain, key })
    }
}

/// The CA certificates in a PEM text, at least one, each of which can be trusted.
pub(super) fn roots(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
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

/// Takes any certificate, as the caller asked for; that the peer holds its key is still checked.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
