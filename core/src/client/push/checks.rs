//! Asks about content: content that is referred to but was not given may be in the repository, and content that the
//! registry may have lost is asked about before it is sent again.

use super::blobs::BlobState;
use super::graph::{ContentId, Evidence, Given, Kind};
use super::{Node, PushContext, PushJob, Start};
use crate::client::any_flow::AnyFlow;
use crate::driver::Key;
use crate::flow::{Exists, Found};
use crate::outcome::{Failure, FailureKind};

/// How often content that may become visible late is asked about before it counts as missing. With the waits between,
/// this takes at least seven seconds by default.
const LOOKS: u32 = 3;

/// Content that must be asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doubt {
    id: ContentId,
    /// How often it was asked about, or a manifest was refused because of it. Each time the wait is longer.
    tries: u32,
    /// Whether it is asked about again if it is missing, because it may become visible late.
    is_late: bool,
    /// Whether it was missing when it was asked about, and may have become visible since.
    was_missing: bool,
}

impl Doubt {
    /// It is asked about once, without a wait.
    pub(super) const fn new(id: ContentId) -> Self {
        Self { id, tries: 0, is_late: false, was_missing: false }
    }

    /// It is asked about after a wait, because it was missing `tries` times.
    pub(super) const fn after(self, tries: u32) -> Self {
        Self { tries, ..self }
    }

    /// It is asked about again, because it was missing and may become visible late.
    const fn again(self) -> Self {
        Self { was_missing: true, ..self.after(self.tries.saturating_add(1)) }
    }

    /// Sets whether it may become visible late.
    pub(super) const fn of_late(self, is_late: bool) -> Self {
        Self { is_late, ..self }
    }
}

impl<K: Key> PushJob<K> {
    pub(super) fn start_checks(&mut self, context: &mut PushContext<'_, K>, starts: &mut Vec<Start<K>>) {
        while self.room(context.options) > 0
            && let Some(doubt) = self.doubted.pop_front()
        {
            starts.extend(self.check(doubt, context));
        }
        // Content that was not given yet may be given later, or may be a blob whose digest is not known yet.
        while !self.is_open
            && self.blobs.unidentified() == 0
            && self.room(context.options) > 0
            && let Some(id) = self.graph.take_missing()
        {
            let Some(digest) = self.graph.digest(id).filter(|_| self.is_needed(id)) else { continue };
            if !self.is_rechecked && context.presence.is_there(&self.place, &digest, context.now) {
                self.graph.there(id, Evidence::Acknowledged);
            } else {
                let doubt = Doubt::new(id).of_late(self.is_late(id, context));
                starts.extend(self.check(doubt, context));
            }
        }
    }

    /// Whether a manifest that is still to be sent refers to it, or the push checks everything.
    fn is_needed(&self, id: ContentId) -> bool {
        self.is_rechecked || self.graph.is_needed(id) || self.is_root_there() && !self.tags.are_done()
    }

    pub(super) fn check(&mut self, doubt: Doubt, context: &PushContext<'_, K>) -> Option<Start<K>> {
        let Doubt { id, tries, .. } = doubt;
        let digest = self.graph.digest(id)?;
        self.graph.ask_about(id);
        self.checks.insert(id, (doubt, context.presence.moment()));
        let exists = Exists::new(self.place.clone(), digest, self.graph.kind(id) == Kind::Manifest);
        // Content that was given is sent if it is missing.
        let mounts = if self.graph.given(id) == Given::Nothing { self.mounts.as_slice() } else { &[] };
        let exists = exists.mounting_from(mounts);
        Some(self.start(Node::Check(id), AnyFlow::Exists(exists), tries))
    }

    /// Handles the registry's answer about some content.
    pub(super) fn checked(&mut self, id: ContentId, found: Found, context: &mut PushContext<'_, K>) {
        let Some((doubt, asked)) = self.checks.remove(&id) else { return };
        let Some(digest) = self.graph.digest(id) else { return };
        match found {
            Found::Present => {
                if doubt.was_missing && self.graph.kind(id) == Kind::Blob {
                    context.learned.late_blobs = Some(true);
                }
                context.presence.acknowledge(&self.place, digest, asked, context.now);
                self.found(id, Evidence::Acknowledged, context);
                self.clear(id, false);
            }
            Found::Absent if doubt.is_late && doubt.tries < LOOKS => {
                self.doubted.push_back(doubt.again());
            }
            Found::Absent => {
                context.presence.lose(&self.place, digest, context.now);
                self.missing(id);
            }
            Found::NotSaid => self.not_said(id, doubt.is_late, context),
        }
    }

    /// The content is in the repository, by this evidence.
    fn found(&mut self, id: ContentId, evidence: Evidence, context: &mut PushContext<'_, K>) {
        let was_asked_about = self.graph.is_busy(id);
        self.graph.free(id);
        match self.graph.given(id) {
            Given::Manifest(number) => self.found_manifest(number, true, context),
            Given::Nothing => self.graph.there(id, evidence),
            Given::Blob(number) => {
                let state = self.blobs.get(number).map(|node| node.state);
                // A push that checks everything asked about it before sending it.
                if was_asked_about && state == Some(BlobState::Running) {
                    self.blobs.again(number);
                }
                self.graph.there(id, evidence);
                self.settle_blob(id, context);
                if let Some(node) = self.blobs.get_mut(number) {
                    (node.was_found, node.was_served) = (true, false);
                }
            }
        }
    }

    /// The registry does not have it: it is sent, if it was given.
    fn missing(&mut self, id: ContentId) {
        let was_asked_about = self.graph.is_busy(id);
        self.graph.free(id);
        match self.graph.given(id) {
            Given::Manifest(_) => self.clear(id, true),
            Given::Nothing => {
                if let Some(digest) = self.graph.digest(id) {
                    self.fail(Failure::new(FailureKind::Incomplete { digest }));
                }
            }
            // A blob that was given while it was asked about is already being sent.
            Given::Blob(number) if was_asked_about => self.send_again(id, number),
            Given::Blob(_) => {}
        }
    }

    /// The registry's answers do not show whether it has the content. Content that was not given, or that was
    /// acknowledged a short time ago, is assumed to exist: the registry will refuse the manifest if it does not.
    /// Content that was given is sent.
    fn not_said(&mut self, id: ContentId, is_late: bool, context: &mut PushContext<'_, K>) {
        match self.graph.given(id) {
            Given::Nothing => self.found(id, Evidence::Served, context),
            Given::Blob(_) if is_late => self.found(id, Evidence::Acknowledged, context),
            Given::Blob(number) if self.graph.is_busy(id) => {
                self.graph.free(id);
                return self.send_again(id, number);
            }
            Given::Blob(_) => {}
            Given::Manifest(_) => self.graph.free(id),
        }
        self.clear(id, false);
    }
}
