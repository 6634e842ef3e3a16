//! Every request of every flow meets every fault.

use longshore_conformance::quirk::{Outcome, named};
use longshore_conformance::{Run, flow, property};
use longshore_core::FailureKind;
use longshore_core::driver::Body;
use longshore_memory::{Fault, Said, Schedule};
use longshore_mock_registry::Behaviour;

/// The most requests that one fault may cost: a question, a cancellation, and the longest upload begun again.
const COST: u64 = 9;

/// Each request of each flow × each fault, one in `every` of them, against a registry with these quirks.
/// Says how many cases there were, and how many pushes ended because a source could be read only once.
fn single_faults(every: usize, quirks: impl Fn(&mut Behaviour)) -> (usize, usize) {
    let every = property::one_in(every);
    let (mut cases, mut judged, mut not_replayable, mut most) = (0, 0, 0, 0);
    for flow in flow::all() {
        let mut case = flow.case;
        quirks(&mut case.registry.behaviour);
        let requests = case.run().simulation.requests();
        for request in 1..=requests {
            for fault in Fault::every_passing() {
                cases += 1;
                if cases % every == 0 {
                    case.faults = Schedule::list([(request, fault)]);
                    let run = property::judge(&case, Outcome::Succeeds);
                    let run = run.unwrap_or_else(|why| panic!("{}, {:?}: {why}", flow.name, case.faults));
                    judged += 1;
                    let cost = run.simulation.requests().saturating_sub(requests);
                    let transcript = run.simulation.transcript();
                    assert!(cost <= COST, "{}, {:?} cost {cost} requests\n{transcript}", flow.name, case.faults);
                    most = most.max(cost);
                    not_replayable +=
                        usize::from(run.result.is_err_and(|failure| failure.kind == FailureKind::NotReplayable));
                }
            }
        }
    }
    println!("{judged} of {cases} cases, {not_replayable} ended because a source could be read only once");
    println!("the fault that cost most cost {most} requests");
    (cases, not_replayable)
}

#[test]
fn a_registry_that_does_what_the_spec_says() {
    let (cases, not_replayable) = single_faults(1, |_| {});
    assert!(cases >= 2800, "there were only {cases} cases");
    // The chunk in hand is enough to get over any of them.
    assert_eq!(not_replayable, 0);
}

/// Every fault at every request of the pushes whose source can be read once, against a registry with these quirks: the
/// cases that end the push, each by what the fault meets. The chunk in hand must be enough for all others.
fn ends_of_pushes_from_a_source_read_once(quirks: impl Fn(&mut Behaviour)) -> Vec<String> {
    let mut ends = Vec::new();
    for flow in flow::all().into_iter().filter(|flow| matches!(flow.name, "read once" | "out of a pipe")) {
        let mut case = flow.case;
        quirks(&mut case.registry.behaviour);
        for request in 1..=case.run().simulation.requests() {
            for fault in Fault::every_passing() {
                case.faults = Schedule::list([(request, fault.clone())]);
                let run = property::judge(&case, Outcome::Succeeds);
                let run = run.unwrap_or_else(|why| panic!("{}, {:?}: {why}", flow.name, case.faults));
                if run.result.is_err() {
                    ends.push(format!("{} {fault:?}", asked(&run, request)));
                }
            }
        }
    }
    ends.sort_unstable();
    ends.dedup();
    ends
}

/// What a request was: its method, and the bytes that it carried.
fn asked(run: &Run, request: u64) -> String {
    let entries = &run.simulation.transcript().entries;
    let asked = entries.iter().find_map(|entry| match &entry.what {
        Said::Asked { head, body: Body::Blob { range, .. } } if entry.request == request => {
            Some(format!("{} {range:?}", head.method))
        }
        Said::Asked { head, .. } if entry.request == request => Some(head.method.to_string()),
        _ => None,
    });
    asked.expect("the request was sent")
}

#[test]
fn the_chunk_in_hand_is_enough_at_ecr() {
    for mounting in ["ecr:mounting-off", "ecr:mounting-on"] {
        let ends = ends_of_pushes_from_a_source_read_once(|behaviour| named(mounting).unwrap().apply(behaviour));
        assert_eq!(ends, [""; 0]);
    }
}

#[test]
fn the_chunk_in_hand_is_enough_at_quay() {
    let ends = ends_of_pushes_from_a_source_read_once(|behaviour| named("quay-2021").unwrap().apply(behaviour));
    assert_eq!(ends, [""; 0]);
}

/// There a request to any but the newest URL of an upload ends it, and the newest URL is in an answer that is lost: only
/// while the first chunk is in hand can the upload begin again.
#[test]
fn the_chunk_in_hand_is_enough_at_distribution_where_the_newest_url_is_known() {
    let ends = ends_of_pushes_from_a_source_read_once(distribution);
    let unknowable = ["AnswerCut(0)", "AnswerCut(1)", "AnswerLost", "RequestLate(1ms)", "Twice"];
    let chunks = ["PATCH 32..64", "PATCH 64..96"];
    let expected: Vec<String> =
        chunks.iter().flat_map(|chunk| unknowable.map(|fault| format!("{chunk} {fault}"))).collect();
    assert_eq!(ends, expected);
}

#[test]
fn quay_as_it_was_in_2021() {
    let (cases, not_replayable) = single_faults(11, |behaviour| named("quay-2021").unwrap().apply(behaviour));
    assert!(cases >= 2800, "there were only {cases} cases");
    assert_eq!(not_replayable, 0);
}

#[test]
fn ecr_without_mounting() {
    let (cases, not_replayable) = single_faults(11, |behaviour| named("ecr:mounting-off").unwrap().apply(behaviour));
    assert!(cases >= 2800, "there were only {cases} cases");
    assert_eq!(not_replayable, 0);
}

#[test]
fn ecr_with_mounting() {
    let (cases, not_replayable) = single_faults(11, |behaviour| named("ecr:mounting-on").unwrap().apply(behaviour));
    assert!(cases >= 2800, "there were only {cases} cases");
    assert_eq!(not_replayable, 0);
}

/// distribution 2.8: state in every URL, no referrers, no tags in the query, no conditions.
fn distribution(behaviour: &mut Behaviour) {
    let quirks = [
        "status-get-needs-state",
        "post-location-absolute",
        "referrers-404-fallback:no-route",
        "tag-parameter-unsupported",
        "conditional-put-unsupported",
        "post-digest-single-unsupported-202",
    ];
    quirks.iter().for_each(|id| named(id).unwrap().apply(behaviour));
}

#[test]
fn distribution_as_it_is_installed() {
    let (cases, _) = single_faults(11, distribution);
    assert!(cases >= 2800, "there were only {cases} cases");
}

/// Two faults: each pair of requests of each flow × each pair of faults, one in so many of them.
#[test]
fn two_faults_at_a_time() {
    let every = property::one_in(601);
    let (mut cases, mut judged) = (0, 0);
    let faults = Fault::every_passing();
    for flow in flow::all() {
        let mut case = flow.case;
        let requests = case.run().simulation.requests();
        for first in 1..=requests {
            // What the first fault leads to can go wrong too.
            for second in first + 1..=requests + 3 {
                for (a, b) in faults.iter().flat_map(|a| faults.iter().map(move |b| (a, b))) {
                    cases += 1;
                    if cases % every == 0 {
                        case.faults = Schedule::list([(first, a.clone()), (second, b.clone())]);
                        judged += 1;
                        if let Err(why) = property::judge(&case, Outcome::Succeeds) {
                            panic!("{}, {:?}: {why}", flow.name, case.faults);
                        }
                    }
                }
            }
        }
    }
    println!("{judged} of {cases} cases");
    assert!(cases >= 400_000, "there were only {cases} cases");
}
