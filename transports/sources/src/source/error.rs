//! Why a blob's bytes could not be had.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use longshore_core::Digest;
use thiserror::Error;

/// Why the bytes of a source could not be had. None of these may be answered by sending fewer or other bytes.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// No source was given for the key that was asked for.
    #[error("no source was given for this blob: add one before it is pushed")]
    NoSource,
    /// The file could not be opened.
    #[error("cannot open {}: {error}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: Arc<io::Error>,
    },
    /// A folder, a pipe or a device, of which nobody knows how long it is.
    #[error("{} is not a file", path.display())]
    NotAFile {
        /// What is there.
        path: PathBuf,
    },
    /// A read failed.
    #[error("cannot read {what}: {error}")]
    Read {
        /// The source, in words.
        what: String,
        /// What the system said.
        error: Arc<io::Error>,
    },
    /// The content ended before the length that it was said to have.
    #[error("{what} ended after {found} of {expected} bytes: it was changed while it was read")]
    Shrunk {
        /// The source, in words.
        what: String,
        /// How long it should have been, in bytes.
        expected: u64,
        /// How long it was, in bytes.
        found: u64,
    },
    /// Bytes were asked for that the content does not have.
    #[error("bytes {} to {} were asked for, but there are only {len}", range.start, range.end)]
    OutOfRange {
        /// What was asked for.
        range: Range<u64>,
        /// How long the content is, in bytes.
        len: u64,
    },
    /// A reader that can be read only once is past the byte that was asked for.
    #[error(
        "byte {from} was asked for again, but only bytes from {first} on are still in hand: the source can be read once"
    )]
    Gone {
        /// The first byte that was asked for.
        from: u64,
        /// The first byte that is still held.
        first: u64,
    },
    /// Bytes of a reader were asked for that lie behind bytes nobody has read yet.
    #[error("byte {from} was asked for, but only {read} bytes have been read so far")]
    Ahead {
        /// The first byte that was asked for.
        from: u64,
        /// How many bytes have been read.
        read: u64,
    },
    /// The bytes are not what their digest says.
    #[error(transparent)]
    DigestMismatch(#[from] Box<DigestMismatch>),
}

/// The bytes of a source are not what their digest says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what} has the digest {found}, not {expected}: the blob is damaged")]
pub struct DigestMismatch {
    /// The source, in words.
    pub what: String,
    /// The digest that it should have.
    pub expected: Digest,
    /// The digest that it has.
    pub found: Digest,
}

impl From<SourceError> for io::Error {
    fn from(error: SourceError) -> Self {
        Self::other(error)
    }
}
