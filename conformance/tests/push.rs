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
