//! A whole driver over `std::net`: plain HTTP/1.1, one request at a time, a connection for each. `SerialDriver` of
//! `longshore-sources` is the loop around it.

use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};

use longshore_core::driver::{Limits, NoAnswer};
use longshore_core::http::{Request, Response, Uri, header, request};
use longshore_sources::source::BodyReader;

/// Sends one request, and returns the head of its answer with a reader of the body.
pub(crate) fn send(request: Request<BodyReader>, limits: Limits) -> Result<Response<Box<dyn Read>>, NoAnswer> {
    let (head, mut body) = request.into_parts();
    let stream = connect(&head.uri, &limits)?;
    let sent = write(&stream, &head, &mut body);
    if let Some(error) = body.failure() {
        return Err(error.clone().into());
    }
    let mut stream = BufReader::new(stream);
    // A registry may answer and close before it has read all: its answer says more than our error.
    let head =
        read_head(&mut stream, &limits).map_err(|error| NoAnswer::Lost(sent.err().unwrap_or(error).to_string()))?;
    let body: Box<dyn Read> = match head.headers().contains_key(header::TRANSFER_ENCODING) {
        true => Box::new(Chunks { stream, left: 0 }),
        false => Box::new(stream),
    };
    Ok(head.map(|()| body))
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

fn write(stream: &TcpStream, head: &request::Parts, body: &mut BodyReader) -> io::Result<()> {
    let mut stream = BufWriter::new(stream);
    let (authority, target) = (head.uri.authority(), head.uri.path_and_query());
    let (host, target) = (authority.map_or("", |it| it.as_str()), target.map_or("/", |it| it.as_str()));
    write!(stream, "{} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n", head.method)?;
    for (name, value) in &head.headers {
        stream.write_all(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat())?;
    }
    let is_chunked = body.remaining() != Some(0) && !head.headers.contains_key(header::CONTENT_LENGTH);
    stream.write_all(if is_chunked { b"transfer-encoding: chunked\r\n\r\n" } else { b"\r\n" })?;
    while let Some(piece) = body.next_piece()? {
        match is_chunked {
            true => stream.write_all(&[format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat())?,
            false => stream.write_all(&piece)?,
        }
    }
    stream.write_all(if is_chunked { b"0\r\n\r\n" } else { b"" })?;
    stream.flush()
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
