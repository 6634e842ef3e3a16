use bytes::Bytes;
use http::Response;

use super::*;
use crate::Algorithm;
use crate::endpoint::{Condition, Endpoint, PutManifest, PutName};
use crate::outcome::AnswerError;
use crate::{Registry, Repository, Target};

fn digest(content: &str) -> Digest {
    Digest::of(Algorithm::Sha256, content.as_bytes())
}

/// An image of layers with this content.
fn image(layers: &[&str]) -> Manifest {
    let blob = |content: &str| {
        format!(r#"{{"mediaType":"application/octet-stream","digest":"{}","size":{}}}"#, digest(content), content.len())
    };
    let layers: Vec<String> = layers.iter().map(|content| blob(content)).collect();
    let (config, layers) = (blob("config"), layers.join(","));
    Manifest::parse(format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layers}]}}"#)).unwrap()
}

/// What a refusal with this body names.
fn names(manifest: &Manifest, body: &str) -> Vec<Digest> {
    let (registry, repository): (Registry, Repository) = ("registry.example".parse().unwrap(), "a/b".parse().unwrap());
    let origin = registry.origin();
    let put = PutManifest {
        origin: &origin,
        repository: &repository,
        manifest,
        name: PutName::Digest { tags: &[] },
        condition: Condition::None,
    };
    let response = Response::builder().status(400).body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    match put.parse(&Target::root(registry.origin()), &response) {
        Err(AnswerError::Refused(refused)) => named(&refused, manifest),
        _ => panic!("it is a refusal"),
    }
}

#[test]
fn a_refusal_names_what_its_detail_or_message_names() {
    let manifest = image(&["one", "two"]);
    let (one, elsewhere) = (digest("one"), digest("elsewhere"));
    let object = format!(r#"{{"errors":[{{"code":"MANIFEST_BLOB_UNKNOWN","detail":{{"digest":"{one}"}}}}]}}"#);
    assert_eq!(names(&manifest, &object), [one]);
    let text = format!(r#"{{"errors":[{{"code":"MANIFEST_BLOB_UNKNOWN","message":"no {one} here"}}]}}"#);
    assert_eq!(names(&manifest, &text), [one]);
    let other = format!(r#"{{"errors":[{{"code":"MANIFEST_BLOB_UNKNOWN","detail":"{elsewhere}"}}]}}"#);
    assert_eq!(names(&manifest, &other), []);
    assert_eq!(names(&manifest, r#"{"errors":[{"code":"MANIFEST_INVALID"}]}"#), []);
}

/// Of a long list of errors only the beginning is read.
#[test]
fn a_refusal_with_many_errors_names_nothing() {
    let manifest = image(&["one"]);
    let error = format!(r#"{{"code":"MANIFEST_BLOB_UNKNOWN","detail":"{}"}}"#, digest("one"));
    let body = |errors: usize| format!(r#"{{"errors":[{}]}}"#, vec![error.as_str(); errors].join(","));
    assert_eq!(names(&manifest, &body(MANY_ERRORS - 1)), [digest("one")]);
    assert_eq!(names(&manifest, &body(MANY_ERRORS)), []);
}
