//! Two ways to ask a registry: by a call, and over a socket.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use bytes::Bytes;
use http::Request;
use longshore_mock_registry::{Instant, Registry};

/// What every body is said to be.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A way to ask. It gives the status, and the path of the `Location`; status 0 where the registry hung up.
pub(crate) trait Client {
    fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> (u16, String);
}

/// By calls.
pub(crate) struct Purely {
    registry: Registry,
    now: u64,
}

impl Purely {
    pub(crate) const fn new(registry: Registry) -> Self {
        Self { registry, now: 0 }
    }
}

impl Client for Purely {
    fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> (u16, String) {
        self.now += 1;
        let request = Request::builder().method(method).uri(path).header("content-type", MANIFEST);
        let request = request.header("content-length", body.len()).body(Bytes::copy_from_slice(body)).unwrap();
        let answer = self.registry.answer(Instant::from_micros(self.now), request).unwrap();
        let location = answer.headers().get("location").map(|location| location.to_str().unwrap().to_owned());
        (answer.status().as_u16(), location.unwrap_or_default())
    }
}

/// Over one connection.
pub(crate) struct OverSocket {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

impl OverSocket {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream), address }
    }
}

impl Client for OverSocket {
    fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> (u16, String) {
        self.exchange(method, path, body).unwrap_or_default()
    }
}

impl OverSocket {
    fn exchange(&mut self, method: &str, path: &str, body: &[u8]) -> io::Result<(u16, String)> {
        let (address, length) = (self.address, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAccept: {MANIFEST}\r\nContent-Type: {MANIFEST}\r\nContent-Length: {length}\r\n\r\n"
        );
        self.stream.get_mut().write_all(&[head.as_bytes(), body].concat())?;
        let (mut status, mut length, mut location, mut line) = (0, 0, String::new(), String::new());
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                match line.strip_prefix("HTTP/1.1 ") {
                    Some(rest) => status = rest[..3].parse().unwrap(),
                    None => break,
                }
                continue;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().unwrap();
            } else if name.eq_ignore_ascii_case("location") {
                let (_, path) = value.split_once("//").unwrap_or(("", value));
                location = path[path.find('/').unwrap_or_default()..].to_owned();
            }
        }
        let mut rest = vec![0; if method == "HEAD" { 0 } else { length }];
        self.stream.read_exact(&mut rest)?;
        Ok((status, location))
    }
}
