//! All that must be in a registry for one manifest to stand.

use longshore_core::content::Platform;
use longshore_core::{Descriptor, Digest, Manifest, Tag};

use crate::source::{Source, Sources};

/// A manifest with all that it needs, and all that refers to it where that was asked for: what a push of it sends.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Closure {
    /// The manifest that is meant: the one that gets the tags.
    pub root: Descriptor,
    /// The manifests, as the bytes that were found: children before parents, subjects before their referrers.
    pub manifests: Vec<Manifest>,
    /// The blobs that the layout has, each once, in the order in which the manifests name them.
    pub blobs: Vec<Blob>,
    /// The blobs that it lacks: the registry must have them, or another repository that they can be mounted from.
    pub missing: Vec<MissingBlob>,
    /// The manifests that it lacks below the root: the registry must have them, with all that they need.
    pub missing_manifests: Vec<MissingManifest>,
    /// Layers that their maker forbids to push, whether the layout has them or not; those that it has are among the blobs too.
    pub nondistributable: Vec<Descriptor>,
    /// What has a tag of its own beside the root, which is made of the root's digest.
    pub companions: Vec<Companion>,
    /// What refers to the root, or to something below it, and was not asked for.
    pub left_behind: Vec<LeftBehind>,
    /// What is damaged or odd elsewhere in the layout, in sentences. It hinders nothing.
    pub warnings: Vec<String>,
}

/// A blob of a layout.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Blob {
    /// What it is called, as the first manifest that names it says.
    pub descriptor: Descriptor,
    /// Where its bytes are. They are checked against the digest while they are sent.
    pub source: Source,
}

impl Blob {
    pub(crate) const fn new(descriptor: Descriptor, source: Source) -> Self {
        Self { descriptor, source }
    }
}

/// A blob that a layout lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingBlob {
    /// What it is called, as the first manifest that names it says.
    pub descriptor: Descriptor,
    /// The manifest that names it.
    pub by: Digest,
}

/// A manifest that a layout lacks: `docker save` writes an index whole, and the images of one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingManifest {
    /// What it is called, as the index that names it says.
    pub descriptor: Descriptor,
    /// The index that names it.
    pub by: Digest,
    /// The platforms beside it of which the layout has the image.
    pub others: Vec<Platform>,
}

/// Something that stands beside an image under a tag of its own, such as `sha256-HEX.sig`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Companion {
    /// The tag, which is made of the digest of what it is about.
    pub tag: Tag,
    /// The manifest and all that it needs.
    pub closure: Closure,
}

/// Something that refers to an image and was not asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftBehind {
    /// The manifest.
    pub digest: Digest,
    /// What kind of artifact it is, where it says so.
    pub artifact_type: Option<String>,
    /// The tag that it has beside the image, where it has one.
    pub tag: Option<Tag>,
}

impl Closure {
    /// An image of which everything is there.
    pub(crate) const fn whole(root: Descriptor, manifests: Vec<Manifest>, blobs: Vec<Blob>) -> Self {
        Self {
            root,
            manifests,
            blobs,
            missing: Vec::new(),
            missing_manifests: Vec::new(),
            nondistributable: Vec::new(),
            companions: Vec::new(),
            left_behind: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The blobs' sources, by digest; those of its companions too.
    #[must_use]
    pub fn sources(&self) -> Sources<Digest> {
        let companions = self.companions.iter().flat_map(|companion| &companion.closure.blobs);
        self.blobs.iter().chain(companions).map(|blob| (blob.descriptor.digest, blob.source.clone())).collect()
    }

    /// Trusts that the blobs are what they are called, and skips the hashing. Manifests were checked already.
    #[must_use]
    pub fn trusted(mut self) -> Self {
        self.blobs = self.blobs.into_iter().map(|blob| Blob { source: blob.source.trusted(), ..blob }).collect();
        for companion in &mut self.companions {
            companion.closure = companion.closure.clone().trusted();
        }
        self
    }
}
