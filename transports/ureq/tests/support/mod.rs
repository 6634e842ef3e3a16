//! A server of plain bytes, the mock registry, and what the tests ask of them.
#![allow(dead_code, reason = "no test needs all of it")]

pub(crate) mod tls;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use longshore_core::{Digest, Failure, Operation, Options, Receipt};
use longshore_mock_registry::server::Shared;
use longshore_ureq::{Http, Session};

/// A server that remembers the heads of requests.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Reads the first request of each connection, its body too where its length is said, answers with what `answer` makes
    /// of its number and head, and closes.
    pub(crate) fn answering(answer: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&heads);
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let (answer, seen, mut stream) = (Arc::clone(&answer), Arc::clone(&seen), stream.unwrap());
                thread::spawn(move || {
                    let head = read_request(&mut stream);
                    seen.lock().unwrap().push(head.clone());
                    // The client may have gone away already.
                    drop(stream.write_all(&answer(number, &head)));
                    drop(stream.shutdown(Shutdown::Write));
                });
            }
        });
        Self { address, heads }
    }

    pub(crate) fn requests(&self) -> usize {
        self.heads.lock().unwrap().len()
    }
}

/// Everything up to the empty line; what a `Content-Length` says follows is taken in.
fn read_request(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    drop(std::io::copy(&mut stream.take(length.unwrap_or(0)), &mut std::io::sink()));
    head
}

/// An answer with a body of JSON.
pub(crate) fn json(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    (head + body).into_bytes()
}

/// The mock registry on a free port, served until the test ends.
pub(crate) fn registry() -> (SocketAddr, Shared) {
    use longshore_mock_registry::server::Server;
    use longshore_mock_registry::{Registry, RegistryOptions};

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(Server::bind(Server::LOOPBACK, Registry::new(RegistryOptions::default()))).unwrap();
    let server = server.with_host("registry.invalid");
    let (address, shared) = (server.address(), server.shared());
    thread::spawn(move || runtime.block_on(server.serve(std::future::pending())));
    (address, shared)
}

pub(crate) fn http() -> Http {
    Http::builder().no_proxy().build().unwrap()
}

/// Options under which nothing takes long: so many attempts, a millisecond apart.
pub(crate) fn attempts(attempts: u32) -> Options {
    let mut options = Options::default();
    options.attempts = attempts;
    options.backoff = Duration::from_millis(1);
    options.backoff_throttled = Duration::from_millis(1);
    options
}

pub(crate) fn session(options: Options) -> Session<Digest> {
    Session::builder(http()).options(options).build()
}

pub(crate) fn list_tags(registry: &str) -> Operation<Digest> {
    Operation::ListTags { registry: registry.parse().unwrap(), repository: "a".parse().unwrap() }
}

pub(crate) fn tags(session: &mut Session<Digest>, address: SocketAddr) -> Result<Vec<String>, Box<Failure>> {
    match session.run(list_tags(&address.to_string()))? {
        Receipt::Tags(tags) => Ok(tags.iter().map(ToString::to_string).collect()),
        other => panic!("{other:?}"),
    }
}
