//! Lists of referrers: which entries must be added to the list of which subject.
//!
//! If the registry has no referrers API, an entry waits until every manifest of the push with the same subject is
//! stored. Then all their entries are added in one update.

use std::collections::{BTreeMap, BTreeSet};

use crate::Digest;

/// The lists that a push updates, by subject.
#[derive(Debug, Default)]
pub(super) struct Lists {
    by_subject: BTreeMap<Digest, List>,
    /// Lists that can be updated now.
    ready: BTreeSet<Digest>,
}

#[derive(Debug, Default)]
struct List {
    /// How many given manifests with this subject are not stored yet.
    unstored: usize,
    /// The numbers of stored manifests whose entry waits.
    waiting: Vec<usize>,
    /// The numbers of manifests whose entry is being added.
    entering: Vec<usize>,
}

impl Lists {
    /// A manifest with this subject was given.
    pub(super) fn given(&mut self, subject: Digest) {
        let list = self.by_subject.entry(subject).or_default();
        list.unstored = list.unstored.saturating_add(1);
        self.ready.remove(&subject);
    }

    /// A manifest is stored. Its entry must be added, unless the registry lists it itself.
    pub(super) fn stored(&mut self, subject: Digest, manifest: usize, is_listed: bool) {
        let Some(list) = self.by_subject.get_mut(&subject) else { return };
        list.unstored = list.unstored.saturating_sub(1);
        if !is_listed {
            list.waiting.push(manifest);
        }
        self.settle(subject);
    }

    fn settle(&mut self, subject: Digest) {
        let is_ready = self
            .by_subject
            .get(&subject)
            .is_some_and(|list| list.unstored == 0 && list.entering.is_empty() && !list.waiting.is_empty());
        if is_ready {
            self.ready.insert(subject);
        }
    }

    /// Takes a list that can be updated now, and the manifests whose entries are added.
    pub(super) fn take_ready(&mut self) -> Option<(Digest, Vec<usize>)> {
        let subject = self.ready.pop_first()?;
        let list = self.by_subject.get_mut(&subject)?;
        list.entering = std::mem::take(&mut list.waiting);
        Some((subject, list.entering.clone()))
    }

    /// The update of a list has ended. Returns the manifests whose entries it was to add.
    pub(super) fn changed(&mut self, subject: Digest) -> Vec<usize> {
        let Some(list) = self.by_subject.get_mut(&subject) else { return Vec::new() };
        let entered = std::mem::take(&mut list.entering);
        self.settle(subject);
        entered
    }
}

#[cfg(test)]
mod tests;
