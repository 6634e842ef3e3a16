//! Rules about the order of requests.

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, StatusCode, Uri};
use longshore_core::driver::{Body, End};
use longshore_core::{Digest, Manifest};
use longshore_memory::Said;

use super::{Verdict, ensure};
use crate::run::Run;

/// I33: all content that a manifest refers to was acknowledged before the manifest was sent.
pub(super) fn manifests_come_last(run: &Run) -> Verdict {
    let mut asked: BTreeMap<u64, (Method, Uri, Option<Manifest>)> = BTreeMap::new();
    let mut acknowledged: BTreeSet<Digest> = run.stored_before.clone();
    for entry in &run.simulation.transcript().entries {
        match &entry.what {
            Said::Asked { head, body } => {
                let manifest = match body {
                    Body::Bytes(bytes) if head.uri.path().contains("/manifests/") => {
                        Manifest::parse(bytes.clone()).ok()
                    }
                    _ => None,
                };
                if let Some(manifest) = &manifest {
                    let is_of_referrers = head.uri.path().contains("/manifests/sha256-")
                        || head.uri.path().contains("/manifests/sha512-");
                    let needed = manifest.blobs().chain(manifest.children()).map(|descriptor| descriptor.digest);
                    for digest in needed {
                        ensure(is_of_referrers || acknowledged.contains(&digest), || {
                            format!("#{}: a manifest is sent before {digest} was acknowledged", entry.request)
                        })?;
                    }
                }
                asked.insert(entry.request, (head.method.clone(), head.uri.clone(), manifest));
            }
            Said::Answered { answer, end } => {
                let Some((method, uri, sent)) = asked.get(&entry.request) else { continue };
                acknowledged.extend(acknowledgements(method, uri, sent.as_ref(), answer, *end));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The content that an answer acknowledges.
fn acknowledgements(
    method: &Method,
    uri: &Uri,
    sent: Option<&Manifest>,
    answer: &http::Response<bytes::Bytes>,
    end: End,
) -> Vec<Digest> {
    let (path, status) = (uri.path(), answer.status());
    let last: Option<Digest> = path.rsplit('/').next().and_then(|segment| segment.parse().ok());
    let reported = answer.headers().get("docker-content-digest");
    let reported: Option<Digest> = reported.and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    match (method, status) {
        (&Method::HEAD, StatusCode::OK) => last.into_iter().chain(reported).collect(),
        (&Method::GET, StatusCode::OK) if path.contains("/manifests/") && end == End::Complete => {
            let Ok(manifest) = Manifest::parse(answer.body().clone()) else { return Vec::new() };
            manifest.blobs().map(|blob| blob.digest).chain([manifest.digest()]).collect()
        }
        (&Method::PUT, StatusCode::CREATED) if path.contains("/manifests/") => {
            sent.map(Manifest::digest).into_iter().chain(last).collect()
        }
        // Any web server can answer 200. Only an answer with the digest is an acknowledgement.
        (&Method::PUT, status) if path.contains("/manifests/") && status.is_success() => {
            reported.filter(|reported| sent.is_some_and(|sent| sent.digest() == *reported)).into_iter().collect()
        }
        (&Method::PUT | &Method::POST, StatusCode::CREATED) => {
            let query = uri.query().unwrap_or_default();
            let named = query.split('&').filter_map(|pair| pair.split_once('='));
            let named = named.filter(|(key, _)| *key == "digest" || *key == "mount");
            named.filter_map(|(_, value)| value.replace("%3A", ":").parse().ok()).collect()
        }
        _ => Vec::new(),
    }
}
