//! A connection that ends after a number of bytes in either direction.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The limits of a connection, and the bytes that passed.
#[derive(Debug)]
pub(crate) struct Gate {
    may_read: AtomicU64,
    may_write: AtomicU64,
    read: AtomicU64,
    written: AtomicU64,
    /// Whether a frame that ends a stream of HTTP/2 was written whole.
    is_stream_ended: AtomicBool,
}

impl Gate {
    pub(crate) fn new(may_read: u64) -> Arc<Self> {
        Arc::new(Self {
            may_read: AtomicU64::new(may_read),
            may_write: AtomicU64::new(u64::MAX),
            read: AtomicU64::default(),
            written: AtomicU64::default(),
            is_stream_ended: AtomicBool::new(false),
        })
    }

    /// Allows this many more bytes to be written.
    pub(crate) fn limit_writes(&self, bytes: u64) {
        self.may_write.store(bytes, Ordering::SeqCst);
    }

    /// The number of bytes that were read.
    pub(crate) fn read(&self) -> u64 {
        self.read.load(Ordering::SeqCst)
    }

    /// The number of bytes that were written.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::SeqCst)
    }

    /// Whether a frame that ends a stream of HTTP/2 was written whole.
    pub(crate) fn is_stream_ended(&self) -> bool {
        self.is_stream_ended.load(Ordering::SeqCst)
    }

    fn passed(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Ordering::SeqCst);
        // Without a limit nothing is counted down.
        if self.may_write.load(Ordering::SeqCst) != u64::MAX {
            self.may_write.fetch_sub(bytes as u64, Ordering::SeqCst);
        }
    }
}

/// A connection with its gate.
pub(crate) struct Gated<S> {
    stream: S,
    gate: Arc<Gate>,
    frames: Frames,
}

impl<S> Gated<S> {
    pub(crate) const fn new(stream: S, gate: Arc<Gate>) -> Self {
        Self { stream, gate, frames: Frames { head: [0; 9], filled: 0, payload: 0 } }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gated<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let left = self.gate.may_read.load(Ordering::SeqCst);
        if left == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let most = into.remaining().min(usize::try_from(left).unwrap_or(usize::MAX));
        let mut part = ReadBuf::new(into.initialize_unfilled_to(most));
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut part))?;
        let len = part.filled().len();
        into.advance(len);
        self.gate.read.fetch_add(len as u64, Ordering::SeqCst);
        if left != u64::MAX {
            self.gate.may_read.fetch_sub(len as u64, Ordering::SeqCst);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gated<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let left = usize::try_from(self.gate.may_write.load(Ordering::SeqCst)).unwrap_or(usize::MAX);
        if left == 0 {
            ready!(Pin::new(&mut self.stream).poll_flush(context))?;
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let len = ready!(Pin::new(&mut self.stream).poll_write(context, &bytes[..bytes.len().min(left)]))?;
        self.gate.passed(len);
        if self.frames.pass(&bytes[..len]) {
            self.gate.is_stream_ended.store(true, Ordering::SeqCst);
        }
        Poll::Ready(Ok(len))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Reads the HTTP/2 frames in the written bytes (RFC 9113, section 4.1).
struct Frames {
    head: [u8; 9],
    filled: usize,
    payload: usize,
}

impl Frames {
    /// Whether a frame that ends a stream ended in these bytes.
    fn pass(&mut self, bytes: &[u8]) -> bool {
        const END_STREAM: u8 = 1;
        let mut is_ended = false;
        let mut bytes = bytes;
        while !bytes.is_empty() {
            if self.filled < self.head.len() {
                let len = bytes.len().min(self.head.len() - self.filled);
                self.head[self.filled..self.filled + len].copy_from_slice(&bytes[..len]);
                self.filled += len;
                bytes = &bytes[len..];
                self.payload = u32::from_be_bytes([0, self.head[0], self.head[1], self.head[2]]) as usize;
            }
            let len = bytes.len().min(self.payload);
            self.payload -= len;
            bytes = &bytes[len..];
            if self.filled == self.head.len() && self.payload == 0 {
                let (kind, flags) = (self.head[3], self.head[4]);
                is_ended |= kind < 2 && flags & END_STREAM != 0;
                self.filled = 0;
            }
        }
        is_ended
    }
}
