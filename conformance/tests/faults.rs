//! Every request of every flow meets every fault, at every registry.

use std::collections::BTreeSet;

use longshore_conformance::exhaustive::{self, REFUSED, Stage, double, kind, known};
use longshore_conformance::quirk::{Outcome, named};
use longshore_conformance::{Interrupted, Run, flow, property};
use longshore_core::driver::Body;
use longshore_memory::{Fault, Said, Schedule};
use longshore_mock_registry::Behaviour;
use longshore_mock_registry::fault::EFFECTS;

/// The sum is that of the tables: what the example `faults` runs whole, in the profile `suite`.
#[test]
fn the_sum_is_that_of_the_tables_and_a_share_of_it_is_run() {
    let every = property::one_in(397) as u64;
    let (mut sum, mut number, mut run) = (0, 0, 0);
    for stage in exhaustive::stages() {
        sum += stage.singles();
        for request in 1..=stage.requests {
            for kind in kind::all() {
                number += 1;
                if number % every == 0 {
                    run += 1;
                    if let Err(broken) = stage.check(request, &kind) {
                        let reason = known::reason(stage.registry, stage.flow, &kind.name, &broken.rule);
                        assert!(reason.is_some(), "{broken}");
                    }
                }
            }
        }
    }
    println!("{run} of {sum} cases");
    assert_eq!((number, run), (sum, sum / every));
    assert!(sum >= 58_752, "there are only {sum} cases");
}

/// Without a fault every flow ends as the table says: it succeeds, or names what the registry refuses.
#[test]
fn what_a_registry_refuses_of_a_flow_is_in_the_table() {
    for stage in exhaustive::stages() {
        let checked = stage.check_without_fault().unwrap_or_else(|broken| panic!("{broken}"));
        let is_refused = matches!(stage.outcome, Outcome::RefusedFor(_));
        let is_cancelled = matches!(stage.case.interrupted, Interrupted::CancelledAfter(_));
        assert_eq!(checked.is_success, !is_refused && !is_cancelled, "{}, {}", stage.registry, stage.flow);
    }
    for (registry, flow, _) in REFUSED {
        assert!(Stage::of(registry, flow).is_some(), "there is no {flow} at {registry}");
    }
}

/// Two faults: one pair in so many, of every flow at a registry that does what the spec says.
#[test]
fn two_faults_at_a_time() {
    let every = property::one_in(2003);
    let (mut run, mut number) = (0, 0);
    for stage in flow::all().iter().filter_map(|flow| Stage::of("spec", flow.name)) {
        for pair in double::pairs(&stage) {
            number += 1;
            if number % every == 0 {
                run += 1;
                stage.check_pair(&pair).unwrap_or_else(|broken| panic!("{broken}"));
            }
        }
    }
    println!("{run} of {number} cases");
    assert!(number >= 700_000, "there were only {number} cases");
}

/// Faults at random, up to four, at every registry.
#[test]
fn swarms() {
    for (seed, stage) in exhaustive::stages().enumerate() {
        if seed % property::one_in(7) == 0 {
            stage.check_swarm(seed as u64).unwrap_or_else(|broken| panic!("{broken}"));
        }
    }
}

/// Every fault that the mock registry can play is a kind here, or it is said which one shows the same.
#[test]
fn no_fault_is_left_out() {
    for (form, _) in EFFECTS {
        let name = form.split(' ').next().unwrap();
        let is_a_kind = kind::all().iter().any(|kind| kind.name.split(' ').next() == Some(name));
        let is_seen = kind::SEEN_AS.iter().any(|(other, _)| *other == name);
        assert!(is_a_kind != is_seen, "{name} is no kind, or it is one and another shows it too");
    }
    let names: BTreeSet<String> = kind::all().into_iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), kind::all().len(), "a kind stands twice");
    assert!(names.len() >= 34, "there are only {} kinds", names.len());
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
