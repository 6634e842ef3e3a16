//! What is found prints a test that shows it again: what is printed compiles, and makes the same case.

use std::panic::catch_unwind;
use std::time::Duration;

use http::StatusCode;
use longshore_conformance::exhaustive::{Broken, Stage, double, kind};
use longshore_conformance::quirk::{self, Outcome};
use longshore_conformance::session::{Act, Session, Thing, What};
use longshore_conformance::{
    BlobPlan, Case, DocumentPlan, Given, Interrupted, Plan, Subject, let_in, property, strategy,
};
use longshore_memory::{Fault, Order, Schedule};
use longshore_mock_registry::auth::AuthScheme;

/// What is printed of these cases, as files that are compiled into this test. `LONGSHORE_WRITE=1` writes them anew.
fn printed(name: &str, compiled: &str, now: &str) {
    if std::env::var_os("LONGSHORE_WRITE").is_some() {
        std::fs::write(format!("{}/tests/printed/{name}", env!("CARGO_MANIFEST_DIR")), now).unwrap();
    }
    assert_eq!(compiled, now, "{name} is not what is printed");
}

/// A case in which everything is unusual.
fn unusual() -> Case {
    let blob = |len, fill, sha512| BlobPlan { len, fill, sha512 };
    let document = |blobs, children, docker, subject| DocumentPlan { blobs, children, docker, subject };
    let mut case = Case::new(Plan {
        blobs: vec![blob(0, 0, false), blob(70, 3, true)],
        documents: vec![
            document(vec![0, 1], vec![], false, Subject::Absent),
            document(vec![1], vec![0], true, Subject::Document(0)),
        ],
        attached: 1,
    });
    case.before = Some(Box::new(Case::new(case.plan.clone())));
    case.interrupted = Interrupted::CancelledAfter(9);
    case.given = vec![Given::Once, Given::NotThere];
    (case.tags, case.first_tag, case.first_key, case.seed) = (2, 3, 4, 5);
    case.client.chunk_above = 32;
    case.client.learned.whole_put = Some(false);
    quirk::named("oci-chunk-min-length").unwrap().play_in(&mut case);
    quirk::named("referrers-404-fallback").or_else(|| quirk::named("mount-always-202")).unwrap().play_in(&mut case);
    case.registry.faults = "end-6#1: status 503 retry-after 90".parse().unwrap();
    case.registry.limits.page = 2;
    let_in(&mut case, "library/*=pull,push");
    if let Some(auth) = &mut case.registry.auth {
        (auth.scheme, auth.lifetime) = (AuthScheme::Basic, Duration::from_secs(60));
    }
    case.order = Order::Script(vec![1, 0]);
    case.faults = Schedule::list([
        (1, Fault::AnswerLost),
        (2, Fault::BodyCut(3)),
        (3, Fault::RequestLate(Duration::from_millis(2))),
        (4, Fault::Status(StatusCode::SERVICE_UNAVAILABLE, Some(7))),
        (5, Fault::HeaderMissing(http::header::RANGE)),
        (6, Fault::HeaderChanged(http::header::LOCATION, "/v2/".parse().unwrap())),
        (7, Fault::BodyChanged("{".into())),
    ]);
    case
}

#[test]
fn a_case_prints_as_what_makes_it() {
    printed("case.rs", include_str!("case.rs"), &format!("{}\n", unusual().as_rust(0)));
    let compiled: Case = include!("case.rs");
    assert_eq!(format!("{compiled:?}"), format!("{:?}", unusual()));
}

#[test]
fn a_session_prints_as_what_makes_it() {
    let act = |after, what| Act { after, what };
    let acts = vec![
        act(None, What::Start(0)),
        act(Some(3), What::Delete(Thing::Blob(1))),
        act(Some(1), What::Lose(Thing::Tag)),
        act(None, What::Pass(Duration::from_secs(9))),
        act(None, What::Start(1)),
    ];
    let plan = Plan { blobs: vec![BlobPlan { len: 1, fill: 0, sha512: false }], ..unusual().plan };
    let session = Session::new(vec![Case::new(plan.clone()), Case::new(plan)], acts);
    printed("session.rs", include_str!("session.rs"), &format!("{}\n", session.as_rust(0)));
    let compiled: Session = include!("session.rs");
    assert_eq!(format!("{compiled:?}"), format!("{session:?}"));
}

/// Faults at random are printed as those that were met: the case is the same without chance.
#[test]
fn faults_at_random_are_printed_as_a_list() {
    let mut case = Case { before: None, interrupted: Interrupted::Never, order: Order::Latency, ..unusual() };
    case.faults = Schedule::random(7, 300, 4);
    let first = case.run();
    case.faults = case.faults.listed(first.simulation.requests());
    assert!(!case.faults.is_empty());
    assert_eq!(first.simulation.transcript().to_string(), case.run().simulation.transcript().to_string());
}

/// A property that is broken, as it is where a registry takes no blob without a byte: the find is small, and its test is one
/// that is pasted.
#[test]
fn a_property_that_is_broken_prints_a_test() {
    let cases = || strategy::case_with_one(quirk::named("empty-blob-500").unwrap(), 0);
    let panic = catch_unwind(|| property::holds(100, Outcome::Succeeds, &cases())).unwrap_err();
    let said = panic.downcast_ref::<String>().unwrap();
    assert!(said.contains("outcome: ") && said.contains("seed "), "the rule and the case are told: {said}");
    shows_it_again("found.rs", include_str!("found.rs"), said, found_by_a_property, "outcome");
}

/// What is found of single faults, of two faults and of faults at random prints a test too. At this registry each finds
/// something that is known: [`KNOWN`](longshore_conformance::exhaustive::known::KNOWN) has the reason.
fn known_to_break() -> Stage {
    Stage::of("gar", "read once").unwrap()
}

const KNOWN_RULE: &str = "it is refused without this fault, and not with it";

fn is_known(broken: &Broken) -> bool {
    broken.rule.contains(KNOWN_RULE)
}

#[test]
fn a_single_fault_prints_a_test() {
    let stage = known_to_break();
    let (stage, kinds) = (&stage, kind::passing());
    let mut checked = (1..=stage.requests).flat_map(|request| kinds.iter().map(move |kind| stage.check(request, kind)));
    let broken = checked.find_map(|checked| checked.err().filter(is_known)).expect("a single fault breaks the rule");
    shows_it_again("single.rs", include_str!("single.rs"), &broken.shown, found_by_every_single_fault, KNOWN_RULE);
}

#[test]
fn two_faults_print_a_test() {
    let stage = known_to_break();
    // The second fault is the one that breaks it alone, so that few pairs are run.
    let pairs = double::pairs(&stage).filter(|pair| matches!(pair.faults[1], Fault::Twice));
    let mut checked = pairs.map(|pair| stage.check_pair(&pair));
    let broken = checked.find_map(|checked| checked.err().filter(is_known)).expect("two faults break the rule");
    shows_it_again("pair.rs", include_str!("pair.rs"), &broken.shown, found_by_two_faults, KNOWN_RULE);
}

#[test]
fn faults_at_random_print_a_test() {
    let stage = known_to_break();
    let mut checked = (0..10_000).map(|seed| stage.check_swarm(seed));
    let broken = checked.find_map(|checked| checked.err().filter(is_known)).expect("faults at random break the rule");
    shows_it_again("swarm.rs", include_str!("swarm.rs"), &broken.shown, found_by_a_swarm, KNOWN_RULE);
}

/// A find ends with a test that is compiled into this one, and that breaks the same rule when it is run.
#[track_caller]
fn shows_it_again(name: &str, compiled: &str, said: &str, test: fn(), rule: &str) {
    let (_, now) = said.split_once("#[test]\n").expect("a test is printed");
    // Without its attribute, for it has to fail.
    printed(name, compiled, now);
    let panic = catch_unwind(test).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().contains(rule), "it shows the same rule");
}

include!("found.rs");
include!("single.rs");
include!("pair.rs");
include!("swarm.rs");
