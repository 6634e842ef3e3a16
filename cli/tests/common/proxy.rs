//! A proxy for one server: every name that it is asked for is that server's.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// `user:CANARY-PROXY`, as a header has it.
pub(crate) const BASIC: &str = "Basic dXNlcjpDQU5BUlktUFJPWFk=";

/// A proxy that wants credentials, and listens for as long as the test runs.
pub(crate) struct Proxy {
    address: SocketAddr,
    /// The first line of the first request of each connection that was let through.
    pub(crate) passed: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Passes on what shows [`BASIC`] to this server.
    pub(crate) fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let passed: Arc<Mutex<Vec<String>>> = Arc::default();
        let (seen, server) = (Arc::clone(&passed), server.to_owned());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, server) = (Arc::clone(&seen), server.clone());
                thread::spawn(move || pass(stream.unwrap(), &server, &seen));
            }
        });
        Self { address, passed }
    }

    /// Its URL, with this password in it.
    pub(crate) fn url(&self, password: &str) -> String {
        format!("http://user:{password}@{}", self.address)
    }

    pub(crate) fn passed(&self) -> Vec<String> {
        self.passed.lock().unwrap().clone()
    }
}

/// A connection is judged by its first request; after that, bytes go both ways as they are.
fn pass(mut client: TcpStream, server: &str, seen: &Mutex<Vec<String>>) -> Option<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let text = String::from_utf8(head).unwrap();
    let (line, _) = text.split_once("\r\n")?;
    let shown = text.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization").then_some(value)
    });
    if shown != Some(BASIC) {
        let answer = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"p\"\r\n";
        return client.write_all(format!("{answer}Content-Length: 0\r\nConnection: close\r\n\r\n").as_bytes()).ok();
    }
    seen.lock().unwrap().push(line.to_owned());
    let mut behind = TcpStream::connect(server).ok()?;
    if line.starts_with("CONNECT ") {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    } else {
        behind.write_all(text.as_bytes()).ok()?;
    }
    let (mut from, mut to) = (behind.try_clone().ok()?, client.try_clone().ok()?);
    let back = thread::spawn(move || {
        let copied = std::io::copy(&mut from, &mut to);
        drop(to.shutdown(Shutdown::Write));
        copied
    });
    std::io::copy(&mut client, &mut behind).ok()?;
    behind.shutdown(Shutdown::Write).ok()?;
    back.join().ok().map(drop)
}
