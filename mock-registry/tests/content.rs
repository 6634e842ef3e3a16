//! Content that is put in without a request.

use bytes::Bytes;
use http::Request;
use longshore_core::{Algorithm, Digest, MediaType, Repository};
use longshore_mock_registry::{ContentError, Instant, Registry, RegistryOptions};

fn sha256(text: &str) -> Digest {
    Digest::of(Algorithm::Sha256, text.as_bytes())
}

fn get(registry: &mut Registry, path: &str) -> (u16, Bytes) {
    let answer = registry.answer(Instant::default(), Request::get(path).body(Bytes::new()).unwrap()).unwrap();
    (answer.status().as_u16(), answer.into_body())
}

#[test]
fn blobs_and_manifests_that_are_added_are_served_and_cost_no_request() {
    let mut options = RegistryOptions::default();
    // What is there at the start, is there at once.
    options.behaviour.commit.visible_after = 1_000_000;
    let mut registry = Registry::new(options);
    let (one, other): (Repository, Repository) = ("one".parse().unwrap(), "other".parse().unwrap());
    let hello = sha256("hello");
    registry.add_blob(&one, &hello, &b"hello"[..]).unwrap();
    // The bytes are known: nothing is read.
    registry.add_blob(&other, &hello, &b"not read"[..]).unwrap();
    let manifest = "{\"schemaVersion\":2,\"manifests\":[]}";
    let (digest, media_type) = (sha256(manifest), MediaType::oci_index());
    registry.add_manifest(&one, &digest, &media_type, manifest.into(), &["v1".parse().unwrap()]).unwrap();
    assert_eq!(registry.requests(), 0);
    for path in [format!("/v2/one/blobs/{hello}"), format!("/v2/other/blobs/{hello}")] {
        assert_eq!(get(&mut registry, &path), (200, Bytes::from("hello")));
    }
    assert_eq!(get(&mut registry, "/v2/one/manifests/v1"), (200, Bytes::from(manifest)));
    assert_eq!(get(&mut registry, &format!("/v2/one/manifests/{digest}")).0, 200);
}

#[test]
fn content_that_is_not_what_it_is_called_is_refused_and_leaves_nothing() {
    let mut registry = Registry::new(RegistryOptions::default());
    let repository: Repository = "a".parse().unwrap();
    let hello = sha256("hello");
    let error = registry.add_blob(&repository, &hello, &b"hullo"[..]).unwrap_err();
    assert!(matches!(error, ContentError::Digest { named, found } if named == hello && found == sha256("hullo")));
    let error =
        registry.add_manifest(&repository, &hello, &MediaType::oci_manifest(), "hello".into(), &[]).unwrap_err();
    assert!(matches!(error, ContentError::Refused { .. }), "{error}");
    registry.options.limits.repositories = 0;
    let error = registry.add_blob(&repository, &hello, &b"hello"[..]).unwrap_err();
    assert!(error.to_string().contains("--max-repositories"), "{error}");
    assert!(registry.state.repositories.is_empty() && registry.state.uploads.is_empty());
}
