//! What a refusal, or what looks like an answer, leads to: how many requests follow it, and which.

use http::{Method, Request};
use longshore_conformance::quirk::spec_true;
use longshore_core::FailureKind;
use longshore_memory::{Fault, Said, Schedule};

use crate::pushing::{Came, Pushing, answer, is_blob_put};

fn is_post(request: &Request<bytes::Bytes>) -> bool {
    request.method() == Method::POST
}

/// quirk `post-200-healthcheck`: a success that opens nothing is a load balancer's, and the POST is made again.
#[test]
fn post_200_healthcheck() {
    let pushing = Pushing::new(spec_true());
    let (image, mut times) = (pushing.image.clone(), 0);
    let came = pushing.run(|request| {
        let is_first = is_post(request) && times < 2;
        times += usize::from(is_post(request));
        is_first.then(|| answer(200, "Healthcheck requested"))
    });
    came.stands(&image);
}

/// Who may not push is told so once, and not asked again in another way.
#[test]
fn a_body_that_is_forbidden_is_sent_once() {
    for single_post in [0, 1 << 20] {
        let mut pushing = Pushing::new(spec_true());
        pushing.options.single_post = single_post;
        pushing.options.ask_above = u64::MAX;
        let came = pushing.run(|request| {
            let has_body = !request.body().is_empty() && (is_blob_put(request) || is_post(request));
            has_body.then(|| answer(403, r#"{"errors":[{"code":"DENIED"}]}"#))
        });
        let failure = came.result.as_ref().unwrap_err();
        assert_eq!(failure.refused().map(|refused| refused.status.as_u16()), Some(403), "{failure}");
        assert_eq!(bodies(&came), 1, "{}", came.transcript);
        assert!(came.registry.state.uploads.is_empty(), "{}", came.transcript);
    }
}

/// The requests that carried bytes of a blob.
fn bodies(came: &Came) -> usize {
    let has_bytes =
        |what: &Said<_>| matches!(what, Said::Asked { body: longshore_core::driver::Body::Blob { .. }, .. });
    came.transcript.entries.iter().filter(|entry| has_bytes(&entry.what)).count()
}

/// A registry that asks for a longer pause than we take is asked for nothing more: not even to forget the upload.
#[test]
fn nothing_is_asked_after_a_pause_that_is_too_long() {
    let came = Pushing::new(spec_true()).run(|request| {
        is_blob_put(request).then(|| {
            let mut answer = answer(429, "");
            answer.headers_mut().insert("retry-after", http::HeaderValue::from_static("100000"));
            answer
        })
    });
    assert!(matches!(came.result.as_ref().unwrap_err().kind, FailureKind::RetryAfter { .. }));
    let asked = came.transcript.entries.iter().filter(|entry| matches!(entry.what, Said::Asked { .. }));
    let last = asked.last().map(|entry| entry.request);
    let refused = came.transcript.entries.iter().rev().find(|entry| matches!(entry.what, Said::Answered { .. }));
    assert_eq!(last, refused.map(|entry| entry.request), "{}", came.transcript);
}

/// What the registry does not take it is not sent again for the next blob.
#[test]
fn a_way_that_is_closed_is_learned() {
    let mut pushing = Pushing::new(spec_true());
    pushing.options.ask_above = u64::MAX;
    let image = pushing.image.clone();
    let came = pushing.run(|request| {
        let is_whole =
            is_blob_put(request) && !request.body().is_empty() && !request.headers().contains_key("content-range");
        is_whole.then(|| answer(405, ""))
    });
    came.stands(&image);
    assert_eq!(came.learned.whole_put, Some(false));
    let whole = came
        .transcript
        .entries
        .iter()
        .filter(|entry| matches!(&entry.what, Said::Answered { answer, .. } if answer.status() == 405));
    assert_eq!(whole.count(), 1, "{}", came.transcript);
}

/// A registry that shows a blob and says that it is missing is given time to see it, and then the bytes, once.
#[test]
fn a_blob_that_is_here_and_missing_is_sent() {
    let pushing = Pushing::new(spec_true());
    let (image, mut puts) = (pushing.image.clone(), 0);
    let came = pushing.run(|request| {
        puts += usize::from(is_blob_put(request));
        let is_manifest = request.method() == Method::PUT && request.uri().path().contains("/manifests/");
        (is_manifest && puts < 6).then(|| answer(400, r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}"#))
    });
    came.stands(&image);
    assert_eq!(came.asked(&Method::PUT, "/blobs/").len(), 6, "{}", came.transcript);
    // Once at first, three times while they may be late to be seen, and once after the bytes.
    assert_eq!(came.asked(&Method::PUT, "/manifests/").len(), 5, "{}", came.transcript);
}

/// What is refused as a manifest is read in full before it is believed: its body may be cut.
#[test]
fn a_refusal_that_is_cut_is_asked_for_again() {
    let pushing = Pushing::new(spec_true());
    let image = pushing.image.clone();
    let plain = Pushing::new(spec_true()).run(|_| None);
    let put = plain.transcript.entries.iter().find_map(|entry| match &entry.what {
        Said::Asked { head, .. } if head.uri.path().ends_with("/manifests/v0") && head.method == Method::PUT => {
            Some(entry.request)
        }
        _ => None,
    });
    let faults = Schedule::list([(put.unwrap(), Fault::AnswerCut(5))]);
    let mut times = 0;
    let came = Pushing { faults, ..pushing }.run(|request| {
        let is_put = request.method() == Method::PUT && request.uri().path().ends_with("/manifests/v0");
        times += usize::from(is_put);
        (is_put && times == 1).then(|| answer(400, r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}"#))
    });
    came.stands(&image);
    // Nothing was missing, so nothing is asked about.
    assert_eq!(came.asked(&Method::HEAD, "/blobs/").len(), plain.asked(&Method::HEAD, "/blobs/").len());
}

/// Somebody overwrites the list of referrers each time: that is told after so many tries.
#[test]
fn a_list_that_is_always_overwritten() {
    let mut options = spec_true();
    options.behaviour.referrers.api = longshore_mock_registry::behaviour::ReferrersApi::NotFound;
    let mut pushing = Pushing::new(options);
    let subject = pushing.image.root.clone();
    let mut document: serde_json::Value = serde_json::from_slice(subject.bytes()).unwrap();
    document["subject"] = serde_json::to_value(subject.descriptor()).unwrap();
    pushing.image.manifests.push(longshore_core::Manifest::parse(document.to_string()).unwrap());
    let mut times = 0;
    let came = pushing.run(|request| {
        let is_list = request.uri().path().contains("/manifests/sha256-");
        (is_list && request.method() == Method::GET).then(|| {
            times += 1;
            // Each time another one stands there.
            let body = format!(
                r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"annotations":{{"n":"{times}"}}}}"#
            );
            let answer = http::Response::builder().header("content-type", "application/vnd.oci.image.index.v1+json");
            answer.body(bytes::Bytes::from(body)).unwrap()
        })
    });
    let failure = came.result.as_ref().unwrap_err();
    assert!(matches!(failure.kind, FailureKind::ReferrersConflict { tries: 10, .. }), "{failure}");
    assert_eq!(came.asked(&Method::PUT, "/manifests/sha256-").len(), 10);
}

/// A registry that took note of another subject than the manifest's did not list it.
#[test]
fn another_oci_subject_is_none() {
    let mut pushing = Pushing::new(spec_true());
    let subject = pushing.image.root.clone();
    let mut document: serde_json::Value = serde_json::from_slice(subject.bytes()).unwrap();
    document["subject"] = serde_json::to_value(subject.descriptor()).unwrap();
    let artifact = longshore_core::Manifest::parse(document.to_string()).unwrap();
    let (is_it, other) = (artifact.digest().to_string(), artifact.digest().to_string());
    pushing.image.manifests.push(artifact);
    let came = pushing.run(|request| {
        let is_put = request.method() == Method::PUT && request.uri().path().ends_with(&is_it);
        is_put.then(|| {
            let answer = http::Response::builder().status(201).header("oci-subject", other.clone());
            answer.header("docker-content-digest", is_it.clone()).body(bytes::Bytes::new()).unwrap()
        })
    });
    came.result.as_ref().unwrap();
    // It is not taken for listed.
    assert_eq!(came.asked(&Method::GET, "/referrers/").len(), 1, "{}", came.transcript);
}
