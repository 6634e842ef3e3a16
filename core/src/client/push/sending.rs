//! Chooses the blobs to send now: in which order, with which question before, and what one result shows about the
//! others.
//!
//! Under a new tag, as in the usual push of a build, the repository has most blobs already, but no manifest shows it.
//! Then the largest blob is first, and the POST that opens its upload mounts it from the target repository itself. If
//! that succeeds, the root is requested by its digest, and then every other blob is mounted in the same way. If not, no
//! request was wasted, because the upload is open. But the largest blob may be the one that changed: if many bytes would
//! be sent without a question, a second blob is asked about by HEAD.

use super::blobs::{BlobNode, BlobState};
use super::checks::Doubt;
use super::graph::{ContentId, Evidence, Given, Kind};
use super::{Node, PushContext, PushJob, Start};
use crate::Digest;
use crate::client::any_flow::AnyFlow;
use crate::config::Learned;
use crate::driver::Key;
use crate::endpoint::OpenUpload;
use crate::flow::{Probe, Question, Unseen, Upload, Uploaded};
use crate::outcome::{Event, Failure, FailureKind, Stored};

/// A blob of at most this many bytes is sent first, to find out whether the registry supports single POST.
const SCOUT: u64 = 64 * 1024;
/// Blobs of fewer bytes than this are sent without a question, if single POST may work.
const NOT_WORTH_ASKING: u64 = 16 * 1024;
/// If the repository does not have the largest blob and more bytes than this would be sent without a question, a second
/// blob is asked about: of an image that was built anew, the largest layer may be the one that changed.
const WORTH_A_SECOND_QUESTION: u64 = 16 << 20;
/// How many blobs are examined at most to find the one to send first.
const LOOKED_AT: usize = 16;

/// Whether the repository is known to have the blobs of this push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// Not known yet.
    Undecided,
    /// The largest blob, by its number, is being asked about, and the others wait for the answer.
    Largest(usize),
    /// The repository does not have the largest blob. Another one, by its number, is being asked about, and the others
    /// wait for the answer.
    Second(usize),
    /// The registry did not say that it has the largest blob, by its number. Its open upload waits until it is known
    /// whether this registry answers such questions. A small blob and a question about it are sent before all others.
    Held(usize),
    /// The repository has the blob that was asked about: every other one is asked about.
    Every,
    /// No manifest was found under the tag, and the repository does not have the blob that was asked about.
    NotThere,
    /// The manifest under the tag shows which blobs exist, or nothing can show it.
    Usual,
}

/// What was found out about the registry's abilities so far.
#[derive(Debug, Default)]
pub(super) struct Scouting {
    /// The small blob that is sent first, by its number.
    scout: Option<usize>,
    has_scouted: bool,
    is_scouting: bool,
    has_probed: bool,
    is_probing: bool,
    has_second: bool,
    /// Whether the upload that waits must be told the result.
    is_found_out: bool,
}

impl<K: Key> PushJob<K> {
    pub(super) fn start_blobs(&mut self, context: &mut PushContext<'_, K>, starts: &mut Vec<Start<K>>) {
        let (push, most) = (context.operation, context.options.open_pipes);
        while self.blobs.has_pipe() && context.pipes.may_open(push, most) {
            let Some(number) = self.blobs.next_pipe() else { break };
            starts.extend(self.start_blob(number, context));
        }
        self.settle_known(context);
        if self.asking == Asking::Undecided && self.blobs.waiting_len() > 0 {
            self.decide(context);
            if let Asking::Largest(number) = self.asking {
                starts.extend(self.start_blob(number, context));
            }
        }
        if matches!(self.asking, Asking::Largest(_) | Asking::Second(_))
            || self.scouting.is_scouting
            || self.scouting.is_probing
        {
            return;
        }
        if let Some(scout) = self.scout(context.learned) {
            self.scouting.is_scouting = true;
            starts.extend(self.start_blob(scout, context));
            return;
        }
        if let Some(probe) = self.probe(context) {
            self.scouting.is_probing = true;
            starts.push(self.start(Node::Probe, AnyFlow::Probe(probe), 0));
            return;
        }
        if let Asking::Held(largest) = self.asking {
            self.scouting.is_found_out = true;
            if context.learned.self_mount != Some(true) {
                // It is now asked about by HEAD.
                self.asking = Asking::Largest(largest);
                return;
            }
            self.asking = Asking::NotThere;
        }
        if let Some(second) = self.second(context) {
            self.asking = Asking::Second(second);
            starts.extend(self.start_blob(second, context));
            return;
        }
        while self.room(context.options) > 0 {
            self.settle_known(context);
            let Some((number, _)) = self.blobs.waiting().next() else { return };
            let start = self.look_for(number, context).or_else(|| self.start_blob(number, context));
            starts.extend(start);
        }
    }

    /// A blob that must be asked about although the registry acknowledged it a short time ago may become visible late,
    /// so it is asked about before it is sent.
    fn look_for(&mut self, number: usize, context: &PushContext<'_, K>) -> Option<Start<K>> {
        let node = self.blobs.get(number)?;
        let id = node.id.filter(|_| self.question(number, node, context) == Question::First)?;
        if !self.is_late(id, context) {
            return None;
        }
        self.blobs.run(number)?;
        self.graph.occupy(id);
        self.check(Doubt::new(id).of_late(true), context)
    }

    /// Completes the largest waiting blobs that are known to exist, without a request.
    fn settle_known(&mut self, context: &mut PushContext<'_, K>) {
        if self.is_rechecked {
            return;
        }
        while let Some((number, id, digest)) = self.first_in_line() {
            if !context.presence.is_there(&self.place, &digest, context.now) {
                return;
            }
            self.graph.there(id, Evidence::Acknowledged);
            self.settle_blob(id, context);
            if self.blobs.get(number).is_none_or(|node| node.state == BlobState::Waiting) {
                return;
            }
        }
    }

    /// The largest waiting blob, unless it must be asked about.
    fn first_in_line(&self) -> Option<(usize, ContentId, Digest)> {
        let (number, node) = self.blobs.waiting().next()?;
        let id = node.id.filter(|_| !node.is_lacking)?;
        Some((number, id, self.graph.digest(id)?))
    }

    /// Decides whether the largest blob is sent first: if no manifest shows what exists, and if the POST that opens its
    /// upload, or a question that costs less than its bytes, can show it.
    fn decide(&mut self, context: &PushContext<'_, K>) {
        let is_new_tag = !self.is_rechecked && !self.reads.has_found && self.root_number().is_some();
        self.asking = if is_new_tag { Asking::NotThere } else { Asking::Usual };
        let mut waiting = self.blobs.waiting().take(LOOKED_AT);
        let Some((largest, node)) = waiting.find(|(_, node)| node.mounts.is_empty()) else { return };
        let is_worth_it = opens_upload(context.learned) || node.size >= Some(NOT_WORTH_ASKING);
        let may_ask = context.options.ask_above < u64::MAX;
        if is_new_tag && is_worth_it && may_ask && !node.is_lacking {
            self.asking = Asking::Largest(largest);
        }
    }

    /// The registry has answered a question about a blob that is to be sent.
    pub(in crate::client) fn answered_about(&mut self, number: usize, is_there: bool) {
        if matches!(self.asking, Asking::Largest(asked) | Asking::Second(asked) if asked == number) {
            self.asking = if is_there { Asking::Every } else { Asking::NotThere };
        }
    }

    /// The registry was asked for a blob and did not say that it has it. `unseen` states what its upload does now.
    pub(in crate::client) fn unseen(&mut self, number: usize, unseen: Unseen) {
        match unseen {
            Unseen::Sent => self.answered_about(number, false),
            Unseen::Held if self.asking == Asking::Largest(number) => self.asking = Asking::Held(number),
            Unseen::Held => self.scouting.is_found_out = true,
        }
    }

    /// Whether the upload that waits can continue. Returns `true` once.
    pub(in crate::client) const fn ends_holds(&mut self) -> bool {
        std::mem::replace(&mut self.scouting.is_found_out, false)
    }

    fn start_blob(&mut self, number: usize, context: &PushContext<'_, K>) -> Option<Start<K>> {
        let node = self.blobs.run(number)?;
        node.begun = context.presence.moment();
        let (key, mounts, content) = (node.key.clone(), node.mounts.clone(), node.content(&self.graph));
        let continued = node.id.filter(|_| !node.is_lacking && content.can_resume());
        let left = continued.and_then(|id| self.left_open.remove(&self.graph.digest(id)?));
        let left = left.map(|left| (OpenUpload::at(left.target), left.acknowledged));
        let node = self.blobs.get(number)?;
        let question = self.question(number, node, context);
        let upload = Upload::new(key, self.place.clone(), content, mounts).asking(question).resuming(left);
        let upload = if self.may_be_held(number, context) { upload.held() } else { upload };
        Some(self.start(Node::Blob(number), AnyFlow::Upload(Box::new(upload)), 0))
    }

    /// The question to ask before the bytes of a blob are sent.
    fn question(&self, number: usize, node: &BlobNode<K>, context: &PushContext<'_, K>) -> Question {
        let Some((digest, size)) = node.identity(&self.graph) else { return Question::IfLarge };
        if node.is_lacking {
            return Question::Nothing;
        }
        if self.is_rechecked || context.presence.is_doubted(&self.place, &digest, context.now) {
            return Question::First;
        }
        let opens_upload = opens_upload(context.learned) || size > context.options.single_post;
        match self.asking {
            Asking::Largest(largest) if largest == number => Question::InPassing,
            Asking::Second(second) if second == number => Question::First,
            Asking::Every if size >= NOT_WORTH_ASKING || opens_upload => Question::InPassing,
            // The POST that opens its upload can ask without an extra request.
            Asking::NotThere if opens_upload && context.learned.self_mount != Some(false) => Question::InPassing,
            _ => Question::IfLarge,
        }
    }

    /// Whether the largest blob's upload waits after a mount without success, because other large blobs benefit from
    /// what is found out meanwhile.
    fn may_be_held(&self, number: usize, context: &PushContext<'_, K>) -> bool {
        self.asking == Asking::Largest(number)
            && !self.scouting.has_scouted
            && self.waits_with_question(context) > 0
            && self.small_blob(NOT_WORTH_ASKING.saturating_sub(1)).is_some()
    }

    /// How many of the largest waiting blobs are worth a question.
    fn waits_with_question(&self, context: &PushContext<'_, K>) -> usize {
        let is_worth_asking =
            |(_, node): &(usize, &BlobNode<K>)| node.mounts.is_empty() && node.is_worth_asking(context.options);
        self.blobs.waiting().take(LOOKED_AT).filter(is_worth_asking).count()
    }

    /// A waiting blob of at most this many bytes that is not empty.
    fn small_blob(&self, most: u64) -> Option<usize> {
        let is_small = |node: &BlobNode<K>| node.size.is_some_and(|size| (1..=most).contains(&size));
        let mut smallest = self.blobs.waiting().rev().take(LOOKED_AT);
        Some(smallest.find(|(_, node)| is_small(node) && node.mounts.is_empty())?.0)
    }

    /// A small blob to send before the others, while it is not known whether the registry supports single POST.
    fn scout(&mut self, learned: &Learned) -> Option<usize> {
        let is_needed = learned.single_post.is_none() || matches!(self.asking, Asking::Held(_));
        if !is_needed || self.scouting.has_scouted || self.blobs.waiting_len() < 2 {
            return None;
        }
        self.scouting.has_scouted = true;
        self.scouting.scout = self.small_blob(SCOUT);
        self.scouting.scout
    }

    /// An extra question, if its answer may save the questions for at least two large blobs.
    fn probe(&mut self, context: &PushContext<'_, K>) -> Option<Probe> {
        if self.scouting.has_probed || context.learned.self_mount.is_some() {
            return None;
        }
        let held = usize::from(matches!(self.asking, Asking::Held(_)));
        if self.waits_with_question(context).saturating_add(held) < 2 {
            return None;
        }
        let stored = self.graph.acknowledged_blobs().next()?;
        self.scouting.has_probed = true;
        Some(Probe::self_mount(self.place.clone(), stored))
    }

    /// The second blob to ask about, once: the largest of those that would be sent without a question, if together they
    /// have many bytes.
    fn second(&mut self, context: &PushContext<'_, K>) -> Option<usize> {
        let options = context.options;
        if self.asking != Asking::NotThere || self.scouting.has_second || options.ask_above == u64::MAX {
            return None;
        }
        self.scouting.has_second = true;
        if opens_upload(context.learned) && context.learned.self_mount != Some(false) {
            // The POST that opens an upload asks, for each blob.
            return None;
        }
        let is_unasked =
            |node: &BlobNode<K>| node.mounts.is_empty() && !node.is_lacking && !node.is_worth_asking(options);
        let mut unasked = self.blobs.waiting().filter(|(_, node)| is_unasked(node)).peekable();
        let (second, _) = *unasked.peek()?;
        let bytes = unasked.map(|(_, node)| node.size.unwrap_or_default()).fold(0, u64::saturating_add);
        (bytes > WORTH_A_SECOND_QUESTION).then_some(second)
    }

    /// The probe has ended.
    pub(super) const fn probe_ended(&mut self) {
        self.scouting.is_probing = false;
    }

    /// No upload of this blob is running any more.
    pub(super) fn blob_stopped(&mut self, number: usize) {
        self.blobs.stop(number);
        if self.scouting.scout == Some(number) {
            self.scouting.is_scouting = false;
        }
    }

    /// A blob is in the repository.
    pub(super) fn blob_stored(&mut self, number: usize, uploaded: Uploaded, context: &mut PushContext<'_, K>) {
        let Uploaded { digest, size, how, content } = uploaded;
        let Some(node) = self.blobs.get_mut(number) else { return };
        (node.is_lacking, node.was_found) = (false, false);
        if std::mem::take(&mut node.was_served) && how != Stored::Existing {
            context.learned.unchecked_manifests = Some(true);
        }
        self.progress.reach(node, size);
        node.size = Some(size);
        node.left = node.is_one_shot.then(|| Box::new(content));
        let (key, begun) = (node.key.clone(), node.begun);
        context.presence.acknowledge(&self.place, digest, begun, context.now);
        self.report.stored(&how);
        let is_existing = how == Stored::Existing;
        context.events.push(Event::BlobStored { blob: key, digest, size, how });
        self.blobs.done(number);
        self.is_there(number, (digest, size), is_existing, context);
    }

    /// Applies what the existence of a blob shows about the others.
    fn is_there(
        &mut self,
        number: usize,
        (digest, size): (Digest, u64),
        is_existing: bool,
        context: &mut PushContext<'_, K>,
    ) {
        let id = self.graph.content(digest, Kind::Blob);
        if let Some(expected) = self.graph.size(id).filter(|expected| *expected != size) {
            let failure = Failure::new(FailureKind::SizeMismatch { expected, actual: size });
            let key = self.blobs.get(number).map(|node| node.key.clone());
            return self.fail(match key {
                Some(key) => failure.about(&key),
                None => failure,
            });
        }
        self.graph.set_size(id, size);
        if let Some(node) = self.blobs.get_mut(number) {
            node.id = Some(id);
        }
        match self.graph.given(id) {
            // A blob of unknown digest turned out to be the same as another one.
            Given::Blob(other) if other != number => {
                self.graph.there(id, Evidence::Acknowledged);
                self.settle_blob(id, context);
            }
            _ => {
                self.graph.give_blob(id, number);
                self.graph.there(id, Evidence::Acknowledged);
            }
        }
        let was_asked = self.asking == Asking::Largest(number);
        self.answered_about(number, is_existing);
        if was_asked
            && is_existing
            && self.trusts_manifests(context)
            && let Some(root) = self.root
        {
            self.ask_for_root(root);
        }
        self.clear(id, !is_existing);
    }
}

/// Whether each blob needs a POST that opens an upload, because single POST does not work.
const fn opens_upload(learned: &Learned) -> bool {
    matches!(learned.single_post, Some(false))
}

#[cfg(test)]
mod tests;
