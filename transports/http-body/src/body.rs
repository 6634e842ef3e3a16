//! The half of a body that the network reads.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use crate::pieces::{Piece, Pieces};
use crate::transfer::{Shared, Transfer};

/// How many bytes are sent at least between two reports of progress.
pub(crate) const REPORT: u64 = 256 * 1024;
const REPORT_AFTER: Duration = Duration::from_millis(50);

/// The body of a request, for an HTTP stack to send.
///
/// Its [`SizeHint`] is exact, unless it is the rest of a blob of unknown length. It ends with an error if it is not
/// complete: the source failed, gave too few bytes, or the [`Transfer`] was dropped.
pub struct OutgoingBody {
    /// How many bytes are still to come, if that is known.
    remaining: Option<u64>,
    total: u64,
    reported: u64,
    reported_at: Instant,
    on_sent: Box<dyn Fn(u64) + Send + Sync>,
    shared: Arc<Shared>,
}

impl OutgoingBody {
    pub(crate) fn new(
        remaining: Option<u64>,
        pieces: Pieces,
        on_sent: impl Fn(u64) + Send + Sync + 'static,
    ) -> (Self, Transfer) {
        let shared = Arc::new(Shared::new(pieces));
        let transfer = Transfer { shared: Arc::clone(&shared) };
        let (on_sent, reported_at) = (Box::new(on_sent), Instant::now());
        (Self { remaining, total: 0, reported: 0, reported_at, on_sent, shared }, transfer)
    }

    /// All bytes are here.
    pub(crate) fn whole(bytes: Bytes, on_sent: impl Fn(u64) + Send + Sync + 'static) -> (Self, Transfer) {
        Self::new(Some(bytes.len() as u64), Pieces::Whole(bytes), on_sent)
    }

    fn pass(&mut self, len: u64) {
        let now = Instant::now();
        self.total += len;
        self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(len));
        self.shared.touch();
        let is_due = self.total - self.reported >= REPORT && now - self.reported_at >= REPORT_AFTER;
        if is_due || self.remaining == Some(0) {
            (self.reported, self.reported_at) = (self.total, now);
            (self.on_sent)(self.total);
        }
    }
}

impl Body for OutgoingBody {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        let piece = self.shared.pieces().poll_next(context);
        self.shared.is_reading.store(piece.is_pending(), Ordering::Relaxed);
        Poll::Ready(match ready!(piece) {
            Some(Piece::Bytes(bytes)) => {
                self.pass(bytes.len() as u64);
                Some(Ok(Frame::data(bytes)))
            }
            Some(Piece::End) if self.remaining.unwrap_or(0) == 0 => None,
            // An incomplete body must not look complete, so the request fails.
            Some(Piece::End) | None => Some(Err("the body was broken off")),
            Some(Piece::Failed(error)) => {
                // It fails once: nothing is read after that.
                drop(self.shared.failure.set(error.into()));
                Some(Err("the source of the body failed"))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl fmt::Debug for OutgoingBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { remaining, total, .. } = self;
        formatter
            .debug_struct("OutgoingBody")
            .field("remaining", remaining)
            .field("total", total)
            .finish_non_exhaustive()
    }
}

impl Drop for OutgoingBody {
    /// Closes the channel, so that the thread does not wait for a connection that has ended.
    fn drop(&mut self) {
        *self.shared.pieces() = Pieces::GivenUp;
    }
}
