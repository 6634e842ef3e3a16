//! Every single fault: each request of each flow, against each registry, meets each kind of fault.
//!
//! The number of cases is not chosen: it is the sum over all [stages](Stage) of their requests, times the kinds of faults.
//! None is left out. What a registry refuses without any fault is in [`REFUSED`]; there a fault must not hide the refusal.
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

/// The most requests that one fault may cost beyond those of the same push without it: a question, a cancellation, a new
/// token, and the longest upload begun again.
pub const COST: u64 = 14;

/// One flow against one registry.
#[derive(Clone)]
pub struct Stage {
    /// The registry: a profile of the mock registry's.
    pub registry: &'static str,
    /// The flow.
    pub flow: &'static str,
    /// The push, without faults.
    pub case: Case,
    /// How many requests it takes without faults.
    pub requests: u64,
    /// What must become of it without faults.
    pub outcome: Outcome,
}

/// What came of a case that broke no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Whether the push succeeded.
    pub is_success: bool,
    /// Whether it ended because a source could be read only once.
    pub is_not_replayable: bool,
    /// How many requests the fault cost.
    pub cost: u64,
}

/// A case that broke a rule.
#[derive(Debug, Clone)]
pub struct Broken {
    /// Which case: registry, flow, request and fault.
    pub name: String,
    /// The rule, in one line.
    pub rule: String,
    /// All that was said, and a test that shows it again.
    pub shown: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}\n{}", self.name, self.rule, self.shown)
    }
}

impl std::error::Error for Broken {}

/// All stages: every flow against every registry.
pub fn stages() -> impl Iterator<Item = Stage> {
    registry::names().flat_map(|registry| flow::all().into_iter().filter_map(|flow| Stage::of(registry, flow.name)))
}

impl Stage {
    /// The flow of this name against the registry of this name.
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

    /// How many cases of one fault there are.
    #[must_use]
    pub fn singles(&self) -> u64 {
        self.requests * kind::all().len() as u64
    }

    /// The push without faults.
    ///
    /// # Errors
    /// The rule that it broke.
    pub fn check_without_fault(&self) -> Result<Checked, Broken> {
        self.judge("no fault", &self.case, None)
    }

    /// The push whose request of this number, from 1, meets this fault.
    ///
    /// # Errors
    /// The rule that it broke.
    pub fn check(&self, request: u64, kind: &FaultKind) -> Result<Checked, Broken> {
        let case = self.faulty(request, kind);
        let shown = format!("request {request}, {}", kind.name);
        let call = format!("check({request}, &kind::named({:?}).unwrap())", kind.name);
        let test = |broken| self.with_test(broken, "found_by_every_single_fault", &["exhaustive::kind"], &call);
        let checked = self.judge(&shown, &case, Some(kind)).map_err(test)?;
        if kind.may_fail_for.is_empty() && checked.cost > COST {
            let rule = format!("the fault cost {} requests, and may cost {COST}", checked.cost);
            let broken = self.broken(&shown, rule, &case.run());
            return Err(test(broken));
        }
        Ok(checked)
    }

    /// The case in which this request meets this fault.
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

    /// What the failure must name: what the registry refuses without the fault, or what the fault makes it refuse.
    fn outcome_of(&self, run: &Run, kind: Option<&FaultKind>) -> Outcome {
        let Some(kind) = kind.filter(|kind| !kind.may_fail_for.is_empty()) else { return self.outcome };
        match &run.result {
            Err(failure) if kind.explains(&failure.to_string()) => Outcome::RefusedFor(kind.may_fail_for),
            // A registry that lies about lists may be asked for them all the same.
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

    /// A client that hangs, or breaks its contract, stops the simulation.
    fn stopped(&self, shown: &str, why: &str) -> Broken {
        let rule = format!("simulation: {}", why.lines().next().unwrap_or_default());
        Broken { name: format!("{}, {}, {shown}", self.registry, self.flow), rule, shown: why.to_owned() }
    }

    /// With the test that shows it again: a call of this stage's, and what it uses of this crate.
    fn with_test(&self, mut broken: Broken, name: &str, uses: &[&str], call: &str) -> Broken {
        let uses: String = uses.iter().map(|used| format!("use longshore_conformance::{used};\n")).collect();
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

/// What a simulation said when it was stopped.
fn panicked(panic: &(dyn Any + Send)) -> String {
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

/// Nobody can know there that lists are kept under tags.
fn is_unlisted(case: &Case) -> bool {
    let referrers = &case.registry.behaviour.referrers;
    referrers.api != ReferrersApi::On && referrers.subject == SubjectHeader::Always
}
