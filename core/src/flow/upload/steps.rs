//! What is tried before bytes are sent, what is left open, and what is told at the end: uploads step by step.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use http::Response;

use super::{Content, Question, Upload, Uploaded};
use crate::driver::{Body, NoAnswer};
use crate::flow::stage::{Stage, place, respond, transient};
use crate::flow::{Flow, Next, Outcome};
use crate::outcome::{Failure, FailureKind, Stored};
use crate::{Algorithm, Digest, Instant};

const GIB: u64 = 1 << 30;

fn digest() -> Digest {
    Digest::of(Algorithm::Sha256, b"blob")
}

fn upload(size: u64, mounts: &[&str]) -> Upload<u8> {
    let mounts = mounts.iter().map(|name| name.parse().unwrap()).collect();
    Upload::new(1, place(), Content::new(Algorithm::Sha256, Some((digest(), size)), false), mounts)
}

/// Plays an upload; `registry` gives the answer to a request by its method and what it is about.
fn play(
    stage: &mut Stage,
    mut upload: Upload<u8>,
    registry: impl Fn(&str) -> Option<Response<Bytes>>,
) -> Result<Uploaded, Failure> {
    stage.with(|context| upload.begin(context));
    let result = stage.play(upload, registry);
    let digest = digest().to_string();
    stage.requests.iter_mut().for_each(|request| *request = request.replace(&digest, "BLOB"));
    result
}

/// An upload that `POST` number `n` of these opens is at `/uploads/n`.
fn opens(location: &str) -> Option<Response<Bytes>> {
    Some(respond(202, &[("location", location)], ""))
}

#[test]
fn every_repository_is_tried_and_the_newest_upload_is_used() {
    let mut stage = Stage::default();
    let uploaded = play(&mut stage, upload(GIB, &["team/one", "team/two"]), |request| match request {
        _ if request.contains("team/one") || request.contains("team%2Fone") => opens("/v2/a/b/one"),
        _ if request.contains("team/two") || request.contains("team%2Ftwo") => opens("/v2/a/b/two"),
        _ if request.starts_with("HEAD") => Some(respond(404, &[], "")),
        _ if request.starts_with("DELETE") => Some(respond(204, &[], "")),
        _ => Some(respond(201, &[], "")),
    });
    assert_eq!(uploaded.unwrap().how, Stored::Uploaded);
    let requests: Vec<&str> = stage.requests.iter().map(|request| request.split('?').next().unwrap()).collect();
    assert_eq!(
        requests,
        ["POST /blobs/uploads/", "POST /blobs/uploads/", "HEAD /blobs/BLOB", "PUT /two", "DELETE /one"]
    );
}

#[test]
fn a_mount_that_missed_does_not_send_what_is_there_and_leaves_nothing_open() {
    let mut stage = Stage::default();
    let uploaded = play(&mut stage, upload(GIB, &["team/one"]), |request| match request.split(' ').next() {
        Some("POST") => opens("/v2/a/b/one"),
        Some("HEAD") => Some(respond(200, &[], "")),
        _ => Some(respond(204, &[], "")),
    });
    assert_eq!(uploaded.unwrap().how, Stored::Existing);
    assert_eq!(stage.requests[1..], ["HEAD /blobs/BLOB", "DELETE /one"]);
}

#[test]
fn a_refused_head_is_advice() {
    for status in [401, 403, 405] {
        let mut stage = Stage::default();
        let uploaded = play(&mut stage, upload(GIB, &[]), |request| match request.split(' ').next() {
            Some("HEAD") => Some(respond(status, &[], "")),
            Some("POST") => opens("/v2/a/b/one"),
            _ => Some(respond(201, &[], "")),
        });
        assert_eq!(uploaded.unwrap().how, Stored::Uploaded, "{status}");
    }
}

/// A fuzzer's find: a proxy answers 499 to the commit, and another push has stored the blob meanwhile.
#[test]
fn an_upload_whose_blob_came_from_elsewhere_is_not_left_open() {
    let mut stage = Stage::default();
    let uploaded = play(&mut stage, upload(100_000, &[]), |request| match request.split(' ').next() {
        Some("POST") => opens("/v2/a/b/one"),
        Some("PUT") => Some(respond(499, &[], "")),
        Some("HEAD") => Some(respond(200, &[], "")),
        _ => Some(respond(204, &[], "")),
    });
    assert_eq!(uploaded.unwrap().how, Stored::Uploaded);
    assert_eq!(stage.requests[2..], ["HEAD /blobs/BLOB", "DELETE /one"]);
}

/// A fuzzer's find: a commit is sent again only after the registry was asked for its blob.
#[test]
fn a_commit_of_unknown_fate_is_asked_about_before_it_is_sent_again() {
    let mut stage = Stage::default();
    let failure = play(&mut stage, upload(100_000, &[]), |request| match request.split(' ').next() {
        Some("POST") => opens("/v2/a/b/one"),
        Some("PUT" | "PATCH") => None,
        Some("HEAD") => Some(respond(404, &[], "")),
        _ => Some(respond(204, &[], "")),
    });
    assert!(matches!(failure.unwrap_err().kind, FailureKind::TooManySessions { answer: None, .. }));
    let commits = stage.requests.iter().zip(&stage.requests[1..]).filter(|(request, _)| request.starts_with("PUT"));
    let after: Vec<&str> = commits.map(|(_, next)| next.as_str()).collect();
    assert!(after.len() > 1 && after.iter().all(|next| *next == "HEAD /blobs/BLOB"), "{:?}", stage.requests);
}

/// A fuzzer's find: what a registry says against a blob is told, and not the connection that was lost after it.
#[test]
fn the_last_word_is_the_registrys() {
    let mut flow = upload(0, &[]);
    let mut stage = Stage::default();
    stage.learned.single_post = Some(false);
    stage.with(|context| flow.begin(context));
    let mut answers = 0;
    while let Next::Send(Ok(exchange)) = flow.next(&stage.options) {
        answers += 1;
        let answer = |status: u16| Outcome::Answer {
            from: exchange.target.clone(),
            response: respond(status, &[("location", "/v2/a/b/one")], ""),
            end: crate::driver::End::Complete,
        };
        let outcome = match exchange.request.method().as_str() {
            "POST" => answer(202),
            "HEAD" => answer(404),
            "DELETE" => answer(204),
            // The registry refuses blobs of no bytes with 500; then the network fails.
            _ if answers < 6 => Outcome::Unknown {
                answer: Some(transient(&respond(
                    500,
                    &[],
                    r#"{"errors":[{"code":"UNKNOWN","message":"the disk is full"}]}"#,
                ))),
            },
            _ => Outcome::Failed(Failure::new(NoAnswer::Lost("gone".to_owned()))),
        };
        stage.with(|context| flow.outcome(outcome, context));
    }
    let failure = flow.finish().unwrap_err();
    let said = "the last answer was 500 Internal Server Error: UNKNOWN: the disk is full";
    assert!(failure.to_string().ends_with(said), "{failure}");
}

/// A fuzzer's find: the bytes of a one-shot source that went out are not asked for again, whoever asks for the request again.
#[test]
fn what_was_poured_is_not_poured_twice() {
    let mut flow = Upload::new(1, place(), Content::new(Algorithm::Sha256, None, true), Vec::new());
    let mut stage = Stage::default();
    stage.learned.chunks = Some(false);
    stage.with(|context| flow.begin(context));
    let Next::Send(Ok(post)) = flow.next(&stage.options) else { panic!("it opens no upload") };
    let opened = opens("/v2/a/b/one").unwrap();
    let opened = Outcome::Answer { from: post.target.clone(), response: opened, end: crate::driver::End::Complete };
    stage.with(|context| flow.outcome(opened, context));
    assert!(matches!(flow.next(&stage.options), Next::Read { .. }));
    stage.with(|context| flow.filled(10, context));
    let Next::Send(Ok(patch)) = flow.next(&stage.options) else { panic!("it sends nothing") };
    assert!(matches!(patch.request.body(), Body::Rest { from: 0, .. }));
    stage.with(|context| flow.ended(20, digest(), context));
    assert!(
        matches!(flow.next(&stage.options), Next::Send(Err(failure)) if failure.kind == FailureKind::NotReplayable)
    );
}

#[test]
fn a_limit_that_was_learned_is_forgotten_after_a_day() {
    let mut stage = Stage::default();
    stage.learned.learn_body_limit(1 << 20, Instant::ZERO);
    let put = |stage: &mut Stage| {
        stage.requests.clear();
        let uploaded =
            play(stage, upload(10 << 20, &[]).asking(Question::Nothing), |request| match request.split(' ').next() {
                Some("POST" | "PATCH") => opens("/v2/a/b/one"),
                _ => Some(respond(201, &[], "")),
            });
        uploaded.unwrap();
        stage.requests.iter().filter(|request| request.starts_with("PATCH")).count()
    };
    assert_eq!(put(&mut stage), 9);
    stage.now = Instant::ZERO + Duration::from_secs(24 * 3600 - 1);
    assert_eq!(put(&mut stage), 9);
    stage.now = Instant::ZERO + Duration::from_secs(24 * 3600);
    assert_eq!(put(&mut stage), 0);
}

/// A registry that is busy with the repository says 409 and to try again.
#[test]
fn a_conflict_when_an_upload_is_opened_is_tried_again() {
    for conflicts in [1, 9] {
        let mut stage = Stage::default();
        stage.learned.single_post = Some(false);
        let posts = std::cell::Cell::new(0);
        let result = play(&mut stage, upload(1000, &[]), |request| match request.split(' ').next() {
            Some("POST") if posts.replace(posts.get() + 1) < conflicts => Some(respond(409, &[], "")),
            Some("POST") => opens("/v2/a/b/one"),
            _ => Some(respond(201, &[], "")),
        });
        assert_eq!(result.is_ok(), conflicts == 1, "{:?}", stage.requests);
        assert!(posts.get() <= 5, "{:?}", stage.requests);
        if let Err(failure) = result {
            assert_eq!(failure.refused().map(|refused| refused.status.as_u16()), Some(409), "{failure}");
        }
    }
}

/// Plays an upload whose PUT lost its answer, at a registry that answers 404 to HEAD so often; how many bodies were sent.
fn bodies_at_a_late_registry(stage: &mut Stage, missing: usize) -> usize {
    let asked = Cell::new(0);
    let uploaded = play(stage, upload(100, &[]).asking(Question::Nothing), |request| match request.split(' ').next() {
        Some("POST") => opens("/v2/a/b/one"),
        Some("HEAD") => {
            asked.set(asked.get() + 1);
            Some(respond(if asked.get() <= missing { 404 } else { 200 }, &[], ""))
        }
        Some("PUT") => None,
        _ => Some(respond(204, &[], "")),
    });
    uploaded.unwrap();
    stage.requests.iter().filter(|request| request.starts_with("PUT")).count()
}

#[test]
fn a_blob_whose_answer_was_lost_is_waited_for_where_blobs_are_shown_late() {
    let late = |late_blobs| {
        let mut stage = Stage::default();
        (stage.learned.late_blobs, stage.learned.single_post) = (late_blobs, Some(false));
        stage
    };
    let mut stage = late(Some(true));
    assert_eq!(bodies_at_a_late_registry(&mut stage, 3), 1);
    assert_eq!(stage.waits, [1, 2, 3]);
    // It is not waited for without end, nor where nothing is known to be late.
    assert_eq!(bodies_at_a_late_registry(&mut late(Some(true)), 4), 2);
    let mut stage = late(None);
    assert_eq!(bodies_at_a_late_registry(&mut stage, 1), 2);
    assert_eq!(stage.waits, [1]);
}

/// A body is refused as too large, and then chunks are not supported: the first says why, the second only how not.
#[test]
fn a_failure_names_why_and_not_that_another_way_is_not_supported() {
    let mut stage = Stage::default();
    stage.learned.single_post = Some(false);
    let failure = play(&mut stage, upload(GIB, &[]), |request| match request.split(' ').next() {
        Some("POST") => opens("/v2/a/b/one"),
        Some("HEAD") => Some(respond(404, &[], "")),
        Some("DELETE") => Some(respond(204, &[], "")),
        Some("PUT") => Some(respond(413, &[], "")),
        _ => Some(respond(405, &[], "")),
    });
    let failure = failure.unwrap_err();
    assert!(failure.to_string().contains("413"), "{failure}");
}

/// Plays an upload at a registry that answers its bodies with these statuses, the last one again and again, and gives the
/// words of its failure.
fn words_after(statuses: &[u16]) -> String {
    let mut stage = Stage::default();
    stage.learned.single_post = Some(false);
    let puts = Cell::new(0);
    let failure = play(&mut stage, upload(0, &[]), |request| match request.split(' ').next() {
        Some("POST") => opens("/v2/a/b/one"),
        Some("HEAD") => Some(respond(404, &[], "")),
        Some("DELETE") => Some(respond(204, &[], "")),
        _ => {
            let status = statuses[puts.get().min(statuses.len() - 1)];
            puts.set(puts.get() + 1);
            Some(respond(status, &[], ""))
        }
    });
    failure.unwrap_err().to_string()
}

/// An upload that does not exist any more is an accident; what the registry makes of the blob each time is not.
#[test]
fn a_failure_names_the_status_of_each_try_and_not_an_upload_that_was_gone_once() {
    let words = words_after(&[404, 502]);
    assert!(words.contains("the last answer was 502"), "{words}");
}

/// A fuzzer's find: a registry whose uploads never exist, and a proxy that answers one of the bodies.
#[test]
fn a_failure_names_uploads_that_are_gone_each_time_and_not_the_status_of_one_try() {
    for statuses in [&[502, 404][..], &[404, 502, 404], &[404, 404, 404, 404, 502]] {
        let words = words_after(statuses);
        assert!(words.contains("404 Not Found"), "{statuses:?}: {words}");
    }
}
