//! Blobs as sources: where the bytes of one blob come from, and how a driver reads them.

mod body;
mod buffers;
mod content;
mod error;
mod hasher;
mod input;
mod set;
mod stream;

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use longshore_core::driver::OperationId;
use longshore_core::{Algorithm, Digest};

pub use body::BodyReader;
use content::Content;
pub use error::{DigestMismatch, SourceError};
use hasher::Hasher;
pub use hasher::Verification;
pub use set::Sources;
use stream::Stream;

/// The largest piece that a body hands out, in bytes.
pub const PIECE: usize = 128 * 1024;

/// Where the bytes of one blob come from.
///
/// A clone is another handle on the same source: a driver clones one into the thread that reads. All reads block.
///
/// There are two kinds. *Replayable* sources (bytes, files, whatever can be opened again) have a known length; each body
/// opens them anew. A *reader* can be read once and has no known length; what was read ahead of it, and as many bytes
/// behind, stay in hand for a retry.
///
/// The digest is computed once, while the bytes pass. Where one was said ([`Source::with_digest`]) and the bytes differ,
/// the last piece of the body fails, so that wrong bytes never complete an upload.
#[derive(Clone)]
pub struct Source {
    kind: Kind,
    /// The operation that it was last read ahead for.
    operation: Arc<Mutex<Option<OperationId>>>,
}

#[derive(Clone)]
enum Kind {
    Replayable { content: Content, expected: Option<Digest>, hasher: Option<Arc<Mutex<Hasher>>> },
    Once(Arc<Mutex<Stream>>),
}

/// The end of a blob: how long it is, and what it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The whole blob's length in bytes.
    pub len: u64,
    /// The whole blob's digest.
    pub digest: Digest,
}

/// What came of reading ahead: the answer to the core's `Read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadAhead {
    /// As many bytes as were asked for are in hand, and there is at least one more.
    Filled {
        /// One past the last byte in hand, counted from the blob's beginning.
        len: u64,
    },
    /// All the bytes that are left are in hand.
    Ended(Ended),
}

impl Source {
    /// Bytes in memory.
    #[must_use]
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::replayable(Content::Bytes(bytes.into()))
    }

    /// A whole file, as long as it is now.
    ///
    /// # Errors
    /// Where the file cannot be looked at.
    pub fn file(path: impl Into<PathBuf>) -> Result<Self, SourceError> {
        let path = path.into();
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(Self::part_of_file(path, 0, metadata.len())),
            Ok(_) => Err(SourceError::NotAFile { path }),
            Err(error) => Err(SourceError::Open { path, error: Arc::new(error) }),
        }
    }

    /// `len` bytes of a file from the byte `offset` on. Each body opens the file for itself.
    #[must_use]
    pub fn part_of_file(path: impl Into<PathBuf>, offset: u64, len: u64) -> Self {
        Self::replayable(Content::File { path: path.into(), offset, len })
    }

    /// Content of `len` bytes that `open` opens at any offset from 0 to `len`, as often as it is asked to.
    #[must_use]
    pub fn opened_by<F>(len: u64, open: F) -> Self
    where
        F: Fn(u64) -> io::Result<Box<dyn Read + Send>> + Send + Sync + 'static,
    {
        Self::opened("the content".to_owned(), len, open)
    }

    /// [`Source::opened_by`], for content that messages call `what`.
    pub(crate) fn opened<F>(what: String, len: u64, open: F) -> Self
    where
        F: Fn(u64) -> io::Result<Box<dyn Read + Send>> + Send + Sync + 'static,
    {
        Self::replayable(Content::Opened { what, len, open: Arc::new(open) })
    }

    /// A reader that can be read once, of unknown length and digest: a pipe, a compressor.
    #[must_use]
    pub fn reader(reader: impl Read + Send + 'static, algorithm: Algorithm) -> Self {
        Self::of(Kind::Once(Arc::new(Mutex::new(Stream::new(Box::new(reader), algorithm)))))
    }

    /// Says what the digest is: bytes that differ fail the body that would complete them.
    ///
    /// A reader's digest is what the reader gives: to say it beforehand changes nothing there.
    #[must_use]
    pub fn with_digest(mut self, digest: Digest) -> Self {
        if let Kind::Replayable { content, expected, hasher } = &mut self.kind {
            *expected = Some(digest);
            *hasher = Some(Arc::new(Mutex::new(Hasher::new(content.clone(), Some(digest)))));
        }
        self
    }

    /// Skips the hashing of a source whose digest was said: its maker vouches for it. The registry still checks.
    #[must_use]
    pub fn trusted(mut self) -> Self {
        if let Kind::Replayable { expected: Some(_), hasher, .. } = &mut self.kind {
            *hasher = None;
        }
        self
    }

    fn replayable(content: Content) -> Self {
        let hasher = Some(Arc::new(Mutex::new(Hasher::new(content.clone(), None))));
        Self::of(Kind::Replayable { content, expected: None, hasher })
    }

    fn of(kind: Kind) -> Self {
        Self { kind, operation: Arc::default() }
    }

    /// The length in bytes, where it is known before the end.
    #[must_use]
    pub fn len(&self) -> Option<u64> {
        match &self.kind {
            Kind::Replayable { content, .. } => Some(content.len()),
            Kind::Once(stream) => lock(stream).ended().map(|ended| ended.len),
        }
    }

    /// Whether it is known to hold no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The file and the offset in it, where the bytes are in a file.
    #[must_use]
    pub fn place(&self) -> Option<(&Path, u64)> {
        match &self.kind {
            Kind::Replayable { content: Content::File { path, offset, .. }, .. } => Some((path, *offset)),
            _ => None,
        }
    }

    /// Whether its bytes can be read again from the start.
    #[must_use]
    pub const fn is_replayable(&self) -> bool {
        matches!(self.kind, Kind::Replayable { .. })
    }

    /// Whether its bytes are in memory or in a file: nobody has to be waited for.
    #[must_use]
    pub const fn is_at_hand(&self) -> bool {
        matches!(&self.kind, Kind::Replayable { content: Content::Bytes(_) | Content::File { .. }, .. })
    }

    /// How many bytes of the blob this handle keeps in memory: those of a buffer, or the window of a reader.
    #[must_use]
    pub fn held(&self) -> u64 {
        match &self.kind {
            Kind::Replayable { content: Content::Bytes(bytes), .. } => bytes.len() as u64,
            Kind::Replayable { .. } => 0,
            Kind::Once(stream) => lock(stream).held(),
        }
    }

    /// Opens the bytes of `range`: a body of exactly that length.
    ///
    /// # Errors
    /// Where the range lies outside the content, the content is shorter than it was said to be or cannot be opened, or the
    /// bytes of a reader are not in hand.
    pub fn open(&self, range: Range<u64>) -> Result<BodyReader, SourceError> {
        match &self.kind {
            Kind::Replayable { content, hasher, .. } => {
                if range.start > range.end || range.end > content.len() {
                    return Err(SourceError::OutOfRange { range, len: content.len() });
                }
                let reader = content.open_at(range.start)?;
                if let Some(hasher) = hasher.as_ref().filter(|_| content.len() == 0) {
                    lock(hasher).catch_up(0)?;
                }
                Ok(BodyReader::replayable(reader, range, hasher.clone()))
            }
            Kind::Once(stream) => {
                lock(stream).check(range.start)?;
                if range.start > range.end {
                    let len = lock(stream).read();
                    return Err(SourceError::OutOfRange { range, len });
                }
                Ok(BodyReader::once(Arc::clone(stream), range.start, Some(range.end)))
            }
        }
    }

    /// Opens all bytes from `from` to the end, wherever that is.
    ///
    /// # Errors
    /// As for [`Source::open`].
    pub fn rest(&self, from: u64) -> Result<BodyReader, SourceError> {
        match &self.kind {
            Kind::Replayable { content, .. } => self.open(from..content.len()),
            Kind::Once(stream) => {
                lock(stream).check(from)?;
                Ok(BodyReader::once(Arc::clone(stream), from, None))
            }
        }
    }

    /// Gets the bytes from the offset `from` on and before the offset `up_to` into hand, or all that are left, and lets go of
    /// what lies before.
    ///
    /// Replayable content is not held in memory: its bytes are hashed up to there and will be read again.
    ///
    /// # Errors
    /// Where a read fails, the content is shorter than it was said to be, or bytes before the window are asked for.
    pub fn read_ahead(&self, from: u64, up_to: u64) -> Result<ReadAhead, SourceError> {
        match &self.kind {
            Kind::Replayable { content, expected, hasher } => {
                let (whole, end) = (content.len(), up_to.max(from));
                if from > whole {
                    return Err(SourceError::OutOfRange { range: from..end, len: whole });
                }
                let ended = match (hasher, expected) {
                    (Some(hasher), _) => {
                        let mut hasher = lock(hasher);
                        hasher.catch_up(end.min(whole))?;
                        hasher.ended()
                    }
                    (None, expected) => expected.map(|digest| Ended { len: whole, digest }),
                };
                Ok(match ended {
                    Some(ended) if end >= whole => ReadAhead::Ended(ended),
                    _ => ReadAhead::Filled { len: end.min(whole) },
                })
            }
            Kind::Once(stream) => lock(stream).read_ahead(from, up_to.max(from)),
        }
    }

    /// The whole blob's length and digest, once all of its bytes have passed.
    #[must_use]
    pub fn ended(&self) -> Option<Ended> {
        match &self.kind {
            Kind::Replayable { hasher: Some(hasher), .. } => lock(hasher).ended(),
            Kind::Replayable { content, expected, hasher: None } => {
                expected.map(|digest| Ended { len: content.len(), digest })
            }
            Kind::Once(stream) => lock(stream).ended(),
        }
    }

    /// What is known about the digest so far.
    #[must_use]
    pub fn verification(&self) -> Verification {
        match &self.kind {
            Kind::Replayable { hasher: Some(hasher), .. } => lock(hasher).verification(),
            Kind::Replayable { hasher: None, .. } => Verification::Trusted,
            Kind::Once(stream) => {
                let stream = lock(stream);
                let passed = Verification::Hashing { passed: stream.read() };
                stream.ended().map_or(passed, |ended| Verification::Computed(ended.digest))
            }
        }
    }

    /// Reads what has not passed yet, so that the digest is known without any upload.
    ///
    /// # Errors
    /// Where a read fails, or the bytes are not what their digest says. A reader's bytes would be lost: it is left alone.
    pub fn verify(&self) -> Result<Verification, SourceError> {
        if let Kind::Replayable { content, hasher: Some(hasher), .. } = &self.kind {
            lock(hasher).catch_up(content.len())?;
        }
        Ok(self.verification())
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Replayable { content, .. } => content.fmt(f),
            Kind::Once(_) => f.write_str("a reader"),
        }
    }
}

/// A panic elsewhere leaves nothing half done in here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
