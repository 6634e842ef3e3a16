//! Storage as a trait, so that the registry itself uses no files.

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

/// Stores the bytes of uploads and blobs, and the records of what each repository has.
///
/// The registry stores the content that a record refers to before it stores the record. If a method fails, it leaves
/// everything as it was before the call, except where its documentation says otherwise.
pub trait Storage: Send {
    /// All records that were written and not erased, in any order. Called once, at the start.
    ///
    /// # Errors
    /// If they cannot be read.
    fn load(&mut self) -> Result<Vec<Record>, StorageError>;

    /// Whether its methods may wait for a disk. If they may, a server calls them on threads that may block.
    fn may_block(&self) -> bool {
        true
    }

    /// Adds bytes at the end of an upload, and begins it if it is new.
    ///
    /// # Errors
    /// If they cannot be stored. The upload may then have a part of them, until [`Storage::truncate`].
    fn append(&mut self, upload: &UploadId, bytes: &[u8]) -> Result<(), StorageError>;

    /// Shortens an upload to its first `len` bytes. Does nothing if the storage does not have the upload.
    ///
    /// # Errors
    /// If the storage fails.
    fn truncate(&mut self, upload: &UploadId, len: u64) -> Result<(), StorageError>;

    /// Removes an upload and its bytes, if it exists.
    fn discard(&mut self, upload: &UploadId);

    /// At most `up_to` bytes of an upload from the offset `at`; none at its end.
    ///
    /// # Errors
    /// If they cannot be read.
    fn uploaded(&mut self, upload: &UploadId, at: u64, up_to: usize) -> Result<Bytes, StorageError>;

    /// Makes a closed upload the blob of this digest, completely or not at all. An empty upload makes an empty blob.
    ///
    /// # Errors
    /// If the storage fails.
    fn keep(&mut self, upload: &UploadId, digest: &Digest) -> Result<(), StorageError>;

    /// Opens a blob for reading. It can be read even after it is removed.
    ///
    /// # Errors
    /// [`StorageError::Missing`] if the blob does not exist.
    fn blob(&self, digest: &Digest) -> Result<Box<dyn BlobBytes>, StorageError>;

    /// Removes a blob, if it exists.
    fn remove(&mut self, digest: &Digest);

    /// Writes a record. It replaces an older one with the same key.
    ///
    /// # Errors
    /// If the storage fails.
    fn record(&mut self, record: &Record) -> Result<(), StorageError>;

    /// Removes everything.
    ///
    /// # Errors
    /// If something cannot be removed.
    fn clear(&mut self) -> Result<(), StorageError>;

    /// Erases the record with the same key, if there is one.
    ///
    /// # Errors
    /// If it exists and cannot be erased.
    fn erase(&mut self, record: &Record) -> Result<(), StorageError>;
}

/// The bytes of one blob.
pub trait BlobBytes: Send {
    /// At most `up_to` bytes from the offset `at`; none at the end.
    ///
    /// # Errors
    /// If they cannot be read.
    fn read(&mut self, at: u64, up_to: usize) -> Result<Bytes, StorageError>;
}

/// One entry of a repository. All fields before the last one are its key.
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

/// An error of the storage.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The storage is full.
    #[error(
        "the registry's storage is full: free some room, or delete content from the registry (in memory: --memory)"
    )]
    Full,
    /// The content does not exist.
    #[error("the registry's storage does not hold what its records name: {0}")]
    Missing(String),
    /// Any other error.
    #[error("the registry's storage failed: {0}")]
    Failed(String),
}
