//! A whole driver over `std::net`: plain HTTP/1.1, one request at a time, a connection for each.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::{thread, time};

use longshore_core::driver::{Body, Input, Keep, Limits, NoAnswer, OperationId, Output, RequestId};
use longshore_core::http::{Method, Request, Response, Uri};
use longshore_core::{Client, Failure, Instant, Operation, Receipt};
use longshore_sources::{IncomingAnswer, Sink, SourceError, Sources};
use longshore_transport_kit::CredentialLookup;

/// What the driver needs beside the client.
pub(crate) struct SerialDriver {
    /// The bytes of the blobs that are sent.
    pub(crate) sources: Sources<u32>,
    /// Where the bytes of pulled blobs go.
    pub(crate) sinks: BTreeMap<u32, Sink>,
    pub(crate) credentials: CredentialLookup,
}

impl SerialDriver {
    /// Runs the operations, and gives what came of them in their order.
    pub(crate) fn run(
        &self,
        mut client: Client<u32>,
        all: Vec<Operation<u32>>,
    ) -> Vec<Result<Receipt<u32>, Box<Failure>>> {
        let start = time::Instant::now();
        let operations: Vec<OperationId> = all.into_iter().map(|operation| client.start(operation)).collect();
        let mut results = BTreeMap::new();
        loop {
            let now = Instant::ZERO + start.elapsed();
            let output = client.poll(now);
            match output {
                Output::Send { id, request, keep, limits } => {
                    let told = self.exchange(&mut client, id, request, keep, limits);
                    client.handle(told.unwrap_or_else(|why| Input::Failed { id, why }));
                }
                Output::Read { operation, blob, from, up_to } => {
                    client.handle(self.sources.answer_read(operation, blob, from, up_to));
                }
                Output::Ask { id, registry, repository, stale } => {
                    let answer = self.credentials.look_up(&registry, repository.as_ref(), stale);
                    client.handle(Input::Credentials { id, answer });
                }
                Output::Done { operation, result } => drop(results.insert(operation, result)),
                Output::Wait(Some(deadline)) => thread::sleep(deadline.at.since(now)),
                // Nothing is in flight between two requests of this driver: the client is idle.
                Output::Wait(None) => break operations.iter().filter_map(|id| results.remove(id)).collect(),
                Output::Abort { .. } | Output::Event(_) => {}
            }
        }
    }

    /// Makes one request, and gives what the core is to be told of it.
    pub(crate) fn exchange(
        &self,
        client: &mut Client<u32>,
        id: RequestId,
        request: Request<Body<u32>>,
        keep: Keep<u32>,
        limits: Limits,
    ) -> Result<Input<u32>, NoAnswer> {
        let is_head = request.method() == Method::HEAD;
        let stream = connect(request.uri(), &limits)?;
        let sent = self.send(&stream, client, request);
        if let Err(error) = &sent
            && error.get_ref().and_then(|inner| inner.downcast_ref::<SourceError>()).is_some()
        {
            return Err(NoAnswer::Source(error.to_string()));
        }
        let mut stream = BufReader::new(stream);
        // A registry may answer and close before it has read all: its answer says more than our error.
        let head = read_head(&mut stream, &limits).map_err(|error| lost(sent.as_ref().err().unwrap_or(&error)))?;
        let field = |name| head.headers().get(name).and_then(|value| value.to_str().ok());
        let (len, is_chunked) = (field("content-length").map(str::parse), field("transfer-encoding").is_some());
        let has_no_body = is_head || matches!(head.status().as_u16(), 204 | 304);
        let answer = IncomingAnswer::new(id, head, keep, limits, |key| self.sinks.get(key).cloned())?;
        match len {
            _ if has_no_body => answer.read(io::empty(), None),
            _ if is_chunked => answer.read(Chunks { stream, left: 0 }, None),
            Some(Err(_)) => Err(NoAnswer::Lost("the length of the answer is not a number".to_owned())),
            Some(Ok(len)) => answer.read(stream, Some(len)),
            None => answer.read(stream, None),
        }
    }

    fn send(&self, stream: &TcpStream, client: &mut Client<u32>, request: Request<Body<u32>>) -> io::Result<()> {
        let (head, body) = request.into_parts();
        let mut reader = self.sources.body(&body)?;
        let mut stream = BufWriter::new(stream);
        let (authority, target) = (head.uri.authority(), head.uri.path_and_query());
        let (host, target) = (authority.map_or("", |it| it.as_str()), target.map_or("/", |it| it.as_str()));
        write!(stream, "{} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n", head.method)?;
        for (name, value) in &head.headers {
            stream.write_all(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat())?;
        }
        let is_chunked = body.len().is_none();
        stream.write_all(if is_chunked { b"transfer-encoding: chunked\r\n\r\n" } else { b"\r\n" })?;
        while let Some(piece) = reader.next_piece()? {
            if is_chunked {
                write!(stream, "{:x}\r\n", piece.len())?;
            }
            stream.write_all(&piece)?;
            if is_chunked {
                stream.write_all(b"\r\n")?;
            }
        }
        if is_chunked {
            // The core hears of the end before the answer to it.
            self.sources.rest_ended(&body).into_iter().for_each(|ended| client.handle(ended));
            stream.write_all(b"0\r\n\r\n")?;
        }
        stream.flush()
    }
}

fn lost(error: &io::Error) -> NoAnswer {
    NoAnswer::Lost(error.to_string())
}

fn connect(uri: &Uri, limits: &Limits) -> Result<TcpStream, NoAnswer> {
    if uri.scheme_str() != Some("http") {
        return Err(NoAnswer::Unsendable("this driver speaks no TLS".to_owned()));
    }
    let unsent = |error: io::Error| NoAnswer::NotSent(error.to_string());
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let address = (host, uri.port_u16().unwrap_or(80)).to_socket_addrs().map_err(unsent)?.next();
    let address = address.ok_or_else(|| NoAnswer::NotSent(format!("no address is known for {host}")))?;
    let stream = TcpStream::connect_timeout(&address, limits.connect).map_err(unsent)?;
    let silence = Some(limits.silence);
    stream.set_read_timeout(silence).and_then(|()| stream.set_write_timeout(silence)).map_err(unsent)?;
    Ok(stream)
}

/// Reads the head of the final answer: those before it are interim ones.
fn read_head(stream: &mut BufReader<TcpStream>, limits: &Limits) -> io::Result<Response<()>> {
    loop {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let left = (limits.head_bytes + 1024).saturating_sub(bytes.len()) as u64;
            if stream.by_ref().take(left).read_until(b'\n', &mut bytes)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        let mut fields = vec![httparse::EMPTY_HEADER; limits.head_fields];
        let mut head = httparse::Response::new(&mut fields);
        head.parse(&bytes).map_err(io::Error::other)?;
        let mut response = Response::builder().status(head.code.unwrap_or_default());
        for field in head.headers.iter() {
            response = response.header(field.name, field.value);
        }
        let response = response.body(()).map_err(io::Error::other)?;
        if !response.status().is_informational() {
            return Ok(response);
        }
    }
}

/// A body in chunks (RFC 9112, section 7.1), read as its bytes alone.
struct Chunks {
    stream: BufReader<TcpStream>,
    /// Of the current chunk.
    left: u64,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let mut line = String::new();
            self.stream.by_ref().take(100).read_line(&mut line)?;
            let size = line.strip_suffix("\r\n").ok_or(ErrorKind::UnexpectedEof)?;
            self.left = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
            if self.left == 0 {
                return Ok(0);
            }
        }
        let len = self.stream.by_ref().take(self.left).read(buffer)?;
        self.left -= len as u64;
        match len {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ if self.left == 0 => self.stream.read_exact(&mut [0; 2]).map(|()| len),
            _ => Ok(len),
        }
    }
}
