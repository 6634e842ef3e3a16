//! A server behind TLS, with a CA of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// A certificate authority.
pub(crate) struct Ca(CertifiedIssuer<'static, KeyPair>);

/// A certificate of a [`Ca`], as PEM.
pub(crate) struct Certificate {
    pub(crate) chain: String,
    pub(crate) key: KeyPair,
}

/// A server behind TLS that gives one answer to everything. Of each connection whose handshake succeeded it remembers whether
/// it was shown a certificate.
pub(crate) struct TlsServer {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Mutex<Vec<bool>>>,
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

    /// What a server with a certificate of this CA needs, which asks for one of this CA and takes clients without.
    fn server_config(&self) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["127.0.0.1", "registry.invalid"].map(str::to_owned))
            .unwrap()
            .signed_by(&key, &self.0)
            .unwrap();
        self.config_with(certificate.der().clone(), &key)
    }

    fn config_with(&self, certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_client_cert_verifier(clients.allow_unauthenticated().build().unwrap());
        Arc::new(config.with_single_cert(vec![certificate], key).unwrap())
    }

    pub(crate) fn server(&self, answer: Vec<u8>) -> TlsServer {
        Self::serve(self.server_config(), answer)
    }

    /// A server that shows the CA's own certificate, as `openssl req -x509` makes it.
    pub(crate) fn server_of_its_own(&self, answer: Vec<u8>) -> TlsServer {
        Self::serve(self.config_with(self.0.der().clone(), self.0.key()), answer)
    }

    fn serve(config: Arc<ServerConfig>, answer: Vec<u8>) -> TlsServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<bool>>> = Arc::default();
        let all = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (config, answer, all) = (Arc::clone(&config), answer.clone(), Arc::clone(&all));
                thread::spawn(move || serve(config, stream.unwrap(), &answer, &all));
            }
        });
        TlsServer { address, seen }
    }
}

/// A client that does not trust the certificate goes away in the middle.
fn serve(config: Arc<ServerConfig>, stream: TcpStream, answer: &[u8], all: &Mutex<Vec<bool>>) -> Option<()> {
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    stream.conn.complete_io(&mut stream.sock).ok()?;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    all.lock().unwrap().push(stream.conn.peer_certificates().is_some());
    stream.write_all(answer).ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()
}
