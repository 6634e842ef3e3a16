//! The limits of a connection (how long it may be idle, how long a head may take, how lines of a head may end), and the
//! faults of a connection.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep};

use super::head::HeadWatch;
use super::stream::Stream;

/// How long a connection may be without incoming and outgoing bytes. A client that stops in the middle of a body would
/// use up one of the allowed connections.
const QUIET: Duration = Duration::from_secs(300);
/// How long a head may take from its first byte to its last.
const HEAD: Duration = Duration::from_secs(10);
/// The bytes that a fault sends in place of HTTP.
const GARBAGE: &[u8] = b"\x00\xff\x16\x03 this is no HTTP\r\n\r\n";

/// The state that a connection and its requests share.
#[derive(Debug, Default)]
pub(super) struct ConnectionState {
    /// The number of requests that are being answered.
    in_flight: AtomicUsize,
    /// When the last request ended, in milliseconds of the server's time.
    idle_since: AtomicU64,
    in_head: AtomicBool,
    reset: AtomicBool,
    ended: Notify,
    output: Mutex<Output>,
    refusal: Mutex<Option<&'static str>>,
}

/// How outgoing bytes are handled.
#[derive(Debug, Default, Clone, Copy)]
enum Output {
    #[default]
    Whole,
    /// This many more are sent, then the connection is closed.
    Only(usize),
    /// Garbage is sent in their place, then the connection is closed.
    Garbage,
}

impl ConnectionState {
    /// Ends the connection at once.
    pub(super) fn close(&self) {
        self.ended.notify_one();
    }

    /// Ends the connection with a reset.
    pub(super) fn reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
        self.close();
    }

    /// Waits until the connection is to be ended.
    pub(super) async fn closed(&self) {
        self.ended.notified().await;
    }

    /// Sends only this many more bytes.
    pub(super) fn cut_output(&self, after: u64) {
        self.set_output(Output::Only(usize::try_from(after).unwrap_or(usize::MAX)));
    }

    /// Sends garbage in place of the next bytes.
    pub(super) fn garble_output(&self) {
        self.set_output(Output::Garbage);
    }

    fn set_output(&self, output: Output) {
        *self.output.lock().unwrap_or_else(PoisonError::into_inner) = output;
    }

    /// Marks the connection as idle from this moment of the server on.
    pub(super) fn set_idle(&self, now: u64) {
        self.idle_since.store(now, Ordering::Relaxed);
    }

    /// Counts a request that begins.
    pub(super) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that ends at this moment of the server.
    pub(super) fn finish(&self, now: u64) {
        self.set_idle(now);
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Waits until no request has been answered for this long. Part of a head is no request.
    pub(super) async fn quiet_for(&self, pause: Duration) {
        let mut quiet_since = Instant::now();
        while quiet_since.elapsed() < pause {
            tokio::time::sleep(pause / 5).await;
            if self.in_flight.load(Ordering::Relaxed) > 0 {
                quiet_since = Instant::now();
            }
        }
    }

    /// The moment since which the connection is idle, if it is.
    pub(super) fn idle_since(&self) -> Option<u64> {
        let busy = self.in_flight.load(Ordering::Relaxed) > 0 || self.in_head.load(Ordering::Relaxed);
        (!busy).then(|| self.idle_since.load(Ordering::Relaxed))
    }

    /// Why the server refused the bytes of a head.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, why: &'static str) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }
}

/// The end that is appended to a refused head, because the parser reads only whole heads.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// A connection with these limits and faults.
pub(super) struct Watched {
    stream: Stream,
    state: Arc<ConnectionState>,
    head: HeadWatch,
    /// The bytes that the parser reads after a head was refused.
    ending: Option<&'static [u8]>,
    /// When bytes were last received or sent, and when the head that is being received began.
    active: Instant,
    head_begun: Option<Instant>,
    deadline: Pin<Box<Sleep>>,
}

impl Watched {
    pub(super) fn new(stream: Stream, state: Arc<ConnectionState>) -> Self {
        let active = Instant::now();
        let deadline = Box::pin(tokio::time::sleep_until(active + QUIET));
        Self { stream, state, head: HeadWatch::default(), ending: None, active, head_begun: None, deadline }
    }

    /// Checks received bytes, and returns how many of them the parser may read: none after an invalid end of a line.
    /// That end is replaced by a byte that the parser refuses.
    fn came(&mut self, bytes: &mut [u8]) -> usize {
        let mut seen = bytes.len();
        if let Err(malformed) = self.head.watch(bytes) {
            self.state.refuse(malformed.why);
            self.ending = Some(END_OF_HEAD);
            bytes[malformed.at] = 0;
            seen = malformed.at + 1;
        }
        let is_in_head = self.head.is_in_head();
        self.state.in_head.store(is_in_head, Ordering::Relaxed);
        match self.head_begun {
            None if is_in_head => {
                self.head_begun = Some(self.active);
                self.deadline.as_mut().reset(self.active + HEAD);
            }
            Some(_) if !is_in_head => self.head_begun = None,
            _ => {}
        }
        seen
    }

    /// Ends a connection that is idle for too long, or whose head takes too long.
    fn watch<T>(&mut self, context: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.active = Instant::now();
            return done;
        }
        loop {
            ready!(self.deadline.as_mut().poll(context));
            let deadline = self.head_begun.map_or(self.active + QUIET, |begun| begun + HEAD);
            if Instant::now() >= deadline {
                if self.head_begun.is_some() {
                    self.state.refuse("a head took longer than 10 s");
                }
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.deadline.as_mut().reset(deadline);
        }
    }

    /// Writes bytes, changed by a fault if there is one.
    fn write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let output = *self.state.output.lock().unwrap_or_else(PoisonError::into_inner);
        let stream = Pin::new(&mut self.stream);
        match output {
            Output::Whole => stream.poll_write(context, bytes),
            Output::Only(0) => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            Output::Only(left) => {
                let written = ready!(stream.poll_write(context, &bytes[..bytes.len().min(left)]))?;
                self.state.set_output(Output::Only(left - written));
                Poll::Ready(Ok(written))
            }
            Output::Garbage => {
                ready!(stream.poll_write(context, GARBAGE))?;
                self.state.set_output(Output::Only(0));
                Poll::Ready(Ok(bytes.len()))
            }
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.state.reset.load(Ordering::Relaxed) {
            self.stream.reset_when_closed();
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(ending) = &mut self.ending {
            let (now, later) = ending.split_at(ending.len().min(buffer.remaining()));
            buffer.put_slice(now);
            *ending = later;
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let done = Pin::new(&mut self.stream).poll_read(context, buffer);
        let done = self.watch(context, done);
        if done.is_ready() && buffer.filled().len() > before {
            let seen = self.came(&mut buffer.filled_mut()[before..]);
            buffer.set_filled(before + seen);
        }
        done
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = self.write(context, bytes);
        self.watch(context, done)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A flush is no activity: it does not change when the connection was last active.
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watch(context, done)
    }
}
