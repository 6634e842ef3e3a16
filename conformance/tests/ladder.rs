//! How a blob falls from one way of sending it to another: what the registry refuses teaches, what the network loses does not.

use http::Method;
use longshore_conformance::CHUNK;
use longshore_conformance::quirk::{Outcome, named};
use longshore_conformance::{Case, Run, flow, property};
use longshore_core::FailureKind;
use longshore_core::driver::Body;
use longshore_memory::{Fault, Said, Schedule};

/// A push of a config and of a layer of three chunks, of which nothing is known.
fn one_layer() -> Case {
    let mut case = flow::all().into_iter().find(|flow| flow.name == "POST and PUT").unwrap().case;
    case.plan.blobs.truncate(2);
    case.plan.documents[0].blobs.truncate(2);
    case.client.in_flight = 1;
    case
}

fn at(mut case: Case, quirks: &[&str]) -> Case {
    quirks.iter().for_each(|id| named(id).unwrap().apply(&mut case.registry.behaviour));
    case
}

/// What carried bytes of a blob, in order: the method, the bytes, and the status that came.
fn bodies(run: &Run) -> Vec<(Method, std::ops::Range<u64>, Option<u16>)> {
    let entries = &run.simulation.transcript().entries;
    let status = |request| {
        entries.iter().find_map(|entry| match &entry.what {
            Said::Answered { answer, .. } if entry.request == request => Some(answer.status().as_u16()),
            _ => None,
        })
    };
    let body = entries.iter().filter_map(|entry| match &entry.what {
        Said::Asked { head, body: Body::Blob { range, .. } } => {
            Some((head.method.clone(), range.clone(), status(entry.request)))
        }
        _ => None,
    });
    body.collect()
}

/// The requests that put all of a blob, by their number in a run without faults.
fn whole_puts(case: &Case) -> Vec<u64> {
    let run = case.run();
    let entries = run.simulation.transcript().entries.iter();
    let is_put =
        |what: &Said<_>| matches!(what, Said::Asked { head, body: Body::Blob { .. } } if head.method == Method::PUT);
    entries.filter(|entry| is_put(&entry.what)).map(|entry| entry.request).collect()
}

#[test]
fn a_whole_put_that_gets_lost_is_sent_again_and_teaches_nothing() {
    let mut case = one_layer();
    case.client.chunk = 1000;
    let first = whole_puts(&case)[0];
    // Each loss costs the PUT, a HEAD, the cancellation, and the POST of a new upload.
    for losses in 1..=3 {
        let lost = (0..losses).map(|loss| (first + 4 * loss, Fault::RequestLost));
        case.faults = Schedule::list(lost);
        let run = property::judge(&case, Outcome::Succeeds).unwrap();
        let bodies = bodies(&run);
        assert_eq!(bodies.iter().filter(|(_, _, status)| status.is_none()).count() as u64, losses, "{bodies:?}");
        assert!(bodies.iter().all(|(method, ..)| method == Method::PUT), "{bodies:?}");
        assert_eq!(run.client.learned(&Case::registry()).unwrap().whole_put, Some(true));
    }
}

#[test]
fn a_long_blob_that_got_lost_twice_goes_in_chunks_and_the_next_does_not() {
    let mut case = one_layer();
    case.plan.blobs[1].len = 90;
    case.plan.blobs[0].len = 80;
    let first = whole_puts(&case)[0];
    case.faults = Schedule::list([(first, Fault::RequestLost), (first + 4, Fault::RequestLost)]);
    let run = property::judge(&case, Outcome::Succeeds).unwrap();
    let bodies = bodies(&run);
    let methods: Vec<&str> = bodies.iter().map(|(method, ..)| method.as_str()).collect();
    assert_eq!(methods, ["PUT", "PUT", "PATCH", "PATCH", "PUT", "PUT"], "{bodies:?}");
    let learned = run.client.learned(&Case::registry()).unwrap();
    assert_eq!((learned.whole_put, learned.body_limit), (Some(true), None));
}

#[test]
fn a_whole_put_that_fails_twice_is_left_for_another_way() {
    let case = one_layer();
    let first = whole_puts(&case)[0];
    let gateway = || Fault::Status(http::StatusCode::BAD_GATEWAY, None);
    let faults = Schedule::list([(first, gateway()), (first + 4, gateway())]);
    let run = property::judge(&Case { faults, ..case }, Outcome::Succeeds).unwrap();
    assert!(bodies(&run).iter().any(|(method, ..)| method == Method::PATCH), "{}", run.simulation.transcript());
}

#[test]
fn a_body_that_is_too_large_is_not_sent_again_in_another_way() {
    let case = at(one_layer(), &["patch-body-too-large-413"]);
    let run = property::judge(&case, Outcome::Succeeds).unwrap();
    let bodies = bodies(&run);
    let refused: Vec<_> = bodies.iter().filter(|(.., status)| *status == Some(413)).collect();
    assert_eq!(refused.len(), 1, "{bodies:?}");
    let limit = refused[0].1.end - refused[0].1.start;
    assert!(limit > CHUNK && bodies.iter().filter(|(_, body, _)| body.end - body.start >= limit).count() == 1);
}

/// What the registry says it takes is not sent to be refused.
#[test]
fn no_body_is_longer_than_the_registry_says() {
    let case = at(one_layer(), &["oci-chunk-min-length:max"]);
    let run = property::judge(&case, Outcome::Succeeds).unwrap();
    assert!(bodies(&run).iter().all(|(_, body, _)| body.end - body.start <= CHUNK / 2), "{:?}", bodies(&run));
}

/// Where not even a chunk is taken, nothing is left to try: the refusal is what there is to tell.
#[test]
fn a_body_that_cannot_be_made_smaller_fails_with_the_refusal() {
    let mut case = at(one_layer(), &["patch-body-too-large-413"]);
    case.client.chunk = 1000;
    let run = property::judge(&case, Outcome::MayBeRefused).unwrap();
    let failure = run.result.as_ref().unwrap_err();
    assert_eq!(failure.refused().map(|refused| refused.status.as_u16()), Some(413), "{failure}");
    assert_eq!(bodies(&run).iter().filter(|(.., status)| *status == Some(413)).count(), 1);
}

#[test]
fn how_often_an_upload_was_begun_is_told_as_it_was() {
    let case = at(one_layer(), &["session-gone-404"]);
    let first = whole_puts(&case)[0];
    for (sessions, times) in [(1, "1 time and"), (2, "2 times and")] {
        let lost = (0..4).map(|loss| (first + 4 * loss, Fault::RequestLost));
        let case = Case { faults: Schedule::list(lost), ..case.clone() };
        let run = case.run_with(|options| options.sessions = sessions);
        let failure = run.result.as_ref().unwrap_err();
        assert_eq!(failure.kind, FailureKind::TooManySessions { sessions, answer: None }, "{failure}");
        assert!(failure.to_string().contains(times), "{failure}");
        let posts = run
            .simulation
            .transcript()
            .entries
            .iter()
            .filter(|entry| matches!(&entry.what, Said::Asked { head, .. } if head.method == Method::POST));
        assert_eq!(posts.count(), sessions as usize);
    }
}

/// A ceiling that was met is kept to by the next blob, and a chunk that is too large is made smaller in the same upload.
#[test]
fn a_ceiling_is_learned_and_kept_to() {
    const LIMIT: u64 = 100_000;
    let mut case = one_layer();
    case.plan.blobs.iter_mut().for_each(|blob| blob.len = 600_000);
    case.plan.blobs[1].fill += 1;
    (case.client.chunk, case.client.chunk_above) = (300_000, 0);
    let of = longshore_mock_registry::behaviour::MaxOf::AllBodies;
    let max = longshore_mock_registry::behaviour::BodyMax::new(LIMIT, 413, of);
    case.registry.behaviour.chunks.max = Some(max);
    let run = property::judge(&case, Outcome::Succeeds).unwrap();
    let refused = bodies(&run).into_iter().filter(|(.., status)| *status == Some(413)).count();
    assert_eq!(refused, 2, "300,000 and half of that\n{:?}", bodies(&run));
    let posts = run.simulation.transcript().entries.iter();
    let posts = posts.filter(|e| matches!(&e.what, Said::Asked { head, .. } if head.method == Method::POST));
    assert_eq!(posts.count(), 2, "one upload a blob\n{}", run.simulation.transcript());
    assert!(run.client.learned(&Case::registry()).unwrap().body_limit.is_some_and(|limit| limit <= LIMIT));
}

/// A blob without a byte from a source that is read once is pushed like any other.
#[test]
fn no_byte_from_a_source_read_once() {
    for given in [longshore_conformance::Given::Once, longshore_conformance::Given::Unknown] {
        let mut case = one_layer();
        case.plan.blobs[1].len = 0;
        case.given = vec![longshore_conformance::Given::Known, given];
        property::judge(&case, Outcome::Succeeds).unwrap().result.unwrap();
    }
}
