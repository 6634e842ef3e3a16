//! Manifests and tags: `end-3`, `end-7` and `end-9`.

use longshore_mock_registry::{BodyEnd, Instant, Opened, Progress, Registry, RegistryOptions};

use crate::stage;
use crate::transcript::{image, sha256};

#[test]
fn end_7a_3_9_manifests_and_tags() {
    let mut stage = stage();
    let manifest = image(&mut stage, "a", "");
    let mut stage = stage.with("manifest", &manifest).with("digest", sha256(&manifest));
    stage.play(
        "C: PUT /v2/a/manifests/v1
         C: Content-Type: application/vnd.oci.image.manifest.v1+json; charset=utf-8
         C:
         C: {manifest}
         S: 201
         S: Location: /v2/a/manifests/{digest}
         S: Docker-Content-Digest: {digest}
         S: !oci-subject
         C: GET /v2/a/manifests/v1
         S: 200
         S: Content-Type: application/vnd.oci.image.manifest.v1+json
         S: Docker-Content-Digest: {digest}
         S:
         S: {manifest}
         C: HEAD /v2/a/manifests/{digest}
         S: 200
         S: Docker-Content-Digest: {digest}
         C: PUT /v2/a/manifests/{absent}
         C:
         C: {manifest}
         S: 400
         C: PUT /v2/a/manifests/sha256:bad
         C:
         C: {manifest}
         S: 400
         C: PUT /v2/a/manifests/.bad
         C:
         C: {manifest}
         S: 400
         C: GET /v2/a/manifests/v2
         S: 404
         C: GET /v2/b/manifests/v1
         S: 404
         C: DELETE /v2/a/manifests/v1
         S: 202
         C: GET /v2/a/manifests/v1
         S: 404
         C: PUT /v2/a/manifests/v2
         C:
         C: {manifest}
         S: 201
         C: DELETE /v2/a/manifests/{digest}
         S: 202
         C: GET /v2/a/manifests/v2
         S: 404
         C: DELETE /v2/a/manifests/{digest}
         S: 404
         C: DELETE /v2/b/manifests/v1
         S: 404",
    );
}

#[test]
fn end_7b_tags_in_the_query() {
    let mut stage = stage();
    let manifest = image(&mut stage, "a", "");
    let mut stage = stage.with("manifest", &manifest).with("digest", sha256(&manifest));
    stage.play(
        "C: PUT /v2/a/manifests/{digest}?tag=v1&tag=v2
         C:
         C: {manifest}
         S: 201
         S: OCI-Tag: v1
         S: OCI-Tag: v2
         C: GET /v2/a/manifests/v2
         S: 200
         S: Docker-Content-Digest: {digest}
         C: PUT /v2/a/manifests/{digest}?tag=.bad
         C:
         C: {manifest}
         S: 400
         C: PUT /v2/a/manifests/v3?tag=v4
         C:
         C: {manifest}
         S: 201
         S: !oci-tag
         C: GET /v2/a/manifests/v4
         S: 404",
    );
}

#[test]
fn a_manifest_waits_for_all_it_refers_to_but_its_subject() {
    let mut stage = stage();
    let subject =
        r#","subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{absent}","size":9}"#;
    let subject = stage.fill(subject);
    let manifest = image(&mut stage, "a", &subject);
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":1}}]}}"#,
        sha256(&manifest)
    );
    let mut stage = stage.with("manifest", manifest).with("index", index);
    stage.play(
        r#"C: PUT /v2/b/manifests/v1
           C:
           C: {manifest}
           S: 400
           S:
           S: {"errors":[{"code":"MANIFEST_BLOB_UNKNOWN",{any}
           C: PUT /v2/a/manifests/v1
           C:
           C: {index}
           S: 400
           C: PUT /v2/a/manifests/v1
           C:
           C: {manifest}
           S: 201
           S: OCI-Subject: {absent}
           C: PUT /v2/a/manifests/v1
           C:
           C: {index}
           S: 201
           S: !oci-subject"#,
    );
}

/// Programs in Go write an empty list as `null`; docker-registry 2.8 takes it.
#[test]
fn lists_that_are_null_are_empty_ones() {
    let mut stage = stage();
    let image = image(&mut stage, "a", r#","manifests":null"#);
    let index = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":null}"#;
    for body in [index, &image] {
        let kind = if body == index { "index" } else { "manifest" };
        stage.play(&format!(
            "C: PUT /v2/a/manifests/v1\nC: Content-Type: application/vnd.oci.image.{kind}.v1+json\nC:\nC: {body}\nS: 201"
        ));
    }
    let lacking = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json"}"#;
    stage.play(&format!(
        "C: PUT /v2/a/manifests/v1\nC: Content-Type: application/vnd.oci.image.index.v1+json\nC:\nC: {lacking}\nS: 400"
    ));
}

#[test]
fn malformed_manifests_are_refused() {
    let mut stage = stage();
    let manifest = image(&mut stage, "a", "");
    let both = image(&mut stage, "a", r#","manifests":[]"#);
    let mut stage = stage.with("manifest", manifest).with("both", both);
    for (content_type, body) in [
        ("application/vnd.oci.image.index.v1+json", "{manifest}"),
        ("application/vnd.oci.image.manifest.v1+json", "{both}"),
        ("application/vnd.oci.image.manifest.v1+json", "{}"),
        ("application/vnd.oci.image.manifest.v1+json", "[]"),
        ("application/vnd.oci.image.manifest.v1+json", "not json"),
        ("application/json", "{manifest}"),
        ("no type", "{manifest}"),
    ] {
        stage.play(&format!(
            "C: PUT /v2/a/manifests/v1\nC: Content-Type: {content_type}\nC:\nC: {body}\nS: 400\nC: GET /v2/a/manifests/v1\nS: 404"
        ));
    }
}

#[test]
fn s1_a_manifest_over_4_mib_is_refused_before_and_while_it_comes() {
    let mut registry = Registry::new(RegistryOptions::default());
    let now = Instant::default();
    let head = |len: Option<usize>| {
        let mut put = http::Request::put("/v2/a/manifests/v1");
        if let Some(len) = len {
            put = put.header("content-length", len);
        }
        put.body(()).unwrap().into_parts().0
    };
    let Opened::Answer(answer) = registry.open(now, head(Some((4 << 20) + 1))) else { panic!("not answered early") };
    assert_eq!(answer.status, 413);
    let Opened::Body(id) = registry.open(now, head(None)) else { panic!("answered early") };
    assert!(matches!(registry.piece(id, &vec![b' '; 4 << 20].into()), Progress::More));
    let Progress::Answer(answer) = registry.piece(id, &" ".into()) else { panic!("took too much") };
    assert_eq!(answer.status, 413);
    assert_eq!(registry.close(now, id, BodyEnd::Complete).status, 400);
}

#[test]
fn conditions_guard_a_tag() {
    let mut stage = stage();
    let one = image(&mut stage, "a", "");
    let two = image(&mut stage, "a", r#","annotations":{"a":"b"}"#);
    let mut stage = stage.with("one", one).with("two", two);
    stage.play(
        "C: PUT /v2/a/manifests/v1
         C: If-None-Match: *
         C:
         C: {one}
         S: 201
         S: ETag: {etag}
         C: PUT /v2/a/manifests/v1
         C: If-None-Match: *
         C:
         C: {two}
         S: 412
         C: PUT /v2/a/manifests/v1
         C: If-Match: \"other\"
         C:
         C: {two}
         S: 412
         C: GET /v2/a/manifests/v1
         C: If-None-Match: {etag}
         S: 304
         C: PUT /v2/a/manifests/v1
         C: If-Match: {etag}
         C:
         C: {two}
         S: 201
         C: PUT /v2/a/manifests/v1
         C: If-Match: {etag}
         C:
         C: {one}
         S: 412
         C: PUT /v2/a/manifests/v9
         C: If-Match: *
         C:
         C: {one}
         S: 412",
    );
}
