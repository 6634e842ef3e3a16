//! The body of a request. If reading it may block, or if it must be hashed, a thread reads it, one piece ahead of the
//! network.

mod account;
mod pieces;
mod streamed;

use std::sync::Arc;

use bytes::Bytes;
use longshore_core::driver::{Body, Input, Key, NoAnswer, RequestId};
use longshore_sources::source::BodyReader;
use longshore_sources::{Source, SourceError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::spawn_blocking;

pub(crate) use account::Outgoing;
use pieces::Pieces;
use streamed::Streamed;

use crate::shared::Shared;

/// Bodies of at most this many bytes are read completely at once.
const SMALL: u64 = 64 * 1024;

/// How many pieces wait for the network, in addition to the one that is being read.
const PIECES_AHEAD: usize = 1;

/// Makes the body that reqwest sends, and the state of it that the exchange needs.
///
/// # Errors
/// If the source cannot be opened. Nothing was sent then.
pub(crate) async fn open<K: Key + Send + 'static>(
    shared: &Arc<Shared<K>>,
    id: RequestId,
    body: Body<K>,
) -> Result<(Option<reqwest::Body>, Outgoing), NoAnswer> {
    let (key, wanted) = match body {
        Body::Empty => return Ok((None, Outgoing::default())),
        Body::Bytes(bytes) => return Ok((Some(bytes.into()), Outgoing::default())),
        Body::Blob { key, range } => (key, Wanted::Range(range)),
        Body::Rest { key, from } => (key, Wanted::Rest(from)),
    };
    let source = shared.source(&key)?;
    let inline = shared.reads_inline.then(|| Arc::clone(&shared.hashing));
    let is_rest = matches!(wanted, Wanted::Rest(_));
    let content = if inline.is_some() && source.is_at_hand() {
        wanted.open(&source, inline)
    } else {
        let source = source.clone();
        let opened = spawn_blocking(move || wanted.open(&source, inline)).await;
        opened.map_err(|_| NoAnswer::Source("the thread that opens it panicked".to_owned()))?
    }?;
    let told = Arc::clone(shared);
    let on_sent = move |total| told.tell(Input::Sent { id, total });
    let told = Arc::clone(shared);
    let (streamed, outgoing) = match content {
        Content::Whole(bytes) => Streamed::new(Some(bytes.len() as u64), Pieces::Whole(bytes), on_sent),
        Content::AtHand(reader) => Streamed::new(reader.remaining(), Pieces::AtHand(reader), on_sent),
        Content::Slow(reader, permit) => {
            let remaining = if is_rest { None } else { reader.remaining() };
            let on_end = move || {
                drop(permit);
                if is_rest && let Some(ended) = source.rest_ended(key) {
                    told.tell(ended);
                }
            };
            stream(reader, remaining, on_sent, on_end)
        }
    };
    Ok((Some(reqwest::Body::wrap(streamed)), outgoing))
}

/// The part of a blob that the core wants to send.
enum Wanted {
    Range(std::ops::Range<u64>),
    /// All bytes from this position on. The core is told where the blob ends.
    Rest(u64),
}

/// How a body is read.
enum Content {
    /// It is read.
    Whole(Bytes),
    /// In pieces, in the thread that sends.
    AtHand(BodyReader),
    /// In pieces, by its own thread.
    Slow(BodyReader, Option<OwnedSemaphorePermit>),
}

impl Wanted {
    /// Opens a body. With `inline`, a file is read in the thread that sends, unless there is a permit for a thread that
    /// hashes.
    fn open(self, source: &Source, inline: Option<Arc<Semaphore>>) -> Result<Content, SourceError> {
        let mut reader = match self {
            Self::Range(range) => source.open(range)?,
            Self::Rest(from) => return Ok(Content::Slow(source.rest(from)?, None)),
        };
        if source.is_replayable() && reader.remaining().is_some_and(|len| len <= SMALL) {
            return Ok(Content::Whole(reader.next_piece()?.unwrap_or_default()));
        }
        let Some(hashing) = inline.filter(|_| reader.is_at_hand()) else { return Ok(Content::Slow(reader, None)) };
        Ok(match reader.is_hashed().then(|| hashing.try_acquire_owned()) {
            Some(Ok(permit)) => Content::Slow(reader, Some(permit)),
            Some(Err(_)) | None => Content::AtHand(reader),
        })
    }
}

/// Starts the thread that reads. It calls `on_end` before the network receives the end.
fn stream(
    reader: BodyReader,
    remaining: Option<u64>,
    on_sent: impl Fn(u64) + Send + Sync + 'static,
    on_end: impl FnOnce() + Send + 'static,
) -> (Streamed, Outgoing) {
    let (sender, incoming) = mpsc::channel(PIECES_AHEAD);
    let (streamed, outgoing) = Streamed::new(remaining, Pieces::Read(incoming), on_sent);
    spawn_blocking(move || pieces::read(reader, &sender, on_end));
    (streamed, outgoing)
}

#[cfg(test)]
mod tests;
