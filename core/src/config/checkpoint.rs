//! The saved state of a push that was interrupted, with which another process can continue it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::RepositoryRef;
use crate::target::{Target, TargetError};
use crate::{Digest, Origin};

/// The version of the JSON format that is written and read.
const VERSION: u32 = 1;

/// What a push has done so far: the blobs that are stored, and the progress of open uploads.
///
/// It contains no credentials and no tokens, but it may contain the locations of uploads at the registry. A registry
/// may let anybody who knows such a location write to the upload, so keep a checkpoint as private as a key. It does not
/// contain uploads at other origins, nor blobs of unknown digest, which another process cannot resume.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    version: u32,
    registry: String,
    repository: String,
    stored: Vec<Digest>,
    uploads: Vec<SavedUpload>,
}

/// An upload that was open.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedUpload {
    pub(super) digest: Digest,
    pub(super) size: u64,
    /// Path and query, at the registry.
    location: String,
    /// How many bytes the registry has acknowledged.
    pub(super) acknowledged: u64,
}

/// An upload that an earlier process left open.
#[derive(Debug)]
pub(crate) struct LeftOpen {
    pub(crate) target: Target,
    /// The size of the blob, in bytes.
    pub(crate) size: u64,
    /// How many bytes were acknowledged.
    pub(crate) acknowledged: u64,
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint")
            .field("registry", &self.registry)
            .field("repository", &self.repository)
            .field("stored", &self.stored.len())
            .field("uploads", &self.uploads.len())
            .finish()
    }
}

/// Why a checkpoint cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The data is not a checkpoint.
    #[error("the data is not a checkpoint of a push: {0}")]
    Malformed(String),
    /// The checkpoint has another version of the format.
    #[error("the checkpoint has version {0}, but this program reads version {VERSION}; push again without it")]
    Version(u32),
    /// The checkpoint is of a push to another registry or repository.
    #[error("the checkpoint is of a push to {registry}/{repository}, not of this one")]
    OtherPush {
        /// The registry that it names.
        registry: String,
        /// The repository that it names.
        repository: String,
    },
    /// A blob has another size in the checkpoint than in this push.
    #[error("{digest} has {saved} bytes in the checkpoint, and {given} bytes in this push")]
    OtherSize {
        /// The blob.
        digest: Digest,
        /// Its size in the checkpoint, in bytes.
        saved: u64,
        /// Its size in the push, in bytes.
        given: u64,
    },
    /// A location in the checkpoint is malformed.
    #[error("a location in the checkpoint is refused: {0}")]
    Location(#[from] TargetError),
}

impl Checkpoint {
    pub(crate) fn new(place: &RepositoryRef, stored: impl Iterator<Item = Digest>) -> Self {
        Self {
            version: VERSION,
            registry: place.origin.to_string(),
            repository: place.repository.to_string(),
            stored: stored.collect(),
            uploads: Vec::new(),
        }
    }

    /// Adds an upload if it is at the registry's own origin.
    pub(crate) fn add(&mut self, digest: Digest, size: u64, location: &Target, acknowledged: u64) {
        if location.origin().to_string() == self.registry {
            let location = location.path_and_query().to_owned();
            self.uploads.push(SavedUpload { digest, size, location, acknowledged });
        }
    }

    /// Reads what [`Checkpoint::to_json`] wrote.
    ///
    /// # Errors
    /// If the data is not a checkpoint, or has another version.
    pub fn from_json(json: &[u8]) -> Result<Self, CheckpointError> {
        let checkpoint: Self = serde_json::from_slice(json).map_err(|e| CheckpointError::Malformed(e.to_string()))?;
        if checkpoint.version == VERSION { Ok(checkpoint) } else { Err(CheckpointError::Version(checkpoint.version)) }
    }

    /// Writes it as JSON. Store it where only its owner can read it.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // This cannot fail: all members are strings, numbers and digests.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// Checks that it is of a push to this repository, and that the blobs in it have the same sizes as those given.
    pub(super) fn check(
        &self,
        place: &RepositoryRef,
        given: impl Iterator<Item = (Digest, u64)>,
    ) -> Result<(), CheckpointError> {
        let (registry, repository) = (place.origin.to_string(), place.repository.to_string());
        if registry != self.registry || repository != self.repository {
            let (registry, repository) = (crate::text::shown(&self.registry), crate::text::shown(&self.repository));
            return Err(CheckpointError::OtherPush { registry, repository });
        }
        for upload in &self.uploads {
            self.location(upload, &place.origin)?;
        }
        let saved: BTreeMap<Digest, &SavedUpload> = self.uploads.iter().map(|upload| (upload.digest, upload)).collect();
        for (digest, given) in given {
            if let Some(upload) = saved.get(&digest)
                && (given != upload.size || upload.acknowledged > given)
            {
                return Err(CheckpointError::OtherSize { digest, saved: upload.size, given });
            }
        }
        Ok(())
    }

    /// The digests of the blobs that are stored.
    pub(crate) fn stored(&self) -> &[Digest] {
        &self.stored
    }

    /// The open uploads, by the digest of the blob.
    pub(crate) fn uploads(&self, origin: &Origin) -> impl Iterator<Item = (Digest, LeftOpen)> {
        self.uploads.iter().filter_map(|upload| {
            let target = self.location(upload, origin).ok()?;
            Some((upload.digest, LeftOpen { target, size: upload.size, acknowledged: upload.acknowledged }))
        })
    }

    fn location(&self, upload: &SavedUpload, origin: &Origin) -> Result<Target, TargetError> {
        Target::new(origin.clone(), upload.location.clone())
    }
}
