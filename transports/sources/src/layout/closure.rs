//! All that must be in a registry for one manifest to stand.

use std::collections::{BTreeMap, BTreeSet};

use longshore_core::content::Platform;
use longshore_core::{Descriptor, Digest, Manifest};

use super::platform::is_machine;
use super::referrers::{Companion, LeftBehind};
use super::{Layout, LayoutError, MAX_DEPTH, MAX_MANIFESTS};
use crate::source::{Source, Sources};

/// What names the manifests that a closure begins with.
const BY: &str = "the layout's index";

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

impl Layout {
    /// Reads all manifests that `root` needs, and finds their blobs. Blobs that are there are checked for their size; their
    /// bytes when sent. What refers to any of the manifests is left behind, and named.
    ///
    /// # Errors
    /// Where `root` itself is missing, something is damaged, or it is more than this crate takes.
    pub fn closure(&self, root: &Descriptor) -> Result<Closure, LayoutError> {
        let mut walk = Walk::new(self);
        walk.visit_root(root, BY)?;
        let mut closure = self.with_blobs(root.clone(), walk)?;
        closure.warnings.extend(self.warnings());
        self.leave_referrers(&mut closure);
        Ok(closure)
    }

    /// [`Layout::closure`], with what refers to any of the manifests: by its `subject` (SBOMs, signatures, and what refers to
    /// those), and by its tag or annotation ([`Closure::companions`]).
    ///
    /// A manifest that `root` itself refers to as its subject is not a part of it and stays behind.
    ///
    /// # Errors
    /// As for [`Layout::closure`], of what refers to it too.
    pub fn closure_with_referrers(&self, root: &Descriptor) -> Result<Closure, LayoutError> {
        let mut walk = Walk::new(self);
        walk.visit_root(root, BY)?;
        let (companions, warnings) = self.take_referrers(&mut walk)?;
        let mut closure = self.with_blobs(root.clone(), walk)?;
        closure.companions = companions;
        closure.warnings.extend(self.warnings().into_iter().chain(warnings));
        Ok(closure)
    }

    /// The manifests of a walk, with their blobs.
    pub(super) fn with_blobs(&self, root: Descriptor, walk: Walk<'_>) -> Result<Closure, LayoutError> {
        let mut closure = Closure::whole(root, walk.manifests, Vec::new());
        closure.missing_manifests = walk.missing;
        let mut seen = BTreeMap::new();
        let references = || closure.manifests.iter().flat_map(Manifest::blobs);
        let free: BTreeSet<Digest> =
            references().filter(|blob| !blob.media_type.is_nondistributable()).map(|blob| blob.digest).collect();
        for manifest in &closure.manifests {
            for descriptor in manifest.blobs() {
                let (digest, expected) = (descriptor.digest, descriptor.size);
                match seen.insert(digest, expected) {
                    Some(found) if found != expected => return Err(LayoutError::Size { digest, expected, found }),
                    Some(_) => continue,
                    None => {}
                }
                let is_free = free.contains(&digest);
                if !is_free {
                    closure.nondistributable.push(descriptor.clone());
                }
                match self.store.find_blob(&digest)? {
                    Some(place) if place.len != expected => {
                        return Err(LayoutError::Size { digest, expected, found: place.len });
                    }
                    Some(place) => {
                        let source = place.source(&digest.to_string()).with_digest(digest);
                        closure.blobs.push(Blob::new(descriptor.clone(), source));
                    }
                    None if is_free => {
                        let by = manifest.digest();
                        closure.missing.push(MissingBlob { descriptor: descriptor.clone(), by });
                    }
                    None => {}
                }
            }
        }
        Ok(closure)
    }
}

/// Collects manifests, children first.
pub(super) struct Walk<'a> {
    layout: &'a Layout,
    pub(super) seen: BTreeSet<Digest>,
    pub(super) manifests: Vec<Manifest>,
    missing: Vec<MissingManifest>,
}

impl<'a> Walk<'a> {
    pub(super) const fn new(layout: &'a Layout) -> Self {
        Self { layout, seen: BTreeSet::new(), manifests: Vec::new(), missing: Vec::new() }
    }

    /// Visits a manifest that is meant by itself: it must be there. `by` says what names it.
    pub(super) fn visit_root(&mut self, root: &Descriptor, by: &str) -> Result<(), LayoutError> {
        if self.visit(root, 0)? {
            return Ok(());
        }
        let platform = root.platform.clone();
        let others = if platform.is_some() { self.layout.platforms_there() } else { Vec::new() };
        Err(LayoutError::MissingManifest { digest: root.digest, by: by.to_owned(), platform, others })
    }

    /// Visits a manifest and what is below it; whether it is there. What is not there below it is noted.
    pub(super) fn visit(&mut self, descriptor: &Descriptor, depth: usize) -> Result<bool, LayoutError> {
        if !self.seen.insert(descriptor.digest) {
            return Ok(true);
        }
        if self.seen.len() > MAX_MANIFESTS {
            let what = "the number of manifests in the layout".to_owned();
            return Err(LayoutError::TooMuch { what, limit: MAX_MANIFESTS as u64 });
        }
        if depth > MAX_DEPTH {
            return Err(LayoutError::TooMuch { what: "the nesting of indexes".to_owned(), limit: MAX_DEPTH as u64 });
        }
        let Some(manifest) = self.layout.find_manifest(descriptor)? else { return Ok(false) };
        for child in manifest.children() {
            if !self.visit(child, depth + 1)? {
                self.missing.push(self.layout.missing_child(child, &manifest));
            }
        }
        self.manifests.push(manifest);
        Ok(true)
    }
}

impl Layout {
    fn missing_child(&self, child: &Descriptor, index: &Manifest) -> MissingManifest {
        MissingManifest { descriptor: child.clone(), by: index.digest(), others: self.platforms_of(index).collect() }
    }

    /// What there are images for in the layout, as its indexes say.
    fn platforms_there(&self) -> Vec<Platform> {
        let indexes = self.neighbours(&BTreeSet::new(), |manifest| manifest.media_type().is_index()).manifests;
        let platforms: BTreeSet<Platform> = indexes.iter().flat_map(|index| self.platforms_of(index)).collect();
        platforms.into_iter().collect()
    }

    fn platforms_of<'a>(&'a self, index: &'a Manifest) -> impl Iterator<Item = Platform> + 'a {
        let is_there = |child: &&Descriptor| matches!(self.store.find_blob(&child.digest), Ok(Some(_)));
        index.children().filter(is_there).filter_map(|child| child.platform.as_deref().cloned()).filter(is_machine)
    }
}
