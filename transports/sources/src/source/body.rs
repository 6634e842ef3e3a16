//! Reads the body of one request in pieces.

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::{Buf, Bytes};

use super::content::Reopened;
use super::hasher::{Hasher, Verification};
use super::stream::Stream;
use super::{Ended, SourceError, lock};

/// Reads the bytes of one request's body.
///
/// A body of known length gives exactly that many bytes, or fails. After an error it gives no more bytes. It implements
/// [`io::Read`] too, but [`BodyReader::next_piece`] avoids a copy.
pub struct BodyReader {
    from: From,
    position: u64,
    /// The position after the last byte, if the length is known.
    end: Option<u64>,
    failure: Arc<OnceLock<SourceError>>,
    /// Bytes of the current piece that [`Read`] has not returned yet.
    unread: Bytes,
}

enum From {
    Replayable { reader: Reopened, hasher: Option<Arc<Mutex<Hasher>>> },
    Once(Arc<Mutex<Stream>>),
}

impl BodyReader {
    pub(super) fn replayable(reader: Reopened, range: Range<u64>, hasher: Option<Arc<Mutex<Hasher>>>) -> Self {
        Self::new(From::Replayable { reader, hasher }, range.start, Some(range.end))
    }

    pub(super) fn once(stream: Arc<Mutex<Stream>>, from: u64, end: Option<u64>) -> Self {
        Self::new(From::Once(stream), from, end)
    }

    fn new(from: From, position: u64, end: Option<u64>) -> Self {
        Self { from, position, end, failure: Arc::default(), unread: Bytes::new() }
    }

    /// How many bytes are still to come, if that is known.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        self.end.map(|end| end - self.position + self.unread.len() as u64)
    }

    /// Whether the bytes are in memory or in a file, so that reading them does not wait for anything.
    #[must_use]
    pub fn is_at_hand(&self) -> bool {
        match &self.from {
            // Bytes that no body has read yet must be read for the hash, and there may be many.
            From::Replayable { reader, hasher } => reader.is_at_hand() && !self.leaves_gap(hasher.as_deref()),
            From::Once(_) => false,
        }
    }

    /// Whether the bytes are hashed while they are read.
    #[must_use]
    pub fn is_hashed(&self) -> bool {
        match &self.from {
            From::Replayable { hasher, .. } => hasher.as_ref().is_some_and(|hasher| lock(hasher).ended().is_none()),
            From::Once(stream) => lock(stream).ended().is_none(),
        }
    }

    fn leaves_gap(&self, hasher: Option<&Mutex<Hasher>>) -> bool {
        let verification = hasher.map(|hasher| lock(hasher).verification());
        matches!(verification, Some(Verification::Hashing { passed }) if passed < self.position)
    }

    /// The next piece, at most [`super::PIECE`] bytes and never empty; `None` at the end.
    ///
    /// # Errors
    /// If a read fails, if the content is shorter than its given size, or, before the last piece, if the whole blob
    /// does not have its given digest.
    pub fn next_piece(&mut self) -> Result<Option<Bytes>, SourceError> {
        if !self.unread.is_empty() {
            return Ok(Some(std::mem::take(&mut self.unread)));
        }
        if self.failure.get().is_some() || self.end == Some(self.position) {
            return Ok(None);
        }
        let piece = self.read_piece();
        match &piece {
            Ok(piece) => self.position += piece.as_ref().map_or(0, |piece| piece.len() as u64),
            // It is set once: after an error nothing is read.
            Err(error) => drop(self.failure.set(error.clone())),
        }
        piece
    }

    /// The whole blob's size and digest, once all of its bytes were read, in this body or before it.
    #[must_use]
    pub fn ended(&self) -> Option<Ended> {
        match &self.from {
            From::Replayable { hasher, .. } => hasher.as_ref().and_then(|hasher| lock(hasher).ended()),
            From::Once(stream) => lock(stream).ended(),
        }
    }

    /// The error with which this body has failed, if it has. The request must not look complete then.
    #[must_use]
    pub fn failure(&self) -> Option<&SourceError> {
        self.failure.get()
    }

    /// Holds that error also after an HTTP stack has taken the body and reports an error of its own.
    pub(crate) fn failure_handle(&self) -> Arc<OnceLock<SourceError>> {
        Arc::clone(&self.failure)
    }

    fn read_piece(&mut self) -> Result<Option<Bytes>, SourceError> {
        let end = self.end.unwrap_or(u64::MAX);
        match &mut self.from {
            From::Replayable { reader, hasher } => {
                let piece = reader.next(end)?;
                if let Some(hasher) = hasher {
                    lock(hasher).pass(self.position, &piece)?;
                }
                Ok(Some(piece))
            }
            From::Once(stream) => match lock(stream).next(self.position, end)? {
                None if self.end.is_some() => {
                    Err(SourceError::Shrunk { what: "the reader".to_owned(), expected: end, found: self.position })
                }
                piece => Ok(piece),
            },
        }
    }
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failure.get().is_some() {
            return Err(io::Error::other("the body has failed already"));
        }
        if self.unread.is_empty() && !buffer.is_empty() {
            self.unread = self.next_piece()?.unwrap_or_default();
        }
        let len = self.unread.len().min(buffer.len());
        self.unread.copy_to_slice(&mut buffer[..len]);
        Ok(len)
    }
}

impl fmt::Debug for BodyReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyReader").field("position", &self.position).field("end", &self.end).finish_non_exhaustive()
    }
}
