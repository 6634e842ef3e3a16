//! The blobs of a push: which go now, what one tells about the registry for the others, and what is sent again.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::job::{Node, PushJob, Start};
use crate::Digest;
use crate::client::task::AnyFlow;
use crate::config::{Blob, Learned, Options};
use crate::driver::Key;
use crate::endpoint::OpenUpload;
use crate::flow::{Content, Probe, Upload, Uploaded};
use crate::outcome::{Event, Failure, FailureKind, Stored};

/// Blobs of at most so many bytes go ahead to find out what the registry can do.
const SCOUT: u64 = 64 * 1024;
/// How often a manifest is sent again after the registry said that something it refers to is missing.
const RECOVERIES: u32 = 3;

/// A blob of a push.
pub(super) struct BlobNode<K> {
    pub(super) blob: Blob<K>,
    /// What is known of its content, and what of it can be sent.
    pub(super) content: Content,
    pub(super) state: BlobState,
    /// How often the registry said that it is missing, since it was last stored: then it must be asked about.
    pub(super) missed: u32,
    /// The most of its bytes that were ever there or on their way.
    pub(super) reached: u64,
}

impl<K> BlobNode<K> {
    pub(super) fn new(blob: Blob<K>) -> Self {
        let content = Content::of(&blob);
        Self { blob, content, state: BlobState::Waiting, missed: 0, reached: 0 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BlobState {
    Waiting,
    Running,
    Done,
}

impl<K: Key> PushJob<K> {
    pub(super) fn start_blobs(
        &mut self,
        learned: &Learned,
        options: &Options,
        events: &mut Vec<Event<K>>,
    ) -> Vec<Start<K>> {
        let unsettled = if self.settled { &mut [] } else { self.blobs.as_mut_slice() };
        self.settled = true;
        for node in unsettled.iter_mut().filter(|node| node.state == BlobState::Waiting && node.missed == 0) {
            let Some(digest) = node.content.digest else { continue };
            if self.foreign.skips(&digest, options) {
                node.state = BlobState::Done;
                self.progress.done(node);
            } else if self.have.contains(&digest) {
                node.state = BlobState::Done;
                self.progress.done(node);
                self.receipt.existing = self.receipt.existing.saturating_add(1);
                let (blob, size) = (node.blob.key.clone(), node.content.size.unwrap_or(0));
                events.push(Event::BlobStored { blob, digest, size, how: Stored::Existing });
            }
        }
        let waiting: Vec<usize> =
            (0..).zip(&self.blobs).filter(|(_, n)| n.state == BlobState::Waiting).map(|(i, _)| i).collect();
        let starting = match self.scout(&waiting, learned) {
            Some(scout) => vec![scout],
            None if self.is_scouting() => Vec::new(),
            None => match self.probe(&waiting, learned, options) {
                Some(probe) => return vec![probe],
                None => self.largest(waiting, options),
            },
        };
        starting.into_iter().filter_map(|index| self.start_blob(index)).collect()
    }

    /// The blobs that go now, the largest first. Of those that can be sent at any time, no more are begun than can fly soon:
    /// the cost of a push grows with its blobs, and not with their square. One of unknown digest is read as its content comes.
    fn largest(&self, mut waiting: Vec<usize>, options: &Options) -> Vec<usize> {
        let size = |index: &usize| {
            let content = self.blobs.get(*index).map(|node| &node.content)?;
            content.digest.and(content.size)
        };
        let is_under_way = |node: &&Node| if let Node::Blob(index) = node { size(index).is_some() } else { false };
        let mut free = options.in_flight.saturating_mul(2).max(2);
        free = free.saturating_sub(self.running.iter().filter(is_under_way).count());
        waiting.sort_by_key(|index| Reverse(size(index)));
        waiting.retain(|index| {
            let goes = size(index).is_none() || free > 0;
            free = free.saturating_sub(usize::from(size(index).is_some()));
            goes
        });
        waiting
    }

    pub(super) fn start_blob(&mut self, index: usize) -> Option<Start<K>> {
        let node = self.blobs.get_mut(index)?;
        node.state = BlobState::Running;
        let (blob, content, missed) = (node.blob.clone(), node.content.clone(), node.missed);
        let saved = self.checkpoint.as_ref().zip(content.digest.filter(|_| missed == 0));
        let saved = saved.and_then(|(checkpoint, digest)| checkpoint.upload(digest, &self.place.origin));
        let saved = saved.map(|(location, acknowledged)| (OpenUpload::at(location), acknowledged));
        let upload = Upload::new(blob.key, self.place.clone(), content, blob.mounts).resuming(saved);
        // A registry that says "it is here" and "it is missing" at once gets the bytes.
        let upload = match missed {
            0 => upload,
            1 => upload.asking_first(),
            _ => upload.asking_nobody(),
        };
        let flow = AnyFlow::Upload(Box::new(upload));
        Some(self.start(Node::Blob(index), flow, missed))
    }

    /// A small blob that goes ahead of the others, while it is not known what one POST can do.
    pub(super) fn scout(&mut self, waiting: &[usize], learned: &Learned) -> Option<usize> {
        if learned.single_post.is_some() || self.scout.is_some() || waiting.len() < 2 {
            return None;
        }
        let size = |index: &usize| {
            let node = self.blobs.get(*index).filter(|node| node.blob.mounts.is_empty())?;
            node.content.size.filter(|size| node.content.digest.is_some() && (1..=SCOUT).contains(size))
        };
        self.scout = waiting.iter().copied().filter(|index| size(index).is_some()).min_by_key(size);
        self.scout
    }

    pub(super) fn is_scouting(&self) -> bool {
        self.scout.is_some_and(|scout| self.running.contains(&Node::Blob(scout)))
    }

    /// One question more, where at least two large blobs may save theirs by its answer.
    pub(super) fn probe(&mut self, waiting: &[usize], learned: &Learned, options: &Options) -> Option<Start<K>> {
        let is_large = |index: &&usize| {
            let node = self.blobs.get(**index);
            node.is_some_and(|node| node.blob.mounts.is_empty() && node.content.is_worth_asking(options))
        };
        if self.probed || learned.self_mount.is_some() || waiting.iter().filter(is_large).count() < 2 {
            return None;
        }
        let done = self.blobs.iter().filter(|node| node.state == BlobState::Done);
        let stored = done.filter_map(|node| node.content.digest).find(|digest| self.have.contains(digest))?;
        self.probed = true;
        let probe = Probe::self_mount(self.place.clone(), stored);
        Some(self.start(Node::Probe, AnyFlow::Probe(probe), 0))
    }

    pub(super) fn blob_stored(&mut self, index: usize, uploaded: &Uploaded, events: &mut Vec<Event<K>>) {
        let Some(node) = self.blobs.get_mut(index) else { return };
        node.state = BlobState::Done;
        node.missed = 0;
        self.progress.reach(node, uploaded.size);
        node.content = uploaded.content.clone();
        let count = match uploaded.how {
            Stored::Existing => &mut self.receipt.existing,
            Stored::Mounted(_) => &mut self.receipt.mounted,
            Stored::Uploaded => &mut self.receipt.uploaded,
        };
        *count = count.saturating_add(1);
        self.have.insert(uploaded.digest);
        self.served_in_vain |= self.served.remove(&uploaded.digest) && uploaded.how != Stored::Existing;
        let Uploaded { digest, size, how, .. } = uploaded.clone();
        events.push(Event::BlobStored { blob: node.blob.key.clone(), digest, size, how });
    }

    /// Whether a blob that was acknowledged, is not seen now, and cannot be sent again, is asked for once more.
    pub(super) fn may_turn_up(&mut self, node: &Node, failure: &Failure) -> bool {
        let Node::Blob(index) = node else { return false };
        let Some(blob) = self.blobs.get_mut(*index) else { return false };
        if failure.kind != FailureKind::NotReplayable || !(1..RECOVERIES).contains(&blob.missed) {
            return false;
        }
        blob.missed = blob.missed.saturating_add(1);
        blob.state = BlobState::Waiting;
        true
    }

    /// The registry lost what it had acknowledged, or shows it late: ask for everything again, send what is missing.
    pub(super) fn recover_missing(&mut self, index: usize, failure: Failure, options: &Options) {
        let Some(node) = self.manifests.get_mut(index) else { return };
        if node.recoveries >= RECOVERIES {
            self.failure.get_or_insert(failure);
            return;
        }
        node.recoveries = node.recoveries.saturating_add(1);
        let recoveries = node.recoveries;
        node.is_running = false;
        let references = node.manifest.blobs().chain(node.manifest.children()).map(|reference| reference.digest);
        let suspects: BTreeSet<Digest> = references.filter(|digest| !self.foreign.skips(digest, options)).collect();
        let itself = node.manifest.digest();
        for digest in suspects.iter().chain([&itself]) {
            self.have.remove(digest);
            self.lost.insert(*digest);
        }
        for child in self.manifests.iter_mut().filter(|child| suspects.contains(&child.manifest.digest())) {
            child.is_running = false;
        }
        // Blobs that turned out to be equal when they had been read are sent again once.
        let on_their_way = self.blobs.iter().filter(|blob| blob.state != BlobState::Done);
        let mut sent_again: BTreeSet<Digest> = on_their_way.filter_map(|blob| blob.content.digest).collect();
        for blob in self.blobs.iter_mut().filter(|blob| blob.state == BlobState::Done) {
            let Some(digest) = blob.content.digest else { continue };
            if suspects.contains(&digest) && sent_again.insert(digest) {
                blob.state = BlobState::Waiting;
                blob.missed = recoveries;
            }
        }
    }

    /// A blob that another push was sending, and could not: this one sends it itself.
    pub(in crate::client) fn again(&mut self, node: &Node) {
        self.running.remove(node);
        if let Node::Blob(index) = node
            && let Some(blob) = self.blobs.get_mut(*index)
        {
            blob.state = BlobState::Waiting;
        }
    }

    /// A blob that is given twice is sent once.
    pub(super) fn add_blob(&mut self, blob: Blob<K>) {
        let same = |node: &&mut BlobNode<K>| {
            node.blob.key == blob.key
                || node.content.digest.is_some() && node.content.digest == blob.identity.map(|(digest, _)| digest)
        };
        if self.blobs.iter_mut().find(same).is_none() {
            self.progress.add(&blob);
            self.blobs.push(BlobNode::new(blob));
        }
    }
}

#[cfg(test)]
mod tests;
