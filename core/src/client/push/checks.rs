//! Questions about content: what is referred to and was not given may be in the repository all the same, and what the registry
//! may lack is asked about before it is sent again.

use super::graph::{ContentId, Evidence, Given, Kind};
use super::job::{Node, PushContext, PushJob, Start};
use crate::client::task::AnyFlow;
use crate::driver::Key;
use crate::flow::{Exists, Found};
use crate::outcome::{Failure, FailureKind};

impl<K: Key> PushJob<K> {
    pub(super) fn start_checks(&mut self, context: &mut PushContext<'_, K>, starts: &mut Vec<Start<K>>) {
        while self.room(context.options) > 0
            && let Some((id, recoveries)) = self.doubted.pop_front()
        {
            starts.extend(self.check(id, recoveries, context));
        }
        // What was not given yet may be given later, or turn out to be a blob whose digest is not known.
        while !self.is_open
            && self.blobs.unidentified() == 0
            && self.room(context.options) > 0
            && let Some(id) = self.graph.take_missing()
        {
            let Some(digest) = self.graph.digest(id).filter(|_| self.is_needed(id)) else { continue };
            if !self.is_rechecked && context.presence.is_there(&self.place, &digest, context.now) {
                self.graph.there(id, Evidence::Acknowledged);
            } else {
                starts.extend(self.check(id, 0, context));
            }
        }
    }

    /// Whether something that is to be sent refers to it.
    fn is_needed(&self, id: ContentId) -> bool {
        self.graph.is_needed(id) || self.is_root_there() && !self.tags.are_done()
    }

    fn check(&mut self, id: ContentId, recoveries: u32, context: &PushContext<'_, K>) -> Option<Start<K>> {
        let digest = self.graph.digest(id)?;
        self.graph.is_asked_about(id);
        self.checks.insert(id, context.presence.moment());
        let exists = Exists::new(self.place.clone(), digest, self.graph.kind(id) == Kind::Manifest);
        // What was given is sent where it is missing.
        let mounts = if self.graph.given(id) == Given::Nothing { self.mounts.as_slice() } else { &[] };
        let exists = exists.mounting_from(mounts);
        Some(self.start(Node::Check(id), AnyFlow::Exists(exists), recoveries))
    }

    /// The registry says whether it has something.
    pub(super) fn checked(&mut self, id: ContentId, found: Found, context: &mut PushContext<'_, K>) {
        let is_there = match found {
            Found::Present => true,
            Found::Absent => false,
            Found::NotSaid => return self.not_said(id),
        };
        let asked = self.checks.remove(&id).unwrap_or_default();
        let Some(digest) = self.graph.digest(id) else { return };
        if is_there {
            context.presence.acknowledge(&self.place, digest, asked, context.now);
        } else {
            context.presence.lose(&self.place, digest, context.now);
        }
        match self.graph.given(id) {
            Given::Manifest(number) if is_there => {
                self.graph.free(id);
                self.manifest_is_there(number, true, context);
            }
            // It is sent.
            Given::Manifest(_) => self.graph.free(id),
            Given::Blob(_) | Given::Nothing if is_there => self.graph.there(id, Evidence::Acknowledged),
            // It was given meanwhile.
            Given::Blob(_) => {}
            Given::Nothing => self.fail(Failure::new(FailureKind::Incomplete { digest })),
        }
        self.is_cleared(id, !is_there);
    }

    /// A registry that does not let itself be asked (quirks of section B): what was not given is taken to be there, and the
    /// registry says otherwise when a manifest refers to it; what was given is sent.
    fn not_said(&mut self, id: ContentId) {
        self.checks.remove(&id);
        match self.graph.given(id) {
            Given::Manifest(_) => self.graph.free(id),
            Given::Blob(_) => {}
            Given::Nothing => self.graph.there(id, Evidence::Served),
        }
        self.is_cleared(id, false);
    }
}
