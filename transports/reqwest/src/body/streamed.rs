//! The part of a body that the network reads.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

use super::account::{Account, Outgoing};
use super::pieces::{Piece, Pieces};
use crate::lock::lock;

/// How many bytes are sent at least between two reports of progress.
pub(super) const REPORT: u64 = 256 * 1024;
const REPORT_AFTER: Duration = Duration::from_millis(50);

/// The part of a body that the network reads.
pub(super) struct Streamed {
    /// How many bytes are still to come, if that is known.
    remaining: Option<u64>,
    total: u64,
    reported: u64,
    reported_at: Instant,
    on_sent: Box<dyn Fn(u64) + Send + Sync>,
    account: Arc<Account>,
}

impl Streamed {
    pub(super) fn new(
        remaining: Option<u64>,
        pieces: Pieces,
        on_sent: impl Fn(u64) + Send + Sync + 'static,
    ) -> (Self, Outgoing) {
        let account = Arc::new(Account { pieces: Mutex::new(pieces), ..Account::default() });
        let outgoing = Outgoing { account: Arc::clone(&account) };
        let (on_sent, reported_at) = (Box::new(on_sent), Instant::now());
        (Self { remaining, total: 0, reported: 0, reported_at, on_sent, account }, outgoing)
    }

    fn pass(&mut self, len: u64) {
        let now = Instant::now();
        self.total += len;
        self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(len));
        *lock(&self.account.moved) = now;
        let is_due = self.total - self.reported >= REPORT && now - self.reported_at >= REPORT_AFTER;
        if is_due || self.remaining == Some(0) {
            (self.reported, self.reported_at) = (self.total, now);
            (self.on_sent)(self.total);
        }
    }
}

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        let piece = lock(&self.account.pieces).poll_next(context);
        self.account.is_reading.store(piece.is_pending(), Ordering::Relaxed);
        Poll::Ready(match ready!(piece) {
            Some(Piece::Bytes(bytes)) => {
                self.pass(bytes.len() as u64);
                Some(Ok(Frame::data(bytes)))
            }
            Some(Piece::End) if self.remaining.unwrap_or(0) == 0 => None,
            // An incomplete body must not look complete, so the request fails.
            Some(Piece::End) | None => Some(Err("the body was broken off")),
            Some(Piece::Failed(error)) => {
                *lock(&self.account.failure) = Some(error.into());
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

impl Drop for Streamed {
    /// Closes the channel, so that the thread does not wait for a connection that has ended.
    fn drop(&mut self) {
        *lock(&self.account.pieces) = Pieces::GivenUp;
    }
}
