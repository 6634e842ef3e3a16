//! Random pushes against a registry that does what the spec says.

use longshore_conformance::{Case, oracle, quirk, strategy};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// Runs a case and judges it; a failing one prints its transcript.
fn check(case: &Case) -> Result<(), TestCaseError> {
    let mut run = case.run();
    oracle::judge(case, quirk::Outcome::Succeeds, &mut run).map_err(|violation| {
        let (faults, transcript) = (run.simulation.schedule(), run.simulation.transcript());
        TestCaseError::fail(format!("{violation}\nfaults {faults}\n{transcript}"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(300), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_push_without_faults_succeeds(case in strategy::case(quirk::spec_true(), 0)) {
        check(&case)?;
    }

    #[test]
    fn faults_that_pass_do_not_fail_a_push(case in strategy::case(quirk::spec_true(), 3)) {
        check(&case)?;
    }
}
