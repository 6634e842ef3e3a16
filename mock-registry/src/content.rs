//! Adds content without a request, for example before clients connect.

use std::io::{self, Read};

use bytes::Bytes;
use longshore_core::{Digest, Digester, MediaType, Repository, Tag};
use thiserror::Error;

use crate::refusal::Refusal;
use crate::registry::Registry;
use crate::state::UploadId;
use crate::storage::StorageError;

/// The number of bytes of a blob that are read at once.
const PIECE: usize = 1 << 20;

/// An error when content is added to a registry.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The bytes do not match the digest.
    #[error("the bytes of {named} have the digest {found}")]
    Digest {
        /// The digest that was given.
        named: Digest,
        /// The digest of the bytes.
        found: Digest,
    },
    /// The bytes of a blob could not be read.
    #[error("the bytes of {digest} cannot be read: {error}")]
    Read {
        /// The blob's digest.
        digest: Digest,
        /// The error of the reader.
        error: io::Error,
    },
    /// The content is not a manifest, or a limit of the registry is reached.
    #[error("{digest} is refused: {why}")]
    Refused {
        /// The digest of the content.
        digest: Digest,
        /// Why, in words.
        why: String,
    },
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Registry {
    /// Adds a blob to a repository without a request: no fault applies, nothing is judged, and the behaviour has no
    /// effect. If the registry already has the bytes, they are not read.
    ///
    /// # Errors
    /// If the bytes cannot be read or stored, do not match the digest, or a limit is reached.
    pub fn add_blob(
        &mut self,
        repository: &Repository,
        digest: &Digest,
        mut bytes: impl Read,
    ) -> Result<(), ContentError> {
        let known = self.state.repositories.values().find_map(|contents| contents.blobs.get(digest));
        let size = match known {
            Some(blob) => blob.size,
            None => {
                let upload = UploadId::from(self.random.uuid().as_str());
                let kept = self.keep_blob(&upload, digest, &mut bytes);
                if kept.is_err() {
                    self.storage.discard(&upload);
                }
                kept?
            }
        };
        if let Err(refusal) = self.link(repository, digest, size) {
            self.sweep(digest);
            return Err(refused(digest, &refusal));
        }
        if let Some(blob) = self.state.contents(repository).blobs.get_mut(digest) {
            blob.visible_from = self.now;
        }
        Ok(())
    }

    /// Reads a blob into the storage and returns its length.
    fn keep_blob(&mut self, upload: &UploadId, digest: &Digest, bytes: &mut dyn Read) -> Result<u64, ContentError> {
        let mut digester = Digester::new(digest.algorithm());
        let mut piece = vec![0; PIECE];
        loop {
            let read = bytes.read(&mut piece).map_err(|error| ContentError::Read { digest: *digest, error })?;
            if read == 0 {
                break;
            }
            digester.update(&piece[..read]);
            self.storage.append(upload, &piece[..read])?;
        }
        let (size, found) = (digester.len(), digester.finish());
        if found != *digest {
            return Err(ContentError::Digest { named: *digest, found });
        }
        self.storage.keep(upload, digest)?;
        Ok(size)
    }

    /// Adds a manifest to a repository under its digest and these tags, without a request. The content that it refers
    /// to may be missing.
    ///
    /// # Errors
    /// If it is not a manifest, its bytes do not match the digest, a limit is reached, or the storage fails.
    pub fn add_manifest(
        &mut self,
        repository: &Repository,
        digest: &Digest,
        media_type: &MediaType,
        bytes: Bytes,
        tags: &[Tag],
    ) -> Result<(), ContentError> {
        let found = Digest::of(digest.algorithm(), &bytes);
        if found != *digest {
            return Err(ContentError::Digest { named: *digest, found });
        }
        let refused = |refusal: Refusal| refused(digest, &refusal);
        self.check_room(repository).map_err(refused)?;
        let mut reading = crate::manifests::read(Some(media_type.as_str()), bytes, 400).map_err(refused)?;
        reading.stored.stored = self.now;
        self.store(repository, *digest, reading, tags).map_err(refused)
    }
}

fn refused(digest: &Digest, refusal: &Refusal) -> ContentError {
    ContentError::Refused { digest: *digest, why: refusal.message().to_owned() }
}
