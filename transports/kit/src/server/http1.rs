//! HTTP/1.1 without a library, because the server must be able to send wrong answers.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Algorithm, Digester};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::gate::{Gate, Gated};
use super::plan::{Answer, AnswerBody, Framing, Plan, Reply, SeenBody, SeenRequest, Then, is_slow};
use super::{HASHED, PATIENCE, Shared};
use crate::work::{PERIOD, made};

/// Serves one connection to its end.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: Gated<S>,
    gate: &Gate,
    shared: &Arc<Shared>,
) -> io::Result<()> {
    let mut wire = Wire { stream, buffer: Vec::new() };
    while let Some(head) = wire.head().await? {
        let (seen, mut left) = parse(&head)?;
        let (index, plan) = shared.see(seen);
        let read = wire.body(&mut left, plan.take, plan.slowly, |body| shared.saw(index, body)).await;
        if read.is_err() {
            shared.is_over(index);
        }
        read?;
        let replied = wire.reply(plan, gate, index, shared, &mut left).await;
        shared.is_over(index);
        if replied? {
            return Ok(());
        }
    }
    Ok(())
}

/// The number of bytes that are read at once.
const PIECE: usize = 1 << 16;

/// The part of a request's body that was not read yet.
enum Left {
    Bytes(u64),
    /// The bytes of the current chunk that are left; the end was not seen.
    Chunks(u64),
    Ended,
}

struct Wire<S> {
    stream: Gated<S>,
    /// What was read and not used.
    buffer: Vec<u8>,
}

fn bad(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn parse(head: &str) -> io::Result<(SeenRequest, Left)> {
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1"), None) = (first.next(), first.next(), first.next(), first.next())
    else {
        return Err(bad("no request of HTTP/1.1"));
    };
    let fields: Option<Vec<_>> = lines
        .filter(|line| !line.is_empty())
        .map(|line| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().as_bytes().to_vec())))
        .collect();
    let seen = SeenRequest {
        number: 0,
        is_http2: false,
        method: method.to_owned(),
        target: target.to_owned(),
        fields: fields.ok_or_else(|| bad("no header field"))?,
        body: SeenBody::default(),
        is_answered: false,
        is_over: false,
    };
    let left = match (seen.field("transfer-encoding"), seen.field("content-length")) {
        (Some(coding), None) if coding == "chunked" => Left::Chunks(0),
        (None, Some(len)) => Left::Bytes(len.parse().map_err(|_| bad("no length"))?),
        (None, None) => Left::Ended,
        _ => return Err(bad("two framings of one body")),
    };
    Ok((seen, left))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    async fn fill(&mut self) -> io::Result<usize> {
        let mut piece = vec![0; PIECE];
        let len = self.stream.read(&mut piece).await?;
        self.buffer.extend_from_slice(&piece[..len]);
        Ok(len)
    }

    /// The head of a request without its final empty line; `None` if the client has closed the connection.
    async fn head(&mut self) -> io::Result<Option<String>> {
        loop {
            // The first byte of a TLS handshake. A plain HTTP server would answer it in HTTP.
            if self.buffer.first() == Some(&0x16) {
                self.stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n").await?;
                return Ok(None);
            }
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
                return String::from_utf8(head).map(Some).map_err(|_| bad("the head is no text"));
            }
            if self.fill().await? == 0 {
                return Ok(None);
            }
        }
    }

    /// The next bytes of a body, at most `most`; empty at the end.
    async fn piece(&mut self, left: &mut Left, most: u64) -> io::Result<Vec<u8>> {
        loop {
            match left {
                Left::Ended | Left::Bytes(0) => {
                    *left = Left::Ended;
                    return Ok(Vec::new());
                }
                Left::Chunks(0) => {
                    let Some(end) = self.buffer.windows(2).position(|window| window == b"\r\n") else {
                        self.more().await?;
                        continue;
                    };
                    let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
                    let line = String::from_utf8_lossy(&line[..end]).into_owned();
                    let len = u64::from_str_radix(&line, 16).map_err(|_| bad("no length of a chunk"))?;
                    if len == 0 {
                        self.line_end().await?;
                        *left = Left::Ended;
                    } else {
                        *left = Left::Chunks(len);
                    }
                }
                // Most of a large body is read without a copy into the buffer.
                Left::Bytes(len) if self.buffer.is_empty() && *len > PIECE as u64 => {
                    let most = usize::try_from(most.min(*len)).unwrap_or(PIECE).min(PIECE);
                    let mut piece = vec![0; most];
                    let read = self.stream.read(&mut piece).await?;
                    if read == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    piece.truncate(read);
                    *len -= read as u64;
                    return Ok(piece);
                }
                Left::Bytes(len) | Left::Chunks(len) => {
                    if self.buffer.is_empty() {
                        self.more().await?;
                    }
                    let taken = most.min(*len).min(self.buffer.len() as u64);
                    *len -= taken;
                    let is_chunk_over = *len == 0 && matches!(left, Left::Chunks(_));
                    let piece = self.buffer.drain(..taken as usize).collect();
                    if is_chunk_over {
                        self.line_end().await?;
                    }
                    return Ok(piece);
                }
            }
        }
    }

    async fn more(&mut self) -> io::Result<()> {
        if self.fill().await? == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    async fn line_end(&mut self) -> io::Result<()> {
        while self.buffer.len() < 2 {
            self.more().await?;
        }
        let line: Vec<u8> = self.buffer.drain(..2).collect();
        if line == b"\r\n" { Ok(()) } else { Err(bad("a chunk has another length than it says")) }
    }

    /// Reads at most `most` bytes of a body, and calls `saw` for each piece.
    async fn body(
        &mut self,
        left: &mut Left,
        most: u64,
        slowly: Option<Duration>,
        mut saw: impl FnMut(SeenBody),
    ) -> io::Result<()> {
        let (mut digester, mut len) = (Digester::new(Algorithm::Sha256), 0);
        while len < most {
            let piece = self.piece(left, most - len).await?;
            len += piece.len() as u64;
            if len <= HASHED {
                digester.update(&piece);
            }
            let is_whole = matches!(left, Left::Ended | Left::Bytes(0));
            let digest = (len <= HASHED && is_whole).then(|| digester.clone().finish());
            saw(SeenBody { len, digest, is_whole });
            if is_whole {
                break;
            }
            if let Some(pause) = slowly.filter(|_| is_slow(len, piece.len())) {
                sleep(pause).await;
            }
        }
        Ok(())
    }

    /// Sends an answer. Returns whether the connection ends after it.
    async fn reply(
        &mut self,
        plan: Plan,
        gate: &Gate,
        index: usize,
        shared: &Arc<Shared>,
        left: &mut Left,
    ) -> io::Result<bool> {
        if let Some(barrier) = &plan.barrier {
            barrier.wait().await;
        }
        let answer = match plan.reply {
            Reply::Answer(answer) => answer,
            Reply::Close => return Ok(true),
            Reply::Silence => {
                // Until the client closes the connection.
                drop(timeout(PATIENCE, async { while self.fill().await.is_ok_and(|len| len > 0) {} }).await);
                return Ok(true);
            }
        };
        if let Some(cut) = answer.cut {
            gate.limit_writes(cut);
        }
        let is_head = shared.is_head(index);
        self.answer(&answer, is_head, shared.body_of(index)).await?;
        self.stream.flush().await?;
        shared.answered(index);
        match answer.then {
            Then::Next => {
                let is_over = answer.framing == Framing::UntilClose || !matches!(left, Left::Ended | Left::Bytes(0));
                if is_over {
                    self.stream.shutdown().await?;
                }
                Ok(is_over)
            }
            Then::Close => Ok(true),
            Then::ReadOn => {
                let before = shared.body_of(index);
                let rest = self.body(left, u64::MAX, None, |mut body| {
                    body.len += before;
                    body.digest = None;
                    shared.saw(index, body);
                });
                drop(timeout(PATIENCE, rest).await);
                Ok(true)
            }
        }
    }

    async fn answer(&mut self, answer: &Answer, is_head: bool, received: u64) -> io::Result<()> {
        for status in &answer.interim {
            self.stream.write_all(format!("HTTP/1.1 {status} Interim\r\nx-interim: 1\r\n\r\n").as_bytes()).await?;
        }
        let mut head = format!("HTTP/1.1 {} Status\r\n", answer.status);
        for (name, value) in answer.all_fields(received) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let bodiless = matches!(answer.status, 204 | 304);
        match (&answer.body, answer.framing) {
            _ if bodiless => {}
            (AnswerBody::Bytes(bytes), Framing::Length) => {
                head.push_str(&format!("content-length: {}\r\n", bytes.len()));
            }
            (AnswerBody::Made(len), Framing::Length) => head.push_str(&format!("content-length: {len}\r\n")),
            (_, Framing::Chunked) => head.push_str("transfer-encoding: chunked\r\n"),
            (_, Framing::UntilClose) | (AnswerBody::Endless, _) => head.push_str("connection: close\r\n"),
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        match &answer.body {
            _ if is_head || bodiless => {}
            AnswerBody::Bytes(body) => {
                if answer.framing == Framing::Chunked {
                    for chunk in body.chunks(7) {
                        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                        bytes.extend_from_slice(chunk);
                        bytes.extend_from_slice(b"\r\n");
                    }
                    bytes.extend_from_slice(b"0\r\n\r\n");
                } else {
                    bytes.extend_from_slice(body);
                }
            }
            AnswerBody::Made(len) => return self.stream_made(&bytes, *len).await,
            AnswerBody::Endless => return self.stream_made(&bytes, u64::MAX).await,
        }
        let body = match &answer.body {
            AnswerBody::Bytes(body) if !is_head => body.len(),
            _ => 0,
        };
        let head = bytes.len().saturating_sub(body);
        if let Some(stall) = answer.stall {
            self.stream.write_all(&bytes[..head + stall]).await?;
            self.stream.flush().await?;
            sleep(PATIENCE).await;
            return Err(bad("the rest is not sent"));
        }
        if let Some(pause) = answer.late {
            sleep(pause).await;
            self.stream.write_all(&bytes[..head]).await?;
            self.stream.flush().await?;
            sleep(pause).await;
            self.stream.write_all(&bytes[head..]).await?;
            return Ok(());
        }
        let at_once = match answer.pace {
            None => bytes.len(),
            Some(pace) if pace.head => 0,
            Some(_) => head,
        };
        self.stream.write_all(&bytes[..at_once]).await?;
        for byte in &bytes[at_once..] {
            self.stream.flush().await?;
            sleep(answer.pace.map_or(Duration::ZERO, |pace| pace.each)).await;
            self.stream.write_all(&[*byte]).await?;
        }
        Ok(())
    }

    async fn stream_made(&mut self, head: &[u8], len: u64) -> io::Result<()> {
        self.stream.write_all(head).await?;
        let pattern = made(PERIOD);
        let mut left = len;
        while left > 0 {
            let len = left.min(pattern.len() as u64);
            self.stream.write_all(&pattern[..len as usize]).await?;
            left -= len;
        }
        Ok(())
    }
}
