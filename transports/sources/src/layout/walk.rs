//! The manifests that a manifest leads to, and the blobs that they name.

use std::collections::{BTreeMap, BTreeSet};

use longshore_core::content::Platform;
use longshore_core::{Descriptor, Digest, Manifest};

use super::closure::{Blob, Closure, MissingBlob, MissingManifest};
use super::index::names;
use super::platform::is_machine;
use super::{Layout, LayoutError, MAX_DEPTH, MAX_MANIFESTS};

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

    /// Visits a manifest that must exist. `by` names what refers to it, for messages.
    pub(super) fn visit_root(&mut self, root: &Descriptor, by: &str) -> Result<(), LayoutError> {
        if self.visit(root, 0)? {
            return Ok(());
        }
        let platform = root.platform.clone();
        let others = if platform.is_some() { self.layout.platforms_there() } else { Vec::new() };
        Err(LayoutError::MissingManifest { digest: root.digest, by: by.to_owned(), platform, others })
    }

    /// Visits a manifest and everything below it. Returns whether it exists. Missing manifests below it are recorded.
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

/// Manifests below some entries of `index.json`.
pub(super) struct Neighbours {
    pub(super) manifests: Vec<Manifest>,
    /// Warnings about manifests that could not be read.
    pub(super) warnings: Vec<String>,
}

impl Layout {
    /// The closure of the manifests of a walk, with their blobs.
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

    /// Every existing manifest of the layout that is not in `known` and that `is_kept` accepts, children before
    /// parents.
    pub(super) fn neighbours(&self, known: &BTreeSet<Digest>, is_kept: impl Fn(&Manifest) -> bool) -> Neighbours {
        let mut walk = Walk::new(self);
        walk.seen.clone_from(known);
        let mut neighbours = Neighbours { manifests: Vec::new(), warnings: Vec::new() };
        for entry in self.manifests() {
            let result = walk.visit(entry, 0);
            neighbours.manifests.extend(walk.manifests.drain(..).filter(&is_kept));
            if let Err(error) = result {
                let name = names(entry).next().map_or_else(|| entry.digest.to_string(), longshore_core::text::shown);
                neighbours.warnings.push(format!("index.json names {name} too, which cannot be read: {error}"));
            }
        }
        neighbours
    }

    fn missing_child(&self, child: &Descriptor, index: &Manifest) -> MissingManifest {
        MissingManifest { descriptor: child.clone(), by: index.digest(), others: self.platforms_of(index).collect() }
    }

    /// The platforms of the images that the layout has, by its indexes.
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
