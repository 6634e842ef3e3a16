use longshore_mock_registry::Behaviour;
use longshore_mock_registry::behaviour::DigestHeader;

use crate::stage;
use crate::transcript::{Stage, image, push};

/// A registry that has a blob and a manifest.
fn filled(change: impl FnOnce(&mut Behaviour)) -> Stage {
    let mut stage = stage(change);
    push(&mut stage, "a", "hello");
    let manifest = image(&mut stage, "a", "");
    stage.play(&format!("C: PUT /v2/a/manifests/v1\nC:\nC: {manifest}\nS: 201"));
    stage.with("length", manifest.len())
}

#[test]
fn status_of_what_is_not_there() {
    for status in [401, 403, 500] {
        filled(|b| b.read.missing_manifest = status).play(&format!(
            "C: HEAD /v2/a/manifests/v2\nS: {status}\nC: HEAD /v2/b/manifests/v2\nS: {status}
             C: GET /v2/a/manifests/v2\nS: 404\nC: HEAD /v2/a/manifests/v1\nS: 200"
        ));
        filled(|b| b.read.missing_blob = status).play(&format!(
            "C: HEAD /v2/a/blobs/{{absent}}\nS: {status}\nC: GET /v2/a/blobs/{{absent}}\nS: 404\nC: HEAD /v2/a/blobs/{{hello}}\nS: 200"
        ));
    }
    filled(|b| b.read.manifest_head = false)
        .play("C: HEAD /v2/a/manifests/v1\nS: 405\nS: Allow: DELETE, GET, PUT\nC: GET /v2/a/manifests/v1\nS: 200");
}

#[test]
fn lengths() {
    filled(|_| ()).play("C: HEAD /v2/a/manifests/v1\nS: 200\nS: Content-Length: {length}");
    let mut stage = filled(|b| {
        b.read.manifest_head_length_differs = true;
        b.read.blob_head_length_zero = true;
    });
    let more = stage.value("length").parse::<usize>().unwrap() + 1;
    stage.play(&format!(
        "C: HEAD /v2/a/manifests/v1\nS: 200\nS: Content-Length: {more}
         C: GET /v2/a/manifests/v1\nS: 200\nS: Content-Length: {{length}}
         C: HEAD /v2/a/blobs/{{hello}}\nS: 200\nS: Content-Length: 0
         C: GET /v2/a/blobs/{{hello}}\nS: 200\nS: Content-Length: 5"
    ));
}

#[test]
fn headers() {
    filled(|b| {
        b.read.blob_content_type = false;
        b.read.blob_digest = DigestHeader::Absent;
        b.read.manifest_digest = DigestHeader::Absent;
    })
    .play(
        "C: HEAD /v2/a/blobs/{hello}\nS: 200\nS: !content-type\nS: !docker-content-digest
         C: GET /v2/a/manifests/v1\nS: 200\nS: !docker-content-digest",
    );
    let mut stage = filled(|b| b.read.blob_digest = DigestHeader::Wrong);
    stage.play("C: HEAD /v2/a/blobs/{hello}\nS: 200\nS: Docker-Content-Digest: {given}");
    assert_ne!(stage.value("given"), stage.value("hello"));
}

#[test]
fn accept_filters() {
    let (image, index) = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json");
    let get = |accept: &str, status: u16| format!("C: GET /v2/a/manifests/v1\nC: Accept: {accept}\nS: {status}\n");
    filled(|_| ()).play(&get(index, 200));
    filled(|b| b.read.accept_filters = true).play(
        &[
            get(index, 404),
            get(&format!("{index}, {image};q=0.5"), 200),
            get("*/*", 200),
            "C: GET /v2/a/manifests/v1\nS: 200".to_owned(),
        ]
        .concat(),
    );
}

#[test]
fn ranges_unsupported() {
    filled(|b| b.read.ranges = false)
        .play("C: GET /v2/a/blobs/{hello}\nC: Range: bytes=1-2\nS: 200\nS: !accept-ranges\nS:\nS: hello");
}

#[test]
fn blobs_at_another_origin() {
    filled(|b| {
        b.read.blob_redirect = true;
        b.read.storage_refuses_authorization = true;
    })
    .play(
        "C: GET /v2/a/blobs/{absent}\nS: 404
         C: HEAD /v2/a/blobs/{hello}\nS: 307
         C: GET /v2/a/blobs/{hello}\nS: 307\nS: Location: https://storage.example/v2/a/blobs/{hello}?X-Signature={signature}
         C: GET https://storage.example/v2/a/blobs/{hello}?X-Signature={signature}\nC: Authorization: Bearer x\nS: 400
         C: GET https://storage.example/v2/a/blobs/{hello}?X-Signature={signature}\nS: 200\nS:\nS: hello
         C: GET https://storage.example/v2/a/blobs/{hello}\nS: 403
         C: DELETE https://storage.example/v2/a/blobs/{hello}?X-Signature={signature}\nS: 403
         C: GET https://storage.example/v2/a/manifests/v1?X-Signature={signature}\nS: 403",
    );
}
