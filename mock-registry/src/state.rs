//! The state of a registry, which is public.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use longshore_core::{Algorithm, Digest, Digester, MediaType, Repository, Tag};

use crate::Instant;

/// The state of a registry without the bytes of blobs.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct State {
    /// The contents of each repository. A repository stays even if all its content is deleted.
    pub repositories: BTreeMap<Repository, Contents>,
    /// The open uploads.
    pub uploads: BTreeMap<UploadId, Upload>,
    /// The uploads by a moment that is not later than their last request.
    pub(crate) upload_queue: BTreeSet<(Instant, UploadId)>,
    /// The total length of all manifests in bytes.
    pub(crate) manifest_bytes: u64,
}

impl State {
    /// The blob of this digest in a repository, if it is visible at this moment.
    pub(crate) fn blob(&self, repository: &Repository, digest: &Digest, now: Instant) -> Option<&Blob> {
        self.repositories.get(repository)?.blobs.get(digest).filter(|blob| blob.visible_from <= now)
    }

    /// Opens an upload.
    pub(crate) fn open_upload(&mut self, id: UploadId, mut upload: Upload) {
        upload.queued = upload.touched;
        self.upload_queue.insert((upload.queued, id.clone()));
        self.uploads.insert(id, upload);
    }

    /// Removes an upload.
    pub(crate) fn forget_upload(&mut self, id: &UploadId) {
        if let Some(upload) = self.uploads.remove(id) {
            self.upload_queue.remove(&(upload.queued, id.clone()));
        }
    }

    /// Removes and returns the ids of uploads without a request for this long. Uploads with a request since they were
    /// queued are queued again.
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

    /// Adds a manifest to a repository.
    pub(crate) fn store_manifest(&mut self, repository: &Repository, digest: Digest, stored: Stored) {
        self.manifest_bytes = self.manifest_bytes.saturating_add(stored.bytes.len() as u64);
        if let Some(old) = self.contents(repository).manifests.insert(digest, stored) {
            self.manifest_bytes = self.manifest_bytes.saturating_sub(old.bytes.len() as u64);
        }
    }

    /// Removes a manifest from a repository.
    pub(crate) fn remove_manifest(&mut self, repository: &Repository, digest: &Digest) -> Option<Stored> {
        let stored = self.repositories.get_mut(repository)?.manifests.remove(digest)?;
        self.manifest_bytes = self.manifest_bytes.saturating_sub(stored.bytes.len() as u64);
        Some(stored)
    }

    /// The contents of a repository, which is created if it does not exist.
    pub(crate) fn contents(&mut self, repository: &Repository) -> &mut Contents {
        self.repositories.entry(repository.clone()).or_default()
    }
}

/// The contents of one repository.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Contents {
    /// Its blobs. Their bytes are in the storage.
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
    /// When it becomes visible to clients.
    pub visible_from: Instant,
}

/// A manifest in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// Its type.
    pub media_type: MediaType,
    /// Its bytes, as they were received.
    pub bytes: Bytes,
    /// The digest of its subject, of any algorithm.
    pub subject: Option<String>,
    /// Its artifact type: its `artifactType`, or, if an image has none, the type of its config.
    pub artifact_type: Option<String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// The blobs that it refers to.
    pub blobs: BTreeSet<Digest>,
    /// The manifests that it lists, if it is an index.
    pub children: BTreeSet<Digest>,
    /// When it was last stored.
    pub stored: Instant,
}

/// An open upload.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Upload {
    /// The repository of the blob.
    pub repository: Repository,
    /// The algorithm with which bytes are hashed when they are received.
    pub algorithm: Algorithm,
    /// The hash and the number of the bytes so far.
    pub digester: Digester,
    /// The number of earlier bytes that it no longer has (`artifactory-chunks-last-kept`).
    pub dropped: u64,
    /// The number of accepted chunks, which its `_state` contains.
    pub step: u64,
    /// The offset of the end of its first chunk.
    pub first_end: u64,
    /// Whether a chunk was shorter than the minimum, so that it must have been the last one.
    pub short: bool,
    /// The time of its last request.
    pub touched: Instant,
    /// Whether a request is writing to it.
    pub busy: bool,
    /// Its key in the queue of uploads that expire.
    pub(crate) queued: Instant,
}

impl Upload {
    /// The length in bytes.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.dropped.saturating_add(self.digester.len())
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The id of an upload. It comes from a path, so it may be one that this registry did not give.
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
