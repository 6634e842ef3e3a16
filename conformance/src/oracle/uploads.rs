//! Rules about unfinished uploads.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use longshore_memory::Said;
use longshore_mock_registry::UploadId;

use super::{Verdict, ensure};
use crate::run::Run;

/// I35: an unfinished upload is cancelled, unless there was a fault, the registry failed, answered that the upload no
/// longer exists, or never sent its location to a client that waited for it.
pub(super) fn uploads_are_not_left(run: &Run) -> Verdict {
    let mut excuses = run.simulation.schedule().len() + run.simulation.handler.registry.struck.len();
    let (mut told, mut given_up) = (BTreeSet::new(), BTreeSet::new());
    for entry in &run.simulation.transcript().entries {
        if matches!(entry.what, Said::Aborted) {
            given_up.insert(entry.request);
        }
        if let Said::Answered { answer, .. } = &entry.what
            && !given_up.contains(&entry.request)
        {
            excuses += usize::from(is_an_excuse(run, entry.request, answer.status()));
            let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
            // A location that begins differently is not usable (quirk `post-location-schemeless-host`).
            told.extend(location.filter(|url| url.starts_with('/') || url.starts_with("http")).map(str::to_owned));
        }
    }
    // After a `Retry-After` that is longer than the limit, the client sends no more requests.
    if super::traffic::is_left_alone(run) {
        return Ok(());
    }
    let is_known = |id: &&UploadId| told.iter().any(|location| location.contains(id.as_str()));
    let left = run.simulation.handler.registry.state.uploads.keys().filter(is_known).count();
    ensure(left <= excuses, || format!("{left} uploads are left open, and there are {excuses} excuses for that"))
}

/// Whether this answer, if it is about an upload, says that the upload no longer exists, or that its state or its
/// cancellation is not supported.
fn is_an_excuse(run: &Run, request: u64, status: StatusCode) -> bool {
    let excuses = |method: &Method| match *method {
        Method::DELETE => !status.is_success(),
        Method::PATCH | Method::PUT | Method::GET => status == StatusCode::NOT_FOUND || status.is_server_error(),
        _ => false,
    };
    run.simulation.transcript().entries.iter().any(|entry| match &entry.what {
        Said::Asked { head, .. } if entry.request == request => {
            excuses(&head.method) && !head.uri.path().contains("/manifests/")
        }
        _ => false,
    })
}
