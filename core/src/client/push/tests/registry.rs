//! A small registry: what it has is in the open, and what it does differently is a switch.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::{Method, Request, Response};

use crate::Manifest;
use crate::driver::Body;

/// What a registry has of one repository, and how it answers.
#[derive(Default)]
pub(super) struct Registry {
    pub(super) blobs: BTreeSet<String>,
    /// By tag and by digest.
    pub(super) manifests: BTreeMap<String, Bytes>,
    pub(super) uploads: BTreeSet<String>,
    /// One POST stores nothing.
    pub(super) ignores_single_post: bool,
    /// A mount always opens an upload.
    pub(super) never_mounts: bool,
    pub(super) checks_nothing: bool,
    /// HEAD is answered with this.
    pub(super) head: Option<u16>,
    /// A manifest is refused with this status and body.
    pub(super) refusal: Option<(u16, String)>,
    /// What was sent of blobs, in bytes.
    pub(super) bytes: u64,
    opened: usize,
}

fn respond(status: u16, location: &str, body: Bytes) -> Response<Bytes> {
    let response = Response::builder().status(status);
    let response = if location.is_empty() { response } else { response.header("location", location) };
    response.body(body).unwrap()
}

fn missing(code: &str) -> Response<Bytes> {
    respond(404, "", Bytes::from(format!(r#"{{"errors":[{{"code":"{code}"}}]}}"#)))
}

impl Registry {
    pub(super) fn answer(&mut self, request: &Request<Body<&'static str>>) -> Response<Bytes> {
        let path = request.uri().path().to_owned();
        let (method, query) = (request.method(), request.uri().query().unwrap_or("").replace("%3A", ":"));
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)).map(str::to_owned);
        if let (&Method::HEAD, Some(status)) = (method, self.head) {
            return respond(status, "", Bytes::new());
        }
        if let Body::Blob { range, .. } = request.body() {
            self.bytes += range.end - range.start;
        }
        if let Some((_, upload)) = path.split_once("/blobs/uploads/") {
            return self.upload(method, upload, value("digest="), value("mount="));
        }
        if let Some((_, digest)) = path.split_once("/blobs/") {
            return if self.blobs.contains(digest) { respond(200, "", Bytes::new()) } else { missing("BLOB_UNKNOWN") };
        }
        match path.split_once("/manifests/") {
            Some((_, reference)) => self.manifest(request, reference),
            None => respond(404, "", Bytes::new()),
        }
    }

    fn upload(
        &mut self,
        method: &Method,
        upload: &str,
        digest: Option<String>,
        mount: Option<String>,
    ) -> Response<Bytes> {
        match (method, digest) {
            (&Method::POST, Some(digest)) if !self.ignores_single_post => {
                self.blobs.insert(digest);
                respond(201, "/x", Bytes::new())
            }
            (&Method::POST, _) => {
                if mount.is_some_and(|mount| !self.never_mounts && self.blobs.contains(&mount)) {
                    return respond(201, "/x", Bytes::new());
                }
                self.opened += 1;
                self.uploads.insert(self.opened.to_string());
                respond(202, &format!("/v2/a/b/blobs/uploads/{}", self.opened), Bytes::new())
            }
            (&Method::PUT, Some(digest)) if self.uploads.remove(upload) => {
                self.blobs.insert(digest);
                respond(201, "/x", Bytes::new())
            }
            (&Method::DELETE, _) if self.uploads.remove(upload) => respond(204, "", Bytes::new()),
            _ => missing("BLOB_UPLOAD_UNKNOWN"),
        }
    }

    fn manifest(&mut self, request: &Request<Body<&'static str>>, reference: &str) -> Response<Bytes> {
        let Body::Bytes(bytes) = request.body() else {
            return match self.manifests.get(reference) {
                Some(bytes) => respond(200, "", bytes.clone()),
                None => missing("MANIFEST_UNKNOWN"),
            };
        };
        if let Some((status, body)) = &self.refusal {
            return respond(*status, "", Bytes::from(body.clone()));
        }
        let kind = request.headers()["content-type"].to_str().unwrap().parse().unwrap();
        let manifest = Manifest::parse_as(kind, bytes.clone()).unwrap();
        let lacks_blob = manifest.blobs().any(|blob| !self.blobs.contains(&blob.digest.to_string()));
        let lacks_child = manifest.children().any(|child| !self.manifests.contains_key(&child.digest.to_string()));
        if !self.checks_nothing && (lacks_blob || lacks_child && !reference.starts_with("sha256-")) {
            return missing("MANIFEST_BLOB_UNKNOWN");
        }
        self.manifests.insert(manifest.digest().to_string(), bytes.clone());
        self.manifests.insert(reference.to_owned(), bytes.clone());
        respond(201, "/x", Bytes::new())
    }

    /// Something is collected.
    pub(super) fn lose(&mut self, name: &str) {
        assert!(self.blobs.remove(&super::digest(name).to_string()));
    }
}
