//! The manifests of a push. Each is sent when everything that it refers to is in the repository: the root under its
//! tags, all others by digest.

use super::checks::Doubt;
use super::graph::{ContentId, Evidence, Given, Kind};
use super::{Node, PushContext, PushJob, Start};
use crate::Manifest;
use crate::client::any_flow::AnyFlow;
use crate::client::presence::Moment;
use crate::driver::Key;
use crate::flow::{Commit, Stored, UpdateReferrers};
use crate::outcome::{Event, Failure};

/// From this many tags on, the client tries to push all of them in one request.
const MANY_TAGS: usize = 3;

/// A manifest of a push.
pub(super) struct ManifestNode {
    pub(super) manifest: Manifest,
    pub(super) id: ContentId,
    /// How often it was refused because of content that may be missing, since a blob was last sent again for it.
    pub(super) recoveries: u32,
    /// The refusal whose cause is being determined.
    pub(super) refusal: Option<Refusal>,
    /// Whether everything that it refers to was found to exist after the last refusal.
    pub(super) was_all_there: bool,
    /// When it was sent or asked about last.
    begun: Moment,
    /// Whether the registry was asked for it.
    was_asked: bool,
    /// Whether its entry was or will be added to its subject's list.
    is_entered: bool,
}

/// The refusal of a manifest, while the content that it refers to is asked about.
pub(super) struct Refusal {
    /// The refusal.
    pub(super) failure: Failure,
    /// How many of its references are being asked about.
    pub(super) doubts: usize,
    /// Whether any of that was missing.
    pub(super) was_lacking: bool,
}

impl ManifestNode {
    pub(super) fn new(manifest: Manifest, id: ContentId) -> Self {
        Self {
            manifest,
            id,
            recoveries: 0,
            refusal: None,
            was_all_there: false,
            begun: Moment::default(),
            was_asked: false,
            is_entered: false,
        }
    }
}

impl<K: Key> PushJob<K> {
    /// The root's number, where it was given.
    pub(super) fn root_number(&self) -> Option<usize> {
        let id = self.graph.find(self.root?, Kind::Manifest)?;
        if let Given::Manifest(number) = self.graph.given(id) { Some(number) } else { None }
    }

    pub(super) fn is_root(&self, number: usize) -> bool {
        self.root_number() == Some(number)
    }

    pub(super) fn start_manifests(&mut self, context: &PushContext<'_, K>, starts: &mut Vec<Start<K>>) {
        while self.room(context.options) > 0
            && let Some(id) = self.graph.take_ready()
        {
            let Given::Manifest(number) = self.graph.given(id) else { continue };
            let is_asked_first = self.is_rechecked && (!self.is_root(number) || self.tags.all().is_empty());
            let Some(node) = self.manifests.get_mut(number) else { continue };
            node.begun = context.presence.moment();
            if is_asked_first && !std::mem::replace(&mut node.was_asked, true) {
                self.doubted.push_back(Doubt::new(id));
            } else {
                starts.extend(self.commit(number, context));
            }
        }
    }

    /// The task that pushes a manifest: the root under its tags, all others by digest.
    fn commit(&mut self, number: usize, context: &PushContext<'_, K>) -> Option<Start<K>> {
        let is_root = self.is_root(number);
        let node = self.manifests.get(number)?;
        let (place, manifest) = (self.place.clone(), node.manifest.clone());
        let tags = if is_root { self.tags.all().len() } else { 0 };
        let is_all_at_once = match context.learned.tag_parameter {
            Some(true) => tags > 1,
            None => tags >= MANY_TAGS,
            Some(false) => false,
        };
        let commit = if is_all_at_once && self.tags.all_wait() {
            Commit::with_tags(place, manifest, self.tags.take_all())
        } else if is_root && let Some(tag) = self.tags.take().and_then(|tag| self.tags.get(tag).cloned()) {
            Commit::under(place, manifest, tag)
        } else {
            Commit::by_digest(place, manifest)
        };
        Some(self.start(Node::Manifest(number), AnyFlow::Commit(Box::new(commit)), 0))
    }

    /// Starts the tags that do not name the root yet, once the root and everything that it refers to is in the
    /// repository.
    pub(super) fn start_tags(&mut self, context: &PushContext<'_, K>, starts: &mut Vec<Start<K>>) {
        if !self.tags.is_one_waiting() {
            return;
        }
        let Some(number) = self.root_number() else { return };
        // Its references are examined only after it is stored, because there may be thousands.
        let Some(id) = self.manifests.get(number).map(|node| node.id) else { return };
        if !self.graph.is_there(id) || self.graph.is_busy(id) {
            return;
        }
        if self.graph.waits(id) && !self.tags.hold_up() {
            return;
        }
        let Some(manifest) = self.manifests.get(number).map(|node| node.manifest.clone()) else { return };
        if self.graph.waits(id) {
            // Its references may not have been given, but must exist before a tag names the root.
            let blobs = manifest.blobs().filter_map(|blob| self.graph.find(blob.digest, Kind::Blob));
            let children = manifest.children().filter_map(|child| self.graph.find(child.digest, Kind::Manifest));
            let needs: Vec<ContentId> = blobs.chain(children).collect();
            needs.into_iter().for_each(|need| self.graph.need(need));
            return;
        }
        while self.room(context.options) > 0
            && let Some(number) = self.tags.take()
        {
            let Some(tag) = self.tags.get(number).cloned() else { continue };
            let commit = Commit::under(self.place.clone(), manifest.clone(), tag);
            starts.push(self.start(Node::Tag(number), AnyFlow::Commit(Box::new(commit)), 0));
        }
    }

    /// Starts the updates of lists that lack the entries of stored manifests.
    pub(super) fn start_lists(&mut self, context: &PushContext<'_, K>, starts: &mut Vec<Start<K>>) {
        while self.room(context.options) > 0
            && let Some((subject, manifests)) = self.lists.take_ready()
        {
            let nodes = manifests.iter().filter_map(|number| self.manifests.get(*number));
            let entries = nodes.map(|node| node.manifest.referrer()).collect();
            let update = UpdateReferrers::add(self.place.clone(), subject, entries, context.options.referrers);
            starts.push(self.start(Node::List(subject), AnyFlow::Referrers(Box::new(update)), 0));
        }
    }

    /// The registry has accepted a manifest, or has it already.
    pub(super) fn manifest_sent(&mut self, number: usize, stored: &Stored, context: &mut PushContext<'_, K>) {
        let Some(node) = self.manifests.get_mut(number) else { return };
        let (id, digest, begun) = (node.id, node.manifest.digest(), node.begun);
        node.refusal = None;
        let subject = node.manifest.subject().map(|subject| subject.digest);
        if stored.lists_referrers
            && let Some(subject) = subject
            && !std::mem::replace(&mut node.is_entered, true)
        {
            self.lists.stored(subject, number, true);
            context.events.push(Event::ReferrerListed { subject, referrer: digest, fallback: false });
        }
        if is_checked(stored, context) {
            self.verify_references(number);
        }
        context.presence.acknowledge(&self.place, digest, begun, context.now);
        self.graph.free(id);
        self.found_manifest(number, stored.existed, context);
        self.clear(id, true);
        for tag in &stored.tags {
            if self.tags.done(tag) {
                context.events.push(Event::Tagged { tag: tag.clone(), digest });
            }
        }
    }

    /// The registry has accepted this manifest, so it has everything that it refers to.
    fn verify_references(&mut self, number: usize) {
        let Some(node) = self.manifests.get(number) else { return };
        for blob in node.manifest.blobs() {
            if let Some(id) = self.graph.find(blob.digest, Kind::Blob)
                && self.graph.evidence(id) == Evidence::Served
            {
                self.graph.there(id, Evidence::Acknowledged);
            }
        }
    }

    /// A given manifest is in the repository.
    pub(super) fn found_manifest(&mut self, number: usize, existed: bool, context: &mut PushContext<'_, K>) {
        let Some(node) = self.manifests.get_mut(number) else { return };
        let (id, digest) = (node.id, node.manifest.digest());
        if let Some(subject) = node.manifest.subject()
            && !std::mem::replace(&mut node.is_entered, true)
        {
            self.lists.stored(subject.digest, number, false);
        }
        self.graph.there(id, Evidence::Acknowledged);
        context.events.push(Event::ManifestStored { digest, existed });
    }

    pub(super) fn tag_stored(&mut self, number: usize, stored: &Stored, context: &mut PushContext<'_, K>) {
        if let Some(root) = self.root_number().filter(|_| is_checked(stored, context)) {
            self.verify_references(root);
        }
        if let Some(tag) = self.tags.get(number).cloned()
            && self.tags.done(&tag)
            && let Some(digest) = self.root
        {
            context.events.push(Event::Tagged { tag, digest });
        }
    }

    /// The entries have been added to the list of a subject's referrers.
    pub(super) fn listed(&mut self, subject: crate::Digest, fallback: bool, context: &mut PushContext<'_, K>) {
        for number in self.lists.changed(subject) {
            if let Some(node) = self.manifests.get(number) {
                let referrer = node.manifest.digest();
                context.events.push(Event::ReferrerListed { subject, referrer, fallback });
            }
        }
    }
}

/// Whether the registry has checked the references of a manifest before it accepted it.
fn is_checked<K>(stored: &Stored, context: &PushContext<'_, K>) -> bool {
    !stored.existed && context.learned.unchecked_manifests != Some(true)
}
