//! Several pushes of one client, begun and cancelled at any step, while time jumps.

use super::chance::Chance;
use crate::quirk::{self, Outcome};
use crate::session::{Act, Session, Thing, What};
use crate::{Case, let_in, oracle};

/// The most things that happen.
const MAX_ACTS: usize = 12;

/// Each byte decides something: the quirk of the registry and whether it wants tokens, two or three pushes, which of them
/// share blobs, and then what happens after how many steps, until the bytes have run out.
///
/// # Panics
/// Where a rule of [`oracle::judge_session`] is broken, with the transcript.
pub fn several_pushes(bytes: &[u8]) {
    let session = session(bytes);
    let (verdict, run) = oracle::judge_session(&session, session.run());
    if let Err(violation) = verdict {
        let (faults, transcript) = (run.simulation.schedule(), run.simulation.transcript());
        panic!("{violation}\n{session:?}\nfaults {faults}\n{transcript}");
    }
}

/// The session, and what was said in it.
pub(super) fn show(bytes: &[u8]) -> String {
    let session = session(bytes);
    let held = session.run();
    format!("{session:?}\nfaults {}\n{}", held.simulation.schedule(), held.simulation.transcript())
}

fn session(bytes: &[u8]) -> Session {
    let mut chance = Chance(bytes);
    let fine: Vec<_> = quirk::all().into_iter().filter(|quirk| quirk.outcome == Outcome::Succeeds).collect();
    let quirk = fine.get(usize::from(chance.byte()).wrapping_sub(1)).copied();
    let wants_tokens = chance.is_so();
    let mut first = case(&mut chance);
    first.seed = chance.below(4) as u64;
    first.order = chance.order();
    first.client = chance.settings();
    first.faults = chance.faults();
    if let Some(quirk) = quirk {
        quirk.play_in(&mut first);
    }
    if wants_tokens {
        let_in(&mut first, "*=*");
    }
    let mut pushes = vec![first];
    for number in 1..=1 + chance.below(2) {
        let mut push = case(&mut chance);
        push.first_tag = 10 * number;
        if chance.is_so() {
            push.plan.blobs.clone_from(&pushes[0].plan.blobs);
        }
        pushes.push(push);
    }
    let acts = acts(&mut chance, pushes.len());
    Session::new(pushes, acts)
}

fn case(chance: &mut Chance<'_>) -> Case {
    Case { given: chance.many(6, Chance::given), tags: chance.below(3), ..Case::new(chance.plan()) }
}

/// Every push is begun, in its turn; between that, anything happens.
fn acts(chance: &mut Chance<'_>, pushes: usize) -> Vec<Act> {
    let mut acts = vec![Act { after: None, what: What::Start(0) }];
    let mut begun = 1;
    while !chance.is_over() && acts.len() < MAX_ACTS {
        let after = match usize::from(chance.byte()) {
            255 => None,
            steps => Some(steps as u64),
        };
        let what = match chance.below(8) {
            0 | 1 if begun < pushes => {
                begun += 1;
                What::Start(begun - 1)
            }
            0..=3 => What::Pass(chance.time()),
            4 => What::Cancel(chance.below(begun)),
            5 => What::Delete(thing(chance)),
            6 => What::Lose(thing(chance)),
            _ => What::Overwrite,
        };
        acts.push(Act { after, what });
    }
    acts.extend((begun..pushes).map(|number| Act { after: None, what: What::Start(number) }));
    acts
}

fn thing(chance: &mut Chance<'_>) -> Thing {
    let number = chance.below(6);
    chance.of(&[Thing::Blob(number), Thing::Manifest(number), Thing::Tag])
}
