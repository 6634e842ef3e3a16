//! Every request of every flow meets every fault.

use longshore_conformance::quirk::{Outcome, named};
use longshore_conformance::{flow, property};
use longshore_core::Why;
use longshore_memory::{Fault, Schedule};
use longshore_mock_registry::Behaviour;

/// Each request of each flow × each fault, one in `every` of them, against a registry with these habits.
/// Says how many cases there were.
fn single_faults(every: usize, habits: impl Fn(&mut Behaviour)) -> usize {
    let every = if property::is_thorough() { 1 } else { every };
    let (mut cases, mut judged, mut not_replayable) = (0, 0, 0);
    for flow in flow::all() {
        let mut case = flow.case;
        habits(&mut case.registry.behaviour);
        let requests = case.run().simulation.requests();
        for request in 1..=requests {
            for fault in Fault::every_passing() {
                cases += 1;
                if cases % every == 0 {
                    case.faults = Schedule::list([(request, fault)]);
                    let run = property::judge(&case, Outcome::Succeeds);
                    let run = run.unwrap_or_else(|why| panic!("{}, {:?}: {why}", flow.name, case.faults));
                    judged += 1;
                    not_replayable += usize::from(run.result.is_err_and(|failure| failure.why == Why::NotReplayable));
                }
            }
        }
    }
    println!("{judged} of {cases} cases, {not_replayable} ended because a source could be read only once");
    cases
}

#[test]
fn a_registry_that_does_what_the_spec_says() {
    let cases = single_faults(1, |_| {});
    assert!(cases >= 2800, "there were only {cases} cases");
}

#[test]
fn quay_as_it_was_in_2021() {
    let cases = single_faults(7, |behaviour| named("quay-2021").unwrap().apply(behaviour));
    assert!(cases >= 2800, "there were only {cases} cases");
}

#[test]
fn ecr_without_mounting() {
    let cases = single_faults(7, |behaviour| named("ecr:mounting-off").unwrap().apply(behaviour));
    assert!(cases >= 2800, "there were only {cases} cases");
}

#[test]
fn ecr_with_mounting() {
    let cases = single_faults(7, |behaviour| named("ecr:mounting-on").unwrap().apply(behaviour));
    assert!(cases >= 2800, "there were only {cases} cases");
}

/// distribution 2.8: state in every URL, no referrers, no tags in the query, no conditions.
#[test]
fn distribution_as_it_is_installed() {
    let quirks = [
        "status-get-needs-state",
        "post-location-absolute",
        "referrers-404-fallback:no-route",
        "tag-parameter-unsupported",
        "conditional-put-unsupported",
        "post-digest-single-unsupported-202",
    ];
    let cases = single_faults(7, |behaviour| quirks.iter().for_each(|id| named(id).unwrap().apply(behaviour)));
    assert!(cases >= 2800, "there were only {cases} cases");
}
