//! Where a body's pieces come from.

use std::task::{Context, Poll};

use bytes::Bytes;
use longshore_sources::SourceError;
use longshore_sources::source::BodyReader;
use tokio::sync::mpsc;

/// What comes next of a body.
pub(super) enum Piece {
    Bytes(Bytes),
    End,
    /// The source failed: there is no end.
    Failed(SourceError),
}

/// Reads a body in a thread that may block. `on_end` is called before the network can have the end.
pub(super) fn read(mut reader: BodyReader, pieces: &mpsc::Sender<Piece>, on_end: impl FnOnce()) {
    let last = loop {
        let piece = Piece::from(reader.next_piece());
        if !matches!(piece, Piece::Bytes(_)) {
            break piece;
        }
        // Where nobody takes it, the body was given up.
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

/// Where the network's end of a body gets its pieces from.
#[derive(Default)]
pub(super) enum Pieces {
    /// All of the body.
    Whole(Bytes),
    /// A reader that nobody has to wait for.
    AtHand(BodyReader),
    /// The thread that reads. A channel that closes without an end is a failure.
    Read(mpsc::Receiver<Piece>),
    /// Nowhere: the body was given up.
    #[default]
    GivenUp,
}

impl Pieces {
    /// The next piece, or the end; nothing where the body breaks off.
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
