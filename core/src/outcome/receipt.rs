//! What an operation gives back.

use crate::config::Checkpoint;
use crate::{Descriptor, Digest, Manifest, Tag};

/// What came of an operation that went well.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Receipt<K> {
    /// A push is whole: everything is stored, and the tags name it.
    Pushed(Pushed),
    /// A push was suspended: what it had done, for another process to go on with.
    Suspended(Checkpoint),
    /// A manifest was pulled.
    Pulled(Manifest),
    /// A blob was poured into the sink of this name, and its digest is right.
    Poured {
        /// The sink.
        blob: K,
        /// The bytes that were poured.
        len: u64,
    },
    /// A push would be allowed.
    Allowed,
    /// What was named is gone.
    Deleted,
    /// The tags of a repository, in the registry's order.
    Tags(Vec<Tag>),
    /// The referrers of a manifest, in the registry's order.
    Referrers(Vec<Descriptor>),
}

/// What a push did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// The digest of the root manifest, where the push has one.
    pub digest: Option<Digest>,
    /// The tags that name it now.
    pub tags: Vec<Tag>,
    /// Requests that were sent for this push, authentication and repetitions included.
    pub requests: u64,
    /// Bytes of blobs and manifests that were sent, repetitions included.
    pub bytes: u64,
    /// Blobs whose bytes were sent.
    pub uploaded: u64,
    /// Blobs that were mounted from another repository.
    pub mounted: u64,
    /// Blobs that were there already.
    pub existing: u64,
    /// Blobs and manifests that are taken to be there only because the registry serves a manifest that refers to them, and that
    /// neither it nor anybody else was asked about during this push. [`Push::recheck`](crate::Push::recheck) asks.
    pub unverified: Vec<Digest>,
}
