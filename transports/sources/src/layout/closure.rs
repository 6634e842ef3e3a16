//! Everything that a registry must have for one manifest.

use std::collections::BTreeSet;

use longshore_core::content::Platform;
use longshore_core::{Descriptor, Digest, Manifest, Tag};

use crate::source::{Source, Sources};

/// A manifest with everything that it needs, and, if requested, with its referrers: the content of a push.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Closure {
    /// The root: the manifest that the tags will name.
    pub root: Descriptor,
    /// The manifests, with their original bytes: children before parents, subjects before their referrers.
    pub manifests: Vec<Manifest>,
    /// The blobs that the layout has, each once, in the order in which the manifests refer to them.
    pub blobs: Vec<Blob>,
    /// The blobs that the layout does not have. The target repository, or one that they can be mounted from, must have
    /// them.
    pub missing: Vec<MissingBlob>,
    /// The manifests below the root that the layout does not have. The registry must have them, with everything that
    /// they need.
    pub missing_manifests: Vec<MissingManifest>,
    /// The layers of a non-distributable media type, whether the layout has them or not. Those that it has are in
    /// `blobs` too.
    pub nondistributable: Vec<Descriptor>,
    /// Manifests about the root that have a tag of their own, which is made from the root's digest.
    pub companions: Vec<Companion>,
    /// Referrers of the root, or of manifests below it, that were not requested.
    pub left_behind: Vec<LeftBehind>,
    /// The attestations of BuildKit about the root. They belong to an index that is not part of this closure: nothing
    /// else refers to them, so that they cannot be pushed without it.
    pub attestations: Vec<Digest>,
    /// Warnings about damage in other parts of the layout. They do not affect the push.
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

/// A blob that a layout does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingBlob {
    /// What it is called, as the first manifest that names it says.
    pub descriptor: Descriptor,
    /// The manifest that names it.
    pub by: Digest,
}

/// A manifest that a layout does not have: `docker save` writes the complete index, but the images of one platform
/// only.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingManifest {
    /// What it is called, as the index that names it says.
    pub descriptor: Descriptor,
    /// The index that names it.
    pub by: Digest,
    /// The other platforms, whose images the layout has.
    pub others: Vec<Platform>,
}

/// A manifest about an image that has a tag of its own, such as `sha256-HEX.sig`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Companion {
    /// The tag, which is made from the image's digest.
    pub tag: Tag,
    /// The manifest and everything that it needs.
    pub closure: Closure,
}

/// A referrer of an image that was not requested.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftBehind {
    /// The manifest.
    pub digest: Digest,
    /// Its artifact type, if it has one.
    pub artifact_type: Option<String>,
    /// Its own tag, if it has one.
    pub tag: Option<Tag>,
}

impl Closure {
    /// A manifest that was made here, with the sources of the blobs that it refers to. The content of the [empty
    /// descriptor](Descriptor::empty) need not be given.
    ///
    /// ```
    /// use longshore_core::{Descriptor, Manifest};
    /// use longshore_sources::{Source, layout::Closure};
    ///
    /// let sbom = Descriptor::of("application/spdx+json".parse()?, b"{}\n");
    /// let manifest = Manifest::artifact("application/spdx+json", [sbom.clone()]).annotation("a", "b").build()?;
    /// let artifact = Closure::new(manifest, [(sbom, Source::bytes("{}\n"))]);
    /// assert_eq!(artifact.blobs.len(), 2); // with the config of an artifact, which is empty
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(manifest: Manifest, blobs: impl IntoIterator<Item = (Descriptor, Source)>) -> Self {
        let empty = Descriptor::empty();
        let is_needed = manifest.blobs().any(|blob| blob.digest == empty.digest);
        let empty = is_needed.then(|| (empty, Source::bytes("{}")));
        let mut seen = BTreeSet::new();
        let blobs = blobs.into_iter().chain(empty).filter(|(blob, _)| seen.insert(blob.digest));
        let blobs = blobs.map(|(blob, source)| Blob { source: source.with_digest(blob.digest), descriptor: blob });
        let blobs = blobs.collect();
        Self::whole(manifest.descriptor(), vec![manifest], blobs)
    }

    /// An image that is complete.
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
            attestations: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The sources of all blobs, by digest, including those of the companions.
    #[must_use]
    pub fn sources(&self) -> Sources<Digest> {
        let companions = self.companions.iter().flat_map(|companion| &companion.closure.blobs);
        self.blobs.iter().chain(companions).map(|blob| (blob.descriptor.digest, blob.source.clone())).collect()
    }

    /// Skips the hashing of blobs, because the caller trusts their content. Manifests have been checked already.
    #[must_use]
    pub fn trusted(mut self) -> Self {
        self.blobs = self.blobs.into_iter().map(|blob| Blob { source: blob.source.trusted(), ..blob }).collect();
        for companion in &mut self.companions {
            companion.closure = companion.closure.clone().trusted();
        }
        self
    }
}
