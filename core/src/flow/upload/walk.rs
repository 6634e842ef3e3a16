//! Uploads with random answers: every state and every step from one to another that the diagram draws, and no other.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::Response;

use super::{Content, Question, State, Upload};
use crate::config::{Learned, Options, RepositoryRef};
use crate::driver::{Body, End};
use crate::endpoint::OpenUpload;
use crate::flow::stage::{respond, transient};
use crate::flow::{Context, Flow, Next, Outcome};
use crate::outcome::{Failure, FailureKind, NoAnswer};
use crate::{Algorithm, Digest, Instant, Target};

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn outcome(&mut self, from: &Target) -> Outcome {
        match self.below(12) {
            0 => return Outcome::Unknown { answer: None },
            1 => return Outcome::Unknown { answer: Some(transient(&respond(502, &[], ""))) },
            2 => {
                let lost = FailureKind::NoAnswer(NoAnswer::Lost("gone".to_owned()));
                let kind = [FailureKind::RetryBudget, lost][self.below(2)].clone();
                return Outcome::Failed(Failure::new(kind));
            }
            _ => {}
        }
        let good = [200, 201, 202, 202, 204];
        let bad = [400, 401, 404, 404, 405, 409, 413, 416, 418];
        let status = if self.below(3) > 0 { self.of(&good) } else { self.of(&bad) };
        let mut answer = Response::builder().status(status);
        if self.below(8) > 0 {
            answer = answer.header("location", format!("/v2/a/b/blobs/uploads/{}", self.below(9)));
        }
        if self.below(3) > 0 {
            answer = answer.header("range", format!("0-{}", self.of(&[0, 4, 9, 14, 19, 24, 99])));
        }
        if self.below(8) == 0 {
            answer = answer.header("oci-chunk-max-length", self.of(&[1, 5, 15]));
        }
        Outcome::Answer { from: from.clone(), response: answer.body(Bytes::new()).unwrap(), end: End::Complete }
    }
}

fn digest() -> Digest {
    Digest::of(Algorithm::Sha256, b"blob")
}

/// An upload, and how many bytes it has.
fn upload(random: &mut Random, place: &RepositoryRef) -> (Upload<u8>, u64) {
    let len = random.of(&[0, 4, 10, 25, 40, 500_000]);
    let of = |identity, is_one_shot| Content::new(Algorithm::Sha256, identity, is_one_shot);
    let content = match random.below(4) {
        0 => of(None, true),
        1 => of(Some((digest(), len)), true),
        _ => of(Some((digest(), len)), false),
    };
    let mounts =
        ["team/one", "team/two"].iter().take(random.of(&[0, 1, 2, 2])).map(|name| name.parse().unwrap()).collect();
    let can_resume = content.can_resume();
    let upload = Upload::new(1, place.clone(), content, mounts);
    let location = Target::parse("https://registry.example/v2/a/b/blobs/uploads/7").unwrap();
    let upload = match random.below(8) {
        0 => upload.asking(Question::First),
        1 => upload.asking(Question::Nothing),
        2 => upload.asking(Question::InPassing),
        3 => upload.asking(Question::InPassing).held(),
        4 if can_resume => upload.resuming(Some((OpenUpload::at(location), len / 2))),
        _ => upload,
    };
    (upload, len)
}

fn name(state: &State) -> String {
    format!("{state:?}").split('(').next().unwrap().to_owned()
}

/// The steps from state to state of one upload; at its end, whether it left no upload open that it knew of.
fn walk(random: &mut Random, steps: &mut BTreeSet<(String, String)>) {
    let registry = Target::parse("https://registry.example/").unwrap();
    let place = RepositoryRef { origin: registry.origin().clone(), repository: "a/b".parse().unwrap() };
    let (mut upload, len) = upload(random, &place);
    let mut options = Options::default();
    (options.chunk, options.ask_above) = (if len > 100 { 256 * 1024 } else { 10 }, random.of(&[0, 20]));
    options.single_post = random.of(&[0, 20]);
    options.chunk_above = random.of(&[10, u64::MAX]);
    let mut learned = Learned::default();
    learned.self_mount = random.of(&[None, Some(true), Some(false)]);
    learned.whole_put = random.of(&[None, Some(false)]);
    learned.chunks = random.of(&[None, None, Some(false)]);
    learned.late_blobs = random.of(&[None, Some(true)]);
    let (mut events, mut pause, mut unseen) = (Vec::new(), 0, None);
    let mut context = Context {
        options: &options,
        now: Instant::ZERO,
        learned: &mut learned,
        events: &mut events,
        pause: &mut pause,
        unseen: &mut unseen,
    };
    upload.begin(&mut context);
    steps.insert(("Planned".to_owned(), name(&upload.state)));
    let mut requests = 0;
    loop {
        let before = name(&upload.state);
        match upload.next(&options) {
            Next::Done => break,
            Next::Hold if random.below(4) == 0 => upload.cancel(),
            Next::Hold => {
                context.learned.self_mount = random.of(&[None, Some(true), Some(false)]);
                upload.end_hold(&mut context);
            }
            Next::Read { up_to, .. } if up_to < len => upload.filled(up_to, &mut context),
            Next::Read { .. } => upload.ended(len, digest(), &mut context),
            Next::Send(Err(failure)) => upload.outcome(Outcome::Failed(failure), &mut context),
            Next::Send(Ok(exchange)) => {
                requests += 1;
                if matches!(exchange.request.body(), Body::Rest { .. }) && random.below(2) == 0 {
                    upload.ended(len, digest(), &mut context);
                }
                let outcome = random.outcome(&registry);
                upload.outcome(outcome, &mut context);
            }
        }
        steps.insert((before, name(&upload.state)));
        assert!(requests < 500, "it does not end: {:?}", upload.state);
    }
    assert!(upload.opened.is_empty(), "uploads are left open");
    let _ = upload.finish();
}

/// The states of the diagram in the module's documentation, each with those that may follow it.
fn diagram() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let text = include_str!("mod.rs");
    let lines = text.lines().skip_while(|line| *line != "//! ```text").skip(1).take_while(|line| *line != "//! ```");
    let states: BTreeSet<&str> = lines.clone().filter_map(|line| line.split_whitespace().nth(1)).collect();
    lines
        .map(|line| {
            let mut words = line.split_whitespace().skip(1);
            (words.next().unwrap(), words.filter(|word| states.contains(word)).collect())
        })
        .collect()
}

#[test]
fn the_diagram_draws_every_step_that_an_upload_takes_and_no_other() {
    let mut steps = BTreeSet::new();
    for seed in 0..30_000 {
        walk(&mut Random(seed), &mut steps);
    }
    let mut taken: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to) in &steps {
        taken.entry(from).or_default().insert(to);
    }
    taken.entry("Ended").or_default();
    let print = |steps: &BTreeMap<&str, BTreeSet<&str>>| {
        steps
            .iter()
            .map(|(from, to)| format!("{from}: {}\n", to.iter().copied().collect::<Vec<_>>().join(" ")))
            .collect::<String>()
    };
    assert_eq!(print(&diagram()), print(&taken));
}
