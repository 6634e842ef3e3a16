//! The pieces of a body.

use std::task::{Context, Poll};

use bytes::Bytes;
use longshore_sources::SourceError;
use longshore_sources::source::BodyReader;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

/// How many pieces wait for the network, in addition to the one that is being read.
const PIECES_AHEAD: usize = 1;

/// The next piece of a body, or its end.
#[derive(Debug)]
pub(crate) enum Piece {
    Bytes(Bytes),
    End,
    /// The source failed: there is no end.
    Failed(SourceError),
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
#[derive(Debug, Default)]
pub(crate) enum Pieces {
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
    /// Starts a thread that reads. It calls `on_end` before the network receives the end.
    pub(crate) fn read_by_a_thread(reader: BodyReader, on_end: impl FnOnce() + Send + 'static) -> Self {
        let (sender, incoming) = mpsc::channel(PIECES_AHEAD);
        spawn_blocking(move || read(reader, &sender, on_end));
        Self::Read(incoming)
    }

    /// The next piece, or the end; `None` if the body ends early.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        match self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(Some(Piece::End)),
            Self::Whole(bytes) => Poll::Ready(Some(Piece::Bytes(std::mem::take(bytes)))),
            Self::AtHand(reader) => Poll::Ready(Some(reader.next_piece().into())),
            Self::Read(incoming) => incoming.poll_recv(context),
            Self::GivenUp => Poll::Ready(None),
        }
    }
}

/// Reads a body in a thread that may block. `on_end` is called before the network receives the end.
fn read(mut reader: BodyReader, pieces: &mpsc::Sender<Piece>, on_end: impl FnOnce()) {
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
