//! The oracles can see: a good run is spoilt in one way at a time, and each time the rule that was broken is named.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use longshore_conformance::quirk::Outcome;
use longshore_conformance::{Case, Given, Run, TagChange, flow, oracle};
use longshore_core::driver::{Body, NoAnswer};
use longshore_core::{Digest, Event, Failure, FailureKind};
use longshore_memory::{Entry, Said};

/// The case of a flow, with its run.
fn good(name: &str) -> (Case, Run) {
    let case = flow::all().into_iter().find(|flow| flow.name == name).unwrap().case;
    let run = case.run();
    (case, run)
}

/// The rule that a run breaks once it is spoilt. Before that it breaks none.
fn broken_by(name: &str, spoil: impl FnOnce(&mut Run)) -> String {
    let (case, mut run) = good(name);
    oracle::judge(&case, Outcome::Succeeds, &mut run).unwrap();
    spoil(&mut run);
    oracle::judge(&case, Outcome::Succeeds, &mut run).expect_err("the oracle saw nothing").to_string()
}

fn entries(run: &mut Run) -> &mut Vec<Entry<longshore_conformance::Key>> {
    &mut run.simulation.transcript.entries
}

/// The place of the first request of this kind.
fn request(run: &mut Run, method: &Method, path: &str) -> usize {
    let is_it = |entry: &Entry<_>| matches!(&entry.what, Said::Asked { head, .. } if head.method == *method && head.uri.path().contains(path));
    entries(run).iter().position(is_it).unwrap()
}

/// The place of the answer to the request at this place.
fn answer(run: &mut Run, request: usize) -> usize {
    let number = entries(run)[request].request;
    let is_it = |entry: &Entry<_>| entry.request == number && matches!(entry.what, Said::Answered { .. });
    entries(run).iter().position(is_it).unwrap()
}

fn set_header(run: &mut Run, at: usize, name: &'static str, value: &'static str) {
    if let Said::Asked { head, .. } = &mut entries(run)[at].what {
        head.headers.insert(name, HeaderValue::from_static(value));
    }
}

#[test]
fn i33_a_manifest_that_is_sent_too_early() {
    let why = broken_by("POST and PUT", |run| {
        let at = request(run, &Method::PUT, "/manifests/");
        let entry = entries(run).remove(at);
        entries(run).insert(0, entry);
    });
    assert!(why.contains("was acknowledged"), "{why}");
}

#[test]
fn i33_a_blob_whose_answer_was_no_acknowledgement() {
    let why = broken_by("POST and PUT", |run| {
        let put = request(run, &Method::PUT, "/blobs/");
        let at = answer(run, put);
        if let Said::Answered { answer, .. } = &mut entries(run)[at].what {
            *answer.status_mut() = StatusCode::ACCEPTED;
        }
    });
    assert!(why.contains("was acknowledged"), "{why}");
}

/// The answer to the first PUT of this kind reports the digest of other content.
fn report_other_digest(run: &mut Run, path: &str) {
    let put = request(run, &Method::PUT, path);
    let at = answer(run, put);
    let other = Digest::of(longshore_core::Algorithm::Sha256, b"other bytes");
    if let Said::Answered { answer, .. } = &mut entries(run)[at].what {
        answer.headers_mut().insert("docker-content-digest", other.to_string().parse().unwrap());
    }
}

#[test]
fn i12_a_manifest_that_is_stored_under_another_digest() {
    let why = broken_by("POST and PUT", |run| report_other_digest(run, "/manifests/"));
    assert!(why.contains("no answer acknowledged the manifest"), "{why}");
}

#[test]
fn i12_a_blob_that_is_stored_under_another_digest() {
    let why = broken_by("POST and PUT", |run| report_other_digest(run, "/blobs/"));
    assert!(why.contains("was acknowledged"), "{why}");
}

#[test]
fn i26_a_wait_that_is_undercut() {
    let why = broken_by("POST and PUT", |run| {
        let at = answer(run, 0);
        if let Said::Answered { answer, .. } = &mut entries(run)[at].what {
            answer.headers_mut().insert("retry-after", HeaderValue::from_static("9"));
        }
    });
    assert!(why.contains("a wait until"), "{why}");
}

#[test]
fn too_many_requests_in_flight() {
    let why = broken_by("POST and PUT", |run| {
        let asked = entries(run)[0].clone();
        let many = (900..905).map(|request| Entry { request, ..asked.clone() });
        entries(run).splice(0..0, many);
    });
    assert!(why.contains("in flight"), "{why}");
}

#[test]
fn i34_bytes_that_are_not_those_that_were_given() {
    let why = broken_by("POST and PUT", |run| {
        let wrong = Digest::of(longshore_core::Algorithm::Sha256, b"other bytes");
        let contents = run.simulation.handler.registry.state.repositories.get_mut(&Case::repository()).unwrap();
        let some = *contents.blobs.values().next().unwrap();
        contents.blobs.insert(wrong, some);
    });
    assert!(why.contains("has another digest"), "{why}");
}

#[test]
fn i35_a_tag_that_changes_twice_or_to_something_else() {
    let spoil = |digest: Option<Digest>| {
        move |run: &mut Run| {
            let digest = digest.unwrap_or(run.image.root.digest());
            let change = TagChange { repository: Case::repository(), tag: "v0".parse().unwrap(), digest };
            run.simulation.handler.tag_changes.push(change);
        }
    };
    assert!(broken_by("POST and PUT", spoil(None)).contains("second change"));
    let other = Digest::of(longshore_core::Algorithm::Sha256, b"");
    assert!(broken_by("POST and PUT", spoil(Some(other))).contains("is not the root"));
}

#[test]
fn i35_an_upload_that_is_left() {
    let why = broken_by("POST and PUT", |run| {
        // Another client opens one, and the transcript says that it was ours.
        let path = format!("/v2/{}/blobs/uploads/", Case::repository());
        let answer = run.simulation.handler.ask(Method::POST, &path, Bytes::new());
        run.simulation.handler.registry.judge.breaches.clear();
        let first = entries(run)[0].clone();
        let what = Said::Answered { answer, end: longshore_core::driver::End::Complete };
        entries(run).insert(1, Entry { what, ..first });
    });
    assert!(why.contains("uploads are left"), "{why}");
}

#[test]
fn a_request_that_breaks_the_spec() {
    let why = broken_by("POST and PUT", |run| {
        let path = format!("/v2/{}/blobs/uploads/", Case::repository());
        run.simulation.handler.ask(Method::POST, &path, Bytes::new());
    });
    assert!(why.contains("content-length (MUST)"), "{why}");
}

#[test]
fn what_is_missing_after_a_success() {
    let lose_blob = |run: &mut Run| {
        let contents = run.simulation.handler.registry.state.repositories.get_mut(&Case::repository()).unwrap();
        let first = *contents.blobs.keys().next().unwrap();
        contents.blobs.remove(&first);
    };
    assert!(broken_by("POST and PUT", lose_blob).contains("stands without"));
    let lose_both = |run: &mut Run| {
        lose_blob(run);
        let contents = run.simulation.handler.registry.state.repositories.get_mut(&Case::repository()).unwrap();
        contents.manifests.clear();
    };
    assert!(broken_by("POST and PUT", lose_both).contains("is not there after a success"));
    let lose_manifest = |run: &mut Run| {
        let contents = run.simulation.handler.registry.state.repositories.get_mut(&Case::repository()).unwrap();
        contents.manifests.clear();
    };
    assert!(broken_by("POST and PUT", lose_manifest).contains("is not there"));
    let lose_tag = |run: &mut Run| {
        let contents = run.simulation.handler.registry.state.repositories.get_mut(&Case::repository()).unwrap();
        contents.tags.clear();
    };
    assert!(broken_by("POST and PUT", lose_tag).contains("does not name the root"));
    let lose_list = |run: &mut Run| {
        let contents = run.simulation.handler.registry.state.repositories.get_mut(&Case::repository()).unwrap();
        contents.tags.retain(|tag, _| !tag.as_str().starts_with("sha256-"));
    };
    assert!(broken_by("artifacts, lists under tags", lose_list).contains("list of referrers"));
}

#[test]
fn progress_that_falls() {
    let why = broken_by("POST and PUT", |run| {
        let last = run.events.iter().rev().find_map(|event| match event {
            Event::Progress { operation, total, .. } => Some((*operation, *total)),
            _ => None,
        });
        let (operation, total) = last.unwrap();
        run.events.push(Event::Progress { operation, done: 0, total });
    });
    assert!(why.contains("the progress falls"), "{why}");
}

#[test]
fn faults_that_pass_and_fail_a_push() {
    let lost = |run: &mut Run| {
        let mut failure = good_failure();
        failure.kind = FailureKind::NoAnswer(NoAnswer::Lost("gone".to_owned()));
        run.result = Err(Box::new(failure));
    };
    assert!(broken_by("POST and PUT", lost).contains("made the push fail"));
    // A source that can be read once is a reason, but not where nothing went wrong.
    let not_replayable = |run: &mut Run| run.result = Err(Box::new(good_failure()));
    assert!(broken_by("read once", not_replayable).contains("made the push fail"));
}

/// A failure, from a push that could not but fail.
fn good_failure() -> Failure {
    let mut case = Case { given: vec![Given::Once], ..good("read once").0 };
    case.faults = longshore_memory::Schedule::random(1, 1000, 40);
    let mut failure = *case.run().result.expect_err("forty faults are too many");
    failure.kind = FailureKind::NotReplayable;
    failure
}

#[test]
fn rule_4_a_commit_that_is_repeated_blindly() {
    let why = broken_by("POST and PUT", |run| {
        let put = request(run, &Method::PUT, "/blobs/");
        let at = answer(run, put);
        let (asked, answered) = (entries(run)[put].clone(), entries(run)[at].clone());
        entries(run)[at].what = Said::Failed(NoAnswer::Lost("gone".to_owned()));
        entries(run).splice(at + 1..at + 1, [Entry { request: 900, ..asked }, Entry { request: 900, ..answered }]);
    });
    assert!(why.contains("before its blob was asked for"), "{why}");
}

#[test]
fn rules_8_and_9_headers_and_chunks() {
    let unit = |run: &mut Run| {
        let at = request(run, &Method::PATCH, "/blobs/");
        set_header(run, at, "content-range", "bytes 0-31");
    };
    assert!(broken_by("chunks", unit).contains("is not the chunk's"));
    let whole = |run: &mut Run| {
        let at = request(run, &Method::PUT, "/blobs/");
        set_header(run, at, "content-range", "0-19");
    };
    assert!(broken_by("POST and PUT", whole).contains("Content-Range"));
    let other_type = |run: &mut Run| {
        let at = request(run, &Method::PUT, "/blobs/");
        set_header(run, at, "content-type", "text/plain");
    };
    assert!(broken_by("POST and PUT", other_type).contains("another Content-Type"));
    let no_length = |run: &mut Run| {
        let at = request(run, &Method::POST, "/blobs/");
        if let Said::Asked { head, .. } = &mut entries(run)[at].what {
            head.headers.remove("content-length");
        }
    };
    assert!(broken_by("POST and PUT", no_length).contains("no Content-Length"));
    let empty = |run: &mut Run| {
        let at = request(run, &Method::PATCH, "/blobs/");
        if let Said::Asked { head, body } = &mut entries(run)[at].what {
            head.headers.remove("content-range");
            *body = Body::Empty;
        }
    };
    assert!(broken_by("chunks", empty).contains("an empty chunk"));
}

#[test]
fn i39_what_happens_after_a_cancel() {
    let (case, mut run) = good("POST and PUT");
    run.said_before_cancel = Some(0);
    let why = oracle::judge_cancelled(&case, &run).unwrap_err().to_string();
    assert!(why.contains("went on"), "{why}");
    let mut cancelled = good_failure();
    cancelled.kind = FailureKind::Cancelled;
    run.result = Err(Box::new(cancelled));
    let why = oracle::judge_cancelled(&case, &run).unwrap_err().to_string();
    assert!(why.contains("after the push was cancelled"), "{why}");
}
