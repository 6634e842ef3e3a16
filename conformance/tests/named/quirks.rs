//! One quirk a test, by the id of its quirk.

use std::cell::RefCell;

use http::Method;
use longshore_conformance::Case;
use longshore_conformance::quirk::spec_true;
use longshore_memory::{Fault, Said, Schedule};
use longshore_mock_registry as mock;
use longshore_mock_registry::auth::{Auth, Password};

use crate::pushing::{Came, Pushing, answer, is_blob_put};

#[test]
fn put_retry_after_commit_404() {
    // Somebody on the way sends the PUT twice: what comes back is that the upload is gone.
    let image = Pushing::new(spec_true()).image;
    let plain = Pushing::new(spec_true()).run(|_| None);
    let puts = plain.transcript.entries.iter().filter_map(|entry| match &entry.what {
        Said::Asked { head, .. } if head.method == Method::PUT && head.uri.path().contains("/blobs/") => {
            Some(entry.request)
        }
        _ => None,
    });
    for put in puts.collect::<Vec<_>>() {
        for fault in [Fault::Twice, Fault::AnswerLost] {
            let faults = Schedule::list([(put, fault)]);
            let came = Pushing { faults, ..Pushing::new(spec_true()) }.run(|_| None);
            came.stands(&image);
            assert_eq!(came.asked(&Method::PUT, "/blobs/").len(), image.blobs.len(), "{}", came.transcript);
        }
    }
}

/// 202 to a mount is an upload, and its bytes are sent.
#[test]
fn mount_202_session_lost_blob() {
    let mut options = spec_true();
    options.behaviour.mount.policy = mock::behaviour::MountPolicy::Never;
    let pushing = Pushing { mounts: true, ..Pushing::new(options) }.with_blobs_in("library/base");
    let image = pushing.image.clone();
    let pushed = pushing.run(|_| None).stands(&image);
    assert_eq!((pushed.mounted, pushed.uploaded), (0, image.blobs.len() as u64));
}

/// The upload that a mount opened is used, so there is nothing to cancel.
#[test]
fn mount_cancel_needs_delete() {
    for cancel in [401, 405] {
        let mut options = spec_true();
        options.behaviour.mount.policy = mock::behaviour::MountPolicy::Never;
        options.behaviour.status.cancel = cancel;
        let pushing = Pushing { mounts: true, ..Pushing::new(options) };
        let image = pushing.image.clone();
        let came = pushing.run(|_| None);
        came.stands(&image);
        assert_eq!(came.asked(&Method::DELETE, ""), [""; 0]);
        assert_eq!(came.asked(&Method::POST, "").len(), image.blobs.len(), "{}", came.transcript);
        assert!(came.registry.state.uploads.is_empty());
    }
}

/// The right to read the source cannot be had: neither from the token service, nor of the registry. The push goes on.
#[test]
fn mount_token_fetch_fails() {
    for status in [400, 401, 403, 404, 500, 503] {
        let rights = "*=*".parse().unwrap();
        let auth = Auth::bearer().user("user", Password::plain("password"), rights);
        let options = spec_true().with_auth(auth);
        let pushing = Pushing { mounts: true, ..Pushing::new(options) };
        let image = pushing.image.clone();
        let came = pushing.run(|request| {
            let query = request.uri().query().unwrap_or_default();
            let is_it = request.uri().path() == "/token" && query.contains("library%2Fbase");
            let is_it = is_it || request.uri().path() == "/token" && query.contains("library/base");
            is_it.then(|| answer(status, "who is that?"))
        });
        assert!(!came.asked(&Method::GET, "base").is_empty(), "it was asked for\n{}", came.transcript);
        let pushed = came.stands(&image);
        assert_eq!((pushed.mounted, pushed.uploaded), (0, image.blobs.len() as u64), "{status}");
    }
}

/// A blob that is there and is denied is sent again, and 201 is as it should be.
#[test]
fn blob_head_404_while_gc() {
    let mut pushing = Pushing::new(spec_true()).with_blobs_in(Case::repository().as_str());
    pushing.learned.self_mount = Some(false);
    let image = pushing.image.clone();
    let came = pushing.run(|request| (request.method() == Method::HEAD).then(|| answer(404, "")));
    assert_eq!(came.stands(&image).uploaded, image.blobs.len() as u64);
}

/// A HEAD that is refused says no more than its status; the request that is refused after it says why.
#[test]
fn head_errors_have_no_body() {
    let mut options = spec_true();
    options.behaviour.manifests.read_only = Some(403);
    options.behaviour.read.missing_blob = 403;
    let came = Pushing::new(options).run(|_| None);
    let failure = came.result.unwrap_err();
    let refused = failure.refused().unwrap_or_else(|| panic!("{failure}"));
    assert_eq!(refused.status, 403);
    assert!(refused.errors.has_code("DENIED") && failure.to_string().contains("DENIED"), "{failure}");
}

/// A proxy that does not let long bodies through, whatever it answers: chunks get there.
#[test]
fn proxy_499_408_on_large_body() {
    for status in [408, 413, 499] {
        let pushing = Pushing::new(spec_true());
        let image = pushing.image.clone();
        let came = pushing.run(|request| {
            let is_long = is_blob_put(request) || request.method() == Method::PATCH;
            (is_long && request.body().len() > 32).then(|| answer(status, "<html><h1>no</h1></html>"))
        });
        came.stands(&image);
        assert!(!came.asked(&Method::PATCH, "").is_empty());
    }
}

/// The statuses that may be others a moment later are asked again, and no others are.
#[test]
fn retryable_status_set() {
    // 401 is answered with credentials. 409 may be about another writer of the repository.
    for status in (400..=599).filter(|status| *status != 401) {
        let may_pass = [408, 409, 429, 499, 500, 502, 503, 504, 522].contains(&status);
        let (mut times, pushing) = (0, Pushing::new(spec_true()));
        let image = pushing.image.clone();
        let came = pushing.run(|request| {
            // A mount that is refused ends nothing.
            if request.uri().query().is_some_and(|query| query.contains("mount=")) {
                return Some(answer(405, ""));
            }
            let is_first = request.method() == Method::POST && times == 0;
            is_first.then(|| {
                times += 1;
                answer(status, "")
            })
        });
        if may_pass {
            came.stands(&image);
        } else {
            assert!(came.result.is_err(), "{status}\n{}", came.transcript);
            let mounts = came.asked(&Method::POST, "mount=").len();
            assert_eq!(came.asked(&Method::POST, "").len() - mounts, 1, "{status}\n{}", came.transcript);
        }
    }
}

/// Headers that are none end no push where nothing depends on them.
#[test]
fn invalid_response_header() {
    let pushing = Pushing::new(spec_true());
    let (image, registry) = (pushing.image.clone(), RefCell::new(mock::Registry::new(spec_true())));
    let broken: [(&str, &[u8]); 7] = [
        ("content-length", b"None"),
        ("range", b"\xff\xfe"),
        ("retry-after", b"soon"),
        ("etag", b"no quotes \x80"),
        ("link", b"<<;rel"),
        ("warning", b"299"),
        ("oci-chunk-min-length", b"-1"),
    ];
    let came = pushing.run(|request| {
        let mut answer = registry.borrow_mut().answer(mock::Instant::default(), request.clone()).unwrap();
        for (name, value) in broken {
            answer.headers_mut().insert(name, http::HeaderValue::from_bytes(value).unwrap());
        }
        Some(answer)
    });
    let registry = registry.into_inner();
    Came { registry, ..came }.stands(&image);
}

/// A mistake that the registry calls its own is not made for ever: after a few times it is tried in another way.
#[test]
fn a_500_for_a_client_mistake() {
    // No whole blob in a PUT; no `Content-Range` on any chunk but the first; neither.
    for (no_whole, no_range) in [(true, false), (true, true)] {
        let pushing = Pushing::new(spec_true());
        let image = pushing.image.clone();
        let came = pushing.run(|request| {
            let has_range = request.headers().contains_key("content-range");
            let is_whole = is_blob_put(request) && !request.body().is_empty() && !has_range;
            (is_whole && no_whole || has_range && no_range).then(|| answer(500, "UNKNOWN"))
        });
        came.stands(&image);
        assert!(came.result.as_ref().unwrap().requests < 60, "{}", came.transcript);
    }
}

/// What is pushed by digest alone may soon be gone: the root goes under its tag at once.
#[test]
fn push_by_digest_temporary() {
    for tags in 1..=2 {
        let mut pushing = Pushing::new(spec_true());
        pushing.tags = (0..tags).map(|number| format!("v{number}").parse().unwrap()).collect();
        let came = pushing.run(|_| None);
        let puts = came.asked(&Method::PUT, "/manifests/");
        assert!(puts.len() == tags && puts.iter().all(|uri| uri.contains("/manifests/v")), "{puts:?}");
    }
}

/// A registry that does not know the `tag` parameter, and says so, is asked for one tag at a time; and it is learned.
#[test]
fn tag_parameter_unsupported() {
    for status in [400, 404, 405, 414, 422, 431, 501] {
        let mut pushing = Pushing::new(spec_true());
        pushing.tags = (0..4).map(|number| format!("v{number}").parse().unwrap()).collect();
        let (image, tags) = (pushing.image.clone(), pushing.tags.clone());
        let came = pushing.run(|request| {
            let query = request.uri().query().unwrap_or_default();
            let is_it = request.uri().path().contains("/manifests/") && query.contains("tag=");
            is_it.then(|| answer(status, r#"{"errors":[{"code":"UNSUPPORTED"}]}"#))
        });
        came.stands(&image);
        for tag in tags {
            assert_eq!(came.registry.state.repositories[&Case::repository()].tags[&tag], image.root.digest());
        }
        assert_eq!(came.asked(&Method::PUT, "tag=").len(), 1, "{}", came.transcript);
        assert_eq!(came.learned.tag_parameter, Some(false));
    }
}

/// One tag of many may not be moved: that is told of it, and the registry is not thought to know no parameter.
#[test]
fn tag_parameter_with_an_immutable_tag() {
    let mut pushing = Pushing::new(spec_true());
    pushing.tags = (0..3).map(|number| format!("v{number}").parse().unwrap()).collect();
    let came = pushing.run(|request| {
        let uri = request.uri().to_string();
        let is_it = request.method() == Method::PUT && (uri.contains("tag=v1") || uri.ends_with("/manifests/v1"));
        is_it.then(|| answer(409, r#"{"errors":[{"code":"TAG_IMMUTABLE"}]}"#))
    });
    let failure = came.result.as_ref().unwrap_err();
    assert_eq!(failure.refused().map(|refused| refused.status.as_u16()), Some(409), "{failure}");
    assert_eq!(came.learned.tag_parameter, None);
}
