//! Why a blob's bytes could not be read.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use longshore_core::Digest;
use thiserror::Error;

/// Why the bytes of a source could not be read. After such an error a driver must not send fewer or other bytes.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// No source was given for this key.
    #[error("no source was given for this blob: add one before it is pushed")]
    NoSource,
    /// The file could not be opened.
    #[error("cannot open {}: {error}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: Arc<io::Error>,
    },
    /// The path is a folder, a pipe or a device, whose size is not known.
    #[error("{} is not a file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A read failed.
    #[error("cannot read {what}: {error}")]
    Read {
        /// The source's name in messages.
        what: String,
        /// The system's error.
        error: Arc<io::Error>,
    },
    /// The content is shorter than its given size.
    #[error("{what} ended after {found} of {expected} bytes: it was changed while it was read")]
    Shrunk {
        /// The source's name in messages.
        what: String,
        /// The given size in bytes.
        expected: u64,
        /// The size that was found, in bytes.
        found: u64,
    },
    /// The requested bytes are not all in the content.
    #[error("bytes {} to {} were asked for, but there are only {len}", range.start, range.end)]
    OutOfRange {
        /// The requested range.
        range: Range<u64>,
        /// The size of the content in bytes.
        len: u64,
    },
    /// The requested bytes of a one-shot reader are not buffered any more.
    #[error(
        "byte {from} was requested again, but only bytes from {first} on are still buffered: the source can be read once"
    )]
    Gone {
        /// The position of the first requested byte.
        from: u64,
        /// The position of the first byte that is still buffered.
        first: u64,
    },
    /// The requested bytes of a one-shot reader come after bytes that were not read yet.
    #[error("byte {from} was requested, but only {read} bytes have been read so far")]
    Ahead {
        /// The position of the first requested byte.
        from: u64,
        /// How many bytes have been read.
        read: u64,
    },
    /// The bytes do not have the given digest.
    #[error(transparent)]
    DigestMismatch(#[from] Box<DigestMismatch>),
}

/// The bytes of a source do not have the given digest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what} has the digest {found}, not {expected}: the blob is damaged")]
#[non_exhaustive]
pub struct DigestMismatch {
    /// The source's name in messages.
    pub what: String,
    /// The digest that was given.
    pub expected: Digest,
    /// The digest of the bytes.
    pub found: Digest,
}

impl From<SourceError> for io::Error {
    fn from(error: SourceError) -> Self {
        Self::other(error)
    }
}
