//! A manifest was refused because something that it refers to may be missing: that is asked about, and what the registry really
//! lacks is sent again. Nothing is sent a second time because something else was refused.

use super::graph::{ContentId, Evidence, Given, Kind};
use super::job::{PushContext, PushJob};
use super::manifests::Refusal;
use crate::driver::Key;
use crate::outcome::{Failure, Refused};
use crate::{Digest, Manifest};

/// How often a manifest is sent again after the registry said that something it refers to is missing.
const RECOVERIES: u32 = 3;
/// Of a body with so many errors, not all may have been read.
const MANY_ERRORS: usize = 16;

impl<K: Key> PushJob<K> {
    /// The registry refused a manifest, and what it refers to may be why.
    pub(super) fn lacks(&mut self, number: usize, failure: Failure, context: &mut PushContext<'_, K>) {
        let Some(node) = self.manifests.get_mut(number).filter(|node| node.recoveries < RECOVERIES) else {
            return self.fail(failure);
        };
        node.recoveries = node.recoveries.saturating_add(1);
        let (manifest, id, recoveries) = (node.manifest.clone(), node.id, node.recoveries);
        let named = failure.refused().map(|refused| named(refused, &manifest)).unwrap_or_default();
        let is_explicit = failure.refused().is_some_and(|refused| says_missing(refused) || !named.is_empty());
        if !is_explicit && std::mem::take(&mut node.was_all_there) {
            // The registry says that it has everything, and refuses the manifest for another reason.
            return self.fail(failure);
        }
        let suspects = self.suspects(&manifest, &named);
        for suspect in &suspects {
            if let Some(digest) = self.graph.digest(*suspect).filter(|digest| named.contains(digest)) {
                context.presence.lose(&self.place, digest, context.now);
            }
            self.doubt(*suspect, recoveries, is_explicit);
            self.suspected_by.entry(*suspect).or_default().push(number);
        }
        if suspects.is_empty() && !is_explicit {
            return self.fail(failure);
        }
        self.graph.occupy(id);
        let doubts = suspects.len();
        if let Some(node) = self.manifests.get_mut(number) {
            node.refusal = Some(Refusal { doubts, was_lacking: false });
        }
        if doubts == 0 {
            // It can only be asked for again, after a while.
            self.doubted.push_back((id, recoveries));
        }
    }

    /// What of a manifest's references may be missing: those that the refusal names, or all.
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

    /// Something is not taken to be there any more: it is asked about.
    fn doubt(&mut self, id: ContentId, recoveries: u32, is_explicit: bool) {
        if !self.graph.is_there(id) {
            // That is being done.
            return;
        }
        let was_served = self.graph.evidence(id) == Evidence::Served;
        match self.graph.given(id) {
            Given::Blob(number) => {
                self.graph.lost(id);
                if let Some(node) = self.blobs.get_mut(number) {
                    node.missed = recoveries;
                    node.was_served = was_served;
                    node.is_disputed &= is_explicit;
                }
                self.blobs.again(number);
            }
            Given::Manifest(_) => {
                self.graph.lost(id);
                self.graph.occupy(id);
                self.doubted.push_back((id, recoveries));
            }
            Given::Nothing => {
                self.graph.lost(id);
                self.graph.is_asked_about(id);
                self.doubted.push_back((id, recoveries));
            }
        }
    }

    /// Something was asked about, and is there now: whether it was missing until then. The manifests that were refused because
    /// of it are sent again when that is known of all their references, if it can help.
    pub(super) fn is_cleared(&mut self, id: ContentId, was_lacking: bool) {
        let is_unsent = matches!(self.graph.given(id), Given::Manifest(_)) && !self.graph.is_there(id);
        if is_unsent {
            // It is sent first.
            return;
        }
        for number in self.suspected_by.remove(&id).unwrap_or_default() {
            let Some(node) = self.manifests.get_mut(number) else { continue };
            let Some(refusal) = &mut node.refusal else { continue };
            refusal.doubts = refusal.doubts.saturating_sub(1);
            refusal.was_lacking |= was_lacking;
            if refusal.doubts > 0 {
                continue;
            }
            let manifest = node.id;
            // What was stored a moment ago may only be seen now: then the manifest is taken at the second try.
            node.was_all_there = !refusal.was_lacking;
            node.refusal = None;
            self.graph.free(manifest);
        }
    }
}

/// Whether a refusal says in so many words that something is missing.
fn says_missing(refused: &Refused) -> bool {
    ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"].iter().any(|code| refused.errors.has_code(code))
}

/// The references of a manifest that a refusal names. Empty where it names none, or perhaps not all.
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
