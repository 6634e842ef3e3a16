//! Sources of blobs: where the bytes of one blob come from, and how a driver reads them.

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

/// The largest piece that a body returns, in bytes.
pub const PIECE: usize = 128 * 1024;

/// Where the bytes of one blob come from.
///
/// A clone is another handle to the same source, for a thread that reads. All reads block.
///
/// There are two kinds. *Replayable* sources (bytes, files, and everything that can be opened again) have a known size,
/// and each body opens them again. A *reader* can be read once and has no known size; the bytes that were read ahead,
/// and as many before them, stay buffered for a retry.
///
/// The digest is computed once, while the bytes are read. If one was given ([`Source::with_digest`]) and the bytes do
/// not have it, the last piece of the body fails, so that wrong bytes never complete an upload.
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

/// The size and digest of a blob, known at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ended {
    /// The whole blob's size in bytes.
    pub len: u64,
    /// The whole blob's digest.
    pub digest: Digest,
}

/// The result of reading ahead: the answer to [`Output::Read`](longshore_core::driver::Output::Read).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadAhead {
    /// The requested bytes are buffered, and there is at least one more byte.
    Filled {
        /// The position after the last buffered byte, counted from the blob's beginning.
        len: u64,
    },
    /// All remaining bytes are buffered.
    Ended(Ended),
}

impl Source {
    /// Bytes in memory.
    #[must_use]
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::replayable(Content::Bytes(bytes.into()))
    }

    /// A whole file, with its current size.
    ///
    /// # Errors
    /// If the file does not exist, or is a folder, a pipe or a device.
    pub fn file(path: impl Into<PathBuf>) -> Result<Self, SourceError> {
        let path = path.into();
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(Self::part_of_file(path, 0, metadata.len())),
            Ok(_) => Err(SourceError::NotAFile { path }),
            Err(error) => Err(SourceError::Open { path, error: Arc::new(error) }),
        }
    }

    /// `len` bytes of a file from the position `offset` on. Each body opens the file again.
    #[must_use]
    pub fn part_of_file(path: impl Into<PathBuf>, offset: u64, len: u64) -> Self {
        Self::replayable(Content::File { path: path.into(), offset, len })
    }

    /// Content of `len` bytes that `open` can open any number of times, at any position from 0 to `len`, inclusive.
    #[must_use]
    pub fn opened_by<F>(len: u64, open: F) -> Self
    where
        F: Fn(u64) -> io::Result<Box<dyn Read + Send>> + Send + Sync + 'static,
    {
        Self::opened("the content".to_owned(), len, open)
    }

    /// [`Source::opened_by`], for content whose name in messages is `what`.
    pub(crate) fn opened<F>(what: String, len: u64, open: F) -> Self
    where
        F: Fn(u64) -> io::Result<Box<dyn Read + Send>> + Send + Sync + 'static,
    {
        Self::replayable(Content::Opened { what, len, open: Arc::new(open) })
    }

    /// A reader that can be read once, of unknown size and digest, such as a pipe or a compressor.
    #[must_use]
    pub fn reader(reader: impl Read + Send + 'static, algorithm: Algorithm) -> Self {
        Self::of(Kind::Once(Arc::new(Mutex::new(Stream::new(Box::new(reader), algorithm)))))
    }

    /// Sets the digest that the bytes must have. If they do not have it, the body that would complete them fails.
    ///
    /// For a reader this has no effect: its digest is always computed.
    #[must_use]
    pub fn with_digest(mut self, digest: Digest) -> Self {
        if let Kind::Replayable { content, expected, hasher } = &mut self.kind {
            *expected = Some(digest);
            *hasher = Some(Arc::new(Mutex::new(Hasher::new(content.clone(), Some(digest)))));
        }
        self
    }

    /// Skips the hashing of a source whose digest was given, because the caller trusts it. The registry still verifies
    /// it.
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

    /// The size in bytes, if it is known before the end.
    #[must_use]
    pub fn len(&self) -> Option<u64> {
        match &self.kind {
            Kind::Replayable { content, .. } => Some(content.len()),
            Kind::Once(stream) => lock(stream).ended().map(|ended| ended.len),
        }
    }

    /// Whether it is known to be empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The file and the position in it, if the bytes are in a file.
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

    /// Whether its bytes are in memory or in a file, so that reading them does not wait for anything.
    #[must_use]
    pub const fn is_at_hand(&self) -> bool {
        matches!(&self.kind, Kind::Replayable { content: Content::Bytes(_) | Content::File { .. }, .. })
    }

    /// How many bytes of the blob are in memory: all for bytes in memory, and the buffered ones for a reader.
    #[must_use]
    pub fn held(&self) -> u64 {
        match &self.kind {
            Kind::Replayable { content: Content::Bytes(bytes), .. } => bytes.len() as u64,
            Kind::Replayable { .. } => 0,
            Kind::Once(stream) => lock(stream).held(),
        }
    }

    /// Opens the bytes of `range`, as a body of exactly that length.
    ///
    /// # Errors
    /// If the range is not inside the content, if the content is shorter than its given size or cannot be opened, or if
    /// the bytes of a reader are not buffered.
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

    /// Opens all bytes from `from` to the end.
    ///
    /// # Errors
    /// Those of [`Source::open`].
    pub fn rest(&self, from: u64) -> Result<BodyReader, SourceError> {
        match &self.kind {
            Kind::Replayable { content, .. } => self.open(from..content.len()),
            Kind::Once(stream) => {
                lock(stream).check(from)?;
                Ok(BodyReader::once(Arc::clone(stream), from, None))
            }
        }
    }

    /// Buffers the bytes from `from` to before `up_to`, or all remaining bytes, and drops the bytes before `from`.
    ///
    /// Replayable content is not buffered: its bytes are hashed up to there, and will be read again.
    ///
    /// # Errors
    /// If a read fails, if the content is shorter than its given size, or if bytes are requested that were dropped.
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

    /// The whole blob's size and digest, once all of its bytes were read.
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

    /// The current state of the verification.
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

    /// Reads all bytes that were not read yet, to verify the digest without an upload.
    ///
    /// # Errors
    /// If a read fails, or if the bytes do not have the given digest. A reader is not read, because its bytes would be
    /// lost.
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

/// A poisoned lock is no problem: a change that panicked has left a valid state.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
