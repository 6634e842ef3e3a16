//! `longshore push` of what goes by a SHA-512: the digest that is printed can be pulled, or the push fails.

mod common;

use common::raw::{RawLayout, read, with};
use common::script::{Script, answer};
use common::{Mock, done, refused};
use longshore_core::{Algorithm, Digest};
use serde_json::json;

/// A layout that names its image by a SHA-512, and the image's bytes.
fn layout() -> (RawLayout, Digest, Vec<u8>) {
    let mut layout = RawLayout::new();
    let image = layout.image(&json!({"os": "linux", "architecture": "amd64"}), &["x"]);
    let bytes = read(&layout.file(&image));
    let long = Digest::of(Algorithm::Sha512, &bytes);
    layout.store_under(&long, &bytes);
    layout.entry(with(&image, "digest", json!(long)));
    (layout, long, bytes)
}

#[test]
fn the_digest_that_is_printed_can_be_pulled() {
    let (layout, long, bytes) = layout();
    for arguments in [
        &[][..],
        &["--set", "manifests.tag-parameters=false"],
        &["--profile", "distribution-2.8"],
        &["--profile", "zot"],
    ] {
        let mock = Mock::start(arguments);
        let printed = done(&["push", layout.path(), &mock.reference("a/b:v1"), "--progress", "none"]);
        assert_eq!(printed.lines().next(), Some(long.to_string().as_str()), "{arguments:?}");
        for name in [long.to_string().as_str(), "v1"] {
            assert_eq!(mock.get(&format!("/v2/a/b/manifests/{name}")), bytes, "{arguments:?}: {name}");
        }
    }
}

/// It takes the manifest under its tag, and knows it by its SHA-256 alone.
#[test]
fn a_push_fails_where_nobody_could_pull_by_the_digest() {
    let (layout, long, bytes) = layout();
    let short = Digest::of(Algorithm::Sha256, &bytes);
    let registry = Script::answering(move |request| {
        let (method, path) = request.split_once(' ').unwrap();
        let path = path.split(' ').next().unwrap();
        let is_long = path.contains("sha512");
        match method {
            "POST" => answer("202 Accepted", "Location: /v2/a/blobs/uploads/1\r\n", ""),
            "PUT" if path.contains("/manifests/") && is_long => {
                answer("400 Bad Request", "", r#"{"errors":[{"code":"DIGEST_INVALID"}]}"#)
            }
            "PUT" if path.contains("/manifests/") => {
                answer("201 Created", &format!("Docker-Content-Digest: {short}\r\n"), "")
            }
            "PUT" => answer("201 Created", "", ""),
            "DELETE" => answer("204 No Content", "", ""),
            _ => answer("404 Not Found", "", ""),
        }
    });
    let error = refused(1, &["push", layout.path(), &registry.reference("a:v1"), "--progress", "none"]);
    assert!(error.contains(&format!("does not serve the manifest under its digest {long}")), "{error}");
}
