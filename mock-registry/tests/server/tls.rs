//! The port with TLS.

use std::sync::Arc;

use longshore_mock_registry::server::{Server, Tls, TlsError};
use longshore_mock_registry::{Registry, RegistryOptions};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

#[tokio::test]
async fn tls_with_a_certificate_that_is_made_on_the_spot() {
    let tls = Tls::generate(["localhost", "127.0.0.1"]).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(tls.ca().unwrap().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));

    let server = Server::bind(Server::LOOPBACK, Registry::new(RegistryOptions::default())).await.unwrap();
    let server = server.with_tls(tls).with_host("x");
    let (address, shared) = (server.address(), server.shared());
    assert_eq!(server.url(), format!("https://{address}"));
    assert_eq!(shared.lock().options.origin.clone().unwrap().to_string(), server.url());
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(server.serve(async { drop(stopped.await) }));

    // One who never begins TLS keeps nobody else waiting.
    let silent = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut stream = connector.connect(name, TcpStream::connect(address).await.unwrap()).await.unwrap();
    stream.write_all(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    drop(silent);
    stop.send(()).unwrap();
    serving.await.unwrap();
}

#[test]
fn certificates_that_are_none() {
    assert!(matches!(Tls::from_pem(b"no", b"pem"), Err(TlsError::Pem(_))));
    assert!(matches!(Tls::generate(["not a name\u{e9}"]), Err(TlsError::NotMade(_))));
}
