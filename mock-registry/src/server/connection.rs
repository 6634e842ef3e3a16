//! What bounds a connection, and what a fault does to it: how long it may be quiet, how long a head may take, how its
//! lines end, and how it ends.

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

/// How long nothing may come in or go out: whoever stops in the midst of a body holds a place that others need.
const QUIET: Duration = Duration::from_secs(300);
/// How long a head may take from its first byte to its last.
const HEAD: Duration = Duration::from_secs(10);
/// What is sent where a fault wants no HTTP.
const GARBAGE: &[u8] = b"\x00\xff\x16\x03 this is no HTTP\r\n\r\n";

/// What a connection and the requests on it know of each other.
#[derive(Debug, Default)]
pub(super) struct ConnectionState {
    /// How many requests are being answered.
    in_flight: AtomicUsize,
    /// When the last one ended, in milliseconds of the server's time.
    idle_since: AtomicU64,
    in_head: AtomicBool,
    reset: AtomicBool,
    ended: Notify,
    output: Mutex<Output>,
    refusal: Mutex<Option<&'static str>>,
}

/// What becomes of the bytes that go out.
#[derive(Debug, Default, Clone, Copy)]
enum Output {
    #[default]
    Whole,
    /// So many more, then the connection is closed.
    Only(usize),
    /// Garbage instead, then the connection is closed.
    Garbage,
}

impl ConnectionState {
    /// Ends the connection, where it stands.
    pub(super) fn close(&self) {
        self.ended.notify_one();
    }

    /// Ends the connection with a reset.
    pub(super) fn reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
        self.close();
    }

    /// Waits until somebody wants the connection to end.
    pub(super) async fn closed(&self) {
        self.ended.notified().await;
    }

    /// Lets only so many more bytes out.
    pub(super) fn cut_output(&self, after: u64) {
        self.set_output(Output::Only(usize::try_from(after).unwrap_or(usize::MAX)));
    }

    /// Lets garbage out instead of what comes next.
    pub(super) fn garble_output(&self) {
        self.set_output(Output::Garbage);
    }

    fn set_output(&self, output: Output) {
        *self.output.lock().unwrap_or_else(PoisonError::into_inner) = output;
    }

    /// Nothing is asked from this moment of the server on.
    pub(super) fn set_idle(&self, now: u64) {
        self.idle_since.store(now, Ordering::Relaxed);
    }

    /// A request begins.
    pub(super) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// A request is over, at this moment of the server.
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

    /// Since when nothing is asked, where nothing is.
    pub(super) fn idle_since(&self) -> Option<u64> {
        let busy = self.in_flight.load(Ordering::Relaxed) > 0 || self.in_head.load(Ordering::Relaxed);
        (!busy).then(|| self.idle_since.load(Ordering::Relaxed))
    }

    /// Why the server refused what came, before it was a request.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, why: &'static str) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }
}

/// What ends a head that is refused, for a parser that looks at whole heads only.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// A connection that is watched.
pub(super) struct Watched {
    stream: Stream,
    state: Arc<ConnectionState>,
    head: HeadWatch,
    /// What is read from now on, where a head was refused.
    ending: Option<&'static [u8]>,
    /// When something last came or went, and when the head that is on its way in began.
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

    /// Watches bytes that came in, and gives how many of them the parser may see: after the end of a line that no head may
    /// have, none. That end becomes a byte which it refuses.
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

    /// Ends what is quiet for too long, or takes too long for a head.
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

    /// Writes as a fault wants it.
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
        // Nothing happens by it: what was quiet still is.
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watch(context, done)
    }
}
