//! Manifests that go before what they refer to, and what is believed without being asked.

use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, StatusCode};
use longshore_core::FailureKind;
use longshore_core::driver::{Body, Input, Key, Output};

use super::{Notes, Saboteur, on_answers, on_requests};

pub(super) fn all<K: Key>() -> Vec<Saboteur<K>> {
    vec![
        manifest_first(),
        trust_an_index(),
        forget_to_age(),
        on_answers!(
            "mount-taken-for-granted",
            "a mount that opened an upload counts as stored",
            "order",
            |_, sent, response| {
                let is_mount = sent.request.uri().query().is_some_and(|query| query.contains("mount="));
                if is_mount && response.status() == StatusCode::ACCEPTED {
                    *response.status_mut() = StatusCode::CREATED;
                }
            }
        ),
        on_answers!(
            "absent-taken-for-present",
            "a blob that is not there counts as there",
            "order",
            |_, sent, response| {
                if sent.is(&Method::HEAD, "/blobs/") && response.status() == StatusCode::NOT_FOUND {
                    *response.status_mut() = StatusCode::OK;
                }
            }
        ),
        on_requests!(
            "tag-children",
            "manifests that an index lists are pushed under its tag",
            "tags",
            |notes, request| {
                let path = request.uri().path().to_owned();
                if request.method() == Method::PUT && path.contains("/manifests/sha256:") && notes.count == 0 {
                    let (before, _) = path.rsplit_once('/').unwrap_or_default();
                    let uri = request.uri().to_string().replace(&path, &format!("{before}/v0"));
                    *request.uri_mut() = uri.parse().expect("it is a URL as before");
                    notes.count += 1;
                }
            }
        ),
        manifest_after_cancel(),
    ]
}

/// The client is told that a blob is stored, and it is sent when the manifest was.
fn manifest_first<K: Key>() -> Saboteur<K> {
    Saboteur::new("manifest-first", "the manifest goes before the blobs that it refers to", "order")
        .output(|notes, output| match output {
            Output::Send { id, request, keep, limits } if is_commit(&request) => {
                notes.answer(id, StatusCode::CREATED);
                notes.held.push(Output::Send { id, request, keep, limits });
                None
            }
            Output::Send { id, request, keep, limits } => {
                if request.method() == Method::PUT {
                    notes.to_driver.extend(notes.held.drain(..));
                }
                Some(Output::Send { id, request, keep, limits })
            }
            other => Some(other),
        })
        .input(unless_answered)
}

fn is_commit<K>(request: &http::Request<Body<K>>) -> bool {
    let names = request.uri().query().is_some_and(|query| query.contains("digest="));
    names && request.method() == Method::PUT && !request.uri().path().contains("/manifests/")
}

/// The client is not told what it was told before.
fn unless_answered<K>(notes: &mut Notes<K>, input: Input<K>) -> Option<Input<K>> {
    match input {
        Input::Answered { id, .. } | Input::Failed { id, .. } if notes.answered.contains(&id) => None,
        other => Some(other),
    }
}

fn trust_an_index<K: Key>() -> Saboteur<K> {
    let does = "a manifest that is sent by its digest counts as there, as if an index that lists it had proved that";
    Saboteur::new("trust-an-index", does, "stands").output(|notes, output| match output {
        Output::Send { id, request, .. }
            if request.method() == Method::PUT && request.uri().path().contains("/manifests/sha256:") =>
        {
            notes.answer(id, StatusCode::CREATED);
            None
        }
        other => Some(other),
    })
}

fn forget_to_age<K: Key>() -> Saboteur<K> {
    Saboteur::new("forget-to-age", "what was once there counts as there for ever", "stands")
        .output(|notes, output| match output {
            Output::Send { id, request, .. }
                if request.method() == Method::HEAD
                    && notes.known.iter().any(|digest| request.uri().path().ends_with(digest.as_str())) =>
            {
                notes.answer(id, StatusCode::OK);
                None
            }
            other => Some(other),
        })
        .input(|notes, input| {
            if let Input::Answered { id, response, .. } = &input
                && response.status() == StatusCode::CREATED
                && let Some(sent) = notes.sent.get(id)
            {
                let query = sent.request.uri().query().unwrap_or_default().replace("%3A", ":");
                notes.known.extend(query.split_once("digest=").map(|(_, digest)| digest.to_owned()));
            }
            Some(input)
        })
}

/// The question for the tag, sent again as a manifest when the client says that it was cancelled.
fn manifest_after_cancel<K: Key>() -> Saboteur<K> {
    Saboteur::new("manifest-after-cancel", "a manifest is sent after a cancel", "cancel").output(|notes, output| {
        match output {
            Output::Done { operation, result: Err(failure) } if failure.kind == FailureKind::Cancelled => {
                let asked = notes.sent.iter().find(|(_, sent)| sent.is(&Method::GET, "/manifests/"));
                if let Some((id, mut sent)) = asked.map(|(id, sent)| (*id, sent.clone())) {
                    *sent.request.method_mut() = Method::PUT;
                    *sent.request.body_mut() = Body::Bytes("{}".into());
                    sent.request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(2));
                    notes.to_driver.push_back(sent.again(id));
                }
                notes.to_driver.push_back(Output::Done { operation, result: Err(failure) });
                notes.to_driver.pop_front()
            }
            other => Some(other),
        }
    })
}
