//! Random pushes with faults against every habit of registries that the mock can play, one test each.

use longshore_conformance::oracle::Verdict;
use longshore_conformance::{oracle, quirk, strategy};
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

fn check(id: &str) {
    let quirk = quirk::named(id).unwrap_or_else(|| panic!("there is no quirk {id}"));
    let cases = std::env::var("CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(24);
    let mut runner =
        TestRunner::new(Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() });
    let judged = runner.run(&strategy::case(quirk.registry(), 2), |case| {
        let mut run = case.run();
        let verdict: Verdict = oracle::judge(&case, quirk.outcome, &mut run);
        verdict.map_err(|violation| {
            let (faults, transcript) = (run.simulation.schedule(), run.simulation.transcript());
            TestCaseError::fail(format!("{violation}\nfaults {faults}\n{transcript}"))
        })
    });
    match judged {
        Ok(()) => {}
        Err(TestError::Fail(why, case)) => panic!("{id}: {why}\n{case:?}"),
        Err(TestError::Abort(why)) => panic!("{id}: {why}"),
    }
}

#[test]
fn every_quirk() {
    let only = std::env::var("QUIRK").ok();
    let mut failed = Vec::new();
    for quirk in quirk::all().iter().filter(|quirk| only.as_ref().is_none_or(|only| quirk.id.contains(&**only))) {
        if let Err(why) = std::panic::catch_unwind(|| check(quirk.id)) {
            let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
            println!("=================== {}\n{}", quirk.id, why);
            failed.push(quirk.id);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}
