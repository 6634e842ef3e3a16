//! A SOCKS5 proxy (RFC 1928, RFC 1929) for one server: every name that it is asked for is that server's.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A proxy that wants the user `user` with the password `CANARY-PROXY`, and listens for as long as the test runs.
pub(crate) struct Socks {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Socks {
    pub(crate) fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (seen, server) = (Arc::clone(&asked), server.to_owned());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, server) = (Arc::clone(&seen), server.clone());
                thread::spawn(move || pass(stream.unwrap(), &server, &seen));
            }
        });
        Self { address, asked }
    }

    pub(crate) fn url(&self, password: &str) -> String {
        format!("socks5://user:{password}@{}", self.address)
    }

    /// The names and ports that it was asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn pass(mut client: TcpStream, server: &str, asked: &Mutex<Vec<String>>) -> Option<()> {
    let [5, methods] = read(&mut client, 2)?[..] else { return None };
    if !read(&mut client, methods.into())?.contains(&2) {
        return client.write_all(&[5, 255]).ok();
    }
    client.write_all(&[5, 2]).ok()?;
    let [1, len] = read(&mut client, 2)?[..] else { return None };
    let user = read(&mut client, len.into())?;
    let len = read(&mut client, 1)?[0];
    let is_known = read(&mut client, len.into())? == b"CANARY-PROXY" && user == b"user";
    client.write_all(&[1, u8::from(!is_known)]).ok()?;
    if !is_known {
        return None;
    }
    // Connect, to a name: where an address came, somebody else resolved it.
    let [5, 1, 0, 3, len] = read(&mut client, 5)?[..] else { return None };
    let name = String::from_utf8(read(&mut client, len.into())?).unwrap();
    let port = read(&mut client, 2)?;
    asked.lock().unwrap().push(format!("{name}:{}", u16::from_be_bytes([port[0], port[1]])));
    let mut behind = TcpStream::connect(server).ok()?;
    client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).ok()?;
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

fn read(stream: &mut TcpStream, len: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}
