//! Uploads and mounts.

use bytes::Bytes;
use http::{Method, Response};

use crate::stage::{BLOB, IMAGE, SOURCE, Stage};

type Scene = fn(&mut Stage) -> Response<Bytes>;

pub(crate) const SCENES: &[(&str, Scene)] = &[
    ("post_upload", begin),
    ("post_upload_without_content_length", |stage| {
        stage.ask(&Method::POST, UPLOADS, &[("transfer-encoding", "identity")], &Bytes::new())
    }),
    ("post_single_digest", |stage| single(stage, &stage.whole())),
    ("post_single_digest_mismatch", |stage| single(stage, &"other".into())),
    ("patch_streamed", |stage| {
        let at = begun(stage);
        streamed(stage, &at, &stage.whole())
    }),
    ("patch_chunk_first", |stage| {
        let at = begun(stage);
        first(stage, &at)
    }),
    ("patch_chunk_next", |stage| {
        let at = with_first(stage);
        next(stage, &at)
    }),
    ("patch_repeated_chunk", |stage| {
        let at = with_first(stage);
        first(stage, &at)
    }),
    ("patch_out_of_order", |stage| {
        let at = begun(stage);
        next(stage, &at)
    }),
    ("patch_stale_state", |stage| {
        let at = begun(stage);
        first(stage, &at);
        next(stage, &at)
    }),
    ("patch_bad_content_range", |stage| {
        let (at, body) = (begun(stage), stage.first.clone());
        let range = format!("bytes 0-{}/*", body.len() - 1);
        stage.ask(&Method::PATCH, &at, &[("content-type", BLOB), ("content-range", &range)], &body)
    }),
    ("patch_bad_content_type", |stage| {
        let (at, body) = (begun(stage), stage.first.clone());
        stage.ask(&Method::PATCH, &at, &[("content-type", "text/plain")], &body)
    }),
    ("patch_over_4mib", |stage| {
        let (at, body) = (begun(stage), Bytes::from(vec![0; (4 << 20) + 1]));
        stage.ask(&Method::PATCH, &at, &[("content-type", BLOB), ("content-range", "0-4194304")], &body)
    }),
    ("upload_status_get", |stage| {
        let at = with_first(stage);
        stage.get(&at)
    }),
    ("upload_session_unknown", |stage| stage.get(&format!("{UPLOADS}7d2ab1a6-0000-4000-8000-000000000000"))),
    ("upload_cancel_delete", |stage| {
        let at = begun(stage);
        stage.delete(&at)
    }),
    ("put_monolithic", |stage| {
        let at = begun(stage);
        end(stage, &at, None, &stage.whole())
    }),
    ("put_after_patch", |stage| {
        let at = begun(stage);
        let answer = streamed(stage, &at, &stage.whole());
        end(stage, &located(&answer).unwrap_or(at), None, &Bytes::new())
    }),
    ("put_empty", |stage| {
        let at = with_first(stage);
        let answer = next(stage, &at);
        end(stage, &located(&answer).unwrap_or(at), None, &Bytes::new())
    }),
    ("put_final_chunk", |stage| {
        let at = with_first(stage);
        let from = stage.first.len();
        end(stage, &at, Some(from), &stage.last.clone())
    }),
    ("put_out_of_order", |stage| {
        let at = with_first(stage);
        let from = stage.first.len() + 7;
        end(stage, &at, Some(from), &stage.last.clone())
    }),
    ("put_digest_mismatch", |stage| {
        let at = begun(stage);
        end(stage, &at, None, &"other".into())
    }),
    ("put_monolithic_digest_mismatch", |stage| {
        let at = begun(stage);
        end(stage, &at, None, &"other".into())
    }),
    ("put_digest_mismatch_after_patch", |stage| {
        let at = begun(stage);
        let answer = streamed(stage, &at, &"other".into());
        end(stage, &located(&answer).unwrap_or(at), None, &Bytes::new())
    }),
    ("put_repeated_after_commit", |stage| {
        let at = begun(stage);
        end(stage, &at, None, &stage.whole());
        end(stage, &at, None, &stage.whole())
    }),
    ("put_repeated_upload_lost", |stage| {
        let at = begun(stage);
        stage.registry.state.uploads.clear();
        end(stage, &at, None, &stage.whole())
    }),
    ("put_session_invalid", |stage| {
        let at = begun(stage);
        stage.registry.state.uploads.clear();
        end(stage, &at, None, &Bytes::new())
    }),
    ("write_while_read_only", |stage| {
        stage.profile.set("manifests.read-only=405").unwrap();
        stage.registry.options.behaviour = stage.profile.behaviour().clone();
        begin(stage)
    }),
    ("write_while_pushes_disabled", |stage| {
        stage.profile.set("manifests.read-only=405").unwrap();
        stage.registry.options.behaviour = stage.profile.behaviour().clone();
        begin(stage)
    }),
    ("quota_exceeded", |stage| {
        stage.as_noted("quota-readonly-status-zoo");
        begin(stage)
    }),
    ("mount_with_from", |stage| {
        stage.store_blob(SOURCE);
        mount(stage, Some(SOURCE))
    }),
    ("mount_without_from", |stage| {
        stage.store_blob(SOURCE);
        mount(stage, None)
    }),
    ("mount_missing_source", |stage| mount(stage, Some(SOURCE))),
    ("mount_source_missing", |stage| mount(stage, Some(SOURCE))),
    ("mount_source_project_missing", |stage| mount(stage, Some("elsewhere/base"))),
    ("mount_blob_missing", without_blob),
    ("mount_blob_missing_in_source", |stage| {
        // The project is there, though this repository of it is not.
        stage.store_blob("elsewhere/other");
        mount(stage, Some("elsewhere/base"))
    }),
    ("mount_blob_unreferenced", |stage| {
        stage.store_blob(SOURCE);
        mount(stage, Some(SOURCE))
    }),
    ("mount_blob_referenced", |stage| {
        stage.store_image(SOURCE, &["v1"]);
        mount(stage, Some(SOURCE))
    }),
];

const UPLOADS: &str = "/v2/org/team/app/blobs/uploads/";

fn begin(stage: &mut Stage) -> Response<Bytes> {
    stage.post(UPLOADS)
}

fn located(answer: &Response<Bytes>) -> Option<String> {
    Some(answer.headers().get("location")?.to_str().ok()?.to_owned())
}

fn begun(stage: &mut Stage) -> String {
    let answer = begin(stage);
    located(&answer).unwrap_or_else(|| panic!("{answer:?}"))
}

fn single(stage: &mut Stage, body: &Bytes) -> Response<Bytes> {
    let path = format!("{UPLOADS}?digest={}", stage.digest());
    stage.ask(&Method::POST, &path, &[("content-type", BLOB)], body)
}

fn streamed(stage: &mut Stage, at: &str, body: &Bytes) -> Response<Bytes> {
    stage.ask(&Method::PATCH, at, &[("content-type", BLOB), ("transfer-encoding", "chunked")], body)
}

fn chunk(stage: &mut Stage, at: &str, from: usize, body: &Bytes) -> Response<Bytes> {
    let range = format!("{from}-{}", from + body.len() - 1);
    stage.ask(&Method::PATCH, at, &[("content-type", BLOB), ("content-range", &range)], body)
}

fn first(stage: &mut Stage, at: &str) -> Response<Bytes> {
    let body = stage.first.clone();
    chunk(stage, at, 0, &body)
}

fn next(stage: &mut Stage, at: &str) -> Response<Bytes> {
    let (from, body) = (stage.first.len(), stage.last.clone());
    chunk(stage, at, from, &body)
}

/// The URL of an upload that has its first chunk.
fn with_first(stage: &mut Stage) -> String {
    let at = begun(stage);
    let answer = first(stage, &at);
    located(&answer).unwrap_or(at)
}

fn end(stage: &mut Stage, at: &str, from: Option<usize>, body: &Bytes) -> Response<Bytes> {
    let separator = if at.contains('?') { '&' } else { '?' };
    let target = format!("{at}{separator}digest={}", stage.digest());
    let range = from.map(|from| format!("{from}-{}", from + body.len() - 1));
    let mut headers = vec![("content-type", BLOB)];
    headers.extend(range.as_deref().map(|range| ("content-range", range)));
    stage.ask(&Method::PUT, &target, &headers, body)
}

fn mount(stage: &mut Stage, from: Option<&str>) -> Response<Bytes> {
    let from = from.map(|from| format!("&from={from}")).unwrap_or_default();
    stage.post(&format!("{UPLOADS}?mount={}{from}", stage.digest()))
}

/// A mount from a repository that has something else.
fn without_blob(stage: &mut Stage) -> Response<Bytes> {
    stage.store_blob(SOURCE);
    let other = longshore_core::Digest::of(longshore_core::Algorithm::Sha256, IMAGE.as_bytes());
    stage.post(&format!("{UPLOADS}?mount={other}&from={SOURCE}"))
}
