//! The graph of one push: what may start now, and what follows from what has ended.
//!
//! Children before parents, always: a manifest is sent only when the registry has acknowledged all that it refers to.
//! What the registry has acknowledged is the set `have`; everything else is derived from it.

use std::collections::{BTreeMap, BTreeSet};

use super::blobs::BlobNode;
use super::manifests::ManifestNode;
use super::nondistributable::Nondistributable;
use super::progress::Progress;
use crate::client::task::{AnyFlow, FlowOutput};
use crate::config::{Checkpoint, Learned, Options, Push, RepositoryRef, Supply};
use crate::driver::Key;
use crate::flow::{Committed, Exists, FetchExisting};
use crate::outcome::{Event, Failure, FailureKind, Pushed};
use crate::{Digest, Manifest, Repository, Tag};

/// One thing to do in a push.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::client) enum Node {
    /// Reading what stands under the tag: it tells what is there.
    FetchExisting,
    /// Reading a manifest that an index under the tag refers to.
    Child(Digest),
    /// Finding out whether a self-mount answers questions.
    Probe,
    /// Sending a blob, by its place in the push.
    Blob(usize),
    /// Asking for content that is referred to and was not given.
    Check(Digest),
    /// Sending a manifest, by its place in the push.
    Manifest(usize),
    /// Putting a further tag on the root.
    Tag(Tag),
    /// Entering a manifest, by its place in the push, into the list of its subject's referrers.
    Referrer(usize),
}

/// A node that may start now.
pub(in crate::client) struct Start<K> {
    pub(in crate::client) node: Node,
    pub(in crate::client) flow: AnyFlow<K>,
    /// How often it was healed: it waits before it is tried again, longer each time.
    pub(in crate::client) recoveries: u32,
}

/// A push under way.
pub(in crate::client) struct PushJob<K> {
    pub(super) place: RepositoryRef,
    pub(super) tags: Vec<Tag>,
    pub(super) root: Option<Digest>,
    pub(super) manifests: Vec<ManifestNode>,
    pub(super) blobs: Vec<BlobNode<K>>,
    pub(super) foreign: Nondistributable,
    /// Repositories to mount what is not given from.
    mounts: Vec<Repository>,
    pub(super) is_open: bool,
    pub(super) checkpoint: Option<Checkpoint>,
    surveyed: bool,
    /// Whether what was given so far was held against what is there.
    pub(super) settled: bool,
    pub(super) probed: bool,
    /// The blob that went ahead of the others.
    pub(super) scout: Option<usize>,
    /// Manifests of the index under the tag that are worth reading.
    pub(super) children_to_read: BTreeSet<Digest>,
    /// What it had acknowledged, and did not have.
    pub(super) lost: BTreeSet<Digest>,
    /// Blobs that are taken to be there only because the registry serves a manifest that refers to them.
    pub(super) served: BTreeSet<Digest>,
    /// Whether one of those was not there.
    pub(super) served_in_vain: bool,
    /// What the registry has acknowledged in this repository.
    pub(super) have: BTreeSet<Digest>,
    /// What the client had deleted before it began, each with the number of its deletion: it counts as there when it was seen
    /// itself, and not what refers to it.
    pub(super) deleted: BTreeMap<Digest, u64>,
    /// Nodes whose task has not ended.
    pub(super) running: BTreeSet<Node>,
    /// Tags that name the root.
    pub(super) tagged: BTreeSet<Tag>,
    pub(super) failure: Option<Failure>,
    /// Why a list of referrers could not be changed: all else is pushed before that is told.
    unlisted: Option<Failure>,
    pub(super) receipt: Counts,
    pub(super) progress: Progress,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) uploaded: u64,
    pub(super) mounted: u64,
    pub(super) existing: u64,
    requests: u64,
    bytes: u64,
}

impl<K: Key> PushJob<K> {
    pub(in crate::client) fn new(push: Push<K>, mut have: BTreeSet<Digest>, deleted: BTreeMap<Digest, u64>) -> Self {
        have.extend(push.checkpoint.iter().flat_map(Checkpoint::stored));
        // Manifests are asked about or sent each time: others may have deleted them, and they cost little.
        push.manifests.iter().for_each(|manifest| {
            have.remove(&manifest.digest());
        });
        let place = RepositoryRef { origin: push.registry.origin(), repository: push.repository };
        let mut job = Self {
            place,
            tags: push.tags,
            root: push.root,
            manifests: Vec::new(),
            blobs: Vec::new(),
            foreign: Nondistributable::default(),
            mounts: push.mounts,
            is_open: push.is_open,
            checkpoint: push.checkpoint,
            surveyed: false,
            settled: false,
            probed: false,
            scout: None,
            children_to_read: BTreeSet::new(),
            lost: BTreeSet::new(),
            served: BTreeSet::new(),
            served_in_vain: false,
            have,
            deleted,
            running: BTreeSet::new(),
            tagged: BTreeSet::new(),
            failure: None,
            unlisted: None,
            receipt: Counts::default(),
            progress: Progress::default(),
        };
        push.manifests.into_iter().for_each(|manifest| job.add_manifest(manifest));
        push.blobs.into_iter().for_each(|blob| job.add_blob(blob));
        job
    }

    fn add_manifest(&mut self, manifest: Manifest) {
        if !self.manifests.iter().any(|node| node.manifest.digest() == manifest.digest()) {
            self.have.remove(&manifest.digest());
            self.foreign.add(&manifest);
            self.manifests.push(ManifestNode::new(manifest));
        }
    }

    pub(in crate::client) fn supply(&mut self, supply: Supply<K>) -> Result<(), FailureKind> {
        if !self.is_open {
            return Err(FailureKind::Misuse(
                "nothing can be added to a push that was not left open, or was ended".to_owned(),
            ));
        }
        self.settled = false;
        match supply {
            Supply::Blob(blob) => self.add_blob(blob),
            Supply::Manifest(manifest) => self.add_manifest(manifest),
            Supply::Root(manifest) => {
                self.root = Some(manifest.digest());
                self.add_manifest(manifest);
            }
            Supply::End => self.is_open = false,
        }
        Ok(())
    }

    pub(in crate::client) const fn place(&self) -> &RepositoryRef {
        &self.place
    }

    /// What may start now, because all that it depends on is done.
    pub(in crate::client) fn advance(
        &mut self,
        learned: &Learned,
        options: &Options,
        events: &mut Vec<Event<K>>,
    ) -> Vec<Start<K>> {
        if self.failure.is_some() {
            return Vec::new();
        }
        if !self.surveyed {
            self.surveyed = true;
            // Where what stands proves nothing, it is not worth a question.
            let is_proof = options.trust_manifests && learned.unchecked_manifests != Some(true);
            if let Some(survey) = self.survey().filter(|_| is_proof) {
                return vec![self.start(Node::FetchExisting, AnyFlow::FetchExisting(survey), 0)];
            }
        }
        let children = self.start_children();
        if !children.is_empty()
            || self.running.iter().any(|n| matches!(n, Node::FetchExisting | Node::Child(_) | Node::Probe))
        {
            return children;
        }
        let mut starts = self.start_blobs(learned, options, events);
        starts.extend(self.start_manifests(learned, options));
        if !self.is_open && starts.is_empty() && self.running.is_empty() {
            starts.extend(self.start_checks(options));
        }
        starts
    }

    fn survey(&self) -> Option<FetchExisting> {
        match (self.tags.first(), self.root) {
            (Some(tag), _) => Some(FetchExisting::of_tag(self.place.clone(), tag.clone())),
            (None, Some(root)) if !self.have.contains(&root) => {
                Some(FetchExisting::of_digest(self.place.clone(), root))
            }
            (None, _) => None,
        }
    }

    fn start_manifests(&mut self, learned: &Learned, options: &Options) -> Vec<Start<K>> {
        let ready = self.ready_manifests(options);
        let mut starts = Vec::new();
        for index in ready {
            if let Some((flow, recoveries)) = self.commit(index, learned) {
                starts.push(self.start(Node::Manifest(index), flow, recoveries));
            }
        }
        for (index, flow) in self.unlisted_referrers(options) {
            starts.push(self.start(Node::Referrer(index), flow, 0));
        }
        for (tag, flow) in self.missing_tags() {
            starts.push(self.start(Node::Tag(tag), flow, 0));
        }
        starts
    }

    /// What is referred to and was not given may be in the repository all the same.
    fn start_checks(&mut self, options: &Options) -> Vec<Start<K>> {
        let mut starts = Vec::new();
        for (digest, is_manifest) in self.missing(options) {
            let exists = Exists::new(self.place.clone(), digest, is_manifest).mounting_from(&self.mounts);
            starts.push(self.start(Node::Check(digest), AnyFlow::Exists(exists), 0));
        }
        starts
    }

    pub(super) fn start(&mut self, node: Node, flow: AnyFlow<K>, recoveries: u32) -> Start<K> {
        self.running.insert(node.clone());
        Start { node, flow, recoveries }
    }

    /// Takes in what came of a node.
    pub(in crate::client) fn finished(
        &mut self,
        node: &Node,
        result: Result<FlowOutput, Failure>,
        options: &Options,
        events: &mut Vec<Event<K>>,
    ) {
        self.running.remove(node);
        let output = match result {
            Ok(output) => output,
            Err(failure) => {
                if self.may_turn_up(node, &failure) {
                    return;
                }
                if matches!(node, Node::Referrer(_)) {
                    self.unlisted.get_or_insert(failure);
                    return;
                }
                // The first failure is the one to tell; what it cancels fails after it.
                self.failure.get_or_insert(failure);
                return;
            }
        };
        match (node, output) {
            (Node::FetchExisting, FlowOutput::Fetched(Some(standing))) => self.standing(&standing, events),
            (Node::Child(_), FlowOutput::Fetched(Some(child))) => self.child_stands(&child, events),
            (Node::Blob(index), FlowOutput::Uploaded(uploaded)) => self.blob_stored(*index, &uploaded, events),
            (Node::Check(digest), FlowOutput::Exists(true)) => {
                self.have.insert(*digest);
            }
            (Node::Check(digest), FlowOutput::Exists(false)) => {
                self.failure.get_or_insert(Failure::new(FailureKind::Incomplete { digest: *digest }));
            }
            (Node::Manifest(index), FlowOutput::Committed(Committed::Stored(stored))) => {
                self.manifest_stored(*index, &stored, events);
            }
            (Node::Manifest(index), FlowOutput::Committed(Committed::Missing(failure))) => {
                self.recover_missing(*index, failure, options);
            }
            (Node::Tag(tag), FlowOutput::Committed(Committed::Stored(_))) => self.tag_stored(tag, events),
            (Node::Tag(_), FlowOutput::Committed(Committed::Missing(failure))) => {
                if let Some(index) = self.manifests.iter().position(|node| Some(node.manifest.digest()) == self.root) {
                    self.recover_missing(index, failure, options);
                }
            }
            (Node::Referrer(index), FlowOutput::Listed(listed)) => {
                self.referrer_listed(*index, listed.fallback, events)
            }
            _ => {}
        }
    }

    pub(super) fn is_running(&self, node: &Node) -> bool {
        self.running.contains(node)
    }

    /// Whether something in these manifests was deleted, so that the top of them proves nothing.
    pub(super) fn is_holed<'a>(&self, manifests: impl Iterator<Item = &'a Manifest>) -> bool {
        let mut references = manifests.flat_map(|manifest| manifest.blobs().chain(manifest.children()));
        !self.deleted.is_empty() && references.any(|reference| self.deleted.contains_key(&reference.digest))
    }

    /// What the client had deleted before it began.
    pub(in crate::client) const fn deleted(&self) -> &BTreeMap<Digest, u64> {
        &self.deleted
    }

    /// A request was sent for this push.
    pub(in crate::client) const fn count(&mut self, bytes: u64) {
        self.receipt.requests = self.receipt.requests.saturating_add(1);
        self.receipt.bytes = self.receipt.bytes.saturating_add(bytes);
    }

    pub(in crate::client) fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    pub(in crate::client) const fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// The end of it, once nothing of it runs and nothing is left to start.
    pub(in crate::client) fn result(&self) -> Option<Result<Pushed, Failure>> {
        // A push that failed has no task left when this is asked; what others go on with is theirs.
        if let Some(failure) = &self.failure {
            return Some(Err(failure.clone()));
        }
        if !self.running.is_empty() || self.is_open {
            return None;
        }
        if let Some(node) = self.manifests.iter().find(|node| !self.have.contains(&node.manifest.digest())) {
            return Some(Err(Failure::new(FailureKind::Incomplete { digest: node.manifest.digest() })));
        }
        if self.root.is_none() && !self.tags.is_empty() {
            return Some(Err(Failure::new(FailureKind::Misuse(
                "there are tags, and no root for them to name".to_owned(),
            ))));
        }
        if let Some(failure) = &self.unlisted {
            return Some(Err(failure.clone()));
        }
        let digest = self.root;
        let Counts { uploaded, mounted, existing, requests, bytes } = self.receipt;
        Some(Ok(Pushed { digest, tags: self.tags.clone(), requests, bytes, uploaded, mounted, existing }))
    }

    /// What the registry had acknowledged, and did not have: no other push should rely on it.
    pub(in crate::client) const fn lost(&self) -> &BTreeSet<Digest> {
        &self.lost
    }

    /// Whether the registry served a manifest and had not all of its blobs.
    pub(in crate::client) const fn was_served_in_vain(&self) -> bool {
        self.served_in_vain
    }

    /// The digests that the registry has acknowledged, for the next push into the same repository.
    pub(in crate::client) const fn have(&self) -> &BTreeSet<Digest> {
        &self.have
    }

    /// What of them only a manifest that the registry serves speaks for.
    pub(in crate::client) const fn served(&self) -> &BTreeSet<Digest> {
        &self.served
    }
}
