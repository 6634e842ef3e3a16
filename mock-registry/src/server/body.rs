//! Bodies, in and out.

use std::future::poll_fn;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::storage::{BlobBytes, StorageError};

/// How many bytes of a blob are read at once.
const PIECE: usize = 256 << 10;

/// The next bytes of a body; trailers are passed over.
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

/// A part of a blob, read on a thread that may block, two pieces ahead.
pub(super) fn blob(mut blob: Box<dyn BlobBytes>, range: Range<u64>) -> Blob {
    let (sender, pieces) = mpsc::channel(2);
    let left = range.end.saturating_sub(range.start);
    if left > 0 {
        tokio::task::spawn_blocking(move || {
            let mut at = range.start;
            while at < range.end {
                let up_to = usize::try_from(range.end - at).unwrap_or(PIECE).min(PIECE);
                let piece = blob.read(at, up_to).and_then(|piece| match piece.len() {
                    0 => Err(StorageError::Missing(format!("a blob from byte {at}"))),
                    _ => Ok(piece),
                });
                at += piece.as_ref().map_or(0, |piece| piece.len() as u64);
                // Where the client is gone, so is the receiver; where the blob fails, the body ends with that.
                let failed = piece.is_err();
                if sender.blocking_send(piece).is_err() || failed {
                    return;
                }
            }
        });
    }
    Blob { pieces, left }
}

pub(super) struct Blob {
    pieces: mpsc::Receiver<Result<Bytes, StorageError>>,
    left: u64,
}

impl Body for Blob {
    type Data = Bytes;
    type Error = StorageError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StorageError>>> {
        self.pieces.poll_recv(context).map(|piece| {
            piece.map(|piece| {
                let piece = piece?;
                self.left = self.left.saturating_sub(piece.len() as u64);
                Ok(Frame::data(piece))
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// A body that fails before its first byte. The head is not sent without it, so the client gets nothing at all.
pub(super) const fn lost() -> Cut {
    Cut { body: None, left: 0, flushed: true }
}

/// A body that breaks off after so many bytes.
pub(super) const fn cut(body: axum::body::Body, after: u64) -> Cut {
    Cut { body: Some(body), left: after, flushed: false }
}

pub(super) struct Cut {
    body: Option<axum::body::Body>,
    left: u64,
    /// Whether what came before the end had time to leave.
    flushed: bool,
}

impl Body for Cut {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if let Some(body) = self.body.as_mut().filter(|body| !body.is_end_stream()) {
            let frame = std::task::ready!(Pin::new(body).poll_frame(context));
            if let Some(Ok(bytes)) = frame.map(|frame| frame.map(Frame::into_data)) {
                let mut bytes = bytes.unwrap_or_default();
                bytes.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= bytes.len() as u64;
                if self.left == 0 {
                    self.body = None;
                }
                if !bytes.is_empty() {
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
            }
            self.body = None;
        }
        if !std::mem::replace(&mut self.flushed, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err("the connection is closed on purpose".into())))
    }
}
