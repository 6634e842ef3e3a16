//! Blobs of unknown digest that are open, of all pushes of a client: for each an upload is open and a chunk is in hand.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::config::OperationId;

/// How many are open, and who waits to open one. Pushes take turns.
#[derive(Debug, Default)]
pub(in crate::client) struct OpenPipes {
    by_push: BTreeMap<OperationId, usize>,
    open: usize,
    waiting: BTreeSet<OperationId>,
    /// The push whose turn it is, or was last.
    turn: Option<OperationId>,
}

impl OpenPipes {
    /// Whether this push may open one more, where so many may be open in all; else it waits for its turn.
    pub(super) fn may_open(&mut self, push: OperationId, most: usize) -> bool {
        let is_its_turn = self.waiting.is_empty() || self.turn == Some(push) && !self.waiting.contains(&push);
        if !is_its_turn || self.open >= most.max(1) {
            self.waiting.insert(push);
            return false;
        }
        self.note(push, self.by_push.get(&push).copied().unwrap_or_default().saturating_add(1));
        true
    }

    /// A push has so many open now.
    pub(in crate::client) fn note(&mut self, push: OperationId, open: usize) {
        let before = if open == 0 { self.by_push.remove(&push) } else { self.by_push.insert(push, open) };
        self.open = self.open.saturating_sub(before.unwrap_or_default()).saturating_add(open);
    }

    /// A push is over.
    pub(in crate::client) fn release(&mut self, push: OperationId) {
        self.note(push, 0);
        self.waiting.remove(&push);
    }

    /// The push whose turn it is to open one, where another may be open.
    pub(in crate::client) fn next(&mut self, most: usize) -> Option<OperationId> {
        if self.open >= most.max(1) {
            return None;
        }
        let after = self.turn.map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.waiting.range((after, Bound::Unbounded)).next().or(self.waiting.first()).copied()?;
        self.waiting.remove(&next);
        self.turn = Some(next);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushes_take_turns_and_no_more_are_open_than_may_be() {
        let (mut pipes, [one, two, three]) = (OpenPipes::default(), [1, 2, 3].map(OperationId));
        assert!(pipes.may_open(one, 2) && pipes.may_open(one, 2) && !pipes.may_open(one, 2));
        assert!(!pipes.may_open(two, 2) && !pipes.may_open(three, 2));
        assert_eq!(pipes.next(2), None);
        pipes.note(one, 1);
        // The first may not take what it gave back: two others wait.
        assert!(!pipes.may_open(one, 2));
        assert_eq!(pipes.next(2), Some(one), "it waited first");
        pipes.note(one, 0);
        assert_eq!(pipes.next(2), Some(two));
        assert!(pipes.may_open(two, 2) && !pipes.may_open(one, 2));
        assert_eq!(pipes.next(2), Some(three));
        pipes.release(three);
        pipes.release(two);
        assert_eq!((pipes.next(2), pipes.next(2)), (Some(one), None));
        assert!(pipes.may_open(one, 2) && pipes.may_open(one, 2));
    }
}
