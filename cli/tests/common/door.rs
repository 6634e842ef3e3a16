//! A door in front of a registry: who shows the right `Authorization` is let through.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::Mock;

/// Listens on a port of its own for as long as the test runs.
pub(crate) struct Door {
    pub(crate) authority: String,
}

impl Door {
    /// Lets through to the registry who shows this; challenges everybody else.
    pub(crate) fn before(registry: &Mock, challenge: &'static str, expected: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (authority, registry) = (listener.local_addr().unwrap().to_string(), registry.authority.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let registry = registry.clone();
                thread::spawn(move || pass(stream.unwrap(), &registry, challenge, expected));
            }
        });
        Self { authority }
    }
}

/// A connection is judged by its first request: these clients show the same each time.
fn pass(mut client: TcpStream, registry: &str, challenge: &str, expected: &str) -> Option<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let mut piece = [0; 4096];
        let len = client.read(&mut piece).ok().filter(|len| *len > 0)?;
        head.extend_from_slice(&piece[..len]);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    if !text.contains(&format!("\r\nauthorization: {expected}\r\n")) {
        let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}"#;
        let len = body.len();
        let answer = format!(
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n{body}"
        );
        return client.write_all(answer.as_bytes()).ok();
    }
    let mut behind = TcpStream::connect(registry).ok()?;
    behind.write_all(&head).ok()?;
    let (mut from, mut to) = (behind.try_clone().ok()?, client.try_clone().ok()?);
    let back = thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut client, &mut behind).ok()?;
    behind.shutdown(std::net::Shutdown::Write).ok()?;
    back.join().ok().map(drop)
}
