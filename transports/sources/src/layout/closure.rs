//! All that must be in a registry for one manifest to stand.

use std::collections::{BTreeMap, BTreeSet};

use longshore_core::{Descriptor, Digest, Manifest};

use super::{Layout, LayoutError, MAX_DEPTH, MAX_MANIFESTS};
use crate::source::{Source, Sources};

/// A manifest with all that it needs and all that refers to it: what a push of it sends.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Closure {
    /// The manifest that is meant: the one that gets the tags.
    pub root: Descriptor,
    /// The manifests, as the bytes that were found: children before parents, subjects before their referrers.
    pub manifests: Vec<Manifest>,
    /// The blobs, each once, in the order in which the manifests name them.
    ///
    /// A layer that its maker forbids to push may be absent from a layout; then it is absent here.
    pub blobs: Vec<Blob>,
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

impl Closure {
    /// The blobs' sources, by digest.
    #[must_use]
    pub fn sources(&self) -> Sources<Digest> {
        self.blobs.iter().map(|blob| (blob.descriptor.digest, blob.source.clone())).collect()
    }

    /// Trusts that the blobs are what they are called, and skips the hashing. Manifests were checked already.
    #[must_use]
    pub fn trusted(mut self) -> Self {
        self.blobs = self.blobs.into_iter().map(|blob| Blob { source: blob.source.trusted(), ..blob }).collect();
        self
    }
}

impl Layout {
    /// Reads all manifests that `root` needs, and those in the layout that refer to any of them (signatures, SBOMs, and what
    /// refers to those), and finds their blobs. Blobs are checked for being there and for their size; their bytes when sent.
    ///
    /// A manifest that `root` itself refers to as its subject is not a part of it and stays behind.
    ///
    /// # Errors
    /// Where something is missing, damaged, or more than this crate takes.
    pub fn closure(&self, root: &Descriptor) -> Result<Closure, LayoutError> {
        let mut walk = Walk::new(self, Missing::Fails);
        walk.visit(root, "index.json", 0)?;
        let mut referrers: BTreeMap<Digest, Vec<Manifest>> = BTreeMap::new();
        for manifest in self.walk()? {
            if let Some(subject) = manifest.subject() {
                referrers.entry(subject.digest).or_default().push(manifest);
            }
        }
        let mut next = 0;
        while let Some(manifest) = walk.manifests.get(next) {
            next += 1;
            for referrer in referrers.remove(&manifest.digest()).unwrap_or_default() {
                walk.visit(&referrer.descriptor(), "index.json", 0)?;
            }
        }
        let blobs = self.find_blobs(&walk.manifests)?;
        Ok(Closure { root: root.clone(), manifests: walk.manifests, blobs })
    }

    /// Every manifest of the layout that is there, children before parents.
    pub(super) fn walk(&self) -> Result<Vec<Manifest>, LayoutError> {
        let mut walk = Walk::new(self, Missing::IsPassedOver);
        for entry in self.entries.iter().filter(|entry| entry.media_type.is_manifest()) {
            walk.visit(entry, "index.json", 0)?;
        }
        Ok(walk.manifests)
    }

    fn find_blobs(&self, manifests: &[Manifest]) -> Result<Vec<Blob>, LayoutError> {
        let (mut seen, mut blobs) = (BTreeMap::new(), Vec::new());
        for manifest in manifests {
            for descriptor in manifest.blobs() {
                let (digest, expected) = (descriptor.digest, descriptor.size);
                match seen.insert(digest, expected) {
                    Some(found) if found != expected => return Err(LayoutError::Size { digest, expected, found }),
                    Some(_) => continue,
                    None => {}
                }
                let Some(place) = self.store.find_blob(&digest)? else {
                    if descriptor.media_type.is_nondistributable() {
                        continue;
                    }
                    return Err(LayoutError::MissingBlob { digest, by: manifest.digest().to_string() });
                };
                if place.len != expected {
                    return Err(LayoutError::Size { digest, expected, found: place.len });
                }
                blobs.push(Blob { descriptor: descriptor.clone(), source: place.source().with_digest(digest) });
            }
        }
        Ok(blobs)
    }
}

/// Collects manifests, children first.
struct Walk<'a> {
    layout: &'a Layout,
    missing: Missing,
    seen: BTreeSet<Digest>,
    manifests: Vec<Manifest>,
}

/// What a manifest that is not there means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Fails,
    IsPassedOver,
}

impl<'a> Walk<'a> {
    const fn new(layout: &'a Layout, missing: Missing) -> Self {
        Self { layout, missing, seen: BTreeSet::new(), manifests: Vec::new() }
    }

    fn visit(&mut self, descriptor: &Descriptor, by: &str, depth: usize) -> Result<(), LayoutError> {
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
