//! Every single fault: each kind of fault at each request of each flow with each registry.
//!
//! The number of cases is not chosen: it is the sum over all [stages](Stage) of their requests, times the kinds of
//! faults. No case is left out. [`REFUSED`] lists what a registry refuses without any fault; in these cases a fault
//! must not hide the refusal.
//!
//! ```
//! use longshore_conformance::exhaustive::{Stage, kind};
//!
//! let stage = Stage::of("spec", "POST and PUT").unwrap();
//! let lost = kind::named("answer-lost").unwrap();
//! let checked = stage.check(stage.requests, &lost)?;
//! assert!(checked.is_success);
//! # Ok::<(), longshore_conformance::exhaustive::Broken>(())
//! ```

pub mod double;
mod hunt;
pub mod kind;
pub mod known;
mod refused;
mod registry;
pub mod shard;

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use longshore_core::FailureKind;
use longshore_memory::Schedule;
use longshore_mock_registry::behaviour::{ReferrersApi, SubjectHeader};

use crate::case::{Case, as_rust};
use crate::flow;
use crate::oracle;
use crate::quirk::Outcome;
use crate::run::Run;

pub use hunt::{Caught, hunt};
pub use kind::FaultKind;
pub use refused::REFUSED;
pub use registry::registries;

/// The largest number of additional requests because of one fault: a look-up, a cancellation, a new token, and a
/// restart of the longest upload.
pub const COST: u64 = 14;

/// One flow with one registry.
#[derive(Clone)]
pub struct Stage {
    /// The name of the mock registry's profile.
    pub registry: &'static str,
    /// The flow.
    pub flow: &'static str,
    /// The push, without faults.
    pub case: Case,
    /// The number of requests without faults.
    pub requests: u64,
    /// The required result without faults.
    pub outcome: Outcome,
}

/// The result of a case that broke no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Whether the push succeeded.
    pub is_success: bool,
    /// Whether it failed because a source could be read only once.
    pub is_not_replayable: bool,
    /// The number of additional requests because of the fault.
    pub cost: u64,
}

/// A case that broke a rule.
#[derive(Debug, Clone)]
pub struct Broken {
    /// The case: registry, flow, request and fault.
    pub name: String,
    /// The rule, in one line.
    pub rule: String,
    /// The transcript, and a test that reproduces it.
    pub shown: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}\n{}", self.name, self.rule, self.shown)
    }
}

impl std::error::Error for Broken {}

/// All stages: every flow with every registry.
pub fn stages() -> impl Iterator<Item = Stage> {
    registry::names().flat_map(|registry| flow::all().into_iter().filter_map(|flow| Stage::of(registry, flow.name)))
}

impl Stage {
    /// The stage with the flow and the registry of these names.
    #[must_use]
    pub fn of(registry: &str, flow: &str) -> Option<Self> {
        let registry = registry::names().find(|name| *name == registry)?;
        let flow = flow::all().into_iter().find(|known| known.name == flow)?;
        let case = flow.at(&registry::options(registry)?);
        let requests = case.run().simulation.requests();
        let outcome = match refused::named(registry, flow.name) {
            Some(causes) => Outcome::RefusedFor(causes),
            None if is_unlisted(&case) => Outcome::SucceedsUnlisted,
            None => Outcome::Succeeds,
        };
        Some(Self { registry, flow: flow.name, case, requests, outcome })
    }

    /// The number of cases with one fault.
    #[must_use]
    pub fn singles(&self) -> u64 {
        self.requests * kind::all().len() as u64
    }

    /// Checks the push without faults.
    ///
    /// # Errors
    /// The rule that it broke.
    pub fn check_without_fault(&self) -> Result<Checked, Broken> {
        self.judge("no fault", &self.case, None)
    }

    /// Checks the push with this fault at the request of this number, from 1.
    ///
    /// # Errors
    /// The rule that it broke.
    pub fn check(&self, request: u64, kind: &FaultKind) -> Result<Checked, Broken> {
        let case = self.faulty(request, kind);
        let shown = format!("request {request}, {}", kind.name);
        let call = format!("check({request}, &kind::named({:?}).unwrap())", kind.name);
        let test = |broken| {
            self.with_test(broken, "found_by_every_single_fault", &["longshore_conformance::exhaustive::kind"], &call)
        };
        let checked = self.judge(&shown, &case, Some(kind)).map_err(test)?;
        if kind.may_fail_for.is_empty() && checked.cost > COST {
            let rule = format!("the fault cost {} requests, and may cost {COST}", checked.cost);
            let broken = self.broken(&shown, rule, &case.run());
            return Err(test(broken));
        }
        Ok(checked)
    }

    /// The case with this fault at this request.
    #[must_use]
    pub fn faulty(&self, request: u64, kind: &FaultKind) -> Case {
        let mut case = self.case.clone();
        match kind.schedule(request) {
            kind::Struck::OnTheWay(fault) => case.faults = Schedule::list([(request, fault)]),
            kind::Struck::InTheRegistry(rules) => {
                let usual = std::mem::take(&mut case.registry.faults);
                case.registry.faults = rules.and(usual);
            }
        }
        case
    }

    fn judge(&self, shown: &str, case: &Case, kind: Option<&FaultKind>) -> Result<Checked, Broken> {
        let ran = catch_unwind(AssertUnwindSafe(|| case.run()));
        let mut run = ran.map_err(|panic| self.stopped(shown, &panicked(&*panic)))?;
        let outcome = self.outcome_of(&run, kind);
        if let Err(violation) = oracle::judge(case, outcome, &mut run) {
            return Err(self.broken(shown, violation.to_string(), &run));
        }
        if matches!(self.outcome, Outcome::RefusedFor(_)) && run.result.is_ok() {
            return Err(self.broken(
                shown,
                "outcome: it is refused without this fault, and not with it".to_owned(),
                &run,
            ));
        }
        let is_not_replayable = run.result.as_ref().is_err_and(|failure| failure.kind == FailureKind::NotReplayable);
        let cost = run.simulation.requests().saturating_sub(self.requests);
        Ok(Checked { is_success: run.result.is_ok(), is_not_replayable, cost })
    }

    /// The required outcome: a failure may name what the registry refuses without the fault, or because of the fault.
    fn outcome_of(&self, run: &Run, kind: Option<&FaultKind>) -> Outcome {
        let Some(kind) = kind.filter(|kind| !kind.may_fail_for.is_empty()) else { return self.outcome };
        match &run.result {
            Err(failure) if kind.explains(&failure.to_string()) => Outcome::RefusedFor(kind.may_fail_for),
            // The registry reports its referrers API wrongly, so the lists may be missing.
            _ if kind.may_go_unlisted && self.outcome == Outcome::Succeeds => Outcome::SucceedsUnlisted,
            _ => self.outcome,
        }
    }

    fn broken(&self, shown: &str, rule: String, run: &Run) -> Broken {
        let ended = match &run.result {
            Ok(_) => "the push succeeded".to_owned(),
            Err(failure) => format!("the push failed: {failure}"),
        };
        let transcript = run.simulation.transcript();
        Broken {
            name: format!("{}, {}, {shown}", self.registry, self.flow),
            rule,
            shown: format!("{ended}\n{:?}\n{transcript}", self.case),
        }
    }

    /// The result of a client that hangs or breaks its contract, which stops the simulation.
    fn stopped(&self, shown: &str, why: &str) -> Broken {
        let rule = format!("simulation: {}", why.lines().next().unwrap_or_default());
        Broken { name: format!("{}, {}, {shown}", self.registry, self.flow), rule, shown: why.to_owned() }
    }

    /// Adds a test that reproduces it: a call of a method of this stage, with its imports.
    fn with_test(&self, mut broken: Broken, name: &str, uses: &[&str], call: &str) -> Broken {
        let uses: String = uses.iter().map(|used| format!("use {used};\n")).collect();
        let find = format!(
            "use longshore_conformance::exhaustive::Stage;\n{uses}\n\
             let stage = Stage::of({:?}, {:?}).unwrap();\n\
             stage.{call}.unwrap_or_else(|broken| panic!(\"{{broken}}\"));",
            self.registry, self.flow
        );
        broken.shown.push_str(&format!("\n{}", as_rust::test(name, &find)));
        broken
    }
}

/// The message of the panic that stopped a simulation.
fn panicked(panic: &(dyn Any + Send)) -> String {
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

/// Whether the client cannot know there that it must store lists under tags.
fn is_unlisted(case: &Case) -> bool {
    let referrers = &case.registry.behaviour.referrers;
    referrers.api != ReferrersApi::On && referrers.subject == SubjectHeader::Always
}
