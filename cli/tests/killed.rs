//! What a registry with a folder has acknowledged is there after SIGKILL in the midst of writes, byte for byte.
//!
//! A few kills run at each change; `LONGSHORE_KILLS=200 cargo test --package longshore --test killed -- --nocapture` runs as
//! many as that and says how many acknowledgements there were.
#![cfg(unix)]

mod common;

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::{SystemTime, UNIX_EPOCH};

use common::Mock;
use longshore_core::{Algorithm, Digest};

const WRITERS: u64 = 3;
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Something that was acknowledged: where it is read, and its bytes.
struct Acknowledged {
    path: String,
    bytes: Vec<u8>,
}

/// One connection, which ends with the registry.
struct Connection {
    stream: BufReader<TcpStream>,
    authority: String,
}

impl Connection {
    fn open(authority: &str) -> io::Result<Self> {
        Ok(Self { stream: BufReader::new(TcpStream::connect(authority)?), authority: authority.to_owned() })
    }

    /// Sends a request; gives the status and the body once the answer is whole.
    fn send(&mut self, line: &str, content_type: &str, body: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        let head = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            self.authority,
            body.len()
        );
        self.stream.get_mut().write_all(&[head.as_bytes(), body].concat())?;
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().map_err(io::Error::other)?;
            } else if let Some(given) = line.to_lowercase().strip_prefix("content-length:") {
                length = given.trim().parse().map_err(io::Error::other)?;
            } else if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((status, body))
    }
}

/// Pushes blobs and tagged manifests until the registry is gone, and says so for each that is acknowledged.
fn write(
    authority: &str,
    repository: &str,
    acknowledged: &Mutex<Vec<Acknowledged>>,
    tell: &Sender<()>,
) -> io::Result<()> {
    let mut connection = Connection::open(authority)?;
    for number in 0_u64.. {
        let blob: Vec<u8> = format!("{repository} {number} ").into_bytes().repeat(1 + (number as usize * 977) % 1500);
        let digest = Digest::of(Algorithm::Sha256, &blob);
        let note = |path: String, bytes: &[u8]| {
            acknowledged.lock().unwrap().push(Acknowledged { path, bytes: bytes.to_vec() });
            // Whoever listens has gone once it has heard enough.
            tell.send(()).ok();
        };
        let post = format!("POST /v2/{repository}/blobs/uploads/?digest={digest}");
        assert_eq!(connection.send(&post, "application/octet-stream", &blob)?.0, 201);
        note(format!("/v2/{repository}/blobs/{digest}"), &blob);
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"application/x","digest":"{digest}","size":{}}},"layers":[]}}"#,
            blob.len()
        );
        assert_eq!(
            connection.send(&format!("PUT /v2/{repository}/manifests/v{number}"), MANIFEST, manifest.as_bytes())?.0,
            201
        );
        note(format!("/v2/{repository}/manifests/v{number}"), manifest.as_bytes());
    }
    Ok(())
}

/// Kills a registry after so many acknowledgements; gives all of them.
fn kill_after(many: u64, arguments: &[&str], round: u64) -> Vec<Acknowledged> {
    let mock = Mock::start(arguments);
    let acknowledged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let (tell, told) = channel();
        for writer in 0..WRITERS {
            let (tell, authority, acknowledged) = (tell.clone(), mock.authority.clone(), &acknowledged);
            scope.spawn(move || {
                let ended = write(&authority, &format!("round-{round}/writer-{writer}"), acknowledged, &tell);
                assert!(ended.is_err(), "the registry was not killed");
            });
        }
        drop(tell);
        told.iter().take(many as usize).for_each(drop);
        mock.stop("KILL");
    });
    acknowledged.into_inner().unwrap()
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let kills: u64 = std::env::var("LONGSHORE_KILLS").map_or(4, |given| given.parse().unwrap());
    let seed = match std::env::var_os("LONGSHORE_KILLS") {
        None => 7,
        Some(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into(),
    };
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--data-dir", folder.path().to_str().unwrap(), "--max-repositories", "100000"];
    let mut count = 0;
    let mut all = Vec::new();
    for round in 0..kills {
        let many = 1 + (seed + round * 7919) % 97;
        all.extend(kill_after(many, &arguments, round));
        // The newest ones each time; everything at the end.
        let from = if round + 1 == kills { 0 } else { count };
        let mock = Mock::start(&arguments);
        let mut connection = Connection::open(&mock.authority).unwrap();
        for Acknowledged { path, bytes } in &all[from..] {
            let (status, body) = connection.send(&format!("GET {path}"), "", b"").unwrap();
            assert_eq!(status, 200, "kill {round}, seed {seed}: {path} is lost");
            assert!(body == *bytes, "kill {round}, seed {seed}: {path} has other bytes");
        }
        count = all.len();
    }
    println!("{kills} kills, {count} acknowledged, none lost");
    assert!(count as u64 >= kills);
}
