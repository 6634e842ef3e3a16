//! Rules about the order of requests.

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, StatusCode, Uri};
use longshore_core::driver::{Body, End};
use longshore_core::{Digest, Manifest};
use longshore_memory::{Entry, Said};

use super::{Verdict, Violation, ensure};
use crate::Key;
use crate::run::Run;

/// I33: all content that a manifest refers to was acknowledged before the manifest was sent.
pub(super) fn manifests_come_last(run: &Run) -> Verdict {
    let mut acknowledged = Acknowledged::before(run);
    for entry in &run.simulation.transcript().entries {
        if let Some(manifest) = acknowledged.read(entry) {
            let needed = manifest.blobs().chain(manifest.children()).map(|descriptor| descriptor.digest);
            for digest in needed {
                ensure(acknowledged.digests.contains(&digest), || {
                    format!("#{}: a manifest is sent before {digest} was acknowledged", entry.request)
                })?;
            }
        }
    }
    Ok(())
}

/// I12: after a success each manifest that was sent was acknowledged. An answer that reports the digest of other content
/// acknowledges nothing.
pub(super) fn manifests_are_acknowledged(run: &Run) -> Verdict {
    let mut acknowledged = Acknowledged::before(run);
    let mut sent = BTreeMap::new();
    for entry in &run.simulation.transcript().entries {
        if let Some(manifest) = acknowledged.read(entry) {
            sent.insert(manifest.digest(), entry.request);
        }
    }
    let missing = sent.iter().find(|(digest, _)| !acknowledged.digests.contains(*digest));
    missing.map_or(Ok(()), |(digest, request)| {
        Err(Violation::new(format!("#{request}: no answer acknowledged the manifest {digest}, and the push succeeded")))
    })
}

/// The content that was acknowledged up to some entry of the transcript.
struct Acknowledged {
    digests: BTreeSet<Digest>,
    /// The requests until then, with the manifest that each one sent.
    requests: BTreeMap<u64, (Method, Uri, Option<Manifest>)>,
}

impl Acknowledged {
    /// What an earlier process stored.
    fn before(run: &Run) -> Self {
        Self { digests: run.stored_before.clone(), requests: BTreeMap::new() }
    }

    /// Reads the next entry. Returns the manifest that it sends, if that is not a list of referrers.
    fn read(&mut self, entry: &Entry<Key>) -> Option<Manifest> {
        match &entry.what {
            Said::Asked { head, body } => {
                let path = head.uri.path();
                let manifest = match body {
                    Body::Bytes(bytes) if path.contains("/manifests/") => Manifest::parse(bytes.clone()).ok(),
                    _ => None,
                };
                self.requests.insert(entry.request, (head.method.clone(), head.uri.clone(), manifest.clone()));
                let is_list = path.contains("/manifests/sha256-") || path.contains("/manifests/sha512-");
                manifest.filter(|_| !is_list)
            }
            Said::Answered { answer, end } => {
                if let Some((method, uri, sent)) = self.requests.get(&entry.request) {
                    self.digests.extend(acknowledgements(method, uri, sent.as_ref(), answer, *end));
                }
                None
            }
            _ => None,
        }
    }
}

/// The content that an answer acknowledges: nothing, if the answer reports another digest of the same algorithm.
fn acknowledgements(
    method: &Method,
    uri: &Uri,
    sent: Option<&Manifest>,
    answer: &http::Response<bytes::Bytes>,
    end: End,
) -> Vec<Digest> {
    let mut named = named_in(method, uri, sent, answer, end);
    let contradicts = |digest: &Digest| {
        reported(answer).is_some_and(|other| other.algorithm() == digest.algorithm() && other != *digest)
    };
    if named.first().is_some_and(contradicts) {
        named.clear();
    }
    named
}

/// The digest that an answer reports.
fn reported(answer: &http::Response<bytes::Bytes>) -> Option<Digest> {
    answer.headers().get("docker-content-digest")?.to_str().ok()?.parse().ok()
}

/// The content that the request and its answer name: first that which the answer is about.
fn named_in(
    method: &Method,
    uri: &Uri,
    sent: Option<&Manifest>,
    answer: &http::Response<bytes::Bytes>,
    end: End,
) -> Vec<Digest> {
    let (path, status) = (uri.path(), answer.status());
    let last: Option<Digest> = path.rsplit('/').next().and_then(|segment| segment.parse().ok());
    match (method, status) {
        (&Method::HEAD, StatusCode::OK) => last.or_else(|| reported(answer)).into_iter().collect(),
        (&Method::GET, StatusCode::OK) if path.contains("/manifests/") && end == End::Complete => {
            let Ok(manifest) = Manifest::parse(answer.body().clone()) else { return Vec::new() };
            [manifest.digest()].into_iter().chain(manifest.blobs().map(|blob| blob.digest)).collect()
        }
        (&Method::PUT, StatusCode::CREATED) if path.contains("/manifests/") => {
            sent.map(Manifest::digest).into_iter().chain(last).collect()
        }
        // Any web server can answer 200. Only an answer with the digest is an acknowledgement.
        (&Method::PUT, status) if path.contains("/manifests/") && status.is_success() => reported(answer)
            .filter(|reported| sent.is_some_and(|sent| sent.digest() == *reported))
            .into_iter()
            .collect(),
        (&Method::PUT | &Method::POST, StatusCode::CREATED) => {
            let query = uri.query().unwrap_or_default();
            let named = query.split('&').filter_map(|pair| pair.split_once('='));
            let named = named.filter(|(key, _)| *key == "digest" || *key == "mount");
            named.filter_map(|(_, value)| value.replace("%3A", ":").parse().ok()).collect()
        }
        _ => Vec::new(),
    }
}
