//! Runs the suite against clients with a planted bug.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{FaultKind, Stage, kind, panicked};
use crate::Key;
use crate::oracle;
use crate::saboteur::Saboteur;

/// How a planted bug was found.
#[derive(Debug, Clone)]
pub struct Caught {
    /// The oracle: one of [`ORACLES`](crate::oracle::ORACLES), or `simulation`.
    pub oracle: &'static str,
    /// The case that found it.
    pub case: String,
    /// The rule that was broken.
    pub rule: String,
    /// The number of cases that were run until then.
    pub cases: u64,
}

/// The registries of these runs: one that follows the spec, and the one that is most widely used.
const REGISTRIES: [&str; 2] = ["spec", "distribution-2.8"];

/// Runs the cases of two registries until the bug is found: first without faults, then with each fault.
///
/// A client that hangs or breaks its contract panics. The panic is caught, after the panic hook was called.
#[must_use]
pub fn hunt(saboteur: &Saboteur<Key>) -> Option<Caught> {
    let flows = super::flow::all();
    let at = |registry: &'static str| flows.iter().filter_map(move |flow| Stage::of(registry, flow.name));
    let stages: Vec<Stage> = REGISTRIES.into_iter().flat_map(at).collect();
    let mut cases = 0;
    for stage in &stages {
        cases += 1;
        if let Some((oracle, rule)) = stage.sabotaged(saboteur, 0, None) {
            return Some(Caught { oracle, case: format!("{}, {}, no fault", stage.registry, stage.flow), rule, cases });
        }
    }
    let mut kinds = kind::all();
    kinds.sort_by_key(|kind| kind.name != saboteur.fault);
    for kind in kinds {
        for stage in &stages {
            for request in 1..=stage.requests {
                cases += 1;
                if let Some((oracle, rule)) = stage.sabotaged(saboteur, request, Some(&kind)) {
                    let case = format!("{}, {}, request {request}, {}", stage.registry, stage.flow, kind.name);
                    return Some(Caught { oracle, case, rule, cases });
                }
            }
        }
    }
    None
}

impl Stage {
    /// The broken rule in one case, and the oracle that found it.
    fn sabotaged(
        &self,
        saboteur: &Saboteur<Key>,
        request: u64,
        kind: Option<&FaultKind>,
    ) -> Option<(&'static str, String)> {
        let case = kind.map_or_else(|| self.case.clone(), |kind| self.faulty(request, kind));
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let mut run = case.run_sabotaged(saboteur);
            let outcome = self.outcome_of(&run, kind);
            oracle::judge(&case, outcome, &mut run)
        }));
        match judged {
            Ok(Ok(())) => None,
            Ok(Err(violation)) => Some((violation.oracle(), violation.to_string())),
            Err(panic) => {
                let why = panicked(&*panic);
                Some(("simulation", why.lines().next().unwrap_or_default().to_owned()))
            }
        }
    }
}
