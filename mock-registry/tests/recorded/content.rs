//! Blobs, manifests, tags and referrers.

use bytes::Bytes;
use http::{Method, Response};
use longshore_core::{Algorithm, Digest};
use serde_json::json;

use crate::stage::{IMAGE, INDEX, NAME, Stage};

type Scene = fn(&mut Stage) -> Response<Bytes>;

pub(crate) const SCENES: &[(&str, Scene)] = &[
    ("blob_head_ok", |stage| stored_blob(stage, Stage::head)),
    ("blob_get_ok", |stage| stored_blob(stage, Stage::get)),
    ("blob_head_missing", |stage| absent_blob(stage, Stage::head)),
    ("blob_get_missing", |stage| absent_blob(stage, Stage::get)),
    ("blob_get_range_206", |stage| ranged(stage, "bytes=5-14")),
    ("blob_get_range_416", |stage| ranged(stage, "bytes=99999999-")),
    ("blob_delete", |stage| stored_blob(stage, Stage::delete)),
    ("blob_delete_missing", |stage| absent_blob(stage, Stage::delete)),
    ("manifest_put_tag", |stage| put_image(stage, "v1", true, None)),
    ("manifest_put_digest", |stage| put_image(stage, "", true, None)),
    ("manifest_put_tag_no_layers", |stage| put_image(stage, "v1", false, None)),
    ("manifest_put_digest_no_layers", |stage| put_image(stage, "", false, None)),
    ("manifest_put_tag_index", |stage| put_index(stage, "v1")),
    ("manifest_put_digest_index", |stage| put_index(stage, "")),
    ("manifest_put_digest_with_subject", |stage| with_subject(stage, "")),
    ("manifest_put_tag_with_subject", |stage| with_subject(stage, "v2")),
    ("manifest_put_digest_missing_subject", |stage| put_image(stage, "", true, Some(absent()))),
    ("manifest_put_tag_missing_subject", |stage| put_image(stage, "v1", true, Some(absent()))),
    ("manifest_put_digest_mismatch", |stage| {
        stage.store_blob(NAME);
        let image = stage.image(true, None);
        stage.put_manifest(&absent().to_string(), IMAGE, &image)
    }),
    ("manifest_put_bad_digest_syntax", |stage| {
        stage.store_blob(NAME);
        let image = stage.image(true, None);
        stage.put_manifest("sha256:totallywrong", IMAGE, &image)
    }),
    ("manifest_put_missing_blob", |stage| {
        let image = stage.image(true, None);
        stage.put_manifest("v1", IMAGE, &image)
    }),
    ("manifest_put_unsupported_type", |stage| stage.put_manifest("v1", "text/plain", &"{}".into())),
    ("manifest_put_tag_immutable", |stage| {
        stage.store_image(NAME, &["v1"]);
        stage.as_noted("tag-immutable-status-zoo");
        let image = stage.image(false, None);
        stage.put_manifest("v1", IMAGE, &image)
    }),
    ("manifest_head_digest", |stage| stored_digest(stage, Stage::head)),
    ("manifest_get_digest", |stage| stored_digest(stage, Stage::get)),
    ("manifest_head_tag", |stage| stored_tag(stage, "v1", Stage::head)),
    ("manifest_get_tag", |stage| stored_tag(stage, "v1", Stage::get)),
    ("manifest_head_missing", |stage| stored_tag(stage, &absent().to_string(), Stage::head)),
    ("manifest_get_missing", |stage| stored_tag(stage, &absent().to_string(), Stage::get)),
    ("manifest_get_tag_missing", |stage| stored_tag(stage, "v9", Stage::get)),
    ("manifest_get_repo_missing", |stage| stage.get(&format!("/v2/{NAME}/manifests/v1"))),
    ("manifest_head_bad_tag", |stage| stored_tag(stage, ".INVALID_MANIFEST_NAME", Stage::head)),
    ("manifest_get_bad_tag", |stage| stored_tag(stage, ".INVALID_MANIFEST_NAME", Stage::get)),
    ("manifest_head_bad_digest_syntax", |stage| stored_tag(stage, "sha256:totallywrong", Stage::head)),
    ("manifest_get_bad_digest_syntax", |stage| stored_tag(stage, "sha256:totallywrong", Stage::get)),
    ("manifest_delete_digest", |stage| stored_digest(stage, Stage::delete)),
    ("manifest_delete_digest_missing", |stage| stored_tag(stage, &absent().to_string(), Stage::delete)),
    ("manifest_delete_tag", |stage| stored_tag(stage, "v1", Stage::delete)),
    ("tags_list", |stage| tags(stage, "")),
    ("tags_list_n", |stage| tags(stage, "?n=2")),
    ("tags_list_n_last", |stage| tags(stage, "?n=2&last=v1")),
    ("tags_list_404", |stage| stage.get(&format!("/v2/{NAME}/tags/list"))),
    ("referrers", |stage| referrers(stage, "")),
    ("referrers_ok", |stage| referrers(stage, "")),
    ("referrers_filter", |stage| referrers(stage, "?artifactType=application/vnd.example.sbom")),
    ("referrers_empty", |stage| {
        let subject = stage.store_image(NAME, &["v1"]);
        stage.get(&format!("/v2/{NAME}/referrers/{subject}"))
    }),
    ("referrers_unknown_subject", |stage| {
        stage.store_image(NAME, &["v1"]);
        stage.get(&format!("/v2/{NAME}/referrers/{}", absent()))
    }),
];

/// The digest of something that is nowhere.
fn absent() -> Digest {
    Digest::of(Algorithm::Sha256, b"nowhere")
}

fn stored_blob(stage: &mut Stage, ask: fn(&mut Stage, &str) -> Response<Bytes>) -> Response<Bytes> {
    stage.store_blob(NAME);
    let path = format!("/v2/{NAME}/blobs/{}", stage.digest());
    ask(stage, &path)
}

fn absent_blob(stage: &mut Stage, ask: fn(&mut Stage, &str) -> Response<Bytes>) -> Response<Bytes> {
    stage.store_blob(NAME);
    ask(stage, &format!("/v2/{NAME}/blobs/{}", absent()))
}

fn ranged(stage: &mut Stage, range: &str) -> Response<Bytes> {
    stage.store_blob(NAME);
    let path = format!("/v2/{NAME}/blobs/{}", stage.digest());
    stage.ask(&Method::GET, &path, &[("range", range)], &Bytes::new())
}

fn put_image(stage: &mut Stage, reference: &str, layers: bool, subject: Option<Digest>) -> Response<Bytes> {
    stage.store_blob(NAME);
    let image = stage.image(layers, subject.as_ref());
    put(stage, reference, IMAGE, &image)
}

fn put(stage: &mut Stage, reference: &str, media_type: &str, manifest: &Bytes) -> Response<Bytes> {
    let digest = Digest::of(Algorithm::Sha256, manifest).to_string();
    stage.put_manifest(if reference.is_empty() { &digest } else { reference }, media_type, manifest)
}

fn put_index(stage: &mut Stage, reference: &str) -> Response<Bytes> {
    let image = stage.store_image(NAME, &["image"]);
    let entry = json!({ "mediaType": IMAGE, "digest": image.to_string(), "size": stage.image(true, None).len() });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] }).to_string();
    put(stage, reference, INDEX, &index.into())
}

fn with_subject(stage: &mut Stage, reference: &str) -> Response<Bytes> {
    let subject = stage.store_image(NAME, &["v1"]);
    put_image(stage, reference, true, Some(subject))
}

fn stored_digest(stage: &mut Stage, ask: fn(&mut Stage, &str) -> Response<Bytes>) -> Response<Bytes> {
    let digest = stage.store_image(NAME, &["v1"]);
    ask(stage, &format!("/v2/{NAME}/manifests/{digest}"))
}

fn stored_tag(stage: &mut Stage, reference: &str, ask: fn(&mut Stage, &str) -> Response<Bytes>) -> Response<Bytes> {
    stage.store_image(NAME, &["v1"]);
    ask(stage, &format!("/v2/{NAME}/manifests/{reference}"))
}

fn tags(stage: &mut Stage, query: &str) -> Response<Bytes> {
    let tags = ["v0", "v1", "v2", "v3", "v4"];
    stage.store_image(NAME, if stage.ends_at_v3 { &tags[..4] } else { &tags });
    stage.get(&format!("/v2/{NAME}/tags/list{query}"))
}

fn referrers(stage: &mut Stage, query: &str) -> Response<Bytes> {
    let subject = stage.store_image(NAME, &["v1"]);
    let artifact = stage.image(true, Some(&subject));
    stage.plainly(|stage| put(stage, "", IMAGE, &artifact));
    stage.get(&format!("/v2/{NAME}/referrers/{subject}{query}"))
}
