//! The pieces of a body.

use std::task::{Context, Poll};

use bytes::Bytes;
use longshore_sources::SourceError;
use longshore_sources::source::BodyReader;
use tokio::sync::mpsc;

/// The next piece of a body, or its end.
pub(super) enum Piece {
    Bytes(Bytes),
    End,
    /// The source failed: there is no end.
    Failed(SourceError),
}

/// Reads a body in a thread that may block. `on_end` is called before the network receives the end.
pub(super) fn read(mut reader: BodyReader, pieces: &mpsc::Sender<Piece>, on_end: impl FnOnce()) {
    let last = loop {
        let piece = Piece::from(reader.next_piece());
        if !matches!(piece, Piece::Bytes(_)) {
            break piece;
        }
        // If nothing receives it, the body was dropped.
        if pieces.blocking_send(piece).is_err() {
            return;
        }
    };
    if matches!(last, Piece::End) {
        on_end();
    }
    drop(pieces.blocking_send(last));
}

impl From<Result<Option<Bytes>, SourceError>> for Piece {
    fn from(piece: Result<Option<Bytes>, SourceError>) -> Self {
        match piece {
            Ok(Some(bytes)) => Self::Bytes(bytes),
            Ok(None) => Self::End,
            Err(error) => Self::Failed(error),
        }
    }
}

/// Where the network gets a body's pieces from.
#[derive(Default)]
pub(super) enum Pieces {
    /// All of the body.
    Whole(Bytes),
    /// A reader that does not block.
    AtHand(BodyReader),
    /// The thread that reads. If the channel closes without an end, the body has failed.
    Read(mpsc::Receiver<Piece>),
    /// Nothing: the body was dropped.
    #[default]
    GivenUp,
}

impl Pieces {
    /// The next piece, or the end; `None` if the body ends early.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        match self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(Some(Piece::End)),
            Self::Whole(bytes) => Poll::Ready(Some(Piece::Bytes(std::mem::take(bytes)))),
            Self::AtHand(reader) => Poll::Ready(Some(reader.next_piece().into())),
            Self::Read(incoming) => incoming.poll_recv(context),
            Self::GivenUp => Poll::Ready(None),
        }
    }
}
