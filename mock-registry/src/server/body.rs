//! Bodies of requests and answers.

use std::future::{Future, poll_fn};
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep};

use super::connections::InFlight;
use crate::storage::{BlobBytes, StorageError};

/// The number of bytes of a body that are read or made at once.
const PIECE: usize = 256 << 10;

/// The next bytes of a body. Trailers are skipped.
pub(super) async fn next<B: Body<Data = Bytes> + Unpin>(body: &mut B) -> Option<Result<Bytes, B::Error>> {
    loop {
        match poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await? {
            Err(error) => return Some(Err(error)),
            Ok(frame) => {
                if let Ok(bytes) = frame.into_data() {
                    return Some(Ok(bytes));
                }
            }
        }
    }
}

/// The body of an answer while it is sent.
pub(super) struct Outgoing {
    content: Content,
    /// The number of bytes that are not yet sent.
    left: u64,
    /// The number of bytes after which the body is cut.
    cut: Option<u64>,
    pace: Option<Pacer>,
    /// Bytes that were read and may not be sent yet.
    rest: Bytes,
    /// Whether the bytes before the cut were flushed.
    flushed: bool,
    /// Dropped at the end of the body: until then the connection is not idle.
    _in_flight: Option<InFlight>,
}

enum Content {
    Bytes(Bytes),
    Spaces,
    /// A blob that is read on the same thread, from this offset on.
    Near(Box<dyn BlobBytes>, u64),
    /// A blob that is read on a thread that may block.
    Far(mpsc::Receiver<Result<Bytes, StorageError>>),
}

/// Lets this many bytes out at once, and then waits.
struct Pacer {
    burst: usize,
    wait: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl Outgoing {
    fn new(content: Content, left: u64) -> Self {
        Self { content, left, cut: None, pace: None, rest: Bytes::new(), flushed: false, _in_flight: None }
    }

    pub(super) fn bytes(bytes: Bytes) -> Self {
        let left = bytes.len() as u64;
        Self::new(Content::Bytes(bytes), left)
    }

    pub(super) fn spaces(count: u64) -> Self {
        Self::new(Content::Spaces, count)
    }

    /// A part of a blob that can be read without blocking.
    pub(super) fn near(blob: Box<dyn BlobBytes>, range: &Range<u64>) -> Self {
        Self::new(Content::Near(blob, range.start), range.end.saturating_sub(range.start))
    }

    /// A part of a blob, which a thread that may block reads two pieces ahead.
    pub(super) fn far(mut blob: Box<dyn BlobBytes>, range: Range<u64>) -> Self {
        let (sender, pieces) = mpsc::channel(2);
        let left = range.end.saturating_sub(range.start);
        if left > 0 {
            tokio::task::spawn_blocking(move || {
                let mut at = range.start;
                while at < range.end {
                    let piece = read(blob.as_mut(), at, range.end - at);
                    at += piece.as_ref().map_or(0, |piece| piece.len() as u64);
                    // If the client has disconnected, there is no receiver. If the blob cannot be read, the error ends
                    // the body.
                    let failed = piece.is_err();
                    if sender.blocking_send(piece).is_err() || failed {
                        return;
                    }
                }
            });
        }
        Self::new(Content::Far(pieces), left)
    }

    /// Cuts the body after this many bytes.
    pub(super) const fn cut_after(mut self, bytes: u64) -> Self {
        self.cut = Some(bytes);
        self
    }

    /// Limits the body to this many bytes a second.
    pub(super) fn paced(mut self, rate: u64) -> Self {
        let burst = usize::try_from(rate / 10).unwrap_or(PIECE).clamp(1, PIECE);
        let wait = Duration::from_secs_f64(burst as f64 / rate.max(1) as f64);
        self.pace = Some(Pacer { burst, wait, sleep: Box::pin(tokio::time::sleep(Duration::ZERO)) });
        self
    }

    /// Counts the connection as not idle until the end of the body.
    pub(super) fn during(mut self, in_flight: InFlight) -> Self {
        self._in_flight = Some(in_flight);
        self
    }

    fn poll_content(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, StorageError>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.rest))));
        }
        let piece = match &mut self.content {
            Content::Bytes(bytes) => Some(Ok(std::mem::take(bytes))),
            Content::Spaces => Some(Ok(vec![b' '; usize::try_from(self.left).unwrap_or(PIECE).min(PIECE)].into())),
            Content::Near(blob, at) => Some(read(blob.as_mut(), *at, self.left).inspect(|piece| {
                *at += piece.len() as u64;
            })),
            Content::Far(pieces) => ready!(pieces.poll_recv(context)),
        };
        Poll::Ready(piece)
    }

    /// As many of these bytes as may be sent now. The rest is sent later.
    fn slowed(&mut self, mut bytes: Bytes) -> Bytes {
        if let Some(pace) = &mut self.pace {
            pace.sleep.as_mut().reset(Instant::now() + pace.wait);
            self.rest = bytes.split_off(bytes.len().min(pace.burst));
        }
        bytes
    }
}

fn read(blob: &mut dyn BlobBytes, at: u64, left: u64) -> Result<Bytes, StorageError> {
    let piece = blob.read(at, usize::try_from(left).unwrap_or(PIECE).min(PIECE))?;
    if piece.is_empty() { Err(StorageError::Missing(format!("a blob from byte {at}"))) } else { Ok(piece) }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        if this.cut == Some(0) {
            if !std::mem::replace(&mut this.flushed, true) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            return Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())));
        }
        if let Some(pace) = &mut this.pace {
            ready!(pace.sleep.as_mut().poll(context));
        }
        let Some(piece) = ready!(this.poll_content(context)) else { return Poll::Ready(None) };
        let piece = piece.map_err(io::Error::other)?;
        let mut bytes = this.slowed(piece);
        if let Some(cut) = &mut this.cut {
            bytes.truncate(usize::try_from(*cut).unwrap_or(usize::MAX));
            *cut -= bytes.len() as u64;
        }
        this.left = this.left.saturating_sub(bytes.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0 && self.cut.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
