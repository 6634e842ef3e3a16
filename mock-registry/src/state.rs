//! All that a registry knows, in the open.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use longshore_core::{Algorithm, Digest, Digester, MediaType, Repository, Tag};

use crate::Instant;

/// The registry's state, apart from the bytes of blobs.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct State {
    /// What was ever stored in each repository. A repository stays when all in it is deleted.
    pub repositories: BTreeMap<Repository, Contents>,
    /// The uploads that are open.
    pub uploads: BTreeMap<UploadId, Upload>,
    /// The uploads by a moment at which, or later than which, they were last touched.
    pub(crate) upload_queue: BTreeSet<(Instant, UploadId)>,
    /// How many bytes all manifests have.
    pub(crate) manifest_bytes: u64,
}

impl State {
    /// The blob of this digest in a repository, if it can be seen at this moment.
    pub(crate) fn blob(&self, repository: &Repository, digest: &Digest, now: Instant) -> Option<&Blob> {
        self.repositories.get(repository)?.blobs.get(digest).filter(|blob| blob.visible_from <= now)
    }

    /// Opens an upload.
    pub(crate) fn open_upload(&mut self, id: UploadId, mut upload: Upload) {
        upload.queued = upload.touched;
        self.upload_queue.insert((upload.queued, id.clone()));
        self.uploads.insert(id, upload);
    }

    /// Forgets an upload.
    pub(crate) fn forget_upload(&mut self, id: &UploadId) {
        if let Some(upload) = self.uploads.remove(id) {
            self.upload_queue.remove(&(upload.queued, id.clone()));
        }
    }

    /// Takes out the uploads that nobody touched for so long. Those that were touched since they were queued are queued anew.
    pub(crate) fn expired_uploads(&mut self, now: Instant, lifetime: Duration) -> Vec<UploadId> {
        let (mut expired, mut touched) = (Vec::new(), Vec::new());
        while let Some((queued, id)) = self.upload_queue.pop_first() {
            if queued.after(lifetime) > now {
                self.upload_queue.insert((queued, id));
                break;
            }
            match self.uploads.get_mut(&id) {
                None => {}
                Some(upload) if upload.busy || upload.touched.after(lifetime) > now => {
                    upload.queued = if upload.busy { now } else { upload.touched };
                    touched.push((upload.queued, id));
                }
                Some(_) => {
                    self.uploads.remove(&id);
                    expired.push(id);
                }
            }
        }
        self.upload_queue.extend(touched);
        expired
    }

    /// Lets a repository have a manifest.
    pub(crate) fn store_manifest(&mut self, repository: &Repository, digest: Digest, stored: Stored) {
        self.manifest_bytes = self.manifest_bytes.saturating_add(stored.bytes.len() as u64);
        if let Some(old) = self.contents(repository).manifests.insert(digest, stored) {
            self.manifest_bytes = self.manifest_bytes.saturating_sub(old.bytes.len() as u64);
        }
    }

    /// Takes a manifest out of a repository.
    pub(crate) fn remove_manifest(&mut self, repository: &Repository, digest: &Digest) -> Option<Stored> {
        let stored = self.repositories.get_mut(repository)?.manifests.remove(digest)?;
        self.manifest_bytes = self.manifest_bytes.saturating_sub(stored.bytes.len() as u64);
        Some(stored)
    }

    /// The contents of a repository, which begins to exist.
    pub(crate) fn contents(&mut self, repository: &Repository) -> &mut Contents {
        self.repositories.entry(repository.clone()).or_default()
    }
}

/// What one repository has.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Contents {
    /// Its blobs. The bytes are the storage's.
    pub blobs: BTreeMap<Digest, Blob>,
    /// Its manifests.
    pub manifests: BTreeMap<Digest, Stored>,
    /// Its tags. Each names one of its manifests.
    pub tags: BTreeMap<Tag, Digest>,
}

/// A blob in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blob {
    /// Its length in bytes.
    pub size: u64,
    /// When it begins to be there for those who ask.
    pub visible_from: Instant,
}

/// A manifest in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// Its type.
    pub media_type: MediaType,
    /// Its bytes, as they came.
    pub bytes: Bytes,
    /// The digest of its subject, of any algorithm.
    pub subject: Option<String>,
    /// What it is as an artifact: its own `artifactType`, or else, for an image, its config's type.
    pub artifact_type: Option<String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// The blobs that it refers to.
    pub blobs: BTreeSet<Digest>,
    /// The manifests that it lists, where it is an index.
    pub children: BTreeSet<Digest>,
    /// When it was last stored.
    pub stored: Instant,
}

/// An open upload.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Upload {
    /// Where the blob goes.
    pub repository: Repository,
    /// The hash that is computed while bytes come.
    pub algorithm: Algorithm,
    /// All bytes so far, hashed and counted.
    pub digester: Digester,
    /// How many bytes came before those that it still has (`artifactory-chunks-last-kept`).
    pub dropped: u64,
    /// How many chunks it took; what its `_state` stands for.
    pub step: u64,
    /// Where its first chunk ended.
    pub first_end: u64,
    /// Whether a chunk was shorter than chunks but the last must be.
    pub short: bool,
    /// When a request last touched it.
    pub touched: Instant,
    /// Whether a request is writing to it.
    pub busy: bool,
    /// The moment under which it stands among those that may be gone soon.
    pub(crate) queued: Instant,
}

impl Upload {
    /// How many bytes it has.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.dropped.saturating_add(self.digester.len())
    }

    /// Whether it has no byte.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The name of an upload: what a path holds, so not always one that this registry gave.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId(String);

impl UploadId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for UploadId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
