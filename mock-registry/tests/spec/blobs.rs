//! The base, and blobs that are there: `end-1`, `end-2`, `end-10` and `end-11`.

use longshore_mock_registry::behaviour::AnswerChange;
use longshore_mock_registry::profile::Profile;
use longshore_mock_registry::{Instant, Registry};

use crate::stage;
use crate::transcript::push;

#[test]
fn end_1_support() {
    stage().play(
        "C: GET /v2/
         S: 200
         C: GET /v2/_nothing
         S: 404
         C: DELETE /v2/
         S: 405",
    );
}

/// RFC 9110, section 15.5.6.
#[test]
fn a_method_that_is_refused_comes_with_those_that_are_not() {
    for (refused, allowed) in [
        ("PUT /v2/", "GET, HEAD"),
        ("POST /v2/_catalog", "GET, HEAD"),
        ("PUT /v2/a/blobs/{hello}", "DELETE, GET, HEAD"),
        ("PUT /v2/a/blobs/uploads/", "POST"),
        ("HEAD /v2/a/blobs/uploads/x", "DELETE, GET, PATCH, PUT"),
        ("POST /v2/a/manifests/v1", "DELETE, GET, HEAD, PUT"),
        ("DELETE /v2/a/tags/list", "GET, HEAD"),
        ("PUT /v2/a/referrers/{hello}", "GET, HEAD"),
    ] {
        stage().play(&format!("C: {refused}\nS: 405\nS: Allow: {allowed}"));
    }
}

/// RFC 9110, section 13.1.5: without the validator that the blob is sent with, all of it is sent.
#[test]
fn a_range_is_sent_only_of_what_the_client_knows() {
    let mut stage = stage();
    push(&mut stage, "a", "hello");
    let get = |condition: &str| format!("C: GET /v2/a/blobs/{{hello}}\nC: Range: bytes=1-2\n{condition}S: ");
    let (part, whole) = ("206\nS: Content-Range: bytes 1-2/5\nS:\nS: el", "200\nS: !content-range\nS:\nS: hello");
    stage.play(&[&get(""), part].concat());
    let date = "Wed, 21 Oct 2015 07:28:00 GMT";
    for condition in ["\"x\"", "W/\"x\"", "\"{hello}\"", date] {
        stage.play(&[&get(&format!("C: If-Range: {condition}\n")), whole].concat());
    }
    let change = AnswerChange::to("end-2 200".parse().unwrap());
    let change = change.header("etag", "\"{docker-content-digest}\"").header("last-modified", date);
    stage.registry.options.behaviour.answers = vec![change];
    for (condition, expected) in [("\"{hello}\"", part), (date, part), ("\"x\"", whole), ("W/\"{hello}\"", whole)] {
        stage.play(&[&get(&format!("C: If-Range: {condition}\n")), expected].concat());
    }
}

#[test]
fn answers_say_which_api_it_is_unless_a_profile_says_that_they_do_not() {
    for (value, base, other) in [("always", true, true), ("base-only", true, false), ("absent", false, false)] {
        let mut profile = Profile::named("spec").unwrap();
        profile.set(&format!("read.api-version={value}")).unwrap();
        let mut registry = Registry::new(profile.options());
        for (path, is_said) in [("/v2/", base), ("/v2/a/tags/list", other)] {
            let request = http::Request::get(path).body(bytes::Bytes::new()).unwrap();
            let answer = registry.answer(Instant::default(), request).unwrap();
            let said =
                answer.headers().get("docker-distribution-api-version").is_some_and(|said| said == "registry/2.0");
            assert_eq!(said, is_said, "{value} {path}");
        }
    }
}

#[test]
fn end_11_mount() {
    let mut stage = stage();
    push(&mut stage, "from/here", "hello");
    stage.play(
        "C: POST /v2/a/blobs/uploads/?mount={hello}&from=from/here
         S: 201
         S: Location: /v2/a/blobs/{hello}
         S: Docker-Content-Digest: {hello}
         C: HEAD /v2/a/blobs/{hello}
         S: 200
         C: POST /v2/b/blobs/uploads/?mount={hello}
         S: 201
         C: POST /v2/a/blobs/uploads/?mount={absent}&from=from/here
         S: 202
         S: Location: {location}
         C: DELETE {location}
         S: 204
         C: POST /v2/c/blobs/uploads/?mount={hello}&from=no/such
         S: 202
         C: POST /v2/c/blobs/uploads/?mount=sha256:00&from=from/here
         S: 400
         C: HEAD /v2/c/blobs/{hello}
         S: 404",
    );
}

#[test]
fn end_2_ranges() {
    let mut stage = stage();
    push(&mut stage, "a", "hello");
    stage.play(
        "C: GET /v2/a/blobs/{hello}
         C: Range: bytes=1-2
         S: 206
         S: Content-Range: bytes 1-2/5
         S: Content-Length: 2
         S:
         S: el
         C: GET /v2/a/blobs/{hello}
         C: Range: bytes=9-
         S: 416
         S: Content-Range: bytes */5
         C: HEAD /v2/a/blobs/{hello}
         C: Range: bytes=1-2
         S: 200
         S: Content-Length: 5
         C: GET /v2/a/blobs/sha256:00
         S: 400
         C: GET /v2/a/blobs/md5:d41d8cd98f00b204e9800998ecf8427e
         S: 404",
    );
}

#[test]
fn end_10_s5_deleted_blobs_are_gone_here_and_stay_elsewhere() {
    let mut stage = stage();
    push(&mut stage, "a", "hello");
    push(&mut stage, "b", "hello");
    stage.play(
        "C: DELETE /v2/a/blobs/{hello}
         S: 202
         C: GET /v2/a/blobs/{hello}
         S: 404
         C: DELETE /v2/a/blobs/{hello}
         S: 404
         C: GET /v2/b/blobs/{hello}
         S: 200
         S:
         S: hello
         C: DELETE /v2/b/blobs/{hello}
         S: 202
         C: POST /v2/a/blobs/uploads/?mount={hello}
         S: 202",
    );
}
