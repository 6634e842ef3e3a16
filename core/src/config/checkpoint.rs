//! A push that was interrupted, saved so that another process can go on with it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::RepositoryRef;
use crate::target::{Target, TargetError};
use crate::{Digest, Origin};

/// The version of the format that is written and read.
const VERSION: u32 = 1;

/// What a push has done so far: which blobs are stored, and how far open uploads are.
///
/// It holds no credential and no token. It may hold the locations of uploads at the registry itself, which let whoever
/// reads them write there: keep it as private as a key. Uploads at other origins are not in it, nor is a blob of unknown
/// digest: that cannot be resumed by another process.
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
    /// How many bytes the registry had acknowledged.
    pub(super) acknowledged: u64,
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
    /// It is not one.
    #[error("this is not a checkpoint of a push: {0}")]
    Malformed(String),
    /// It was written by another version.
    #[error("the checkpoint has version {0}; this program reads version {VERSION}")]
    Version(u32),
    /// It is of another push.
    #[error("the checkpoint is of a push to {registry}/{repository}, not of this one")]
    OtherPush {
        /// The registry that it names.
        registry: String,
        /// The repository that it names.
        repository: String,
    },
    /// A blob of this push has another length than in the checkpoint.
    #[error("the checkpoint says that {digest} has {saved} bytes, and the push says {given}")]
    OtherSize {
        /// The blob.
        digest: Digest,
        /// Its length in the checkpoint, in bytes.
        saved: u64,
        /// Its length in the push, in bytes.
        given: u64,
    },
    /// A location in it is none.
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

    /// Adds an upload, if it is at the registry itself.
    pub(crate) fn add(&mut self, digest: Digest, size: u64, location: &Target, acknowledged: u64) {
        if location.origin().to_string() == self.registry {
            let location = location.path_and_query().to_owned();
            self.uploads.push(SavedUpload { digest, size, location, acknowledged });
        }
    }

    /// Reads what [`Checkpoint::to_json`] wrote.
    ///
    /// # Errors
    /// Where it is not a checkpoint, or of another version.
    pub fn from_json(json: &[u8]) -> Result<Self, CheckpointError> {
        let checkpoint: Self = serde_json::from_slice(json).map_err(|e| CheckpointError::Malformed(e.to_string()))?;
        if checkpoint.version == VERSION { Ok(checkpoint) } else { Err(CheckpointError::Version(checkpoint.version)) }
    }

    /// As JSON, to be kept where only its owner can read it.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Strings, numbers and digests: nothing that could fail.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// Whether it is of a push into this repository, and of blobs of these lengths as far as it knows them.
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

    /// What was stored.
    pub(crate) fn stored(&self) -> &[Digest] {
        &self.stored
    }

    /// The uploads that were open: the blob of each, its location, and how many bytes were acknowledged in it.
    pub(crate) fn uploads(&self, origin: &Origin) -> impl Iterator<Item = (Digest, (Target, u64))> {
        self.uploads.iter().filter_map(|upload| {
            let target = self.location(upload, origin).ok()?;
            Some((upload.digest, (target, upload.acknowledged)))
        })
    }

    fn location(&self, upload: &SavedUpload, origin: &Origin) -> Result<Target, TargetError> {
        Target::new(origin.clone(), upload.location.clone())
    }
}
