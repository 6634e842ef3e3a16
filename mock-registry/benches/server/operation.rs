//! What is done to a registry, over and over.

use std::time::{Duration, Instant};

use longshore_core::{Algorithm, Digest};

use crate::client::{Client, MANIFEST};

const CONFIG: &str = "application/vnd.oci.empty.v1+json";

/// A kind of operation: the one of each number, and whether the registry did it.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&mut dyn Client, u64) -> bool,
}

/// All kinds.
pub(crate) const OPERATIONS: [Operation; 5] = [
    Operation { name: "HEAD blob", run: head_blob },
    Operation { name: "GET manifest", run: get_manifest },
    Operation { name: "PUT manifest", run: put_manifest },
    Operation { name: "POST and PUT of 1 KiB", run: post_and_put },
    Operation { name: "single POST of 1 KiB", run: single_post },
];

fn head_blob(client: &mut dyn Client, _: u64) -> bool {
    client.ask("HEAD", &format!("/v2/a/blobs/{}", digest(b"{}")), b"").0 == 200
}

fn get_manifest(client: &mut dyn Client, _: u64) -> bool {
    client.ask("GET", "/v2/a/manifests/v1", b"").0 == 200
}

fn put_manifest(client: &mut dyn Client, number: u64) -> bool {
    client.ask("PUT", "/v2/a/manifests/v2", &manifest(number)).0 == 201
}

fn post_and_put(client: &mut dyn Client, number: u64) -> bool {
    let content = format!("put {number:01020}").into_bytes();
    let (status, location) = client.ask("POST", "/v2/a/blobs/uploads/", b"");
    status == 202 && put(client, &location, &content)
}

fn single_post(client: &mut dyn Client, number: u64) -> bool {
    let content = format!("{number:01024}").into_bytes();
    client.ask("POST", &format!("/v2/a/blobs/uploads/?digest={}", digest(&content)), &content).0 == 201
}

fn put(client: &mut dyn Client, location: &str, content: &[u8]) -> bool {
    let mark = if location.contains('?') { '&' } else { '?' };
    client.ask("PUT", &format!("{location}{mark}digest={}", digest(content)), content).0 == 201
}

/// Stores what is read.
pub(crate) fn prepare(client: &mut dyn Client) {
    let (status, location) = client.ask("POST", "/v2/a/blobs/uploads/", b"");
    assert!(status == 202 && put(client, &location, b"{}"), "{status}");
    assert_eq!(client.ask("PUT", "/v2/a/manifests/v1", &manifest(u64::MAX)).0, 201);
}

/// Begins uploads until there is no time left, and ends none of them.
pub(crate) fn leave_uploads_open(client: &mut dyn Client, count: u64, at_most: Duration) {
    let begin = Instant::now();
    for _ in (0..count).take_while(|_| begin.elapsed() < at_most) {
        assert_eq!(client.ask("POST", "/v2/a/blobs/uploads/", b"").0, 202);
    }
}

fn digest(content: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, content)
}

fn manifest(number: u64) -> Vec<u8> {
    let config = digest(b"{}");
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"{CONFIG}","digest":"{config}","size":2}},"layers":[],"annotations":{{"n":"{number}"}}}}"#
    )
    .into_bytes()
}
