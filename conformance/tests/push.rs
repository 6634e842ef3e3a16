//! Random pushes against a registry that does what the spec says.

use longshore_conformance::quirk::{Outcome, spec_true};
use longshore_conformance::{property, strategy};

#[test]
fn a_push_without_faults_succeeds() {
    property::holds(300, Outcome::Succeeds, &strategy::case(spec_true(), 0));
}

#[test]
fn faults_that_pass_do_not_fail_a_push() {
    property::holds(300, Outcome::Succeeds, &strategy::case(spec_true(), 3));
}

#[test]
fn rule_10_a_registry_that_asks_who_one_is() {
    let cases = strategy::behind_a_door(strategy::case(spec_true(), 3));
    property::holds(200, Outcome::Succeeds, &cases);
}

#[test]
fn rule_10_storage_and_uploads_at_another_origin_are_told_no_secret() {
    let quirks = ["redirect-s3-rejects-authorization", "post-location-other-host", "blob-head-redirect"];
    let cases = strategy::behind_a_door(strategy::case_with(&quirks, 2));
    property::holds(100, Outcome::Succeeds, &cases);
}

/// The same push twice says the same, byte for byte, at the same moments.
#[test]
fn the_same_seed_gives_the_same_transcript() {
    use proptest::strategy::{Strategy, ValueTree};

    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..100 {
        let case = strategy::case(spec_true(), 3).new_tree(&mut runner).unwrap().current();
        let (first, second) = (case.run(), case.run());
        let (first, second) = (first.simulation.transcript(), second.simulation.transcript());
        assert_eq!(first.to_string(), second.to_string(), "{case:?}");
        assert_eq!(first.fingerprint(), second.fingerprint(), "{case:?}");
        assert!(!first.entries.is_empty());
    }
}
