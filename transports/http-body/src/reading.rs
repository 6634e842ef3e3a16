//! Which thread reads a body.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use longshore_core::driver::NoAnswer;
use longshore_sources::source::BodyReader;
use longshore_sources::{Source, SourceError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

/// Bodies of at most this many bytes are read completely at once.
pub(crate) const SMALL: u64 = 64 * 1024;

/// In which threads bodies are read and hashed.
#[derive(Clone, Debug)]
pub struct Reading {
    /// How many bodies may still have a thread that hashes; `None` if each body has its own thread.
    hashing: Option<Arc<Semaphore>>,
}

impl Reading {
    /// Each body is read by a thread of its own, one piece ahead of the network: for a runtime that has other things
    /// to do.
    pub fn in_threads() -> Self {
        Self { hashing: None }
    }

    /// Files and bytes in memory are read in the runtime's own threads, which saves passing each piece from thread to
    /// thread: for a runtime that does nothing but push. Of the bodies that must be hashed, at most `hashing_threads`
    /// at once have a thread of their own. Sources that somebody else writes, such as pipes, always have one.
    pub fn inline(hashing_threads: usize) -> Self {
        Self { hashing: Some(Arc::new(Semaphore::new(hashing_threads))) }
    }

    /// Opens a part of a source, without blocking the runtime.
    pub(crate) async fn open(&self, source: &Source, wanted: Wanted) -> Result<Content, NoAnswer> {
        let hashing = self.hashing.clone();
        if hashing.is_some() && source.is_at_hand() {
            return Ok(wanted.open(source, hashing)?);
        }
        let source = source.clone();
        let opened = spawn_blocking(move || wanted.open(&source, hashing)).await;
        Ok(opened.map_err(|_| NoAnswer::Source("the thread that opens it panicked".to_owned()))??)
    }
}

/// The part of a blob that the core wants to send.
pub(crate) enum Wanted {
    Range(Range<u64>),
    /// All bytes from this position on. The core is told where the blob ends.
    Rest(u64),
}

/// How a body is read.
pub(crate) enum Content {
    /// It is read.
    Whole(Bytes),
    /// In pieces, in the thread that sends.
    AtHand(BodyReader),
    /// In pieces, by its own thread.
    Slow(BodyReader, Option<OwnedSemaphorePermit>),
}

impl Wanted {
    /// Opens a body. With `hashing`, a file is read in the thread that sends, unless there is a permit for a thread
    /// that hashes.
    pub(crate) fn open(self, source: &Source, hashing: Option<Arc<Semaphore>>) -> Result<Content, SourceError> {
        let mut reader = match self {
            Self::Range(range) => source.open(range)?,
            Self::Rest(from) => return Ok(Content::Slow(source.rest(from)?, None)),
        };
        if source.is_replayable() && reader.remaining().is_some_and(|len| len <= SMALL) {
            return Ok(Content::Whole(reader.next_piece()?.unwrap_or_default()));
        }
        let Some(hashing) = hashing.filter(|_| reader.is_at_hand()) else { return Ok(Content::Slow(reader, None)) };
        Ok(match reader.is_hashed().then(|| hashing.try_acquire_owned()) {
            Some(Ok(permit)) => Content::Slow(reader, Some(permit)),
            Some(Err(_)) | None => Content::AtHand(reader),
        })
    }
}
