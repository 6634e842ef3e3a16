//! Where bytes are kept: a trait, so that the registry itself touches no file.

mod directory;
mod discarding;
mod memory;

use bytes::Bytes;
use longshore_core::{Digest, MediaType, Repository, Tag};
use thiserror::Error;

use crate::UploadId;

pub use directory::Directory;
pub use discarding::DiscardingStorage;
pub use memory::Memory;

/// Keeps the bytes of uploads and blobs, and the records that say what each repository has.
///
/// The registry calls it in the order of what it answers: what a record refers to is stored before the record is. An error
/// leaves everything as it was before the call.
pub trait Storage: Send {
    /// All records that were written and not erased, in any order. Called once, at the start.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn load(&mut self) -> Result<Vec<Record>, StorageError>;

    /// Whether its methods may wait for a disk: then they are called where waiting keeps nobody else waiting.
    fn may_block(&self) -> bool {
        true
    }

    /// Adds bytes at the end of an upload, and begins it if it is new.
    ///
    /// # Errors
    /// Where they cannot be kept. The upload may then hold a part of them, until [`Storage::truncate`].
    fn append(&mut self, upload: &UploadId, bytes: &[u8]) -> Result<(), StorageError>;

    /// Cuts an upload back to its first `len` bytes. Nothing happens where it has none.
    ///
    /// # Errors
    /// Where that fails.
    fn truncate(&mut self, upload: &UploadId, len: u64) -> Result<(), StorageError>;

    /// Forgets an upload and its bytes, if there are any.
    fn discard(&mut self, upload: &UploadId);

    /// At most `up_to` bytes of an upload from the offset `at`; none at its end.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn uploaded(&mut self, upload: &UploadId, at: u64, up_to: usize) -> Result<Bytes, StorageError>;

    /// Makes a finished upload the blob of this digest, whole or not at all. An upload without a byte makes an empty blob.
    ///
    /// # Errors
    /// Where that fails.
    fn keep(&mut self, upload: &UploadId, digest: &Digest) -> Result<(), StorageError>;

    /// Opens a blob to be read, even if it is removed meanwhile.
    ///
    /// # Errors
    /// [`StorageError::Missing`] where there is none.
    fn blob(&self, digest: &Digest) -> Result<Box<dyn BlobBytes>, StorageError>;

    /// Removes a blob, if it is there.
    fn remove(&mut self, digest: &Digest);

    /// Writes a record, in place of an older one of the same key.
    ///
    /// # Errors
    /// Where that fails.
    fn record(&mut self, record: &Record) -> Result<(), StorageError>;

    /// Forgets everything.
    ///
    /// # Errors
    /// Where something stays.
    fn clear(&mut self) -> Result<(), StorageError>;

    /// Erases the record of the same key, if there is one.
    ///
    /// # Errors
    /// Where it is there and stays.
    fn erase(&mut self, record: &Record) -> Result<(), StorageError>;
}

/// The bytes of one blob.
pub trait BlobBytes: Send {
    /// At most `up_to` bytes from the offset `at`; none at the end.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn read(&mut self, at: u64, up_to: usize) -> Result<Bytes, StorageError>;
}

/// One thing that a repository has. What stands before the last field is its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A blob.
    Blob {
        /// The repository.
        repository: Repository,
        /// The blob's digest.
        digest: Digest,
        /// The blob's length in bytes.
        size: u64,
    },
    /// A manifest.
    Manifest {
        /// The repository.
        repository: Repository,
        /// The manifest's digest.
        digest: Digest,
        /// Its type, and its bytes.
        content: (MediaType, Bytes),
    },
    /// A tag.
    Tag {
        /// The repository.
        repository: Repository,
        /// The tag.
        tag: Tag,
        /// The digest of the manifest it names.
        digest: Digest,
    },
}

/// Why bytes could not be kept or had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StorageError {
    /// No room.
    #[error(
        "the registry's storage is full: free some room, or delete content from the registry (in memory: --memory)"
    )]
    Full,
    /// Not there.
    #[error("the registry's storage does not hold what its records name: {0}")]
    Missing(String),
    /// Anything else.
    #[error("the registry's storage failed: {0}")]
    Failed(String),
}
