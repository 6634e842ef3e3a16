//! What a push is made of.

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
    /// Repositories of the same registry that may have blobs which are not given.
    pub(crate) mounts: Vec<Repository>,
    /// Tags that may hold something like it.
    pub(crate) like: Vec<Tag>,
    pub(crate) is_open: bool,
    pub(crate) is_rechecked: bool,
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl<K> Push<K> {
    /// A push of nothing yet into a repository.
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

    /// Adds the manifest that the tags name: an image or an index. Without tags it is pushed by its digest.
    #[must_use]
    pub fn root(mut self, manifest: Manifest) -> Self {
        self.root = Some(manifest.digest());
        self.manifest(manifest)
    }

    /// Adds another manifest: one that the root refers to, or one whose subject the root is.
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

    /// Names a repository of the same registry that may have blobs which manifests refer to and which are not given: they are
    /// mounted from there. What is neither given nor mounted must be in the repository; if it is not, the push fails with
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

    /// Names a tag of the same repository that may hold something like what is pushed, such as the last release: what the image
    /// under it refers to need not be asked about or sent.
    ///
    /// It is read only where the first tag of the push does not hold the root already, and where
    /// [`Options::trust_manifests`](super::Options::trust_manifests) allows it.
    #[must_use]
    pub fn like(mut self, tag: Tag) -> Self {
        if !self.like.contains(&tag) {
            self.like.push(tag);
        }
        self
    }

    /// Takes nothing on trust: the registry is asked about every blob and every manifest, and what it lost is sent again.
    ///
    /// Without this, a manifest that stands under its tag is done after that one answer, and what it refers to is in
    /// [`Pushed::unverified`](crate::Pushed::unverified).
    #[must_use]
    pub const fn recheck(mut self) -> Self {
        self.is_rechecked = true;
        self
    }

    /// Goes on where another process was, as [`Client::save`](crate::Client::save) kept it.
    ///
    /// Add the blobs first: the checkpoint is held against them.
    ///
    /// # Errors
    /// Where the checkpoint is of another push, or a blob has another length in it.
    pub fn resume(mut self, checkpoint: Checkpoint) -> Result<Self, CheckpointError> {
        let place = RepositoryRef { origin: self.registry.origin(), repository: self.repository.clone() };
        checkpoint.check(&place, self.blobs.iter().filter_map(|blob| blob.identity))?;
        self.checkpoint = Some(checkpoint);
        Ok(self)
    }

    /// Leaves the push open: more is added with [`Client::supply`](crate::Client::supply) when its content is known.
    #[must_use]
    pub const fn open(mut self) -> Self {
        self.is_open = true;
        self
    }
}

/// A blob to push, by the caller's own key.
#[derive(Debug, Clone)]
pub struct Blob<K> {
    pub(crate) key: K,
    /// What is computed over its bytes, where its digest is not known yet.
    pub(crate) algorithm: Algorithm,
    /// Its digest and its length in bytes, where they are known.
    pub(crate) identity: Option<(Digest, u64)>,
    /// Whether its source can be read only once.
    pub(crate) is_one_shot: bool,
    /// Repositories of the same registry that it may be in already.
    pub(crate) mounts: Vec<Repository>,
}

impl<K> Blob<K> {
    /// A blob of known digest and length in bytes, from a source that can be read again.
    #[must_use]
    pub fn known(key: K, digest: Digest, size: u64) -> Self {
        let algorithm = digest.algorithm();
        Self { key, algorithm, identity: Some((digest, size)), is_one_shot: false, mounts: Vec::new() }
    }

    /// The blob that a descriptor names, from a source that can be read again.
    #[must_use]
    pub fn described(key: K, descriptor: &Descriptor) -> Self {
        Self::known(key, descriptor.digest, descriptor.size)
    }

    /// A blob from a source that can be read only once, whose digest is known when it has ended.
    #[must_use]
    pub fn unknown(key: K, algorithm: Algorithm) -> Self {
        Self { key, algorithm, identity: None, is_one_shot: true, mounts: Vec::new() }
    }

    /// A blob of known digest and length in bytes, from a source that can be read only once.
    #[must_use]
    pub fn read_once(key: K, digest: Digest, size: u64) -> Self {
        Self { is_one_shot: true, ..Self::known(key, digest, size) }
    }

    /// Names a repository of the same registry that the blob may be in already; the first named is tried first.
    #[must_use]
    pub fn mount_from(mut self, repository: Repository) -> Self {
        self.mounts.push(repository);
        self
    }
}

/// Something that is added to a push that was left open.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Supply<K> {
    /// A blob.
    Blob(Blob<K>),
    /// A manifest that another refers to.
    Manifest(Manifest),
    /// The manifest that the tags name.
    Root(Manifest),
    /// Nothing more will come.
    End,
}
