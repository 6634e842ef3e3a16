//! Lists of referrers: which entries are to be put into the list of which subject.
//!
//! What the registry does not list by itself waits until every manifest of the push with the same subject is stored; then
//! all of them go into the list together, in one change.

use std::collections::{BTreeMap, BTreeSet};

use crate::Digest;

/// The lists that a push changes, by subject.
#[derive(Debug, Default)]
pub(super) struct Lists {
    by_subject: BTreeMap<Digest, List>,
    /// Lists that can be changed now.
    ready: BTreeSet<Digest>,
}

#[derive(Debug, Default)]
struct List {
    /// Given manifests with this subject that are not stored yet.
    unstored: usize,
    /// Stored manifests, by number, whose entry waits.
    waiting: Vec<usize>,
    /// Those whose entry is being put in.
    entering: Vec<usize>,
}

impl Lists {
    /// A manifest with this subject was given.
    pub(super) fn given(&mut self, subject: Digest) {
        let list = self.by_subject.entry(subject).or_default();
        list.unstored = list.unstored.saturating_add(1);
        self.ready.remove(&subject);
    }

    /// It is stored; its entry is to be put in, unless the registry lists it by itself.
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

    /// Takes a list that can be changed now, and the manifests whose entries go in.
    pub(super) fn take_ready(&mut self) -> Option<(Digest, Vec<usize>)> {
        let subject = self.ready.pop_first()?;
        let list = self.by_subject.get_mut(&subject)?;
        list.entering = std::mem::take(&mut list.waiting);
        Some((subject, list.entering.clone()))
    }

    /// A list was changed, or could not be: the manifests whose entries were to go in.
    pub(super) fn changed(&mut self, subject: Digest) -> Vec<usize> {
        let Some(list) = self.by_subject.get_mut(&subject) else { return Vec::new() };
        let entered = std::mem::take(&mut list.entering);
        self.settle(subject);
        entered
    }
}

#[cfg(test)]
mod tests;
