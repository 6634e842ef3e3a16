//! All that must be in a registry for one manifest to stand.

use std::collections::{BTreeMap, BTreeSet};

use longshore_core::{Descriptor, Digest, Manifest};

use super::referrers::{Companion, LeftBehind};
use super::{Layout, LayoutError, MAX_DEPTH, MAX_MANIFESTS};
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

impl Closure {
    /// An image of which everything is there.
    pub(crate) const fn whole(root: Descriptor, manifests: Vec<Manifest>, blobs: Vec<Blob>) -> Self {
        Self {
            root,
            manifests,
            blobs,
            missing: Vec::new(),
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
    /// Where a manifest is missing, something is damaged, or it is more than this crate takes.
    pub fn closure(&self, root: &Descriptor) -> Result<Closure, LayoutError> {
        let mut walk = Walk::new(self, Missing::Fails);
        walk.visit(root, "index.json", 0)?;
        let mut closure = self.with_blobs(root.clone(), walk.manifests)?;
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
        let mut walk = Walk::new(self, Missing::Fails);
        walk.visit(root, "index.json", 0)?;
        let (companions, warnings) = self.take_referrers(&mut walk)?;
        let mut closure = self.with_blobs(root.clone(), walk.manifests)?;
        closure.companions = companions;
        closure.warnings.extend(self.warnings().into_iter().chain(warnings));
        Ok(closure)
    }

    /// The blobs of these manifests.
    pub(super) fn with_blobs(&self, root: Descriptor, manifests: Vec<Manifest>) -> Result<Closure, LayoutError> {
        let mut closure = Closure::whole(root, manifests, Vec::new());
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
    missing: Missing,
    pub(super) seen: BTreeSet<Digest>,
    pub(super) manifests: Vec<Manifest>,
}

/// What a manifest that is not there means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Fails,
    IsPassedOver,
}

impl<'a> Walk<'a> {
    pub(super) const fn new(layout: &'a Layout, missing: Missing) -> Self {
        Self { layout, missing, seen: BTreeSet::new(), manifests: Vec::new() }
    }

    pub(super) fn visit(&mut self, descriptor: &Descriptor, by: &str, depth: usize) -> Result<(), LayoutError> {
        if !self.seen.insert(descriptor.digest) {
            return Ok(());
        }
        if self.seen.len() > MAX_MANIFESTS {
            let what = "the number of manifests in the layout".to_owned();
            return Err(LayoutError::TooMuch { what, limit: MAX_MANIFESTS as u64 });
        }
        if depth > MAX_DEPTH {
            return Err(LayoutError::TooMuch { what: "the nesting of indexes".to_owned(), limit: MAX_DEPTH as u64 });
        }
        let Some(manifest) = self.layout.find_manifest(descriptor)? else {
            if self.missing == Missing::IsPassedOver {
                return Ok(());
            }
            return Err(LayoutError::MissingManifest {
                digest: descriptor.digest,
                by: by.to_owned(),
                platform: descriptor.platform.clone().map(Box::new),
                others: Vec::new(),
            });
        };
        let by = manifest.digest().to_string();
        for child in manifest.children() {
            self.visit(child, &by, depth + 1).map_err(|error| self.name_others(error, &manifest))?;
        }
        self.manifests.push(manifest);
        Ok(())
    }

    /// `docker save` writes an index whole and the images of one platform: say which.
    fn name_others(&self, mut error: LayoutError, index: &Manifest) -> LayoutError {
        if let LayoutError::MissingManifest { others, .. } = &mut error
            && others.is_empty()
        {
            let is_there = |child: &&Descriptor| matches!(self.layout.store.find_blob(&child.digest), Ok(Some(_)));
            *others = index.children().filter(is_there).filter_map(|child| child.platform.clone()).collect();
        }
        error
    }
}
