//! Where a body's pieces come from.

use std::task::{Context, Poll};

use bytes::Bytes;
use longshore_sources::source::{BodyReader, Ended};
use tokio::sync::mpsc;

use super::account::Account;
use crate::session::lock;

/// What the thread hands over. A channel that closes without an end is a failure.
pub(super) enum Piece {
    Bytes(Bytes),
    End,
}

/// Reads a body in a thread that may block. `on_end` is called before the network can have the end.
pub(super) fn read(
    mut reader: BodyReader,
    pieces: &mpsc::Sender<Piece>,
    account: &Account,
    on_end: impl FnOnce(Option<Ended>),
) {
    let piece = loop {
        match reader.next_piece() {
            Ok(Some(bytes)) => {
                if pieces.blocking_send(Piece::Bytes(bytes)).is_err() {
                    return;
                }
            }
            Ok(None) => break Piece::End,
            Err(error) => {
                *lock(&account.failure) = Some(error);
                return;
            }
        }
    };
    on_end(reader.ended());
    // Where nobody takes the end, the body was given up.
    drop(pieces.blocking_send(piece));
}

/// Where the network's end of a body gets its pieces from.
#[derive(Default)]
pub(super) enum Pieces {
    /// All of the body.
    Whole(Bytes),
    /// A reader that nobody has to wait for.
    AtHand(BodyReader),
    /// The thread that reads.
    Read(mpsc::Receiver<Piece>),
    /// Nowhere: the body was given up.
    #[default]
    GivenUp,
}

impl Pieces {
    /// The next piece, or the end; nothing where the body breaks off.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>, account: &Account) -> Poll<Option<Piece>> {
        match self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(Some(Piece::End)),
            Self::Whole(bytes) => Poll::Ready(Some(Piece::Bytes(std::mem::take(bytes)))),
            Self::AtHand(reader) => Poll::Ready(match reader.next_piece() {
                Ok(piece) => Some(piece.map_or(Piece::End, Piece::Bytes)),
                Err(error) => {
                    *lock(&account.failure) = Some(error);
                    None
                }
            }),
            Self::Read(incoming) => incoming.poll_recv(context),
            Self::GivenUp => Poll::Ready(None),
        }
    }
}
