//! Requests a second, in memory and over sockets, before and after ten thousand uploads were left open:
//! `cargo bench --package longshore-mock-registry --features server`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant as Moment};

use bytes::Bytes;
use http::Request;
use longshore_core::{Algorithm, Digest};
use longshore_mock_registry::server::Server;
use longshore_mock_registry::{Instant, Registry, RegistryOptions};

/// How long each kind of request is asked.
const TIME: Duration = Duration::from_millis(1500);
/// How many clients there are over sockets.
const CLIENTS: u64 = 2;
const LEFT_OPEN: usize = 9_900;
const CONFIG: &str = "application/vnd.oci.empty.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// One request.
struct Asked {
    method: &'static str,
    path: String,
    body: Vec<u8>,
}

const fn asked(method: &'static str, path: String, body: Vec<u8>) -> Asked {
    Asked { method, path, body }
}

/// A kind of requests: its name, and what the request of a number asks.
struct Kind(&'static str, fn(u64) -> Asked);

/// The kinds of requests, each with what the request of a number asks.
const KINDS: [Kind; 4] = [
    Kind("HEAD blob", |_| asked("HEAD", format!("/v2/a/blobs/{}", digest(b"{}")), Vec::new())),
    Kind("GET manifest", |_| asked("GET", "/v2/a/manifests/v1".to_owned(), Vec::new())),
    Kind("PUT manifest", |number| asked("PUT", "/v2/a/manifests/v2".to_owned(), manifest(number))),
    Kind("POST of 1 KiB", |number| {
        let content = format!("{number:01024}").into_bytes();
        asked("POST", format!("/v2/a/blobs/uploads/?digest={}", digest(&content)), content)
    }),
];

fn digest(content: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, content)
}

fn manifest(number: u64) -> Vec<u8> {
    let config = digest(b"{}");
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"{CONFIG}","digest":"{config}","size":2}},"layers":[],"annotations":{{"n":"{number}"}}}}"#
    )
    .into_bytes()
}

/// A way to ask.
trait Client {
    fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> u16;
}

struct Purely {
    registry: Registry,
    now: u64,
}

impl Client for Purely {
    fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> u16 {
        self.now += 1;
        let request = Request::builder().method(method).uri(path).header("content-type", MANIFEST);
        let request = request.header("content-length", body.len()).body(Bytes::copy_from_slice(body)).unwrap();
        self.registry.answer(Instant::from_micros(self.now), request).unwrap().status().as_u16()
    }
}

struct OverSocket {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

impl OverSocket {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream), address }
    }
}

impl Client for OverSocket {
    fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> u16 {
        let (address, length) = (self.address, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: {MANIFEST}\r\nContent-Length: {length}\r\n\r\n"
        );
        self.stream.get_mut().write_all(&[head.as_bytes(), body].concat()).unwrap();
        let (mut status, mut length, mut line) = (0, 0, String::new());
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            } else if line == "\r\n" {
                break;
            }
        }
        let mut rest = vec![0; if method == "HEAD" { 0 } else { length }];
        self.stream.read_exact(&mut rest).unwrap();
        status
    }
}

/// Asks for so long, and gives the requests a second.
fn measure(client: &mut impl Client, kind: fn(u64) -> Asked, first: u64) -> f64 {
    let begin = Moment::now();
    let mut count = 0;
    while begin.elapsed() < TIME {
        let Asked { method, path, body } = kind(first + count);
        let status = client.ask(method, &path, &body);
        assert!((200..300).contains(&status), "{method} {path}: {status}");
        count += 1;
    }
    count as f64 / begin.elapsed().as_secs_f64()
}

/// A registry that takes all that is asked for here.
fn options() -> RegistryOptions {
    let mut options = RegistryOptions::default();
    options.limits.manifests = usize::MAX;
    options.limits.manifest_bytes = u64::MAX;
    options.limits.blobs = usize::MAX;
    options
}

fn prepare(client: &mut impl Client) {
    client.ask("POST", &format!("/v2/a/blobs/uploads/?digest={}", digest(b"{}")), b"{}");
    client.ask("PUT", "/v2/a/manifests/v1", &manifest(u64::MAX));
}

fn main() {
    // Tests build benchmarks and run them once; there is nothing to see in that.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut pure = Purely { registry: Registry::new(options()), now: 0 };
    let server = runtime.block_on(Server::bind(Server::LOOPBACK, Registry::new(options()))).unwrap();
    let address = server.address();
    runtime.spawn(server.serve(std::future::pending()));
    let mut client = OverSocket::connect(address);
    prepare(&mut pure);
    prepare(&mut client);
    println!(
        "requests a second        fresh, in memory   fresh, sockets   {LEFT_OPEN} open, in memory   {LEFT_OPEN} open, sockets"
    );
    let round = |pure: &mut Purely, base: u64| {
        KINDS.map(|Kind(_, kind)| {
            let in_memory = measure(pure, kind, base);
            let clients: Vec<_> = (0..CLIENTS)
                .map(|number| {
                    let first = base + (number + 1) * 10_000_000;
                    std::thread::spawn(move || measure(&mut OverSocket::connect(address), kind, first))
                })
                .collect();
            (in_memory, clients.into_iter().map(|client| client.join().unwrap()).sum::<f64>())
        })
    };
    let fresh = round(&mut pure, 0);
    for _ in 0..LEFT_OPEN {
        pure.ask("POST", "/v2/a/blobs/uploads/", b"");
        client.ask("POST", "/v2/a/blobs/uploads/", b"");
    }
    let later = round(&mut pure, 1_000_000_000);
    for (Kind(name, _), (fresh, later)) in KINDS.iter().zip(fresh.iter().zip(&later)) {
        println!("{name:<24} {:>16.0} {:>16.0} {:>22.0} {:>20.0}", fresh.0, fresh.1, later.0, later.1);
    }
}
