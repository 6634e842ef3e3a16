//! A whole driver over `std::net`: plain HTTP/1.1, one request at a time, a connection for each.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::{thread, time};

use longshore_core::driver::{Body, Collector, Input, Keep, Limits, NoAnswer, OperationId, Output, RequestId};
use longshore_core::http::{Request, Response};
use longshore_core::{Client, Failure, Instant, Operation, Receipt};
use longshore_sources::{Sink, Sources};
use longshore_transport_kit::CredentialLookup;

/// What the driver needs beside the client: the bytes of blobs, and where pulled ones go.
pub(crate) struct SerialDriver {
    /// The bytes of the blobs that are sent.
    pub(crate) sources: Sources<u32>,
    /// Where the bytes of pulled blobs go.
    pub(crate) sinks: BTreeMap<u32, Sink>,
    /// Where credentials are looked up.
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
        let (mut results, mut reading) = (BTreeMap::new(), BTreeMap::new());
        loop {
            let now = Instant::ZERO + start.elapsed();
            match client.poll(now) {
                Output::Send { id, request, keep, limits } => {
                    let mut exchange = Exchange { driver: self, client: &mut client, reading: &reading };
                    let input = exchange.run(id, request, keep, limits).unwrap_or_else(|why| Input::Failed { id, why });
                    client.handle(input);
                }
                Output::Read { operation, blob, from, up_to } => {
                    reading.insert(blob, operation);
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
}

/// One request and its answer.
pub(crate) struct Exchange<'a> {
    pub(crate) driver: &'a SerialDriver,
    pub(crate) client: &'a mut Client<u32>,
    /// The operation that each one-shot blob is read for.
    pub(crate) reading: &'a BTreeMap<u32, OperationId>,
}

impl Exchange<'_> {
    pub(crate) fn run(
        &mut self,
        id: RequestId,
        request: Request<Body<u32>>,
        keep: Keep<u32>,
        limits: Limits,
    ) -> Result<Input<u32>, NoAnswer> {
        let is_head = request.method() == "HEAD";
        let mut stream = connect(&request, &limits)?;
        // A registry may answer and close before it has read all: its answer says more than our error.
        let sent = self.send(&mut stream, request);
        if let Err(NoAnswer::Source(_)) = sent {
            return Err(sent.expect_err("it is an error"));
        }
        let mut stream = BufReader::new(stream);
        let head = loop {
            match read_head(&mut stream, &limits) {
                Ok(head) if head.status().is_informational() => {}
                Ok(head) => break head,
                Err(error) => return Err(sent.err().unwrap_or_else(|| lost(&error))),
            }
        };
        let mut framing = Framing::of(&head, is_head);
        let mut collector = Collector::new(keep, limits);
        let failed = |error: io::Error| NoAnswer::Sink(error.to_string());
        let mut sink = match collector.head(head)? {
            Some(key) => {
                let sink =
                    self.driver.sinks.get(&key).ok_or_else(|| NoAnswer::Sink(format!("blob {key} has no sink")))?;
                Some(sink.open().map_err(failed)?)
            }
            None => None,
        };
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let piece = match framing.read(&mut stream, &mut buffer) {
                Ok(0) => return Ok(collector.answered(id, true)),
                Ok(len) => &buffer[..len],
                Err(_) => return Ok(collector.answered(id, false)),
            };
            if !collector.take(piece) {
                return Ok(collector.answered(id, false));
            }
            sink.as_mut().map_or(Ok(()), |sink| sink.write_all(piece)).map_err(failed)?;
        }
    }

    fn send(&mut self, stream: &mut TcpStream, request: Request<Body<u32>>) -> Result<(), NoAnswer> {
        let (head, body) = request.into_parts();
        let failed = |error: longshore_sources::SourceError| NoAnswer::Source(error.to_string());
        let mut reader = self.driver.sources.body(&body).map_err(failed)?;
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let mut text =
            format!("{} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", head.method, authority(&head.uri));
        let is_chunked = body.len().is_none();
        if is_chunked {
            text.push_str("transfer-encoding: chunked\r\n");
        }
        let mut bytes = text.into_bytes();
        for (name, value) in &head.headers {
            bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        stream.write_all(&[&bytes[..], b"\r\n"].concat()).map_err(|error| lost(&error))?;
        while let Some(piece) = reader.next_piece().map_err(failed)? {
            let size = if is_chunked { format!("{:x}\r\n", piece.len()) } else { String::new() };
            let end = if is_chunked { "\r\n" } else { "" };
            stream.write_all(&[size.as_bytes(), &piece, end.as_bytes()].concat()).map_err(|error| lost(&error))?;
        }
        if let (Body::Rest { key, .. }, Some(ended)) = (body, reader.ended()) {
            // The core hears of the end before the answer to it.
            let operation = self.reading[&key];
            self.client.handle(Input::Ended { operation, blob: key, len: ended.len, digest: ended.digest });
            stream.write_all(b"0\r\n\r\n").map_err(|error| lost(&error))?;
        }
        Ok(())
    }
}

fn lost(error: &io::Error) -> NoAnswer {
    NoAnswer::Lost(error.to_string())
}

fn authority(uri: &longshore_core::http::Uri) -> &str {
    uri.authority().map_or("", |authority| authority.as_str())
}

fn connect(request: &Request<Body<u32>>, limits: &Limits) -> Result<TcpStream, NoAnswer> {
    let uri = request.uri();
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

fn read_head(stream: &mut BufReader<TcpStream>, limits: &Limits) -> io::Result<Response<()>> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let left = (limits.head_bytes + 1024).saturating_sub(bytes.len()) as u64;
        if stream.by_ref().take(left).read_until(b'\n', &mut bytes)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let mut fields = vec![httparse::EMPTY_HEADER; limits.head_fields];
    let mut head = httparse::Response::new(&mut fields);
    head.parse(&bytes).map_err(io::Error::other)?;
    let mut response = Response::builder().status(head.code.unwrap_or_default());
    for field in head.headers.iter() {
        response = response.header(field.name, field.value);
    }
    response.body(()).map_err(io::Error::other)
}

/// How the end of an answer's body is told (RFC 9112, section 6.3).
enum Framing {
    Length(u64),
    /// The bytes of the current chunk that are left.
    Chunk(u64),
    Close,
}

impl Framing {
    fn of(head: &Response<()>, is_head: bool) -> Self {
        let field = |name| head.headers().get(name).and_then(|value| value.to_str().ok());
        match field("content-length").and_then(|len| len.parse().ok()) {
            _ if is_head || matches!(head.status().as_u16(), 204 | 304) => Self::Length(0),
            _ if field("transfer-encoding").is_some() => Self::Chunk(0),
            Some(len) => Self::Length(len),
            None => Self::Close,
        }
    }

    /// The next bytes; none at the end.
    fn read(&mut self, stream: &mut BufReader<TcpStream>, buffer: &mut [u8]) -> io::Result<usize> {
        let left = match self {
            Self::Close => return stream.read(buffer),
            Self::Length(0) => return Ok(0),
            Self::Length(left) => left,
            Self::Chunk(left) => {
                if *left == 0 {
                    let mut line = String::new();
                    stream.by_ref().take(100).read_line(&mut line)?;
                    let size = line.strip_suffix("\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
                    *left = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
                }
                if *left == 0 {
                    return Ok(0);
                }
                left
            }
        };
        let len = stream.take((*left).min(buffer.len() as u64)).read(buffer)?;
        *left -= len as u64;
        if len == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Self::Chunk(0) = self {
            stream.read_exact(&mut [0; 2])?;
        }
        Ok(len)
    }
}
