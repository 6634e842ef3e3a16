//! The results of successful operations.

use crate::config::Checkpoint;
use crate::{Descriptor, Digest, Manifest, Tag};

/// The result of a successful operation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Receipt<K> {
    /// The push is complete: everything is stored, and the tags name the root.
    Pushed(Pushed),
    /// The push was suspended. Another process can continue it with this checkpoint.
    Suspended(Checkpoint),
    /// A manifest was pulled.
    Pulled(Manifest),
    /// A blob was written into the sink with this key, and has the expected digest.
    Poured {
        /// The sink.
        blob: K,
        /// How many bytes were written.
        len: u64,
    },
    /// A push would be allowed.
    Allowed,
    /// The manifest, tag or blob was deleted.
    Deleted,
    /// The tags of a repository, in the registry's order.
    Tags(Vec<Tag>),
    /// The referrers of a manifest, in the registry's order.
    Referrers(Vec<Descriptor>),
}

/// The result of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// The digest of the root, if the push has one.
    pub digest: Option<Digest>,
    /// The tags that now name the root.
    pub tags: Vec<Tag>,
    /// How many requests were sent for this push, including authentication and retries.
    pub requests: u64,
    /// How many bytes of blobs and manifests were sent, including retries.
    pub bytes: u64,
    /// How many blobs were uploaded.
    pub uploaded: u64,
    /// How many blobs were mounted from another repository.
    pub mounted: u64,
    /// How many blobs the repository had already.
    pub existing: u64,
    /// Blobs and manifests that the registry was not asked about during this push: they are assumed to exist because it
    /// serves a manifest that refers to them. [`Push::recheck`](crate::Push::recheck) asks about them.
    pub unverified: Vec<Digest>,
}
