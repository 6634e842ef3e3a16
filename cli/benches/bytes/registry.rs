//! A registry that throws away what it is given, in a process of its own: a thread for each connection, and no more work than HTTP
//! needs, so that what is measured is the client.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The most bytes of a request's head, and what is read at once.
const BUFFER: usize = 256 << 10;

/// How the registry is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// A registry that runs.
pub(crate) struct Registry {
    child: Child,
    pub(crate) authority: String,
    pub(crate) scheme: Scheme,
    /// The file of the CA that signed its certificate.
    pub(crate) ca: PathBuf,
}

impl Registry {
    pub(crate) fn start(folder: &Path, scheme: Scheme) -> Self {
        let program = std::env::current_exe().expect("it runs");
        let serve = format!("serve={}", if scheme == Scheme::Https { folder } else { Path::new("") }.display());
        let mut child = Command::new(program).arg(serve).stdout(Stdio::piped()).spawn().expect("it runs again");
        let mut port = String::new();
        let output = child.stdout.as_mut().expect("it is piped");
        BufReader::new(output).read_line(&mut port).expect("it says its port");
        // A certificate is for a name: some clients do not compare addresses.
        Self { child, authority: format!("localhost:{}", port.trim()), scheme, ca: folder.join("ca.pem") }
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Serves until the process is ended: over TLS where there is a folder to put its certificate into.
pub(crate) fn serve(folder: &Path) {
    let tls = (!folder.as_os_str().is_empty()).then(|| certified(folder));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    println!("{}", listener.local_addr().expect("it is bound").port());
    for stream in listener.incoming() {
        let stream = stream.expect("a connection");
        let tls = tls.clone();
        thread::spawn(move || {
            stream.set_nodelay(true)?;
            match tls {
                None => Connection::new(stream).serve(),
                Some(tls) => {
                    let connection = ServerConnection::new(tls).map_err(io::Error::other)?;
                    Connection::new(StreamOwned::<ServerConnection, TcpStream>::new(connection, stream)).serve()
                }
            }
        });
    }
}

fn certified(folder: &Path) -> Arc<ServerConfig> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate can be made");
    fs::write(folder.join("ca.pem"), made.cert.pem()).expect("there is room for a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("it is a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("it has them");
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key);
    Arc::new(config.expect("they fit together"))
}

/// A connection, and what was read of it and not yet used.
struct Connection<S> {
    stream: S,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
}

/// What is needed of a request's head.
struct Head {
    method: String,
    path: String,
    len: u64,
    is_chunked: bool,
    expects: bool,
}

impl<S: Read + Write> Connection<S> {
    fn new(stream: S) -> Self {
        Self { stream, buffer: vec![0; BUFFER], from: 0, to: 0 }
    }

    fn serve(mut self) -> io::Result<()> {
        while let Some(head) = self.head()? {
            if head.expects {
                self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            if head.is_chunked {
                self.skip_chunks()?;
            } else {
                self.skip(head.len)?;
            }
            self.stream.write_all(answer(&head).as_bytes())?;
        }
        Ok(())
    }

    fn head(&mut self) -> io::Result<Option<Head>> {
        loop {
            let mut fields = [httparse::EMPTY_HEADER; 64];
            let mut request = httparse::Request::new(&mut fields);
            let parsed = request.parse(&self.buffer[self.from..self.to]).map_err(io::Error::other)?;
            if let httparse::Status::Complete(len) = parsed {
                let field = |name: &str| {
                    let field = request.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
                    field.and_then(|field| str::from_utf8(field.value).ok())
                };
                let head = Head {
                    method: request.method.unwrap_or_default().to_owned(),
                    path: request.path.unwrap_or_default().to_owned(),
                    len: field("content-length").and_then(|len| len.parse().ok()).unwrap_or(0),
                    is_chunked: field("transfer-encoding").is_some(),
                    expects: field("expect").is_some(),
                };
                self.from += len;
                return Ok(Some(head));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Reads more behind what is there; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from);
        let read = self.stream.read(&mut self.buffer[self.to..])?;
        self.to += read;
        Ok(read > 0)
    }

    fn skip(&mut self, mut len: u64) -> io::Result<()> {
        loop {
            let skipped = len.min((self.to - self.from) as u64);
            self.from += skipped as usize;
            len -= skipped;
            if len == 0 {
                return Ok(());
            }
            if !self.fill()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// The chunked transfer coding of RFC 9112, section 7.1, without trailer fields.
    fn skip_chunks(&mut self) -> io::Result<()> {
        loop {
            let line = loop {
                let unread = &self.buffer[self.from..self.to];
                if let Some(len) = unread.windows(2).position(|pair| pair == b"\r\n") {
                    break len;
                }
                if !self.fill()? {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            };
            let size = str::from_utf8(&self.buffer[self.from..self.from + line]).unwrap_or_default();
            let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
            self.from += line + 2;
            self.skip(size + 2)?;
            if size == 0 {
                return Ok(());
            }
        }
    }
}

/// Nothing is there, and everything is taken: what the distribution specification says of each, with an upload for every POST.
fn answer(head: &Head) -> String {
    let (path, query) = head.path.split_once('?').unwrap_or((&head.path, ""));
    let repository = path.split("/blobs/").next().and_then(|path| path.split("/manifests/").next()).unwrap_or_default();
    let upload = format!("location: {repository}/blobs/uploads/1\r\n");
    let digest =
        query.split('&').find_map(|pair| pair.strip_prefix("digest=")).map(|digest| digest.replace("%3A", ":"));
    let stored = digest.map(|digest| format!("docker-content-digest: {digest}\r\n")).unwrap_or_default();
    let (status, fields) = match (head.method.as_str(), path) {
        ("GET", "/v2/" | "/v2") => ("200 OK", String::new()),
        ("POST", _) => ("202 Accepted", upload),
        ("PATCH", _) => ("202 Accepted", format!("{upload}range: 0-{}\r\n", head.len.saturating_sub(1))),
        ("PUT", _) => ("201 Created", format!("location: {path}\r\n{stored}")),
        _ => ("404 Not Found", String::new()),
    };
    format!("HTTP/1.1 {status}\r\n{fields}content-length: 0\r\n\r\n")
}
