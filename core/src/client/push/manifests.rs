//! The manifests of a push: when one may be sent, under which names, and what the registry has of them already.

use std::collections::{BTreeMap, BTreeSet};

use super::blobs::BlobState;
use super::job::{Node, PushJob, Start};
use crate::client::task::AnyFlow;
use crate::config::{Learned, Options};
use crate::driver::Key;
use crate::flow::{Commit, FetchExisting, Stored, UpdateReferrers};
use crate::outcome::Event;
use crate::{Descriptor, Digest, Document, Manifest, Tag};

/// From so many tags on, it pays to try to push them all in one request.
const MANY_TAGS: usize = 3;

/// A manifest of a push.
pub(super) struct ManifestNode {
    pub(super) manifest: Manifest,
    pub(super) is_running: bool,
    pub(super) recoveries: u32,
    /// What is known of its entry in the list of its subject's referrers.
    listed: Listed,
    /// Where among its blobs one was missing when it was last looked at.
    lacking: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Listed {
    /// It has no subject, or the entry stands.
    Yes,
    /// It has to be looked after, once the manifest is stored.
    No,
    /// That is being done.
    Running,
}

impl ManifestNode {
    pub(super) const fn new(manifest: Manifest) -> Self {
        let listed = if manifest.subject().is_some() { Listed::No } else { Listed::Yes };
        Self { manifest, is_running: false, recoveries: 0, listed, lacking: 0 }
    }

    /// Whether all its blobs are there. It looks first where one was missing, so that all looks together cost as much as a few.
    fn has_its_blobs(&mut self, is_there: impl Fn(&Digest) -> bool) -> bool {
        let blobs = || self.manifest.blobs().enumerate();
        let mut in_turn = blobs().skip(self.lacking).chain(blobs().take(self.lacking));
        let lacking = in_turn.find(|(_, blob)| !is_there(&blob.digest)).map(|(place, _)| place);
        self.lacking = lacking.unwrap_or_default();
        lacking.is_none()
    }
}

impl<K: Key> PushJob<K> {
    /// Manifests that are not stored, and all of whose references are.
    pub(super) fn ready_manifests(&mut self, options: &Options) -> Vec<usize> {
        let given: BTreeSet<Digest> = self.manifests.iter().map(|node| node.manifest.digest()).collect();
        let is_quiet = self.is_quiet();
        let Self { manifests, have, foreign, .. } = self;
        let is_there = |digest: &Digest| have.contains(digest) || foreign.skips(digest, options);
        let is_ready = |node: &mut ManifestNode| {
            !node.is_running
                // What a document that is not looked into refers to, nobody can tell: it goes when all else has gone.
                && (is_quiet || *node.manifest.document() != Document::Other)
                && !have.contains(&node.manifest.digest())
                && node.manifest.children().all(|child| have.contains(&child.digest))
                // A subject of the same push goes first; one that is elsewhere, or nowhere, never blocks.
                && node.manifest.subject().is_none_or(|subject| {
                    !given.contains(&subject.digest) || have.contains(&subject.digest)
                })
                && node.has_its_blobs(is_there)
        };
        (0..).zip(manifests).filter_map(|(index, node)| is_ready(node).then_some(index)).collect()
    }

    /// Whether every blob is sent, and every manifest that says what it refers to.
    fn is_quiet(&self) -> bool {
        let known = |node: &&ManifestNode| *node.manifest.document() != Document::Other;
        !self.is_open
            && self.running.is_empty()
            && self.blobs.iter().all(|node| node.state == BlobState::Done)
            && self.manifests.iter().filter(known).all(|node| {
                self.have.contains(&node.manifest.digest())
                    || node.manifest.children().any(|child| self.is_unknown(child.digest))
            })
    }

    /// Whether a manifest of this push is one that is not looked into.
    fn is_unknown(&self, digest: Digest) -> bool {
        let mut unknown = self.manifests.iter().filter(|node| *node.manifest.document() == Document::Other);
        unknown.any(|node| node.manifest.digest() == digest)
    }

    /// The exchange that stores a manifest: the root under its tags, all others by digest.
    pub(super) fn commit(&mut self, index: usize, learned: &Learned) -> Option<(AnyFlow<K>, u32)> {
        let place = self.place.clone();
        let node = self.manifests.get_mut(index)?;
        node.is_running = true;
        let manifest = node.manifest.clone();
        let tags = if self.root == Some(manifest.digest()) { self.tags.as_slice() } else { &[] };
        let all_at_once = match learned.tag_parameter {
            Some(true) => tags.len() > 1,
            None => tags.len() >= MANY_TAGS,
            Some(false) => false,
        };
        let commit = match tags.first() {
            Some(_) if all_at_once => Commit::with_tags(place, manifest, tags.to_vec()),
            Some(tag) => Commit::under(place, manifest, tag.clone()),
            None => Commit::by_digest(place, manifest),
        };
        Some((AnyFlow::Commit(Box::new(commit)), node.recoveries))
    }

    /// Tags that do not name the root yet, once it is stored.
    pub(super) fn missing_tags(&self) -> Vec<(Tag, AnyFlow<K>)> {
        let root = self.root.filter(|root| self.have.contains(root));
        let Some(node) = self.manifests.iter().find(|node| Some(node.manifest.digest()) == root) else {
            return Vec::new();
        };
        let missing =
            self.tags.iter().filter(|tag| !self.tagged.contains(*tag) && !self.is_running(&Node::Tag((*tag).clone())));
        missing
            .map(|tag| {
                let commit = Commit::under(self.place.clone(), node.manifest.clone(), tag.clone());
                (tag.clone(), AnyFlow::Commit(Box::new(commit)))
            })
            .collect()
    }

    /// Stored manifests whose entry in their subject's list of referrers was not seen.
    pub(super) fn unlisted_referrers(&mut self, options: &Options) -> Vec<(usize, AnyFlow<K>)> {
        let mut machines = Vec::new();
        for (index, node) in (0..).zip(&mut self.manifests) {
            if node.listed == Listed::No && self.have.contains(&node.manifest.digest()) {
                let Some(subject) = node.manifest.subject() else { continue };
                let entries = vec![node.manifest.referrer()];
                let update = UpdateReferrers::add(self.place.clone(), subject.digest, entries, options.referrers);
                node.listed = Listed::Running;
                machines.push((index, AnyFlow::Referrers(Box::new(update))));
            }
        }
        machines
    }

    /// What is referred to, but neither given nor known to be there; and whether it is a manifest.
    pub(super) fn missing(&self, options: &Options) -> BTreeMap<Digest, bool> {
        let given: BTreeSet<Digest> = self.manifests.iter().map(|node| node.manifest.digest()).collect();
        let unstored = self.manifests.iter().filter(|node| !self.have.contains(&node.manifest.digest()));
        let references = unstored.flat_map(|node| {
            let children = node.manifest.children().map(|child| (child.digest, true));
            node.manifest.blobs().map(|blob| (blob.digest, false)).chain(children)
        });
        references
            .filter(|(digest, _)| {
                !self.have.contains(digest) && !given.contains(digest) && !self.foreign.skips(digest, options)
            })
            .collect()
    }

    /// The manifest under the tag was read: it is the root itself, or it tells what is there.
    pub(super) fn standing(&mut self, standing: &Manifest, events: &mut Vec<Event<K>>) {
        let is_root = Some(standing.digest()) == self.root;
        if is_root {
            self.tagged.extend(self.tags.first().cloned());
        }
        let is_whole = !self.is_holed(self.manifests.iter().map(|node| &node.manifest));
        if is_root && self.tags.len() <= 1 && is_whole {
            // There is nothing to send that could name what is not there.
            for digest in self.given_below(standing) {
                self.stands(digest, events);
            }
        } else if standing.media_type().is_index() {
            // An index proves nothing about its children; those that are like ours are read one by one.
            self.children_to_read = self.like_ours(standing);
        } else {
            self.has_all_of(standing);
            if is_root {
                events.push(Event::ManifestStored { digest: standing.digest(), existed: true });
            }
        }
    }

    /// A manifest that the index under the tag refers to was read.
    pub(super) fn child_stands(&mut self, child: &Manifest, events: &mut Vec<Event<K>>) {
        self.has_all_of(child);
        if self.manifests.iter().any(|node| node.manifest.digest() == child.digest()) {
            events.push(Event::ManifestStored { digest: child.digest(), existed: true });
        }
    }

    /// All blobs of `manifest` are in the repository: the registry served it.
    fn has_all_of(&mut self, manifest: &Manifest) {
        // A layer that nobody may distribute may be there or not: whoever pushed the manifest need not have sent it.
        let blobs = manifest.blobs().filter(|blob| !blob.media_type.is_nondistributable()).map(|blob| blob.digest);
        let is_new = |digest: &Digest| !self.have.contains(digest) && !self.deleted.contains_key(digest);
        let new: Vec<Digest> = blobs.filter(is_new).collect();
        self.have.extend(&new);
        self.served.extend(new);
        self.have.insert(manifest.digest());
    }

    /// Entries of `standing` that are children of ours, or stand there for the same platform.
    fn like_ours(&self, standing: &Manifest) -> BTreeSet<Digest> {
        let ours: Vec<&Descriptor> = self.manifests.iter().flat_map(|node| node.manifest.children()).collect();
        let given = |digest: &Digest| self.manifests.iter().any(|node| node.manifest.digest() == *digest);
        let is_like = |theirs: &&Descriptor| {
            ours.iter().any(|ours| {
                given(&ours.digest)
                    && (ours.digest == theirs.digest || ours.platform.is_some() && ours.platform == theirs.platform)
            })
        };
        standing
            .children()
            .filter(is_like)
            .map(|child| child.digest)
            .filter(|digest| !self.have.contains(digest))
            .collect()
    }

    pub(super) fn start_children(&mut self) -> Vec<Start<K>> {
        let children = std::mem::take(&mut self.children_to_read);
        let place = self.place.clone();
        let mut start = |digest| {
            let survey = FetchExisting::of_digest(place.clone(), digest);
            self.start(Node::Child(digest), AnyFlow::FetchExisting(survey), 0)
        };
        children.into_iter().map(&mut start).collect()
    }

    /// The manifest and all that it refers to is there.
    fn stands(&mut self, digest: Digest, events: &mut Vec<Event<K>>) {
        if let Some(node) = self.manifests.iter().find(|node| node.manifest.digest() == digest) {
            let manifest = node.manifest.clone();
            self.has_all_of(&manifest);
            self.have.extend(manifest.children().map(|child| child.digest));
            events.push(Event::ManifestStored { digest, existed: true });
        }
    }

    /// A manifest that was given, and all that were given below it.
    fn given_below(&self, top: &Manifest) -> BTreeSet<Digest> {
        let given: BTreeMap<Digest, &Manifest> =
            self.manifests.iter().map(|node| (node.manifest.digest(), &node.manifest)).collect();
        let mut below = BTreeSet::from([top.digest()]);
        let mut waiting = vec![top];
        while let Some(manifest) = waiting.pop() {
            for child in manifest.children().filter_map(|child| given.get(&child.digest)) {
                if below.insert(child.digest()) {
                    waiting.push(child);
                }
            }
        }
        below
    }

    pub(super) fn manifest_stored(&mut self, index: usize, stored: &Stored, events: &mut Vec<Event<K>>) {
        let Some(node) = self.manifests.get_mut(index) else { return };
        let digest = node.manifest.digest();
        node.is_running = false;
        self.have.insert(digest);
        events.push(Event::ManifestStored { digest, existed: stored.existed });
        if stored.lists_referrers
            && let Some(subject) = node.manifest.subject().filter(|_| node.listed == Listed::No)
        {
            node.listed = Listed::Yes;
            events.push(Event::ReferrerListed { subject: subject.digest, referrer: digest, fallback: false });
        }
        for tag in &stored.tags {
            self.tagged.insert(tag.clone());
            events.push(Event::Tagged { tag: tag.clone(), digest });
        }
    }

    pub(super) fn tag_stored(&mut self, tag: &Tag, events: &mut Vec<Event<K>>) {
        self.tagged.insert(tag.clone());
        if let Some(digest) = self.root {
            events.push(Event::Tagged { tag: tag.clone(), digest });
        }
    }

    pub(super) fn referrer_listed(&mut self, index: usize, fallback: bool, events: &mut Vec<Event<K>>) {
        let Some(node) = self.manifests.get_mut(index) else { return };
        node.listed = Listed::Yes;
        if let Some(subject) = node.manifest.subject() {
            let (subject, referrer) = (subject.digest, node.manifest.digest());
            events.push(Event::ReferrerListed { subject, referrer, fallback });
        }
    }
}

#[cfg(test)]
mod tests;
