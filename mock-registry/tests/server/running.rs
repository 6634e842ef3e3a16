//! A server that runs, and how a client of plain sockets talks to it.

use std::sync::{Arc, Mutex};

use longshore_mock_registry::server::{Log, Server, Shared};
use longshore_mock_registry::{Registry, RegistryOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

pub(crate) struct Running {
    pub(crate) address: std::net::SocketAddr,
    pub(crate) shared: Shared,
    pub(crate) log: Lines,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) serving: tokio::task::JoinHandle<()>,
}

#[derive(Clone, Default)]
pub(crate) struct Lines(pub(crate) Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) async fn start() -> Running {
    start_with(RegistryOptions::default()).await
}

pub(crate) async fn start_with(options: RegistryOptions) -> Running {
    let log = Lines::default();
    let server = Server::bind(Server::LOOPBACK, Registry::new(options)).await.unwrap();
    let server = server.with_log(Log::to(log.clone())).with_host("x");
    let (address, shared) = (server.address(), server.shared());
    assert!(address.ip().is_loopback());
    assert_eq!(server.url(), format!("http://{address}"));
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(server.serve(async { drop(stopped.await) }));
    Running { address, shared, log, stop, serving }
}

impl Running {
    /// Sends bytes and reads all that comes back.
    pub(crate) async fn talk(&self, sent: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) async fn request(&self, head: &str, body: &[u8]) -> String {
        let head = format!("{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        self.talk(&[head.as_bytes(), body].concat()).await
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
    }
}

/// Reads the answer to one request at some address, with these headers.
pub(crate) async fn ask(authority: &str, line: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(authority).await.unwrap();
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
