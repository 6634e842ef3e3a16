//! The content of a push.

use super::{Checkpoint, CheckpointError, RepositoryRef};
use crate::{Algorithm, Descriptor, Digest, Manifest, Registry, Repository, Tag};

/// A push: blobs, manifests that refer to them, and tags that name the last of them.
///
/// ```
/// use longshore_core::{Blob, Manifest, Push};
/// # let bytes = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
/// # let root = Manifest::parse(&bytes[..])?;
///
/// let push: Push<&str> = Push::new("localhost:5000".parse()?, "a/b".parse()?).root(root).tag("v1".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Push<K> {
    pub(crate) registry: Registry,
    pub(crate) repository: Repository,
    pub(crate) tags: Vec<Tag>,
    pub(crate) root: Option<Digest>,
    pub(crate) manifests: Vec<Manifest>,
    pub(crate) blobs: Vec<Blob<K>>,
    /// Repositories of the same registry from which blobs are mounted that are not given.
    pub(crate) mounts: Vec<Repository>,
    /// Tags of the same repository whose image may be similar.
    pub(crate) like: Vec<Tag>,
    pub(crate) is_open: bool,
    pub(crate) is_rechecked: bool,
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl<K> Push<K> {
    /// Starts an empty push to a repository.
    #[must_use]
    pub const fn new(registry: Registry, repository: Repository) -> Self {
        Self {
            registry,
            repository,
            tags: Vec::new(),
            root: None,
            manifests: Vec::new(),
            blobs: Vec::new(),
            mounts: Vec::new(),
            like: Vec::new(),
            is_open: false,
            is_rechecked: false,
            checkpoint: None,
        }
    }

    /// Sets the root: the manifest that the tags will name, an image or an index. Without tags it is pushed by its
    /// digest.
    #[must_use]
    pub fn root(mut self, manifest: Manifest) -> Self {
        self.root = Some(manifest.digest());
        self.manifest(manifest)
    }

    /// Adds another manifest: one that the root refers to, or one whose subject is the root.
    #[must_use]
    pub fn manifest(mut self, manifest: Manifest) -> Self {
        self.manifests.push(manifest);
        self
    }

    /// Adds a blob.
    #[must_use]
    pub fn blob(mut self, blob: Blob<K>) -> Self {
        self.blobs.push(blob);
        self
    }

    /// Mounts blobs that are referred to but not given from this repository of the same registry. A blob that is
    /// neither given nor mounted must be in the target repository; otherwise the push fails with
    /// [`FailureKind::Incomplete`](crate::FailureKind::Incomplete).
    #[must_use]
    pub fn mount_absent_from(mut self, repository: Repository) -> Self {
        self.mounts.push(repository);
        self
    }

    /// Adds a tag for the root.
    #[must_use]
    pub fn tag(mut self, tag: Tag) -> Self {
        if !self.tags.contains(&tag) {
            self.tags.push(tag);
        }
        self
    }

    /// Names a tag of the same repository whose image may be similar, such as the last release. Blobs that its manifest
    /// refers to are neither asked about nor sent.
    ///
    /// Its manifest is pulled only if the first tag of the push does not name the root already, and if
    /// [`Options::trust_manifests`](super::Options::trust_manifests) is `true`.
    #[must_use]
    pub fn like(mut self, tag: Tag) -> Self {
        if !self.like.contains(&tag) {
            self.like.push(tag);
        }
        self
    }

    /// Asks the registry about every blob and every manifest, and sends again what it has lost.
    ///
    /// Without this, the push is complete if the tag already names the root, and the blobs and manifests that were not
    /// asked about are listed in [`Pushed::unverified`](crate::Pushed::unverified).
    #[must_use]
    pub const fn recheck(mut self) -> Self {
        self.is_rechecked = true;
        self
    }

    /// Continues a push from a checkpoint that [`Client::save`](crate::Client::save) returned, possibly in another
    /// process.
    ///
    /// Add the blobs first: the checkpoint is compared with them.
    ///
    /// # Errors
    /// If the checkpoint is of another registry or repository, or a blob has another size in it.
    pub fn resume(mut self, checkpoint: Checkpoint) -> Result<Self, CheckpointError> {
        let place = RepositoryRef { origin: self.registry.origin(), repository: self.repository.clone() };
        checkpoint.check(&place, self.blobs.iter().filter_map(|blob| blob.identity))?;
        self.checkpoint = Some(checkpoint);
        Ok(self)
    }

    /// Leaves the push open, so that [`Client::supply`](crate::Client::supply) can add more after it was started.
    /// [`Supply::End`] ends it.
    #[must_use]
    pub const fn open(mut self) -> Self {
        self.is_open = true;
        self
    }
}

/// A blob to push, identified by the caller's own key.
#[derive(Debug, Clone)]
pub struct Blob<K> {
    pub(crate) key: K,
    /// The algorithm of its digest.
    pub(crate) algorithm: Algorithm,
    /// Its digest and its size in bytes, if they are known.
    pub(crate) identity: Option<(Digest, u64)>,
    /// Whether its source can be read only once.
    pub(crate) is_one_shot: bool,
    /// Repositories of the same registry that may have it.
    pub(crate) mounts: Vec<Repository>,
}

impl<K> Blob<K> {
    /// A blob of known digest and size in bytes, from a source that can be read again.
    #[must_use]
    pub fn known(key: K, digest: Digest, size: u64) -> Self {
        let algorithm = digest.algorithm();
        Self { key, algorithm, identity: Some((digest, size)), is_one_shot: false, mounts: Vec::new() }
    }

    /// The blob that a descriptor refers to, from a source that can be read again.
    #[must_use]
    pub fn described(key: K, descriptor: &Descriptor) -> Self {
        Self::known(key, descriptor.digest, descriptor.size)
    }

    /// A blob of unknown digest and size, from a source that can be read only once.
    #[must_use]
    pub fn unknown(key: K, algorithm: Algorithm) -> Self {
        Self { key, algorithm, identity: None, is_one_shot: true, mounts: Vec::new() }
    }

    /// A blob of known digest and size in bytes, from a source that can be read only once.
    #[must_use]
    pub fn read_once(key: K, digest: Digest, size: u64) -> Self {
        Self { is_one_shot: true, ..Self::known(key, digest, size) }
    }

    /// Names a repository of the same registry that may have the blob, to mount it from. The one that was named first
    /// is tried first.
    #[must_use]
    pub fn mount_from(mut self, repository: Repository) -> Self {
        self.mounts.push(repository);
        self
    }
}

/// An addition to a push that was left open ([`Push::open`]). The tags are those that the push was started with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Supply<K> {
    /// A blob.
    Blob(Blob<K>),
    /// A manifest that another one refers to.
    Manifest(Manifest),
    /// The root: the manifest that the tags will name.
    Root(Manifest),
    /// The push is complete: nothing more will be added.
    End,
}
