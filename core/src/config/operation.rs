//! What a caller can ask a client for.

use super::{Push, RepositoryRef};
use crate::{Digest, Registry, Repository, Tag};

/// The number of one operation in its client: never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub(crate) u64);

/// Something to do with one repository.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Operation<K> {
    /// Push blobs, manifests and tags. Gives [`Receipt::Pushed`](crate::Receipt::Pushed).
    Push(Push<K>),
    /// Pull a manifest. Gives [`Receipt::Pulled`](crate::Receipt::Pulled).
    PullManifest {
        /// Where it is.
        registry: Registry,
        /// Where it is in there.
        repository: Repository,
        /// Its tag or digest.
        reference: ManifestReference,
    },
    /// Pull a blob into a sink of the driver's. Gives [`Receipt::Poured`](crate::Receipt::Poured).
    PullBlob {
        /// Where it is.
        registry: Registry,
        /// Where it is in there.
        repository: Repository,
        /// What it is called.
        digest: Digest,
        /// How many bytes it should have, where that is known.
        size: Option<u64>,
        /// The driver's sink.
        sink: K,
    },
    /// Find out whether a push would be allowed, and leave nothing behind. Gives [`Receipt::Allowed`](crate::Receipt::Allowed).
    CheckPush {
        /// Where.
        registry: Registry,
        /// Where in there.
        repository: Repository,
    },
    /// Delete a manifest, a tag or a blob. Gives [`Receipt::Deleted`](crate::Receipt::Deleted). A manifest's entry among its subject's referrers goes too.
    Delete {
        /// Where it is.
        registry: Registry,
        /// Where it is in there.
        repository: Repository,
        /// What.
        what: Deletion,
    },
    /// List the tags. Gives [`Receipt::Tags`](crate::Receipt::Tags).
    ListTags {
        /// Where.
        registry: Registry,
        /// Where in there.
        repository: Repository,
    },
    /// List what refers to a manifest. Gives [`Receipt::Referrers`](crate::Receipt::Referrers).
    ListReferrers {
        /// Where.
        registry: Registry,
        /// Where in there.
        repository: Repository,
        /// The manifest.
        subject: Digest,
        /// Only artifacts of this type.
        artifact_type: Option<String>,
    },
}

/// The name of a manifest in a repository: the spec's `<reference>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestReference {
    /// By a tag.
    Tag(Tag),
    /// By its digest.
    Digest(Digest),
}

/// What to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// A tag; what it names stays.
    Tag(Tag),
    /// A manifest, with all its tags.
    Manifest(Digest),
    /// A blob.
    Blob(Digest),
}

impl<K> From<Push<K>> for Operation<K> {
    fn from(push: Push<K>) -> Self {
        Self::Push(push)
    }
}

impl<K> Operation<K> {
    pub(crate) const fn registry(&self) -> &Registry {
        match self {
            Self::Push(push) => &push.registry,
            Self::PullManifest { registry, .. }
            | Self::PullBlob { registry, .. }
            | Self::CheckPush { registry, .. }
            | Self::Delete { registry, .. }
            | Self::ListTags { registry, .. }
            | Self::ListReferrers { registry, .. } => registry,
        }
    }

    pub(crate) fn place(&self) -> RepositoryRef {
        let repository = match self {
            Self::Push(push) => &push.repository,
            Self::PullManifest { repository, .. }
            | Self::PullBlob { repository, .. }
            | Self::CheckPush { repository, .. }
            | Self::Delete { repository, .. }
            | Self::ListTags { repository, .. }
            | Self::ListReferrers { repository, .. } => repository,
        };
        RepositoryRef { origin: self.registry().origin(), repository: repository.clone() }
    }
}
