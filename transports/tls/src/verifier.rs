//! Verifies the certificates of servers.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{
    CryptoProvider, verify_tls12_signature, verify_tls13_signature, verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::X509Version;

/// Accepts certificates that the system's or the named CAs have issued, and the named certificates themselves.
#[derive(Debug)]
pub(crate) struct Named {
    provider: Arc<CryptoProvider>,
    certificates: Vec<CertificateDer<'static>>,
    /// Made when a server has another certificate than the named ones: only then the system's CAs are read, which takes
    /// milliseconds and half a mebibyte. Holds `None` if there is neither a system CA nor a named one.
    chains: OnceLock<Option<Verifier>>,
}

impl Named {
    /// # Errors
    /// If there is no certificate to trust.
    pub(crate) fn new(certificates: &[CertificateDer<'static>], provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let named = Self { provider, certificates: certificates.to_vec(), chains: OnceLock::new() };
        if named.certificates.is_empty() {
            let of_system = named.read_chains()?;
            named.chains.get_or_init(|| Some(of_system));
        }
        Ok(named)
    }

    fn chains(&self) -> Option<&Verifier> {
        self.chains.get_or_init(|| self.read_chains().ok()).as_ref()
    }

    fn read_chains(&self) -> Result<Verifier, Error> {
        let authorities = self.certificates.iter().filter(|certificate| may_vouch(certificate)).cloned();
        Verifier::new_with_extra_roots(authorities, Arc::clone(&self.provider))
    }
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // It is exactly a named certificate, so its chain does not matter.
        if self.certificates.iter().any(|named| named.as_ref() == certificate.as_ref()) {
            check_time(certificate, now)?;
            verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
            return Ok(ServerCertVerified::assertion());
        }
        match self.chains() {
            Some(chains) => chains.verify_server_cert(certificate, intermediates, name, ocsp_response, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether a certificate may be the issuer of others: one of version 3 that states it, or an older one, which cannot
/// state it.
fn may_vouch(certificate: &CertificateDer<'_>) -> bool {
    X509Certificate::from_der(certificate)
        .is_ok_and(|(_, certificate)| certificate.version() != X509Version::V3 || certificate.is_ca())
}

fn check_time(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), CertificateError> {
    let (_, certificate) = X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = certificate.validity();
    if seconds < validity.not_before.timestamp() {
        return Err(CertificateError::NotValidYet);
    }
    if seconds > validity.not_after.timestamp() {
        return Err(CertificateError::Expired);
    }
    Ok(())
}

/// Accepts any certificate, as the caller asked, of any version. That the server has the certificate's key is still
/// checked.
#[derive(Debug)]
pub(crate) struct Anyone(pub(crate) Arc<CryptoProvider>);

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
        let (_, certificate) = X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
        let key = certificate.public_key().subject_public_key.data.as_ref();
        let of_scheme = self.0.signature_verification_algorithms.mapping.iter();
        let mut algorithms = of_scheme.filter(|(scheme, _)| *scheme == signed.scheme).flat_map(|(_, all)| all.iter());
        if algorithms.any(|algorithm| algorithm.verify_signature(key, message, signed.signature()).is_ok()) {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // rustls reads a certificate itself only if it is of version 3.
        let (_, certificate) = X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
        let key = SubjectPublicKeyInfoDer::from(certificate.public_key().raw);
        verify_tls13_signature_with_raw_key(message, &key, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
