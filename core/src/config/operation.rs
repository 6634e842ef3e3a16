//! The operations of a client.

use super::{Push, RepositoryRef};
use crate::{Digest, Registry, Repository, Tag};

/// Identifies one operation of a client. A client never uses a number twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub(crate) u64);

/// An operation on one repository.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Operation<K> {
    /// Push blobs, manifests and tags. The receipt is [`Receipt::Pushed`](crate::Receipt::Pushed).
    Push(Push<K>),
    /// Pull a manifest. The receipt is [`Receipt::Pulled`](crate::Receipt::Pulled).
    PullManifest {
        /// The registry.
        registry: Registry,
        /// The repository.
        repository: Repository,
        /// Its tag or digest.
        reference: ManifestReference,
    },
    /// Pull a blob into a sink of the driver. The receipt is [`Receipt::Poured`](crate::Receipt::Poured).
    PullBlob {
        /// The registry.
        registry: Registry,
        /// The repository.
        repository: Repository,
        /// The digest of the blob.
        digest: Digest,
        /// The size of the blob in bytes, if it is known.
        size: Option<u64>,
        /// The driver's sink.
        sink: K,
    },
    /// Check whether a push would be allowed, without storing anything. The receipt is
    /// [`Receipt::Allowed`](crate::Receipt::Allowed).
    CheckPush {
        /// The registry.
        registry: Registry,
        /// The repository.
        repository: Repository,
    },
    /// Delete a manifest, a tag or a blob. The receipt is [`Receipt::Deleted`](crate::Receipt::Deleted). If a deleted
    /// manifest has a subject, its entry in the list of the subject's referrers is removed too.
    Delete {
        /// The registry.
        registry: Registry,
        /// The repository.
        repository: Repository,
        /// What to delete.
        what: Deletion,
    },
    /// List the tags of a repository. The receipt is [`Receipt::Tags`](crate::Receipt::Tags).
    ListTags {
        /// The registry.
        registry: Registry,
        /// The repository.
        repository: Repository,
    },
    /// List the referrers of a manifest. The receipt is [`Receipt::Referrers`](crate::Receipt::Referrers).
    ListReferrers {
        /// The registry.
        registry: Registry,
        /// The repository.
        repository: Repository,
        /// The digest of the manifest.
        subject: Digest,
        /// List only referrers with this artifact type.
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
    /// A tag, without the manifest that it names.
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
