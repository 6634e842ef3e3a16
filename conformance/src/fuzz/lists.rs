//! Two processes that change one list of referrers under a fallback tag, a step of one and a step of the other.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use bytes::Bytes;
use http::request::Parts;
use longshore_core::{Blob, Client, Digest, Failure, Instant, Manifest, Options, Push, Receipt, Tag};
use longshore_memory::{BodyEnd, ExchangeId, Handler, Order, Reply, Schedule, Simulation, Source, Step};
use longshore_mock_registry::behaviour::{EtagForm, ReferrersApi};

use super::chance::Chance;
use crate::{BlobPlan, Case, DocumentPlan, Image, Mock, Plan, Subject, quirk};

/// Each byte decides something: whether the registry guards writes by validators, the faults of both, and then who makes the
/// next step. When the bytes have run out, the first goes on to its end, then the second.
///
/// # Panics
/// Where an entry of a push that succeeded is not in the list: at once where writes are guarded; otherwise, because nothing
/// can help there, after both have pushed once more.
pub fn two_processes(bytes: &[u8]) {
    let mut world = World::new(bytes);
    let processes = world.run();
    let succeeded: BTreeSet<Digest> = world.entries().into_iter().flatten().collect();
    let listed = world.listed();
    if world.is_guarded {
        assert!(
            succeeded.is_subset(&listed),
            "{succeeded:?} were pushed, and {listed:?} are listed\n{}",
            transcripts(&processes)
        );
    }
    // The next push repairs what was lost, each in its turn.
    world.push_once_more();
    let listed = world.listed();
    let is_repaired = succeeded.is_subset(&listed);
    assert!(is_repaired, "{succeeded:?} are not repaired: {listed:?}\n{}", transcripts(&processes));
}

/// What both said.
pub(super) fn show(bytes: &[u8]) -> String {
    transcripts(&World::new(bytes).run())
}

fn transcripts(processes: &[Process]) -> String {
    let said = processes.iter().map(|process| process.simulation.transcript().to_string());
    said.collect::<Vec<_>>().join("\n== the other\n")
}

type Outcome = Result<Receipt<usize>, Box<Failure>>;

struct World<'a> {
    chance: Chance<'a>,
    is_guarded: bool,
    registry: Rc<RefCell<Mock>>,
    /// An image, and what refers to it.
    image: Image,
    results: [Option<Outcome>; 2],
}

/// One process: a client, and its own way to the registry.
struct Process {
    client: Client<usize>,
    simulation: Simulation<usize, Shared>,
}

impl<'a> World<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut chance = Chance(bytes);
        let mut options = quirk::spec_true();
        options.behaviour.referrers.api = ReferrersApi::NotFound;
        options.behaviour.manifests.conditions = chance.is_so();
        options.behaviour.manifests.etag = chance.of(&[EtagForm::Digest, EtagForm::Absent]);
        let is_guarded = options.behaviour.manifests.conditions && options.behaviour.manifests.etag != EtagForm::Absent;
        let registry = Rc::new(RefCell::new(Mock::new(options)));
        Self { chance, is_guarded, registry, image: two_referrers(), results: [None, None] }
    }

    /// Runs both to their ends.
    fn run(&mut self) -> Vec<Process> {
        let faults = [self.chance.faults(), self.chance.faults()];
        let seeds = [self.chance.byte(), self.chance.byte()];
        let both = faults.into_iter().zip(seeds).enumerate();
        let mut processes: Vec<Process> =
            both.map(|(number, (faults, seed))| self.process(number, seed.into(), faults)).collect();
        let mut is_over = [false; 2];
        while is_over != [true; 2] {
            let turn = if self.chance.is_over() { usize::from(is_over[0]) } else { self.chance.below(2) };
            let turn = if is_over[turn] { 1 - turn } else { turn };
            let Process { client, simulation } = &mut processes[turn];
            match simulation.step(client) {
                Step::Worked | Step::Event(_) => {}
                Step::Done { result, .. } => self.results[turn] = Some(result),
                Step::Idle => is_over[turn] = true,
            }
        }
        assert!(self.results.iter().all(Option::is_some), "a push has not ended\n{}", transcripts(&processes));
        processes
    }

    fn process(&self, number: usize, seed: u64, faults: Schedule) -> Process {
        let mut options = Options::default();
        options.seed = seed;
        let mut client = Client::new(options);
        // A request and its answer are one step, so no two exchanges are open in the registry at once.
        let order = if seed.is_multiple_of(2) { Order::First } else { Order::Random };
        let mut simulation = Simulation::new(seed, Shared(self.registry.clone())).order(order);
        simulation = simulation.faults(faults).step_limit(100_000);
        let mut push = Push::new(Case::registry(), Case::repository());
        for (key, blob) in self.image.blobs.iter().enumerate() {
            push = push.blob(Blob::known(key, blob.digest, blob.bytes.len() as u64));
            simulation = simulation.source(key, Source::bytes(blob.bytes.clone()));
        }
        client.start(push.root(self.image.manifests[number].clone()));
        Process { client, simulation }
    }

    fn push_once_more(&mut self) {
        for number in 0..2 {
            let Process { mut client, mut simulation } = self.process(number, 9, Schedule::default());
            loop {
                match simulation.step(&mut client) {
                    Step::Worked | Step::Event(_) => {}
                    Step::Done { result, .. } => {
                        assert!(result.is_ok(), "{result:?}\n{}", simulation.transcript());
                    }
                    Step::Idle => break,
                }
            }
        }
    }

    /// What each brought, where it succeeded.
    fn entries(&self) -> [Option<Digest>; 2] {
        [0, 1].map(|number| {
            let is_done = self.results[number].as_ref().is_some_and(Result::is_ok);
            is_done.then(|| self.image.manifests[number].digest())
        })
    }

    fn listed(&self) -> BTreeSet<Digest> {
        let subject = self.image.manifests[0].subject().expect("it has a subject").digest;
        let (registry, repository) = (self.registry.borrow(), Case::repository());
        let list = registry.tagged(&repository, &Tag::of_referrers(&subject));
        let list = list.and_then(|digest| registry.manifest(&repository, &digest));
        let list = list.and_then(|bytes| Manifest::parse(bytes).ok());
        list.iter().flat_map(Manifest::children).map(|child| child.digest).collect()
    }
}

/// Two artifacts that refer to the same image.
fn two_referrers() -> Image {
    let document = DocumentPlan { blobs: vec![0], children: Vec::new(), docker: false, subject: Subject::None };
    let blob = BlobPlan { len: 2, fill: 0, sha512: false };
    let mut image = Image::of(&Plan { blobs: vec![blob], documents: vec![document], attached: 2 });
    image.manifests.retain(|manifest| manifest.subject().is_some());
    assert_eq!(image.manifests.len(), 2);
    image
}

/// One registry that several simulations ask, each in its own time.
#[derive(Clone)]
struct Shared(Rc<RefCell<Mock>>);

impl Handler for Shared {
    fn open(&mut self, now: Instant, id: ExchangeId, head: Parts) -> Option<Reply> {
        self.0.borrow_mut().open(now, id, head)
    }

    fn piece(&mut self, now: Instant, id: ExchangeId, bytes: Bytes) -> Option<Reply> {
        self.0.borrow_mut().piece(now, id, bytes)
    }

    fn close(&mut self, now: Instant, id: ExchangeId, how: BodyEnd) -> Reply {
        self.0.borrow_mut().close(now, id, how)
    }
}
