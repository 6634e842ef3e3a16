use std::cell::Cell;

use bytes::Bytes;
use http::Response;

use super::*;
use crate::flow::stage::{Stage, place, respond};
use crate::outcome::FailureKind;

fn manifest(algorithm: Algorithm) -> Manifest {
    let bytes = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    Manifest::parse(&bytes[..]).unwrap().with_algorithm(algorithm)
}

fn v1() -> Tag {
    "v1".parse().unwrap()
}

fn refuse(status: u16, code: &str, message: &str) -> Response<Bytes> {
    respond(status, &[], format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#))
}

/// Puts a manifest under `v1` and gives the tags that name it then.
fn tags(
    stage: &mut Stage,
    manifest: Manifest,
    registry: impl Fn(&str) -> Option<Response<Bytes>>,
) -> Result<Vec<Tag>, FailureKind> {
    match stage.play(Commit::under(place(), manifest, v1()), registry) {
        Ok(Committed::Stored(stored)) => Ok(stored.tags),
        Ok(Committed::Missing(failure)) | Err(failure) => Err(failure.kind),
    }
}

/// A tag that holds something else: `heads` gives its digest each time that it is asked for.
fn contested(
    refusal: Response<Bytes>,
    refusals: usize,
    heads: &'static [&'static str],
) -> impl Fn(&str) -> Option<Response<Bytes>> {
    let (puts, asked) = (Cell::new(0), Cell::new(0));
    move |request| {
        if request.starts_with("PUT") {
            puts.set(puts.get() + 1);
            return Some(if puts.get() > refusals { respond(201, &[], "") } else { refusal.clone() });
        }
        let digest = heads[asked.get().min(heads.len() - 1)];
        asked.set(asked.get() + 1);
        let digest = Digest::of(Algorithm::Sha256, digest.as_bytes()).to_string();
        let type_ = "application/vnd.oci.image.index.v1+json";
        Some(respond(200, &[("docker-content-digest", &digest), ("content-type", type_)], ""))
    }
}

#[test]
fn a_conflict_of_two_writers_is_tried_again() {
    let conflict = || refuse(409, "CONFLICT", "the tag is being updated by another request");
    let mut stage = Stage::default();
    assert_eq!(tags(&mut stage, manifest(Algorithm::Sha256), contested(conflict(), 1, &["old"])), Ok(vec![v1()]));
    assert_eq!((stage.requests.len(), stage.waits.len()), (3, 1));
    // It does not go on for ever, and is told as what it is.
    let told = tags(&mut Stage::default(), manifest(Algorithm::Sha256), contested(conflict(), 9, &["old"]));
    assert!(matches!(told, Err(FailureKind::Answer(_))), "{told:?}");
}

#[test]
fn a_409_that_says_no_more_is_an_immutable_tag_only_where_the_tag_holds_the_same_still() {
    let bare = || respond(409, &[], "");
    let immutable = Err(FailureKind::ImmutableTag { tag: v1() });
    let put = |heads| tags(&mut Stage::default(), manifest(Algorithm::Sha256), contested(bare(), 2, heads));
    assert_eq!(put(&["old"]), immutable);
    assert_eq!(put(&["old", "another writer's"]), Ok(vec![v1()]));
}

#[test]
fn a_refusal_that_says_immutable_is_not_tried_again() {
    for (status, code) in [(409, "TAG_IMMUTABLE"), (412, "PRECONDITION"), (400, "TAG_INVALID")] {
        let mut stage = Stage::default();
        let told = tags(&mut stage, manifest(Algorithm::Sha256), contested(refuse(status, code, ""), 9, &["old"]));
        assert_eq!(told, Err(FailureKind::ImmutableTag { tag: v1() }), "{status}");
        assert_eq!(stage.requests.len(), 2);
    }
}

/// What a registry makes of `PUT manifests/<digest>?tag=v1`, of `PUT manifests/v1` and of HEAD by the digest.
fn with_sha512(by_digest: &Response<Bytes>, head: u16) -> (Vec<String>, Result<Vec<Tag>, FailureKind>) {
    let mut stage = Stage::default();
    let manifest = manifest(Algorithm::Sha512);
    let digest = manifest.digest().to_string();
    let result = tags(&mut stage, manifest, |request| {
        Some(match request.split_once(' ').unwrap() {
            ("PUT", path) if path.contains("sha512") => by_digest.clone(),
            ("PUT", _) => respond(201, &[], ""),
            _ => respond(head, &[], ""),
        })
    });
    (stage.requests.into_iter().map(|request| request.replace(&digest, "DIGEST")).collect(), result)
}

#[test]
fn a_digest_that_is_no_sha256_is_put_with_its_tag_and_the_registry_confirms_both() {
    let (requests, result) = with_sha512(&respond(201, &[("oci-tag", "v1")], ""), 404);
    assert_eq!(requests, ["PUT /manifests/DIGEST?tag=v1"]);
    assert_eq!(result, Ok(vec![v1()]));
    // The digest is confirmed, and the parameter not known.
    let (requests, result) = with_sha512(&respond(201, &[], ""), 404);
    assert_eq!(requests, ["PUT /manifests/DIGEST?tag=v1", "PUT /manifests/v1"]);
    assert_eq!(result, Ok(vec![v1()]));
}

#[test]
fn a_digest_that_the_registry_refuses_is_asked_for_before_it_is_told() {
    let refusal = || refuse(400, "DIGEST_INVALID", "unsupported algorithm");
    let asked = ["PUT /manifests/DIGEST?tag=v1", "PUT /manifests/v1", "HEAD /manifests/DIGEST"];
    let (requests, result) = with_sha512(&refusal(), 200);
    assert_eq!(requests, asked);
    assert_eq!(result, Ok(vec![v1()]));
    let (requests, result) = with_sha512(&refusal(), 404);
    assert_eq!(requests, asked);
    let digest = manifest(Algorithm::Sha512).digest();
    assert_eq!(result, Err(FailureKind::NotServed { digest, tag: Some(v1()) }));
}

#[test]
fn where_head_is_refused_get_tells_what_stands_there() {
    for status in [401, 403, 405] {
        let mut stage = Stage::default();
        let ours = manifest(Algorithm::Sha256);
        let result = tags(&mut stage, ours.clone(), |request| {
            Some(match request.split_once(' ').unwrap().0 {
                // A web server that knows nothing of manifests also says 200.
                "PUT" => respond(200, &[], ""),
                "HEAD" => respond(status, &[], ""),
                _ => respond(200, &[("content-type", ours.media_type().as_str())], ours.bytes().clone()),
            })
        });
        assert_eq!(result, Ok(vec![v1()]), "{status}");
        assert_eq!(stage.requests, ["PUT /manifests/v1", "HEAD /manifests/v1", "GET /manifests/v1"]);
    }
}

/// A refused manifest is not there because a proxy answers the question with a page of its own.
#[test]
fn a_page_in_place_of_a_head_by_digest_proves_nothing() {
    for content_type in ["text/plain", "text/html; charset=utf-8"] {
        let mut stage = Stage::default();
        let ours = manifest(Algorithm::Sha256);
        let result = stage.play(Commit::by_digest(place(), ours.clone()), |request| {
            Some(match request.split_once(' ').unwrap().0 {
                "PUT" => refuse(400, "UNSUPPORTED", "no such manifests here"),
                "HEAD" => respond(200, &[("content-type", content_type)], ""),
                _ => respond(404, &[], ""),
            })
        });
        assert!(result.is_err(), "{content_type}: {result:?}");
    }
}

#[test]
fn what_was_not_given_is_asked_for_with_get_where_head_is_refused() {
    use crate::flow::{Exists, Found};
    let ours = manifest(Algorithm::Sha256);
    let get = format!("GET /manifests/{}", ours.digest());
    for (status, found) in [(200, Found::Present), (404, Found::Absent), (403, Found::NotSaid)] {
        let mut stage = Stage::default();
        let result = stage.play(Exists::new(place(), ours.digest(), true), |request| {
            Some(match request.split_once(' ').unwrap().0 {
                "HEAD" => respond(405, &[], ""),
                _ => respond(status, &[("content-type", ours.media_type().as_str())], ours.bytes().clone()),
            })
        });
        assert_eq!(result, Ok(found), "{status}");
        assert_eq!(stage.requests.last(), Some(&get));
    }
    let blob = Exists::new(place(), ours.digest(), false);
    assert_eq!(Stage::default().play(blob, |_| Some(respond(405, &[], ""))), Ok(Found::NotSaid));
}

/// What refers to a blob is refused without the spec's error codes, as behind a proxy that puts pages in their place.
fn image() -> Manifest {
    let digest = Digest::of(Algorithm::Sha256, b"blob");
    Manifest::parse(format!(r#"{{"schemaVersion":2,"config":{{"digest":"{digest}","size":4}},"layers":[]}}"#)).unwrap()
}

#[test]
fn a_refusal_without_a_reason_may_be_about_what_is_missing() {
    let without_a_code = r#"{"errors":[{"message":"something is not there"}]}"#;
    for (status, body) in [(400, "<h1>400 Bad Request</h1>"), (404, ""), (400, without_a_code)] {
        let mut stage = Stage::default();
        let result = stage.play(Commit::under(place(), image(), v1()), |request| {
            Some(if request.starts_with("PUT") { respond(status, &[], body) } else { respond(404, &[], "") })
        });
        assert!(matches!(result, Ok(Committed::Missing(_))), "{status} {body}: {result:?}");
        assert_eq!(stage.requests, ["PUT /manifests/v1", "HEAD /manifests/v1"]);
    }
    // Nothing can be missing of what refers to nothing, and a code is a reason.
    let final_refusals = [
        (manifest(Algorithm::Sha256), respond(400, &[], "")),
        (image(), refuse(400, "UNSUPPORTED", "")),
        (image(), respond(422, &[], "")),
    ];
    for (manifest, refusal) in final_refusals {
        let result = Stage::default().play(Commit::under(place(), manifest, v1()), |request| {
            Some(if request.starts_with("PUT") { refusal.clone() } else { respond(404, &[], "") })
        });
        assert!(result.is_err(), "{result:?}");
    }
}

/// A refusal without a reason may be about the `tag` parameters too: that is tried first, because it takes one request.
#[test]
fn a_refusal_without_a_reason_is_first_taken_to_be_about_the_tag_parameters() {
    let mut stage = Stage::default();
    let commit = Commit::with_tags(place(), image(), vec![v1(), "v2".parse().unwrap()]);
    let result = stage.play(commit, |request| {
        Some(if request.contains('?') { respond(400, &[], "") } else { respond(201, &[], "") })
    });
    assert!(matches!(result, Ok(Committed::Stored(_))), "{result:?}");
    assert_eq!(stage.requests.len(), 2);
    assert_eq!(stage.learned.tag_parameter, Some(false));
}

#[test]
fn a_conflict_whose_question_is_refused_too_is_tried_again() {
    let puts = Cell::new(0);
    let mut stage = Stage::default();
    let result = tags(&mut stage, manifest(Algorithm::Sha256), |request| {
        if !request.starts_with("PUT") {
            return Some(respond(403, &[], ""));
        }
        puts.set(puts.get() + 1);
        Some(respond(if puts.get() == 1 { 409 } else { 201 }, &[], ""))
    });
    assert_eq!(result, Ok(vec![v1()]));
}
