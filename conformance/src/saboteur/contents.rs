//! Results, manifests and lists that are not what they should be.

use http::{Method, StatusCode};
use longshore_core::driver::{Body, Key, NoAnswer, Output};
use longshore_core::{Event, FailureKind, Receipt};
use serde_json::Value;

use super::{Saboteur, on_answers, on_requests};

pub(super) fn all<K: Key>() -> Vec<Saboteur<K>> {
    let mut all = vec![success_always(), last_accident(), list_dropped(), list_overwritten()];
    all.push(on_requests!("other-bytes", "a manifest is written anew before it is sent", "tags", |_, request| {
        if let Body::Bytes(bytes) = request.body_mut()
            && bytes.starts_with(b"{")
        {
            *bytes = [&bytes[..], b"\n"].concat().into();
            let len = bytes.len();
            request.headers_mut().insert(http::header::CONTENT_LENGTH, len.into());
        }
    }));
    all.push(on_answers!(
        "refusal-taken-for-success",
        "a manifest that is refused counts as stored",
        "stands",
        |_, sent, response| {
            if sent.is(&Method::PUT, "/manifests/") && response.status().is_client_error() {
                *response.status_mut() = StatusCode::CREATED;
            }
        }
    ));
    all.push(on_answers!(
        "reported-digest-ignored",
        "the digest that the registry reports for a manifest is not compared",
        "acknowledged",
        |_, sent, response| {
            if sent.is(&Method::PUT, "/manifests/") {
                response.headers_mut().remove("docker-content-digest");
            }
        }
    ));
    all.push(Saboteur::new("progress-falls", "the progress is told from its end to its beginning", "progress").output(
        |_, output| match output {
            Output::Event(Event::Progress { operation, done, total: Some(total) }) => {
                Some(Output::Event(Event::Progress { operation, done: total - done, total: Some(total) }))
            }
            other => Some(other),
        },
    ));
    all
}

fn success_always<K: Key>() -> Saboteur<K> {
    Saboteur::new("success-always", "a push that failed is told as done", "stands").output(|_, output| match output {
        Output::Done { operation, result: Err(failure) } if failure.kind != FailureKind::Cancelled => {
            Some(Output::Done { operation, result: Ok(Receipt::Allowed) })
        }
        other => Some(other),
    })
}

fn last_accident<K: Key>() -> Saboteur<K> {
    Saboteur::new("last-accident", "a failure names a connection that was lost, and not what was refused", "outcome")
        .output(|_, output| match output {
            Output::Done { operation, result: Err(mut failure) } if failure.kind != FailureKind::Cancelled => {
                failure.kind = FailureKind::NoAnswer(NoAnswer::Lost("the other side closed the connection".to_owned()));
                Some(Output::Done { operation, result: Err(failure) })
            }
            other => Some(other),
        })
}

fn list_dropped<K: Key>() -> Saboteur<K> {
    Saboteur::new("list-dropped", "the list of referrers under a tag is not written", "outcome").output(
        |notes, output| match output {
            Output::Send { id, request, .. }
                if request.method() == Method::PUT && request.uri().path().contains("/manifests/sha256-") =>
            {
                notes.answer(id, StatusCode::CREATED);
                None
            }
            other => Some(other),
        },
    )
}

fn list_overwritten<K: Key>() -> Saboteur<K> {
    on_requests!(
        "list-overwritten",
        "of the list of referrers under a tag only the last entry is kept",
        "outcome",
        |_, request| {
            let is_list = request.uri().path().contains("/manifests/sha256-");
            if let Body::Bytes(bytes) = request.body_mut()
                && is_list
                && let Ok(mut list) = serde_json::from_slice::<Value>(bytes)
                && let Some(entries) = list["manifests"].as_array_mut()
            {
                let kept = entries.pop();
                *entries = kept.into_iter().collect();
                *bytes = list.to_string().into();
                let len = bytes.len();
                request.headers_mut().insert(http::header::CONTENT_LENGTH, len.into());
            }
        }
    )
}
