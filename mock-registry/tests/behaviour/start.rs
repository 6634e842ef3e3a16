use longshore_mock_registry::behaviour::{
    ChunkMin, Creation, IdForm, LocationForm, PostRange, SinglePost, StateQuery, TrailingSlash, UploadPath,
};
use longshore_mock_registry::{Delivery, Instant, Opened};

use crate::transcript::push;
use crate::{each, stage};

#[test]
fn single_post() {
    stage(|b| b.start.single_post = SinglePost::Ignored).play(
        "C: POST /v2/a/blobs/uploads/?digest={hello}
         C: Content-Length: 5
         C:
         C: hello
         S: 202
         S: Location: {location}
         S: Range: 0-0
         C: PUT {location}?digest={hello}
         C:
         C: hello
         S: 201",
    );
    stage(|b| b.start.single_post = SinglePost::Strict).play(
        "C: POST /v2/a/blobs/uploads/?digest={hello}
         C: Content-Length: 5
         C:
         C: hello
         S: 415
         C: POST /v2/a/blobs/uploads/?digest={hello}
         C: Content-Type: application/octet-stream
         C:
         C: hello
         S: 400
         C: POST /v2/a/blobs/uploads/?digest={hello}
         C: Content-Type: application/octet-stream
         C: Content-Length: 5
         C:
         C: hello
         S: 201
         S: Location: /v2/a/blobs/{hello}",
    );
    stage(|b| b.start.single_post = SinglePost::UploadLocation).play(
        "C: POST /v2/a/blobs/uploads/?digest={hello}
         C:
         C: hello
         S: 201
         S: Location: /v2/a/blobs/uploads/{id}
         S: !docker-content-digest
         C: GET /v2/a/blobs/{hello}
         S: 200",
    );
}

#[test]
fn location_forms() {
    let forms = [
        (LocationForm::Path, "/v2/"),
        (LocationForm::Absolute, "https://reg.example:5443/v2/"),
        (LocationForm::Downgraded, "http://reg.example:5443/v2/"),
        (LocationForm::WithoutPort, "https://reg.example/v2/"),
        (LocationForm::WithoutScheme, "reg.example:5443/v2/"),
    ];
    each(
        &forms,
        |b, form| b.start.location = form,
        "C: POST /v2/a/blobs/uploads/
         S: 202
         S: Location: $a/blobs/uploads/{id}
         C: PUT /v2/a/blobs/uploads/{id}?digest={hello}
         C:
         C: hello
         S: 201
         S: Location: $a/blobs/{hello}",
    );
}

#[test]
fn s10_locations_are_never_made_of_a_requests_host() {
    stage(|b| b.start.location = LocationForm::Absolute).play(
        "C: POST /v2/a/blobs/uploads/
         C: Host: evil.example
         C: X-Forwarded-Host: evil.example
         C: X-Forwarded-Proto: http
         S: 202
         S: Location: https://reg.example:5443/v2/a/blobs/uploads/{id}",
    );
}

#[test]
fn uploads_at_another_origin_are_signed_and_nowhere_else() {
    stage(|b| b.start.location = LocationForm::Storage).play(
        "C: POST /v2/a/blobs/uploads/
         C: Host: reg.example:5443
         S: 202
         S: Location: https://storage.example/v2/a/blobs/uploads/{id}?X-Signature={signature}
         C: PATCH /v2/a/blobs/uploads/{id}?X-Signature={signature}
         C: Host: reg.example:5443
         C:
         C: hello
         S: 404
         C: PATCH /v2/a/blobs/uploads/{id}?X-Signature=0{signature}
         C: Host: storage.example
         C:
         C: hello
         S: 403
         C: PATCH /v2/a/blobs/uploads/{id}
         C: Host: storage.example
         C:
         C: hello
         S: 403
         C: GET /v2/
         C: Host: storage.example
         S: 403
         C: PATCH /v2/a/blobs/uploads/{id}?X-Signature={signature}
         C: Host: storage.example
         C:
         C: hello
         S: 202
         S: Location: https://storage.example/v2/a/blobs/uploads/{id}?X-Signature={signature}
         C: PUT https://storage.example/v2/a/blobs/uploads/{id}?X-Signature={signature}&digest={hello}
         S: 201
         S: Location: /v2/a/blobs/{hello}",
    );
}

#[test]
fn location_missing() {
    stage(|b| b.start.location_missing = true)
        .play("C: POST /v2/a/blobs/uploads/\nS: 202\nS: !location\nS: Range: 0-0");
}

#[test]
fn upload_paths() {
    let paths = [
        (UploadPath::Singular, "/v2/a/blobs/upload/{id}?"),
        (UploadPath::Suffixed, "/v2/a/blobs/uploads/{id}.patch?"),
        (UploadPath::IdInQuery, "/upload/part?id={id}&"),
    ];
    for (path, form) in paths {
        let location = &form[..form.len() - 1];
        stage(|b| b.start.path = path).play(&format!(
            "C: POST /v2/a/blobs/uploads/
             S: 202
             S: Location: {location}
             C: PATCH /v2/a/blobs/uploads/{{id}}
             C:
             C: hello
             S: 404
             C: PATCH {location}
             C:
             C: hel
             S: 202
             S: Location: {location}
             C: PUT {form}digest={{hello}}
             C:
             C: lo
             S: 201"
        ));
    }
}

#[test]
fn state_in_the_query() {
    let begin = "C: POST /v2/a/blobs/uploads/
         S: 202
         S: Location: /v2/a/blobs/uploads/{id}?_state={one}
         C: PATCH /v2/a/blobs/uploads/{id}?_state={one}
         C:
         C: hel
         S: 202
         S: Location: /v2/a/blobs/uploads/{id}?_state={two}\n";
    let old = "PATCH /v2/a/blobs/uploads/{id}?_state={one}\nC:\nC: lo";
    let end = "C: PUT /v2/a/blobs/uploads/{id}?_state={two}&digest={hello}\nC:\nC: lo\nS: 201";
    let rules = [
        (StateQuery::Ignored, format!("C: GET /v2/a/blobs/uploads/{{id}}\nS: 204\n{end}")),
        (
            StateQuery::Newest,
            format!(
                "C: {old}\nS: 416\nS: Range: 0-2\nS: Location: /v2/a/blobs/uploads/{{id}}?_state={{two}}
                 C: GET /v2/a/blobs/uploads/{{id}}?_state={{one}}\nS: 204\n{end}"
            ),
        ),
        (StateQuery::NewestOrGone, end.to_owned()),
        (
            StateQuery::NewestOrGone,
            format!(
                "C: {old}\nS: 404\nS:\nS: {{\"errors\":[{{\"code\":\"BLOB_UPLOAD_INVALID\"{{more}}\n{}",
                end.replace("201", "404")
            ),
        ),
        (
            StateQuery::NewestOrGone,
            format!(
                "C: GET /v2/a/blobs/uploads/{{id}}?_state={{one}}\nS: 404\nS:\nS: {{\"errors\":[{{\"code\":\"BLOB_UPLOAD_INVALID\"{{more}}\n{}",
                end.replace("201", "404")
            ),
        ),
        // A request without a state is refused as such, and changes nothing.
        (
            StateQuery::NewestOrGone,
            format!(
                "C: GET /v2/a/blobs/uploads/{{id}}\nS: 404\nS:\nS: {{\"errors\":[{{\"code\":\"BLOB_UPLOAD_INVALID\"{{more}}\n{end}"
            ),
        ),
        (
            StateQuery::NewestOrGone,
            "C: GET /v2/a/blobs/uploads/none\nS: 404\nS:\nS: {\"errors\":[{\"code\":\"BLOB_UPLOAD_INVALID\"{more}".to_owned(),
        ),
        // The state of an upload that is gone is not stale.
        (
            StateQuery::NewestOrGone,
            "C: DELETE /v2/a/blobs/uploads/{id}?_state={two}\nS: 204
             C: GET /v2/a/blobs/uploads/{id}?_state={two}\nS: 404\nS:\nS: {\"errors\":[{\"code\":\"BLOB_UPLOAD_UNKNOWN\"{more}"
                .to_owned(),
        ),
    ];
    for (rule, rest) in rules {
        stage(|b| b.start.state = rule).play(&format!("{begin}{rest}"));
    }
    stage(|b| {
        b.start.state = StateQuery::Newest;
        b.start.state_name = Some("_stateHash".to_owned());
        b.start.query = Some("_nouploadcache=false".to_owned());
    })
    .play("C: POST /v2/a/blobs/uploads/\nS: 202\nS: Location: {path}?_nouploadcache=false&_stateHash={state}");
    // A client that decodes and encodes the query again has changed it: registries let it in, and the judge tells of it.
    let mut stage = stage(|b| b.start.state = StateQuery::Newest);
    stage.play("C: POST /v2/a/blobs/uploads/\nS: 202\nS: Location: {path}?_state={state}");
    let state = stage.value("state").replace("%3d", "%3D");
    let mut stage = stage.with("changed", state);
    stage.play("C: PATCH {path}?_state={state}0\nC:\nC: x\nS: 416\nC: PATCH {path}?_state={changed}\nC:\nC: x\nS: 202");
}

#[test]
fn ranges_of_the_first_answer() {
    let ranges =
        [(PostRange::Zero, "Range: 0-0"), (PostRange::Unit, "Range: bytes=0--1"), (PostRange::Absent, "!range")];
    each(&ranges, |b, range| b.start.range = range, "C: POST /v2/a/blobs/uploads/\nS: 202\nS: $");
}

#[test]
fn ids() {
    stage(|b| b.start.id = IdForm::BlobUploadUuid).play(
        "C: POST /v2/a/blobs/uploads/
         S: 202
         S: Location: /v2/a/blobs/uploads/{id}
         S: Blob-Upload-UUID: {id}
         S: !docker-upload-uuid",
    );
    let mut stage = stage(|b| b.start.id = IdForm::Short);
    stage.play(
        "C: POST /v2/a/blobs/uploads/\nS: 202\nS: Docker-Upload-UUID: {id}\nS: Location: /v2/a/blobs/uploads/{id}",
    );
    assert_eq!(stage.value("id").len(), 12);
}

#[test]
fn shortest_chunks() {
    let chunks = |announced: &str| {
        format!(
            "C: POST /v2/a/blobs/uploads/
             S: 202
             S: Location: {{location}}
             S: {announced}
             C: PATCH {{location}}
             C:
             C: hell
             S: 202
             C: PATCH {{location}}
             C:
             C: o
             S: 202
             C: PUT {{location}}?digest={{hello}}
             S: 201
             C: POST /v2/a/blobs/uploads/
             S: 202
             S: Location: {{other}}
             C: PATCH {{other}}
             C:
             C: he
             S: 202
             C: PATCH {{other}}
             C:
             C: llo
             S: 400
             C: PUT {{other}}?digest={{hello}}
             C:
             C: llo
             S: 201"
        )
    };
    for (announced, header) in [(true, "OCI-Chunk-Min-Length: 4"), (false, "!oci-chunk-min-length")] {
        stage(|b| b.start.chunk_min = Some(ChunkMin::new(4, announced))).play(&chunks(header));
    }
}

#[test]
fn longest_chunks() {
    stage(|b| b.start.chunk_max = Some(4)).play(
        "C: POST /v2/a/blobs/uploads/
         S: 202
         S: Location: {location}
         S: OCI-Chunk-Max-Length: 4
         C: PATCH {location}
         C: Content-Length: 5
         C:
         C: hello
         S: 413
         C: GET {location}
         S: 204
         S: OCI-Chunk-Max-Length: 4",
    );
}

#[test]
fn content_length_is_needed() {
    stage(|b| b.start.needs_content_length = true).play(
        "C: POST /v2/a/blobs/uploads/
         S: 411
         S: Content-Type: text/html; charset=UTF-8
         C: POST /v2/a/blobs/uploads/
         C: Content-Length: 0
         S: 202",
    );
}

#[test]
fn a_json_body_with_the_first_answer() {
    stage(|b| b.start.json_body = true)
        .play("C: POST /v2/a/blobs/uploads/\nS: 202\nS: Content-Range: 0-0\nS: Content-Length: 2\nS:\nS: {}");
}

#[test]
fn trailing_slash() {
    let post = "C: POST /v2/a/blobs/uploads?digest={hello}\nC:\nC: hello\nS: ";
    stage(|_| ()).play(&format!("{post}404"));
    stage(|b| b.start.trailing_slash = TrailingSlash::Optional).play(&format!("{post}201"));
    stage(|b| b.start.trailing_slash = TrailingSlash::Redirected)
        .play(&format!("{post}301\nS: Location: /v2/a/blobs/uploads/?digest={{hello}}"));
}

#[test]
fn missing_repositories() {
    let mut stage = stage(|_| ());
    push(&mut stage, "a", "hello");
    stage.registry.options.behaviour.start.creation = Creation::Refused;
    stage.play(
        "C: POST /v2/a/blobs/uploads/
         S: 202
         C: POST /v2/b/blobs/uploads/
         S: 404
         S:
         S: {\"errors\":[{\"code\":\"NAME_UNKNOWN\"{more}
         C: POST /v2/b/blobs/uploads/?mount={hello}&from=a
         S: 404
         C: PUT /v2/b/manifests/v1
         S: 404",
    );
    stage.registry.options.behaviour.start.creation = Creation::ConnectionClosed;
    let head = http::Request::post("/v2/b/blobs/uploads/").body(()).unwrap().into_parts().0;
    let Opened::Answer(answer) = stage.registry.open(Instant::default(), head) else { panic!("not answered") };
    assert_eq!(answer.delivery, Delivery::Lost);
}

#[test]
fn head_of_an_upload() {
    let begin = "C: POST /v2/a/blobs/uploads/\nS: 202\nS: Location: {location}\n";
    stage(|_| ()).play(&format!("{begin}C: HEAD {{location}}\nS: 405\nS: Allow: DELETE, GET, PATCH, PUT"));
    stage(|b| b.status.head = true).play(&format!(
        "{begin}C: PATCH {{location}}\nC:\nC: hel\nS: 202\nC: HEAD {{location}}\nS: 204\nS: Range: 0-2\nS: Location: {{location}}
         C: POST {{location}}\nS: 405\nS: Allow: DELETE, GET, HEAD, PATCH, PUT\nC: HEAD /v2/a/blobs/uploads/none\nS: 404"
    ));
}
