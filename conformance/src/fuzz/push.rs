//! Any push, with any faults, against the mock registry with any of its quirks.

use longshore_core::Learned;
use longshore_memory::{Fault, Order, Schedule};

use crate::case::CHUNK;
use crate::{BlobPlan, Case, DocumentPlan, Given, Plan, Settings, Subject, oracle, quirk};

/// Each byte decides something, so that a mutation changes little: first the quirk of the registry, then the image, then
/// the client's settings, then which requests meet which faults. Where the bytes have run out, everything is 0.
///
/// # Panics
/// Where the push breaks a rule of [`oracle::judge`], with its transcript.
pub fn push_vs_mock(bytes: &[u8]) {
    let mut chance = Chance(bytes);
    let quirks = quirk::all();
    let quirk = quirks.get(usize::from(chance.byte()).wrapping_sub(1));
    let outcome = quirk.map_or(quirk::Outcome::Succeeds, |quirk| quirk.outcome);
    let mut case = Case {
        seed: chance.below(4) as u64,
        order: chance.of(&[Order::Latency, Order::Random, Order::First, Order::Last]),
        tags: chance.below(4),
        given: chance.many(6, Chance::given),
        client: chance.settings(),
        faults: chance.faults(),
        ..Case::new(chance.plan())
    };
    if let Some(quirk) = quirk {
        quirk.play_in(&mut case);
    }
    let mut run = case.run();
    if let Err(violation) = oracle::judge(&case, outcome, &mut run) {
        let (faults, transcript) = (run.simulation.schedule(), run.simulation.transcript());
        panic!("{violation}\n{case:?}\nfaults {faults}\n{transcript}");
    }
}

/// The bytes that decide what is left to chance.
struct Chance<'a>(&'a [u8]);

impl Chance<'_> {
    fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or_default()
    }

    fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    fn is_so(&mut self) -> bool {
        self.below(2) == 1
    }

    fn of<T: Clone>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())].clone()
    }

    /// One to so many.
    fn many<T>(&mut self, most: usize, one: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..=self.below(most)).map(|_| one(self)).collect()
    }

    fn plan(&mut self) -> Plan {
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

    fn given(&mut self) -> Given {
        self.of(&[Given::Known, Given::Once, Given::Unknown, Given::Present, Given::Elsewhere, Given::NotThere])
    }

    fn settings(&mut self) -> Settings {
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
    fn faults(&mut self) -> Schedule {
        let faults = Fault::every_passing();
        let listed: Vec<_> = (0..self.below(3)).map(|_| (1 + self.below(64) as u64, self.of(&faults))).collect();
        Schedule::list(listed)
    }
}
