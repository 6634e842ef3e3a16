//! Reads the manifests that the repository has already, because the blobs of a served image manifest need not be sent.
//!
//! First it reads the manifest under the first tag, or the root by its digest if there is no tag. If that is not the
//! root itself, it reads the tags that may name a similar image. An index does not prove that its children exist: those
//! that are part of the push, or that are for the same platform, are read one by one.

use std::collections::BTreeSet;

use super::graph::{Evidence, Given, Kind};
use super::{Node, PushContext, PushJob, Start};
use crate::client::any_flow::AnyFlow;
use crate::driver::Key;
use crate::flow::FetchExisting;
use crate::{Digest, Manifest, Platform, Tag};

/// The manifests to read.
#[derive(Debug)]
pub(super) struct Reads {
    like: Vec<Tag>,
    stage: Stage,
    /// The digests of manifests that are worth reading.
    by_digest: BTreeSet<Digest>,
    /// How many are being read.
    running: usize,
    /// Whether any manifest was found.
    pub(super) has_found: bool,
    /// Whether the root was requested by its digest.
    has_asked_for_root: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Nothing,
    Tag,
    Like,
}

impl Reads {
    pub(super) const fn new(like: Vec<Tag>) -> Self {
        Self {
            like,
            stage: Stage::Nothing,
            by_digest: BTreeSet::new(),
            running: 0,
            has_found: false,
            has_asked_for_root: false,
        }
    }

    /// Whether a manifest is being read or must be read.
    pub(super) fn are_under_way(&self) -> bool {
        self.running > 0 || !self.by_digest.is_empty()
    }

    pub(super) const fn ended(&mut self) {
        self.running = self.running.saturating_sub(1);
    }
}

impl<K: Key> PushJob<K> {
    /// Whether the blobs of a served image manifest are assumed to exist.
    pub(super) fn trusts_manifests(&self, context: &PushContext<'_, K>) -> bool {
        !self.is_rechecked && context.options.trust_manifests && context.learned.unchecked_manifests != Some(true)
    }

    /// Starts the next reads.
    pub(super) fn read_standing(&mut self, context: &PushContext<'_, K>, starts: &mut Vec<Start<K>>) {
        if self.reads.stage == Stage::Nothing {
            self.reads.stage = Stage::Tag;
            self.read_first(context, starts);
        }
        while self.room(context.options) > 0
            && let Some(digest) = self.reads.by_digest.pop_first()
        {
            let flow = FetchExisting::of_digest(self.place.clone(), digest);
            starts.push(self.read(Node::ByDigest(digest), flow));
        }
        if self.reads.stage == Stage::Tag && !self.reads.are_under_way() {
            self.reads.stage = Stage::Like;
            if self.trusts_manifests(context) && !self.is_root_there() {
                for (number, tag) in std::mem::take(&mut self.reads.like).into_iter().enumerate() {
                    let flow = FetchExisting::of_tag(self.place.clone(), tag);
                    starts.push(self.read(Node::Like(number), flow));
                }
            }
        }
    }

    fn read_first(&mut self, context: &PushContext<'_, K>, starts: &mut Vec<Start<K>>) {
        // If a served manifest proves nothing, it is not worth a request.
        if !self.trusts_manifests(context) && !self.is_rechecked {
            return;
        }
        match (self.tags.get(0).cloned(), self.root) {
            (Some(tag), _) => {
                let flow = FetchExisting::of_tag(self.place.clone(), tag);
                starts.push(self.read(Node::Standing, flow));
            }
            (None, Some(root)) => self.ask_for_root(root),
            (None, None) => {}
        }
    }

    /// The repository may have the root although no tag names it.
    pub(super) fn ask_for_root(&mut self, root: Digest) {
        if !std::mem::replace(&mut self.reads.has_asked_for_root, true) && !self.is_root_there() {
            self.reads.by_digest.insert(root);
        }
    }

    fn read(&mut self, node: Node, flow: FetchExisting) -> Start<K> {
        self.reads.running = self.reads.running.saturating_add(1);
        self.start(node, AnyFlow::FetchExisting(flow), 0)
    }

    pub(super) fn is_root_there(&self) -> bool {
        let id = self.root.and_then(|root| self.graph.find(root, Kind::Manifest));
        id.is_some_and(|id| self.graph.is_there(id))
    }

    /// The manifest under the first tag was read.
    pub(super) fn stands_under_tag(&mut self, standing: &Manifest, context: &mut PushContext<'_, K>) {
        if Some(standing.digest()) == self.root
            && let Some(tag) = self.tags.get(0).cloned()
        {
            self.tags.done(&tag);
        }
        self.stands(standing, context);
    }

    /// The registry served a manifest, so it exists. If it is not an index, so do the blobs that it refers to.
    pub(super) fn stands(&mut self, standing: &Manifest, context: &mut PushContext<'_, K>) {
        let id = self.graph.content(standing.digest(), Kind::Manifest);
        if let Given::Manifest(number) = self.graph.given(id) {
            self.found_manifest(number, true, context);
        } else {
            self.graph.there(id, Evidence::Acknowledged);
        }
        self.reads.has_found = true;
        if standing.media_type().is_index() {
            self.read_children(standing);
        } else if self.trusts_manifests(context) {
            self.assume_blobs_of(standing, context);
        }
    }

    /// The blobs of `manifest`, which was served, are assumed to be in the repository.
    fn assume_blobs_of(&mut self, manifest: &Manifest, context: &mut PushContext<'_, K>) {
        // A non-distributable layer may be missing, because it need not have been pushed with the manifest.
        for blob in manifest.blobs().filter(|blob| !blob.media_type.is_nondistributable()) {
            let id = match self.graph.find(blob.digest, Kind::Blob) {
                Some(id) => id,
                // It may be given later.
                None if self.is_open => self.graph.content(blob.digest, Kind::Blob),
                None => continue,
            };
            if !context.presence.is_doubted(&self.place, &blob.digest, context.now) {
                self.graph.there(id, Evidence::Served);
                self.settle_blob(id, context);
            }
        }
    }

    /// Reads the entries of an existing index that are manifests of the push, or that are for the platform of one.
    fn read_children(&mut self, standing: &Manifest) {
        let is_root = Some(standing.digest()) == self.root;
        let platforms = if is_root { BTreeSet::new() } else { self.platforms() };
        for child in standing.children() {
            let id = self.graph.find(child.digest, Kind::Manifest);
            let is_given = id.is_some_and(|id| matches!(self.graph.given(id), Given::Manifest(_)));
            let is_there = id.is_some_and(|id| self.graph.is_there(id));
            let is_like = child.platform.as_ref().is_some_and(|platform| platforms.contains(&**platform));
            if !is_there && (is_given || is_like) {
                self.reads.by_digest.insert(child.digest);
            }
        }
    }

    /// The platforms of the given manifests.
    fn platforms(&self) -> BTreeSet<Platform> {
        let entries = self.manifests.iter().flat_map(|node| node.manifest.children());
        let is_given = |digest| {
            let id = self.graph.find(digest, Kind::Manifest);
            id.is_some_and(|id| matches!(self.graph.given(id), Given::Manifest(_)))
        };
        entries.filter(|entry| is_given(entry.digest)).filter_map(|entry| entry.platform.as_deref().cloned()).collect()
    }
}
