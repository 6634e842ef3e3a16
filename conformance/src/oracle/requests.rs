//! Rules about single requests and their order.

use std::collections::BTreeSet;

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use http::request::Parts;
use http::{Method, StatusCode};
use longshore_core::driver::{Body, NoAnswer};
use longshore_memory::{Said, Transcript};

use super::{Verdict, ensure};
use crate::case::Key;

/// Rules 8 and 9: every registry accepts the headers of every request, and no chunk is empty.
pub(super) fn are_well_formed(transcript: &Transcript<Key>) -> Verdict {
    for entry in &transcript.entries {
        if let Said::Asked { head, body } = &entry.what {
            let request = entry.request;
            is_well_formed(head, body, |rule| format!("#{request} {} {}: {rule}", head.method, head.uri))?;
        }
    }
    Ok(())
}

fn is_well_formed(head: &Parts, body: &Body<Key>, broken: impl Fn(&str) -> String) -> Verdict {
    let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let is_upload = head.uri.path().contains("/blobs/upload") || matches!(body, Body::Blob { .. } | Body::Rest { .. });
    let takes_a_body = matches!(head.method, Method::POST | Method::PUT | Method::PATCH);
    let is_endless = matches!(body, Body::Rest { .. });
    ensure(!takes_a_body || is_endless || header(CONTENT_LENGTH).is_some(), || broken("no Content-Length"))?;
    ensure(head.method != Method::PATCH || !body.is_empty(), || broken("an empty chunk"))?;
    if is_upload && !body.is_empty() {
        ensure(header(CONTENT_TYPE) == Some("application/octet-stream"), || broken("another Content-Type"))?;
    }
    match (header(CONTENT_RANGE), body) {
        (None, _) => Ok(()),
        (Some(stated), Body::Blob { range, .. }) => {
            let expected = format!("{}-{}", range.start, range.end.saturating_sub(1));
            ensure(stated == expected, || broken("a Content-Range that is not the chunk's"))?;
            let is_whole_put = head.method == Method::PUT && range.start == 0;
            ensure(!is_whole_put, || broken("a Content-Range on a whole blob"))
        }
        (Some(_), _) => Err(super::Violation::new(broken("a Content-Range without a chunk"))),
    }
}

/// Rule 4: if the result of a commit is unknown, the client asks for the blob before it sends anything again.
pub(super) fn lost_commits_are_asked_about(transcript: &Transcript<Key>) -> Verdict {
    let mut commits: Vec<(u64, Commit)> = Vec::new();
    let mut unknown: BTreeSet<Commit> = BTreeSet::new();
    for entry in &transcript.entries {
        match &entry.what {
            Said::Asked { head, .. } => {
                if head.method == Method::HEAD && head.uri.path().contains("/blobs/") {
                    let digest = head.uri.path().rsplit('/').next().unwrap_or_default();
                    unknown.retain(|commit| commit.digest != digest);
                }
                if let Some(commit) = Commit::of(head) {
                    ensure(!unknown.contains(&commit), || {
                        format!("#{}: a commit is repeated before its blob was asked for", entry.request)
                    })?;
                    commits.push((entry.request, commit));
                }
            }
            Said::Failed(NoAnswer::Lost(_)) => {
                unknown.extend(commits.iter().filter(|(request, _)| *request == entry.request).map(|(_, c)| c.clone()));
            }
            // 429 means that the request had no effect.
            Said::Answered { answer, .. } if is_ambiguous(answer.status()) => {
                unknown.extend(commits.iter().filter(|(request, _)| *request == entry.request).map(|(_, c)| c.clone()));
            }
            _ => {}
        }
    }
    Ok(())
}

const fn is_ambiguous(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 499 | 500 | 502 | 503 | 504 | 522)
}

/// Whether a request closes an upload, or is a whole upload.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Commit {
    path: String,
    digest: String,
}

impl Commit {
    fn of(head: &Parts) -> Option<Self> {
        if !matches!(head.method, Method::PUT | Method::POST) || head.uri.path().contains("/manifests/") {
            return None;
        }
        let mut named = head.uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
        let (_, digest) = named.find(|(key, _)| *key == "digest")?;
        Some(Self { path: head.uri.path().to_owned(), digest: digest.replace("%3A", ":") })
    }
}
