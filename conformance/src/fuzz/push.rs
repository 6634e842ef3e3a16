//! Any push, with any faults, against the mock registry with any of its quirks.

use super::chance::Chance;
use crate::{Case, oracle, quirk};

/// Each byte decides something, so that a mutation changes little: first the quirk of the registry, then the image, then
/// the client's settings, then which requests meet which faults. Where the bytes have run out, everything is 0.
///
/// # Panics
/// Where the push breaks a rule of [`oracle::judge`], with its transcript.
pub fn push_vs_mock(bytes: &[u8]) {
    let (case, outcome) = case(bytes);
    let mut run = case.run();
    if let Err(violation) = oracle::judge(&case, outcome, &mut run) {
        let (faults, transcript) = (run.simulation.schedule(), run.simulation.transcript());
        panic!("{violation}\n{case:?}\nfaults {faults}\n{transcript}");
    }
}

/// The case, and what was said in it.
pub(super) fn show(bytes: &[u8]) -> String {
    let (case, _) = case(bytes);
    let run = case.run();
    let result = run.result.as_ref().map_or_else(ToString::to_string, |_| "stored".to_owned());
    format!("{case:?}\nfaults {}\n{}\nend: {result}", run.simulation.schedule(), run.simulation.transcript())
}

fn case(bytes: &[u8]) -> (Case, quirk::Outcome) {
    let mut chance = Chance(bytes);
    let quirks = quirk::all();
    let quirk = quirks.get(usize::from(chance.byte()).wrapping_sub(1));
    let outcome = quirk.map_or(quirk::Outcome::Succeeds, |quirk| quirk.outcome);
    let mut case = Case {
        seed: chance.below(4) as u64,
        order: chance.order(),
        tags: chance.below(4),
        given: chance.many(6, Chance::given),
        client: chance.settings(),
        faults: chance.faults(),
        ..Case::new(chance.plan())
    };
    if let Some(quirk) = quirk {
        quirk.play_in(&mut case);
    }
    (case, outcome)
}
