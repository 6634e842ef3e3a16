//! Decisions out of bytes: each takes one byte, so that a mutation of the input changes little of what is decided.

use std::time::Duration;

use longshore_core::Learned;
use longshore_memory::{Fault, Order, Schedule};

use crate::case::CHUNK;
use crate::{BlobPlan, DocumentPlan, Given, Plan, Settings, Subject};

/// The bytes that decide what is left to chance. Where they have run out, everything is 0.
pub(super) struct Chance<'a>(pub(super) &'a [u8]);

impl Chance<'_> {
    pub(super) const fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or_default()
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    pub(super) fn is_so(&mut self) -> bool {
        self.below(2) == 1
    }

    pub(super) fn of<T: Clone>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())].clone()
    }

    /// One to so many.
    pub(super) fn many<T>(&mut self, most: usize, one: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..=self.below(most)).map(|_| one(self)).collect()
    }

    pub(super) fn order(&mut self) -> Order {
        self.of(&[Order::Latency, Order::Random, Order::First, Order::Last])
    }

    /// A time at the edge of what a client counts in: a wait, a token's life, how long presence is believed.
    pub(super) fn time(&mut self) -> Duration {
        const SECONDS: [u64; 12] = [0, 1, 5, 10, 59, 60, 299, 300, 900, 3599, 3600, 86_400];
        Duration::from_secs(self.of(&SECONDS))
    }

    pub(super) fn plan(&mut self) -> Plan {
        Plan { blobs: self.many(6, Self::blob), documents: self.many(5, Self::document), attached: self.below(3) }
    }

    fn blob(&mut self) -> BlobPlan {
        BlobPlan { len: usize::from(self.byte()), fill: self.byte() % 4, sha512: self.below(10) == 9 }
    }

    fn document(&mut self) -> DocumentPlan {
        DocumentPlan {
            blobs: self.many(4, |chance| chance.below(6)),
            children: self.many(3, |chance| chance.below(5)),
            docker: self.below(5) == 4,
            subject: match self.below(8) {
                6 => Subject::Document(self.below(5)),
                7 => Subject::Absent,
                _ => Subject::None,
            },
        }
    }

    pub(super) fn given(&mut self) -> Given {
        self.of(&[Given::Known, Given::Once, Given::Unknown, Given::Present, Given::Elsewhere, Given::NotThere])
    }

    pub(super) fn settings(&mut self) -> Settings {
        let mut learned = Learned::default();
        learned.single_post = self.of(&[None, Some(true), Some(false)]);
        learned.whole_put = self.is_so().then_some(false);
        learned.streamed_patch = self.is_so().then_some(false);
        learned.tag_parameter = self.is_so().then_some(false);
        Settings {
            chunk: self.of(&[CHUNK, CHUNK + 1, 2 * CHUNK]),
            chunk_above: self.of(&[u64::MAX, CHUNK, 0]),
            single_post: self.of(&[0, CHUNK, u64::MAX]),
            ask_above: self.of(&[0, CHUNK, u64::MAX]),
            in_flight: 1 + self.below(8),
            learned,
        }
    }

    /// Up to two requests, and the fault of each.
    pub(super) fn faults(&mut self) -> Schedule {
        let faults = Fault::every_passing();
        let listed: Vec<_> = (0..self.below(3)).map(|_| (1 + self.below(64) as u64, self.of(&faults))).collect();
        Schedule::list(listed)
    }
}
