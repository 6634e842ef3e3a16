//! A server behind TLS, with a CA of its own.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A certificate authority.
pub(crate) struct Ca(CertifiedIssuer<'static, KeyPair>);

/// A certificate of a [`Ca`], as PEM.
pub(crate) struct Certificate {
    pub(crate) chain: String,
    pub(crate) key: KeyPair,
}

/// What a server saw of each connection whose handshake succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) protocol: String,
    pub(crate) client_certificate: bool,
    pub(crate) head: String,
}

/// A server behind TLS that gives one answer to everything.
pub(crate) struct TlsServer {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
}

impl Ca {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn certificate(&self, name: &str) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        Certificate { chain: certificate.pem(), key }
    }

    /// A server with a certificate of this CA, which asks for one of this CA and takes clients without.
    pub(crate) async fn server(&self, answer: Vec<u8>) -> TlsServer {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["127.0.0.1", "registry.invalid"].map(str::to_owned))
            .unwrap()
            .signed_by(&key, &self.0)
            .unwrap();
        self.serve(certificate.der().clone(), &key, answer).await
    }

    /// A server that shows the CA's own certificate, as `openssl req -x509` makes it.
    pub(crate) async fn server_of_its_own(&self, answer: Vec<u8>) -> TlsServer {
        self.serve(self.0.der().clone(), self.0.key(), answer).await
    }

    async fn serve(&self, certificate: CertificateDer<'static>, key: &KeyPair, answer: Vec<u8>) -> TlsServer {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients.allow_unauthenticated().build().unwrap())
            .with_single_cert(vec![certificate], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        serve(TlsAcceptor::from(Arc::new(config)), answer).await
    }
}

async fn serve(acceptor: TlsAcceptor, answer: Vec<u8>) -> TlsServer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let all = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, answer, all) = (acceptor.clone(), answer.clone(), Arc::clone(&all));
            tokio::spawn(async move {
                // A client that does not trust the certificate goes away here.
                let Ok(stream) = acceptor.accept(stream).await else { return };
                answer_one(stream, &answer, &all).await;
            });
        }
    });
    TlsServer { address, seen }
}

async fn answer_one(mut stream: TlsStream<TcpStream>, answer: &[u8], all: &Mutex<Vec<Seen>>) {
    let session = stream.get_ref().1;
    let protocol = String::from_utf8_lossy(session.alpn_protocol().unwrap_or_default()).into_owned();
    let client_certificate = session.peer_certificates().is_some();
    let see = |head| all.lock().unwrap().push(Seen { protocol: protocol.clone(), client_certificate, head });
    if protocol == "h2" {
        let body = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            see(format!("{} {}", request.method(), request.uri().path()));
            let head = http::Response::builder().header("content-type", "application/json").body(()).unwrap();
            let mut sending = respond.send_response(head, false).unwrap();
            sending.send_data(Bytes::copy_from_slice(&answer[body..]), true).unwrap();
        }
    } else {
        see(super::read_head(&mut stream).await);
        drop(stream.write_all(answer).await);
        drop(stream.shutdown().await);
    }
}
