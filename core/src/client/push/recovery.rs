//! Recovery after a manifest was refused because content that it refers to may be missing: the registry is asked about
//! that content, and only what it really lacks is sent again.

use std::time::Duration;

use super::blobs::BlobState;
use super::checks::Doubt;
use super::graph::{ContentId, Evidence, Given, Kind};
use super::manifests::Refusal;
use super::{PushContext, PushJob};
use crate::driver::Key;
use crate::outcome::{Failure, FailureKind, Refused};
use crate::{Digest, Manifest};

/// How often a manifest is sent again, with increasing waits, although none of its references was sent again.
const RECOVERIES: u32 = 3;
/// For this long after the registry has acknowledged content, the content may become visible late (quirk
/// `blob-visible-after-delay`).
const LATE: Duration = Duration::from_secs(10);
/// If a body lists this many errors, some may not have been read.
const MANY_ERRORS: usize = 16;

/// What the refusal of a manifest says about one of its references.
#[derive(Clone, Copy)]
struct Suspicion {
    /// Whether it says that content is missing, and not only that the manifest is invalid.
    is_explicit: bool,
    /// Whether it names this reference.
    is_named: bool,
    /// Whether the reference may become visible late.
    is_late: bool,
}

impl<K: Key> PushJob<K> {
    /// The registry refused a manifest, perhaps because of its references.
    pub(super) fn lacks(&mut self, number: usize, failure: Failure, context: &mut PushContext<'_, K>) {
        let Some(node) = self.manifests.get_mut(number) else { return self.fail(failure) };
        node.recoveries = node.recoveries.saturating_add(1);
        let (manifest, id, tries) = (node.manifest.clone(), node.id, node.recoveries);
        let named = failure.refused().map(|refused| named(refused, &manifest)).unwrap_or_default();
        let is_explicit = failure.refused().is_some_and(|refused| says_missing(refused) || !named.is_empty());
        if !is_explicit && std::mem::take(&mut node.was_all_there) {
            // The registry has everything, so it refuses the manifest for another reason.
            return self.fail(failure);
        }
        let suspects = self.suspects(&manifest, &named);
        let is_last = tries > RECOVERIES;
        let mut doubts: usize = 0;
        for suspect in &suspects {
            let is_named = self.graph.digest(*suspect).is_some_and(|digest| named.contains(&digest));
            let is_late = !is_last && self.is_late(*suspect, context);
            let suspicion = Suspicion { is_explicit, is_named, is_late };
            let is_under_way = !self.graph.is_there(*suspect);
            if is_under_way || self.doubt(*suspect, suspicion, tries, context) {
                doubts = doubts.saturating_add(1);
                self.suspected_by.entry(*suspect).or_default().push(number);
            }
        }
        // If nothing can be asked about or sent, the manifest can only be sent again, after a wait.
        if doubts == 0 && (is_last || !is_explicit) {
            return self.fail(failure);
        }
        self.graph.occupy(id);
        if let Some(node) = self.manifests.get_mut(number) {
            node.refusal = Some(Refusal { failure, doubts, was_lacking: false });
        }
        if doubts == 0 {
            self.doubted.push_back(Doubt::new(id).after(tries));
        }
    }

    /// Whether it may become visible late: the registry acknowledged it a short time ago, or it cannot be sent again,
    /// so that waiting is the only choice.
    pub(super) fn is_late(&self, id: ContentId, context: &PushContext<'_, K>) -> bool {
        let Some(digest) = self.graph.digest(id) else { return false };
        let is_gone = match self.graph.given(id) {
            Given::Blob(number) => self.blobs.get(number).is_some_and(|node| !node.can_replay()),
            Given::Manifest(_) | Given::Nothing => false,
        };
        is_gone || context.presence.was_acknowledged_within(LATE, &self.place, &digest, context.now)
    }

    /// The references of a manifest that may be missing: those that the refusal names, or all.
    fn suspects(&self, manifest: &Manifest, named: &[Digest]) -> Vec<ContentId> {
        let is_suspect = |digest: &Digest| named.is_empty() || named.contains(digest);
        let of = |digest: Digest, kind| self.graph.find(digest, kind).filter(|_| is_suspect(&digest));
        let blobs =
            manifest.blobs().filter_map(|blob| of(blob.digest, Kind::Blob).or_else(|| of(blob.digest, Kind::Manifest)));
        let children = manifest.children().filter_map(|child| of(child.digest, Kind::Manifest));
        let mut suspects: Vec<ContentId> =
            blobs.chain(children).filter(|id| self.graph.evidence(*id) != Evidence::LeftOut).collect();
        suspects.sort_unstable();
        suspects.dedup();
        suspects
    }

    /// Content may be missing: it is asked about or sent again. Returns `false` if neither is possible, because it was
    /// asked about often enough and cannot be sent.
    fn doubt(&mut self, id: ContentId, suspicion: Suspicion, tries: u32, context: &mut PushContext<'_, K>) -> bool {
        let is_disputed = self.is_disputed(id, suspicion);
        if tries > RECOVERIES && !is_disputed {
            return false;
        }
        if let Some(digest) = self.graph.digest(id).filter(|_| suspicion.is_named && !suspicion.is_late) {
            context.presence.lose(&self.place, digest, context.now);
        }
        let was_served = self.graph.evidence(id) == Evidence::Served;
        self.graph.lost(id);
        self.graph.ask_about(id);
        if let Given::Blob(number) = self.graph.given(id) {
            if let Some(node) = self.blobs.get_mut(number) {
                node.was_served = was_served;
            }
            if is_disputed {
                self.send_again(id, number);
                return true;
            }
        }
        self.graph.occupy(id);
        self.doubted.push_back(Doubt::new(id).after(tries).of_late(suspicion.is_late));
        true
    }

    /// Whether the registry says both that it has a blob and that the blob is missing, and visibility cannot be the
    /// reason any more. Then the bytes are sent again, once.
    fn is_disputed(&self, id: ContentId, suspicion: Suspicion) -> bool {
        let Given::Blob(number) = self.graph.given(id) else { return false };
        let may_be_sent = suspicion.is_explicit && !suspicion.is_late;
        self.blobs
            .get(number)
            .is_some_and(|node| may_be_sent && node.was_found && !node.was_sent_again && node.can_replay())
    }

    /// Sends a blob that the registry does not have. One that was sent before is sent again, once; if it is missing
    /// after that, the registry does not keep it.
    pub(super) fn send_again(&mut self, id: ContentId, number: usize) {
        let Some(node) = self.blobs.get_mut(number) else { return };
        let is_first_time = node.state == BlobState::Running;
        if is_first_time || !std::mem::replace(&mut node.was_sent_again, true) {
            node.is_lacking = true;
            return self.blobs.again(number);
        }
        let suspecting = self.suspected_by.get(&id).and_then(|manifests| manifests.first());
        let refusal = suspecting.and_then(|manifest| self.manifests.get_mut(*manifest)?.refusal.take());
        let digest = self.graph.digest(id);
        let failure = refusal
            .map(|refusal| refusal.failure)
            .or_else(|| Some(Failure::new(FailureKind::Incomplete { digest: digest? })));
        if let Some(failure) = failure {
            self.fail(failure);
        }
    }

    /// Content that was asked about is in the repository now; `was_lacking` states whether it was missing before. The
    /// manifests that were refused because of it are sent again after all their references are checked, if that can
    /// help.
    pub(super) fn clear(&mut self, id: ContentId, was_lacking: bool) {
        let given = self.graph.given(id);
        if matches!(given, Given::Manifest(_)) && !self.graph.is_there(id) {
            // The blob is sent first.
            return;
        }
        let was_sent = was_lacking && matches!(given, Given::Blob(_));
        for number in self.suspected_by.remove(&id).unwrap_or_default() {
            let Some(node) = self.manifests.get_mut(number) else { continue };
            let Some(refusal) = &mut node.refusal else { continue };
            if was_sent {
                node.recoveries = 0;
            }
            refusal.doubts = refusal.doubts.saturating_sub(1);
            refusal.was_lacking |= was_lacking;
            if refusal.doubts > 0 {
                continue;
            }
            let manifest = node.id;
            // Content that was stored a short time ago may have become visible only now, so the manifest may be
            // accepted at the second attempt.
            node.was_all_there = !refusal.was_lacking;
            node.refusal = None;
            self.graph.free(manifest);
        }
    }
}

/// Whether a refusal says explicitly that content is missing.
fn says_missing(refused: &Refused) -> bool {
    ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"].iter().any(|code| refused.errors.has_code(code))
}

/// The references of a manifest that a refusal names. Empty if it names none, or may not name all.
fn named(refused: &Refused, manifest: &Manifest) -> Vec<Digest> {
    let entries = &refused.errors.errors;
    if entries.len() >= MANY_ERRORS {
        return Vec::new();
    }
    let texts = entries.iter().flat_map(|entry| [&entry.detail, &entry.message]).flatten();
    let texts: Vec<&str> = texts.map(String::as_str).collect();
    let references = manifest.blobs().chain(manifest.children()).map(|reference| reference.digest);
    references.filter(|digest| texts.iter().any(|text| text.contains(&digest.to_string()))).collect()
}

#[cfg(test)]
mod tests;
