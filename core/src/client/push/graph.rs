//! The graph of a push: each manifest counts the content that it refers to and that is not in the repository yet.
//!
//! Each piece of content that was given or is referred to is a node. When one is found to exist, the counters of the
//! manifests that refer to it decrease; when it is lost, they increase. Nothing else changes, so the cost of a step is
//! the number of manifests that refer to the content. A manifest whose counter is 0 can be sent.
//!
//! A subject is counted only if it is part of the same push. A subject that is elsewhere, or does not exist, blocks
//! nothing.

mod needed_by;

use std::collections::{BTreeMap, BTreeSet};

use crate::Digest;
use needed_by::NeededBy;

/// Identifies a piece of content in a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::client) struct ContentId(u32);

/// How a registry stores a piece of content. The same bytes may be both a blob and a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Blob,
    Manifest,
}

/// Whether the caller gave a piece of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    /// It is only referred to.
    Nothing,
    /// It was given as the blob with this number.
    Blob(usize),
    /// It was given as the manifest with this number.
    Manifest(usize),
}

/// Why a piece of content is assumed to be in the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// It is not assumed to be there.
    None,
    /// It need not be there, because it may not be distributed.
    LeftOut,
    /// The registry has served a manifest that refers to it, during this push.
    Served,
    /// The registry has stored it, has answered that it has it, or has accepted a manifest that refers to it.
    Acknowledged,
}

#[derive(Debug)]
struct Content {
    digest: Digest,
    kind: Kind,
    given: Given,
    evidence: Evidence,
    /// Whether a manifest refers to it as content that may be distributed.
    is_ordinary: bool,
    /// Whether a request about it is in progress.
    is_busy: bool,
    /// For a manifest: how many of its references are not in the repository.
    waits_for: u32,
    /// Its size in bytes, from the first descriptor of it or from the caller.
    size: Option<u64>,
    /// The manifests that refer to it, without those whose subject it is.
    needed_by: NeededBy,
    /// The previous content whose digest begins with the same bytes.
    alike: Option<ContentId>,
}

/// The graph of a push.
#[derive(Debug, Default)]
pub(super) struct Graph {
    contents: Vec<Content>,
    /// The last content whose digest begins with these bytes; [`Content::alike`] links to the others.
    by_digest: BTreeMap<u64, ContentId>,
    /// The given manifests, by their subject.
    artifacts: BTreeMap<ContentId, Vec<ContentId>>,
    /// The given manifests that can be sent: they are not in the repository, wait for nothing, and have no request in
    /// progress.
    ready: BTreeSet<ContentId>,
    /// Content that is referred to, but neither given nor in the repository.
    missing: BTreeSet<ContentId>,
    /// How many given manifests are not in the repository.
    unstored: usize,
}

impl Graph {
    /// The node with this digest, which is added if there is none.
    pub(super) fn content(&mut self, digest: Digest, kind: Kind) -> ContentId {
        if let Some(known) = self.find(digest, kind) {
            return known;
        }
        let id = ContentId(u32::try_from(self.contents.len()).unwrap_or(u32::MAX));
        self.contents.push(Content {
            digest,
            kind,
            given: Given::Nothing,
            evidence: Evidence::None,
            is_ordinary: false,
            is_busy: false,
            waits_for: 0,
            size: None,
            needed_by: NeededBy::Nothing,
            alike: self.by_digest.insert(digest.beginning(), id),
        });
        id
    }

    /// Reserves memory for `more` nodes.
    pub(super) fn reserve(&mut self, more: usize) {
        self.contents.reserve_exact(more);
    }

    /// The node with this digest, if there is one.
    pub(super) fn find(&self, digest: Digest, kind: Kind) -> Option<ContentId> {
        let mut next = self.by_digest.get(&digest.beginning()).copied();
        while let Some(id) = next {
            let content = self.get(id)?;
            if content.digest == digest && content.kind == kind {
                return Some(id);
            }
            next = content.alike;
        }
        None
    }

    fn get(&self, id: ContentId) -> Option<&Content> {
        self.contents.get(id.0 as usize)
    }

    fn get_mut(&mut self, id: ContentId) -> Option<&mut Content> {
        self.contents.get_mut(id.0 as usize)
    }

    pub(super) fn digest(&self, id: ContentId) -> Option<Digest> {
        self.get(id).map(|content| content.digest)
    }

    pub(super) fn given(&self, id: ContentId) -> Given {
        self.get(id).map_or(Given::Nothing, |content| content.given)
    }

    pub(super) fn evidence(&self, id: ContentId) -> Evidence {
        self.get(id).map_or(Evidence::None, |content| content.evidence)
    }

    /// Whether it is in the repository, or need not be.
    pub(super) fn is_there(&self, id: ContentId) -> bool {
        self.evidence(id) != Evidence::None
    }

    pub(super) fn kind(&self, id: ContentId) -> Kind {
        self.get(id).map_or(Kind::Blob, |content| content.kind)
    }

    /// Whether a request about it is in progress.
    pub(super) fn is_busy(&self, id: ContentId) -> bool {
        self.get(id).is_some_and(|content| content.is_busy)
    }

    /// Whether this manifest waits for something.
    pub(super) fn waits(&self, id: ContentId) -> bool {
        self.get(id).is_some_and(|content| content.waits_for > 0)
    }

    /// Its size in bytes, if a descriptor or the caller stated it.
    pub(super) fn size(&self, id: ContentId) -> Option<u64> {
        self.get(id)?.size
    }

    /// Sets its size, unless it is set already.
    pub(super) fn set_size(&mut self, id: ContentId, size: u64) {
        if let Some(content) = self.get_mut(id) {
            content.size.get_or_insert(size);
        }
    }

    /// The caller gave it as a blob.
    pub(super) fn give_blob(&mut self, id: ContentId, blob: usize) {
        self.missing.remove(&id);
        if let Some(content) = self.get_mut(id) {
            content.given = Given::Blob(blob);
        }
    }

    /// The caller gave it as a manifest. It waits for those of `needs` that are not in the repository.
    pub(super) fn give_manifest(
        &mut self,
        id: ContentId,
        manifest: usize,
        needs: &BTreeSet<ContentId>,
        subject: Option<ContentId>,
    ) {
        self.missing.remove(&id);
        let Some(content) = self.get_mut(id) else { return };
        content.given = Given::Manifest(manifest);
        let is_there = content.evidence != Evidence::None;
        self.unstored = self.unstored.saturating_add(usize::from(!is_there));
        for need in needs {
            let Some(needed) = self.get_mut(*need) else { continue };
            needed.needed_by.push(id);
            if needed.evidence == Evidence::None {
                if needed.given == Given::Nothing && !is_there {
                    self.missing.insert(*need);
                }
                self.wait(id);
            }
        }
        if let Some(subject) = subject {
            self.artifacts.entry(subject).or_default().push(id);
            if self.blocks_artifacts(subject) {
                self.wait(id);
            }
        }
        if self.blocks_artifacts(id) {
            self.artifacts.get(&id).cloned().unwrap_or_default().into_iter().for_each(|artifact| self.wait(artifact));
        }
        self.settle(id);
    }

    /// Whether the manifests whose subject it is wait for it.
    fn blocks_artifacts(&self, subject: ContentId) -> bool {
        self.get(subject)
            .is_some_and(|content| matches!(content.given, Given::Manifest(_)) && content.evidence == Evidence::None)
    }

    /// A manifest refers to it. Returns whether it must be sent now although it was left out before.
    pub(super) fn refer(&mut self, id: ContentId, may_be_left_out: bool) -> bool {
        let Some(content) = self.get_mut(id) else { return false };
        content.is_ordinary |= !may_be_left_out;
        match (content.evidence, content.is_ordinary) {
            (Evidence::None, false) => {
                self.there(id, Evidence::LeftOut);
                false
            }
            (Evidence::LeftOut, true) => {
                self.lost(id);
                true
            }
            _ => false,
        }
    }

    /// It is in the repository, by this evidence. Stronger evidence replaces weaker.
    pub(super) fn there(&mut self, id: ContentId, evidence: Evidence) {
        let Some(content) = self.get_mut(id) else { return };
        let before = content.evidence;
        if before == Evidence::None || evidence == Evidence::Acknowledged {
            content.evidence = evidence;
        }
        if before != Evidence::None {
            return;
        }
        let (waiting, is_manifest) = self.waiting_for(id);
        self.missing.remove(&id);
        for manifest in waiting {
            if let Some(content) = self.get_mut(manifest) {
                content.waits_for = content.waits_for.saturating_sub(1);
            }
            self.settle(manifest);
        }
        if is_manifest {
            self.unstored = self.unstored.saturating_sub(1);
            self.ready.remove(&id);
        }
    }

    /// It is not in the repository any more, or must be asked about.
    pub(super) fn lost(&mut self, id: ContentId) {
        let Some(content) = self.get_mut(id) else { return };
        if std::mem::replace(&mut content.evidence, Evidence::None) == Evidence::None {
            return;
        }
        let (waiting, is_manifest) = self.waiting_for(id);
        if self.given(id) == Given::Nothing && !waiting.is_empty() {
            self.missing.insert(id);
        }
        waiting.into_iter().for_each(|manifest| self.wait(manifest));
        if is_manifest {
            self.unstored = self.unstored.saturating_add(1);
            self.settle(id);
        }
    }

    /// The manifests that wait for it, and whether it is a given manifest itself.
    fn waiting_for(&self, id: ContentId) -> (Vec<ContentId>, bool) {
        let Some(content) = self.get(id) else { return (Vec::new(), false) };
        let is_manifest = matches!(content.given, Given::Manifest(_));
        let artifacts = self.artifacts.get(&id).filter(|_| is_manifest);
        (content.needed_by.as_slice().iter().chain(artifacts.into_iter().flatten()).copied().collect(), is_manifest)
    }

    fn wait(&mut self, manifest: ContentId) {
        if let Some(content) = self.get_mut(manifest) {
            content.waits_for = content.waits_for.saturating_add(1);
        }
        self.ready.remove(&manifest);
    }

    /// Adds a manifest to those that can be sent, or removes it, as its state requires.
    fn settle(&mut self, id: ContentId) {
        let is_ready = self.get(id).is_some_and(|content| {
            matches!(content.given, Given::Manifest(_))
                && content.evidence == Evidence::None
                && content.waits_for == 0
                && !content.is_busy
        });
        if is_ready {
            self.ready.insert(id);
        }
    }

    /// Takes a manifest that can be sent. A request about it counts as in progress until [`Graph::free`].
    pub(super) fn take_ready(&mut self) -> Option<ContentId> {
        let id = self.ready.pop_first()?;
        self.occupy(id);
        Some(id)
    }

    /// A request about it is in progress.
    pub(super) fn occupy(&mut self, id: ContentId) {
        self.ready.remove(&id);
        if let Some(content) = self.get_mut(id) {
            content.is_busy = true;
        }
    }

    /// No request about it is in progress any more.
    pub(super) fn free(&mut self, id: ContentId) {
        if let Some(content) = self.get_mut(id) {
            content.is_busy = false;
        }
        self.settle(id);
    }

    /// Takes content that is referred to, but neither given nor in the repository.
    pub(super) fn take_missing(&mut self) -> Option<ContentId> {
        self.missing.pop_first()
    }

    /// A manifest that must be sent refers to it: it is added to the missing content, if it is missing.
    pub(super) fn need(&mut self, id: ContentId) {
        if self.given(id) == Given::Nothing && !self.is_there(id) {
            self.missing.insert(id);
        }
    }

    /// It is being asked about, so [`Graph::take_missing`] must not return it.
    pub(super) fn ask_about(&mut self, id: ContentId) {
        self.missing.remove(&id);
    }

    /// Whether a manifest that is not in the repository refers to it.
    pub(super) fn is_needed(&self, id: ContentId) -> bool {
        self.get(id)
            .is_some_and(|content| content.needed_by.as_slice().iter().any(|manifest| !self.is_there(*manifest)))
    }

    /// How many given manifests are not there.
    pub(super) const fn unstored(&self) -> usize {
        self.unstored
    }

    /// A given manifest that is not in the repository.
    pub(super) fn first_unstored(&self) -> Option<Digest> {
        let is_unstored =
            |content: &&Content| matches!(content.given, Given::Manifest(_)) && content.evidence == Evidence::None;
        self.contents.iter().find(is_unstored).map(|content| content.digest)
    }

    /// Content that is assumed to exist only because the registry serves a manifest that refers to it. At the end of a
    /// push this includes content that was neither given nor asked about.
    pub(super) fn unverified(&self) -> impl Iterator<Item = Digest> {
        let is_unverified = |content: &&Content| match (content.evidence, content.given) {
            (Evidence::Served, Given::Blob(_) | Given::Manifest(_)) => true,
            (Evidence::Served | Evidence::None, Given::Nothing) => !content.needed_by.as_slice().is_empty(),
            _ => false,
        };
        self.contents.iter().filter(is_unverified).map(|content| content.digest)
    }

    /// The given blobs that the registry has acknowledged.
    pub(super) fn acknowledged_blobs(&self) -> impl Iterator<Item = Digest> {
        let is_acknowledged =
            |content: &&Content| content.evidence == Evidence::Acknowledged && matches!(content.given, Given::Blob(_));
        self.contents.iter().filter(is_acknowledged).map(|content| content.digest)
    }
}

#[cfg(test)]
mod tests;
