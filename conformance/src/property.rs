//! Properties of random pushes. Each run draws the same cases; a seed chooses others.

use std::env;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::case::{Case, as_rust};
use crate::oracle;
use crate::quirk::Outcome;
use crate::run::Run;
use crate::session::Session;

/// Runs `count` cases and judges each. A case that fails is shrunk, and printed with its transcript and with a test that
/// reproduces it. That test has the case written out, so it needs neither this module nor proptest.
///
/// The environment variable `LONGSHORE_CASES` multiplies the number of cases. `LONGSHORE_SEED`, a number, chooses others.
///
/// # Panics
/// If a rule is broken.
pub fn holds(cases: u32, outcome: Outcome, strategy: &impl Strategy<Value = Case>) {
    all(cases, strategy, |case| judge(&case, outcome).map(drop), |case| test_of_case(case, outcome));
}

/// Runs `count` sessions and judges each, as [`holds`] does.
///
/// # Panics
/// If a rule is broken.
pub fn holds_together(cases: u32, strategy: &impl Strategy<Value = Session>) {
    let judge = |session: Session| {
        let (verdict, run) = oracle::judge_session(&session, session.run());
        verdict.map_err(|violation| broken(&violation, &run))
    };
    all(cases, strategy, judge, test_of_session);
}

fn all<T: Debug>(
    cases: u32,
    strategy: &impl Strategy<Value = T>,
    judge: impl Fn(T) -> Result<(), TestCaseError>,
    test: impl Fn(&T) -> String,
) {
    let cases = cases.saturating_mul(number("LONGSHORE_CASES").unwrap_or(1));
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4096, ..Config::default() };
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&number("LONGSHORE_SEED").unwrap_or(0).to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    match TestRunner::new_with_rng(config, random).run(strategy, judge) {
        Ok(()) => {}
        Err(TestError::Fail(why, case)) => panic!("{why}\n{case:?}\n\n{}", test(&case)),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

/// If a run panics, its number of requests is unknown: faults up to this request are printed.
const OF_A_PANIC: u64 = 1000;

fn test_of_case(case: &Case, outcome: Outcome) -> String {
    let requests = requests(|| case.run().simulation.requests());
    let outcome = match outcome {
        Outcome::RefusedFor(causes) => format!("RefusedFor(&{causes:?})"),
        simple => format!("{simple:?}"),
    };
    let find = format!(
        "use longshore_conformance::{{oracle, quirk::Outcome}};\n\n\
         let case = {};\n\
         let mut run = case.run();\n\
         let verdict = oracle::judge(&case, Outcome::{outcome}, &mut run);\n\
         assert_eq!(verdict, Ok(()), \"{{}}\", run.simulation.transcript());",
        case.as_rust(requests)
    );
    as_rust::test("found_by_a_property", &find)
}

fn test_of_session(session: &Session) -> String {
    let requests = requests(|| session.run().simulation.requests());
    let find = format!(
        "let session = {};\n\
         let (verdict, run) = longshore_conformance::oracle::judge_session(&session, session.run());\n\
         assert_eq!(verdict, Ok(()), \"{{}}\", run.simulation.transcript());",
        session.as_rust(requests)
    );
    as_rust::test("found_by_a_property_of_sessions", &find)
}

/// The number of requests of a run.
fn requests(run: impl FnOnce() -> u64) -> u64 {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(OF_A_PANIC)
}

/// Runs a case and judges it.
///
/// # Errors
/// The rule that was broken, and the transcript.
pub fn judge(case: &Case, outcome: Outcome) -> Result<Run, TestCaseError> {
    let mut run = case.run();
    match oracle::judge(case, outcome, &mut run) {
        Ok(()) => Ok(run),
        Err(violation) => Err(broken(&violation, &run)),
    }
}

fn broken(violation: &oracle::Violation, run: &Run) -> TestCaseError {
    let (faults, transcript) = (run.simulation.schedule(), run.simulation.transcript());
    TestCaseError::fail(format!("{violation}\nfaults {faults}\n{transcript}"))
}

/// For suites with too many cases to run all of them each time: one case in this many is run. It is `every` divided by
/// `LONGSHORE_CASES`, and at least 1.
#[must_use]
pub fn one_in(every: usize) -> usize {
    let more = number("LONGSHORE_CASES").and_then(|more| usize::try_from(more).ok());
    (every / more.unwrap_or(1).max(1)).max(1)
}

fn number(name: &str) -> Option<u32> {
    env::var(name).ok()?.parse().ok()
}
