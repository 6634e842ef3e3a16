use longshore_mock_registry::behaviour::{BlobLocation, DigestHeader, FinalChunk, StatusRange};

use crate::transcript::push;
use crate::{each, stage};

const BEGIN: &str = "C: POST /v2/a/blobs/uploads/\nS: 202\nS: Location: {location}\n";
const CHUNK: &str = "C: PATCH {location}\nC:\nC: hel\nS: 202\n";

#[test]
fn state_of_an_upload() {
    stage(|b| b.status.status = 404).play(&format!(
        "{BEGIN}{CHUNK}C: GET {{location}}\nS: 404\nC: PUT {{location}}?digest={{hello}}\nC:\nC: lo\nS: 201"
    ));
    stage(|b| {
        b.status.range = StatusRange::Exclusive;
        b.status.location = false;
    })
    .play(&format!("{BEGIN}{CHUNK}C: GET {{location}}\nS: 204\nS: Range: bytes=0-3\nS: !location"));
    stage(|b| b.status.range = StatusRange::Absent)
        .play(&format!("{BEGIN}{CHUNK}C: GET {{location}}\nS: 204\nS: !range\nS: Location: {{location}}"));
}

#[test]
fn cancelling() {
    stage(|b| b.status.cancel = 202)
        .play(&format!("{BEGIN}C: DELETE {{location}}\nS: 202\nC: GET {{location}}\nS: 404"));
    for refused in [401, 404, 405] {
        stage(|b| b.status.cancel = refused)
            .play(&format!("{BEGIN}C: DELETE {{location}}\nS: {refused}\nC: GET {{location}}\nS: 204"));
    }
}

#[test]
fn status_of_success() {
    each(
        &[(200, "200"), (202, "202"), (204, "204\nS: !content-length")],
        |b, status| b.commit.status = status,
        "C: POST /v2/a/blobs/uploads/\nS: 202\nS: Location: {location}
         C: PUT {location}?digest={hello}\nC:\nC: hello\nS: $
         C: HEAD /v2/a/blobs/{hello}\nS: 200",
    );
}

#[test]
fn whole_blobs_refused() {
    stage(|b| b.commit.monolithic_refused = Some(404)).play(&format!(
        "{BEGIN}C: PUT {{location}}?digest={{hello}}\nC: Content-Length: 5\nC:\nC: hello\nS: 404
         C: PATCH {{location}}\nC:\nC: hello\nS: 202
         C: PUT {{location}}?digest={{hello}}\nC: Content-Length: 0\nS: 201"
    ));
}

#[test]
fn last_chunks() {
    let last = "C: PUT {location}?digest={hello}\nC: Content-Length: 2\nC:\nC: lo\nS: ";
    let ranged = "C: PUT {location}?digest={hello}\nC: Content-Range: 3-4\nC: Content-Length: 2\nC:\nC: lo\nS: 201";
    for (rule, status) in [(FinalChunk::AtZero, 416), (FinalChunk::Fails, 500)] {
        stage(|b| b.commit.final_chunk = rule).play(&format!("{BEGIN}{CHUNK}{last}{status}\n{ranged}"));
        stage(|b| b.commit.final_chunk = rule).play(&format!(
            "{BEGIN}{CHUNK}C: PATCH {{location}}\nC:\nC: lo\nS: 202\nC: PUT {{location}}?digest={{hello}}\nS: 201"
        ));
    }
    stage(|b| b.commit.empty_put_fails = true).play(&format!(
        "{BEGIN}C: PATCH {{location}}\nC:\nC: hello\nS: 202\nC: PUT {{location}}?digest={{hello}}\nC: Content-Length: 0\nS: 500"
    ));
    stage(|b| b.commit.empty_put_fails = true).play(&format!("{BEGIN}{CHUNK}{last}201"));
}

#[test]
fn blobs_without_a_byte() {
    stage(|_| ()).play(&format!("{BEGIN}C: PUT {{location}}?digest={{empty}}\nC: Content-Length: 0\nS: 201\nC: GET /v2/a/blobs/{{empty}}\nS: 200\nS: Content-Length: 0"));
    stage(|b| b.commit.empty_blob_refused = Some(500)).play(&format!(
        "{BEGIN}C: PUT {{location}}?digest={{empty}}\nC: Content-Length: 0\nS: 500\nC: HEAD /v2/a/blobs/{{empty}}\nS: 404"
    ));
}

#[test]
fn wrong_digests() {
    stage(|b| {
        b.commit.mismatch = 500;
        b.commit.mismatch_code = "BLOB_UPLOAD_INVALID".into();
    })
    .play(&format!(
        "{BEGIN}C: PUT {{location}}?digest={{absent}}\nC:\nC: hello\nS: 500\nS:\nS: {{\"errors\":[{{\"code\":\"BLOB_UPLOAD_INVALID\"{{more}}
         C: GET {{location}}\nS: 404"
    ));
    stage(|b| b.commit.mismatch_keeps_upload = true).play(&format!(
        "{BEGIN}{CHUNK}C: PUT {{location}}?digest={{absent}}\nC:\nC: lo\nS: 400\nC: GET {{location}}\nS: 204\nS: Range: 0-2
         C: PUT {{location}}?digest={{hello}}\nC:\nC: lo\nS: 201"
    ));
    stage(|b| b.commit.unverified = true).play(&format!(
        "{BEGIN}C: PUT {{location}}?digest={{absent}}\nC:\nC: hello\nS: 201\nC: GET /v2/a/blobs/{{absent}}\nS: 200\nS:\nS: hello"
    ));
}

#[test]
fn headers_of_success() {
    let put =
        |headers: &str| format!("{BEGIN}C: PUT {{location}}?digest={{hello}}\nC:\nC: hello\nS: 201\nS: {headers}");
    stage(|b| b.commit.digest = DigestHeader::Absent).play(&put("!docker-content-digest"));
    let mut wrong = stage(|b| b.commit.digest = DigestHeader::Wrong);
    wrong.play(&put("Docker-Content-Digest: {given}"));
    assert_ne!(wrong.value("given"), wrong.value("hello"));
    stage(|b| b.commit.location = BlobLocation::Absent).play(&put("!location"));
    stage(|b| b.commit.location = BlobLocation::Upload).play(&put("Location: {location}"));
}

#[test]
fn blobs_appear_late() {
    let mut stage = stage(|b| b.commit.visible_after = 3_000_000);
    push(&mut stage, "a", "hello");
    let manifest = r#"{"schemaVersion":2,"config":{"mediaType":"application/x","digest":"{hello}","size":5}}"#;
    let put = format!(
        "C: PUT /v2/a/manifests/v1\nC: Content-Type: application/vnd.oci.image.manifest.v1+json\nC:\nC: {manifest}\nS: "
    );
    stage.now = 2_999_999;
    stage.play(&format!("C: HEAD /v2/a/blobs/{{hello}}\nS: 404\n{put}400"));
    stage.now = 3_000_000;
    stage.play(&format!("C: HEAD /v2/a/blobs/{{hello}}\nS: 200\n{put}201"));
}

#[test]
fn ends_without_a_length() {
    stage(|b| b.commit.needs_content_length = true).play(&format!(
        "{BEGIN}C: PUT {{location}}?digest={{empty}}\nS: 411\nS: Content-Type: text/html; charset=UTF-8
         C: PUT {{location}}?digest={{empty}}\nC: Content-Length: 0\nS: 201"
    ));
}

#[test]
fn ranges_of_last_chunks_ignored() {
    let last =
        "C: PUT {location}?digest={hello}\nC: Content-Range: 0-1\nC: Content-Length: 2\nC:\nC: lo\nS: ".to_owned();
    stage(|b| b.commit.ignores_content_range = true).play(&format!("{BEGIN}{CHUNK}{last}201"));
    stage(|_| ()).play(&format!("{BEGIN}{CHUNK}{last}416"));
    stage(|b| b.commit.ignores_content_range = true)
        .play(&format!("{BEGIN}{CHUNK}C: PATCH {{location}}\nC: Content-Range: 0-1\nC:\nC: lo\nS: 416"));
}

#[test]
fn long_blobs_are_lost() {
    for (most, status) in [(4, 404), (5, 201)] {
        stage(|b| b.commit.lost_above = Some(most)).play(&format!(
            "{BEGIN}C: PUT {{location}}?digest={{hello}}\nC:\nC: hello\nS: {status}\nC: GET {{location}}\nS: 404
             C: HEAD /v2/a/blobs/{{hello}}\nS: {}",
            if status == 201 { 200 } else { 404 }
        ));
    }
}
