//! Two faults in one push: each pair of requests of a stage, with each pair of temporary faults.

use longshore_memory::{Fault, Schedule};

use super::kind::{self, Struck};
use super::{Broken, Checked, Stage};
use crate::case::as_rust;

/// The number of additional requests at which the second fault may happen, because the first fault causes additional
/// requests.
const BEYOND: u64 = 3;

/// A pair of faults.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The requests, from 1.
    pub requests: [u64; 2],
    /// Their faults.
    pub faults: [Fault; 2],
}

/// The number of pairs of a stage.
#[must_use]
pub fn count(stage: &Stage) -> u64 {
    let kinds = on_the_way().len() as u64;
    (1..=stage.requests).map(|first| stage.requests + BEYOND - first).sum::<u64>() * kinds * kinds
}

/// All pairs of a stage.
pub fn pairs(stage: &Stage) -> impl Iterator<Item = Pair> {
    let (faults, requests) = (on_the_way(), stage.requests);
    let positions =
        (1..=requests).flat_map(move |first| (first + 1..=requests + BEYOND).map(move |second| [first, second]));
    positions.flat_map(move |requests| {
        let faults = faults.clone();
        let both: Vec<[Fault; 2]> =
            faults.iter().flat_map(|a| faults.iter().map(move |b| [a.clone(), b.clone()])).collect();
        both.into_iter().map(move |faults| Pair { requests, faults })
    })
}

/// The faults between client and registry after which every push must succeed.
fn on_the_way() -> Vec<Fault> {
    let all = kind::passing().into_iter();
    let fault = |kind: super::FaultKind| match kind.schedule(1) {
        Struck::OnTheWay(fault) => Some(fault),
        Struck::InTheRegistry(_) => None,
    };
    all.filter_map(fault).collect()
}

impl Stage {
    /// Checks the push with two faults.
    ///
    /// # Errors
    /// The rule that it broke.
    pub fn check_pair(&self, pair: &Pair) -> Result<Checked, Broken> {
        let mut case = self.case.clone();
        let Pair { requests: [first, second], faults: [a, b] } = pair.clone();
        case.faults = Schedule::list([(first, a), (second, b)]);
        let faults = as_rust::array(&pair.faults, as_rust::fault);
        let call = format!("check_pair(&Pair {{ requests: {:?}, faults: {faults} }})", pair.requests);
        let uses = ["longshore_conformance::exhaustive::double::Pair", "longshore_memory::Fault"];
        self.judge(&format!("faults {:?}", case.faults), &case, None)
            .map_err(|broken| self.with_test(broken, "found_by_two_faults", &uses, &call))
    }

    /// Checks the push with random faults from the seed: up to four, each request with a probability of one third.
    ///
    /// # Errors
    /// The rule that it broke.
    pub fn check_swarm(&self, seed: u64) -> Result<Checked, Broken> {
        let mut case = self.case.clone();
        case.seed = seed;
        case.faults = Schedule::random(seed, 300, 1 + seed % 4);
        self.judge(&format!("swarm of seed {seed}"), &case, None)
            .map_err(|broken| self.with_test(broken, "found_by_a_swarm", &[], &format!("check_swarm({seed})")))
    }
}
