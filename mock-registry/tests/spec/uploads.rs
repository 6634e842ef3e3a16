//! Uploads: `end-4` to `end-6`, `end-13` and `end-14`.

use crate::stage;

#[test]
fn end_4a_6_post_then_put() {
    stage().play(
        "C: POST /v2/library/a/blobs/uploads/
         C: Content-Length: 0
         S: 202
         S: Location: /v2/library/a/blobs/uploads/{id}
         S: Range: 0-0
         C: PUT /v2/library/a/blobs/uploads/{id}?digest={hello}
         C: Content-Length: 5
         C: Content-Type: application/octet-stream
         C:
         C: hello
         S: 201
         S: Location: /v2/library/a/blobs/{hello}
         S: Docker-Content-Digest: {hello}
         C: HEAD /v2/library/a/blobs/{hello}
         S: 200
         S: Content-Length: 5
         S: Docker-Content-Digest: {hello}
         C: GET /v2/library/a/blobs/{hello}
         S: 200
         S: Content-Length: 5
         S:
         S: hello
         C: GET /v2/library/b/blobs/{hello}
         S: 404
         C: PUT /v2/library/a/blobs/uploads/{id}?digest={hello}
         S: 404",
    );
}

#[test]
fn a_digest_that_is_not_the_contents_is_refused() {
    for query in ["digest={absent}", "digest=sha256:00", "digest=md5:d41d8cd98f00b204e9800998ecf8427e", ""] {
        stage().play(&format!(
            "C: POST /v2/a/blobs/uploads/
             S: 202
             S: Location: {{location}}
             C: PUT {{location}}?{query}
             C:
             C: hello
             S: 400
             C: GET /v2/a/blobs/{{absent}}
             S: 404"
        ));
    }
    stage().play(
        "C: POST /v2/a/blobs/uploads/?digest={absent}
         C:
         C: hello
         S: 400",
    );
}

#[test]
fn end_4b_single_post() {
    let mut stage = stage();
    stage.play(
        "C: POST /v2/a/blobs/uploads/?digest={hello}
         C: Content-Length: 5
         C: Content-Type: application/octet-stream
         C:
         C: hello
         S: 201
         S: Location: /v2/a/blobs/{hello}
         C: GET /v2/a/blobs/{hello}
         S: 200
         S:
         S: hello",
    );
    assert!(stage.registry.state.uploads.is_empty());
}

#[test]
fn end_4c_sha512_named_at_the_start_or_at_the_end() {
    for start in ["?digest-algorithm=sha512", ""] {
        stage().play(&format!(
            "C: POST /v2/a/blobs/uploads/{start}
             S: 202
             S: Location: {{location}}
             C: PATCH {{location}}
             C:
             C: hel
             S: 202
             C: PUT {{location}}?digest={{hello512}}
             C:
             C: lo
             S: 201
             C: GET /v2/a/blobs/{{hello512}}
             S: 200
             S: Docker-Content-Digest: {{hello512}}
             S:
             S: hello"
        ));
    }
    stage().play("C: POST /v2/a/blobs/uploads/?digest-algorithm=md5\nS: 400");
}

#[test]
fn end_5_chunks_in_order() {
    stage().play(
        "C: POST /v2/a/blobs/uploads/
         S: 202
         S: Location: {location}
         C: PATCH {location}
         C: Content-Length: 2
         C: Content-Range: 0-1
         C:
         C: he
         S: 202
         S: Location: {location}
         S: Range: 0-1
         C: PATCH {location}
         C: Content-Length: 2
         C: Content-Range: 3-4
         C:
         C: lo
         S: 416
         S: Location: {location}
         S: Range: 0-1
         C: GET {location}
         S: 204
         S: Location: {location}
         S: Range: 0-1
         C: PATCH {location}
         C: Content-Range: 2-3
         C:
         C: ll
         S: 202
         S: Range: 0-3
         C: PUT {location}?digest={hello}
         C: Content-Range: 3-3
         C:
         C: o
         S: 416
         C: PUT {location}?digest={hello}
         C: Content-Range: 4-4
         C:
         C: o
         S: 201
         C: GET /v2/a/blobs/{hello}
         S: 200
         S:
         S: hello",
    );
}

#[test]
fn a_chunk_that_is_not_what_it_says_leaves_the_upload_as_it_was() {
    for range in ["0-9", "0-1", "bytes 0-4/5", "0-4/5", "4-0"] {
        stage().play(&format!(
            "C: POST /v2/a/blobs/uploads/
             S: 202
             S: Location: {{location}}
             C: PATCH {{location}}
             C: Content-Range: {range}
             C:
             C: hello
             S: 400
             C: PUT {{location}}?digest={{hello}}
             C:
             C: hello
             S: 201"
        ));
    }
}

#[test]
fn end_14_cancel() {
    let mut stage = stage();
    stage.play(
        "C: POST /v2/a/blobs/uploads/
         S: 202
         S: Location: {location}
         C: DELETE {location}
         C: Content-Length: 0
         S: 204
         C: GET {location}
         S: 404
         C: DELETE {location}
         S: 404",
    );
    assert!(stage.registry.state.uploads.is_empty());
}

#[test]
fn uploads_belong_to_their_repository_and_end_in_time() {
    let mut stage = stage();
    stage.play(
        "C: POST /v2/a/blobs/uploads/
         S: 202
         S: Location: /v2/a/blobs/uploads/{id}
         C: GET /v2/b/blobs/uploads/{id}
         S: 404
         C: GET /v2/a/blobs/uploads/{id}
         S: 204",
    );
    stage.now = 3600 * 1_000_000 - 1;
    stage.play("C: GET /v2/a/blobs/uploads/{id}\nS: 204");
    stage.now *= 2;
    stage.play("C: GET /v2/a/blobs/uploads/{id}\nS: 204");
    stage.now += 3600 * 1_000_000;
    stage.play("C: GET /v2/a/blobs/uploads/{id}\nS: 404");
}
