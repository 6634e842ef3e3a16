//! TLS, with a given certificate or a generated one.

use tokio::net::TcpStream;

use super::stream::Stream;

/// Makes TLS handshakes.
#[derive(Clone)]
pub(super) struct Acceptor {
    #[cfg(feature = "tls")]
    inner: tokio_rustls::TlsAcceptor,
}

impl Acceptor {
    /// The stream of a connection, after a TLS handshake if there is an acceptor.
    pub(super) async fn stream(acceptor: Option<Self>, stream: TcpStream) -> std::io::Result<Stream> {
        match acceptor {
            None => Ok(Stream::Plain(stream)),
            #[cfg(feature = "tls")]
            Some(acceptor) => acceptor.inner.accept(stream).await.map(|stream| Stream::Tls(Box::new(stream))),
            #[cfg(not(feature = "tls"))]
            Some(_) => Err(std::io::ErrorKind::Unsupported.into()),
        }
    }
}

#[cfg(feature = "tls")]
pub use enabled::{Tls, TlsError};

#[cfg(feature = "tls")]
mod enabled {
    use std::fmt;
    use std::sync::Arc;

    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
    use rustls::ServerConfig;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use thiserror::Error;

    use super::Acceptor;

    /// The TLS configuration of a server.
    #[derive(Clone)]
    pub struct Tls {
        config: Arc<ServerConfig>,
        ca: Option<String>,
    }

    /// An error in the TLS configuration.
    #[derive(Debug, Clone, PartialEq, Eq, Error)]
    #[non_exhaustive]
    pub enum TlsError {
        /// The certificate or the key cannot be read.
        #[error("the certificate or its key is not PEM as it should be: {0}")]
        Pem(String),
        /// The certificate and the key do not belong together, or are not accepted.
        #[error("the certificate cannot be used: {0}")]
        Refused(String),
        /// No certificate could be generated.
        #[error("no certificate could be made: {0}")]
        NotMade(String),
    }

    impl Tls {
        /// TLS with a generated certificate for these host names and addresses, signed by a generated authority, whose
        /// key is not kept. Clients must trust [`Tls::ca`].
        ///
        /// # Errors
        /// If a name is neither a host name nor an address.
        pub fn generate<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, TlsError> {
            let failed = |error: rcgen::Error| TlsError::NotMade(error.to_string());
            let ca_key = KeyPair::generate().map_err(failed)?;
            let mut ca = CertificateParams::default();
            ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            ca.distinguished_name.push(DnType::CommonName, "Longshore mock registry");
            let ca_certificate = ca.self_signed(&ca_key).map_err(failed)?;
            let issuer = Issuer::new(ca, ca_key);

            let key = KeyPair::generate().map_err(failed)?;
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            let leaf = CertificateParams::new(names).map_err(failed)?;
            let certificate = leaf.signed_by(&key, &issuer).map_err(failed)?;
            let key =
                PrivateKeyDer::try_from(key.serialize_der()).map_err(|error| TlsError::NotMade(error.to_owned()))?;
            let config = config(vec![certificate.der().clone()], key)?;
            Ok(Self { config, ca: Some(ca_certificate.pem()) })
        }

        /// TLS with a certificate, followed by those that signed it, and its key, both as PEM.
        ///
        /// # Errors
        /// If they cannot be read, or do not belong together.
        pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
            let pem = |error: rustls::pki_types::pem::Error| TlsError::Pem(error.to_string());
            let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
            let chain = chain.map_err(pem)?;
            let key = PrivateKeyDer::from_pem_slice(key).map_err(pem)?;
            Ok(Self { config: config(chain, key)?, ca: None })
        }

        /// The certificate of the generated authority, as PEM.
        #[must_use]
        pub fn ca(&self) -> Option<&str> {
            self.ca.as_deref()
        }

        pub(in crate::server) fn acceptor(&self) -> Acceptor {
            Acceptor { inner: Arc::clone(&self.config).into() }
        }
    }

    impl fmt::Debug for Tls {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Tls").field("ca", &self.ca).finish_non_exhaustive()
        }
    }

    fn config(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Arc<ServerConfig>, TlsError> {
        let refused = |error: rustls::Error| TlsError::Refused(error.to_string());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(refused)?.with_no_client_auth();
        let mut config = builder.with_single_cert(chain, key).map_err(refused)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}
