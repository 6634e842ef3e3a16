//! A registry that answers by a script.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Listens on a port of its own for as long as the test runs.
pub(crate) struct Script {
    pub(crate) address: SocketAddr,
}

impl Script {
    /// Answers each request with what `answer` makes of its head and body; a connection has one request.
    pub(crate) fn answering(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, mut stream) = (Arc::clone(&answer), stream.unwrap());
                thread::spawn(move || {
                    let request = read_request(&mut stream);
                    // A connection that was given up before anything was asked.
                    if !request.contains("\r\n\r\n") {
                        return;
                    }
                    // The client may have gone away already.
                    drop(stream.write_all(&answer(&request)));
                    drop(stream.shutdown(Shutdown::Write));
                });
            }
        });
        Self { address }
    }

    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }
}

/// Head and body, as far as its length is said.
fn read_request(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = Vec::new();
    drop(stream.take(length.unwrap_or(0)).read_to_end(&mut body));
    head + &String::from_utf8_lossy(&body)
}

/// An answer with these headers, each with its line break, and this body.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let len = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {len}\r\nConnection: close\r\n\r\n{body}").into_bytes()
}
