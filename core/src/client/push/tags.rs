//! The tags of a push, and which of them name the root already.

use std::collections::BTreeSet;

use crate::Tag;

/// The tags that must name the root, in the order in which they were given.
#[derive(Debug)]
pub(super) struct Tags {
    all: Vec<Tag>,
    /// The numbers of the tags that do not name it and have no request in progress.
    waiting: BTreeSet<usize>,
    /// The numbers of the tags with a request in progress.
    running: BTreeSet<usize>,
    /// Whether they had to wait for what the root waits for.
    are_held_up: bool,
}

impl Tags {
    pub(super) fn new(all: Vec<Tag>) -> Self {
        Self { waiting: (0..all.len()).collect(), running: BTreeSet::new(), are_held_up: false, all }
    }

    pub(super) fn all(&self) -> &[Tag] {
        &self.all
    }

    pub(super) fn get(&self, number: usize) -> Option<&Tag> {
        self.all.get(number)
    }

    /// Takes the first waiting tag, if there is one.
    pub(super) fn take(&mut self) -> Option<usize> {
        let number = self.waiting.pop_first()?;
        self.running.insert(number);
        Some(number)
    }

    /// Takes all.
    pub(super) fn take_all(&mut self) -> Vec<Tag> {
        self.running.append(&mut self.waiting);
        self.all.clone()
    }

    /// Whether no request was made for any of them.
    pub(super) fn all_wait(&self) -> bool {
        self.waiting.len() == self.all.len()
    }

    /// A tag names the root. Returns `false` if that was known already.
    pub(super) fn done(&mut self, tag: &Tag) -> bool {
        let Some(number) = self.all.iter().position(|own| own == tag) else { return false };
        self.waiting.remove(&number) | self.running.remove(&number)
    }

    /// The request for this tag has ended.
    pub(super) fn stop(&mut self, number: usize) {
        if self.running.remove(&number) {
            self.waiting.insert(number);
        }
    }

    /// The request for all these tags has ended.
    pub(super) fn stop_all(&mut self) {
        self.waiting.append(&mut self.running);
    }

    /// Whether all name the root.
    pub(super) fn are_done(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// They must wait for what the root waits for. Returns whether this is the first time.
    pub(super) const fn hold_up(&mut self) -> bool {
        !std::mem::replace(&mut self.are_held_up, true)
    }

    /// Whether a tag that does not name the root waits.
    pub(super) fn is_one_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
}
