use longshore_mock_registry::behaviour::{
    BodyMax, ContentRange, CutBody, EmptyRange, MaxOf, OutOfOrderRange, Patch, PatchRange,
};
use longshore_mock_registry::{BodyEnd, Instant, Opened, Progress};

use crate::transcript::Stage;
use crate::{each, stage};

const BEGIN: &str = "C: POST /v2/a/blobs/uploads/\nS: 202\nS: Location: {location}\n";

#[test]
fn patch_refused_or_taken_once() {
    stage(|b| b.chunks.patch = Patch::Refused(405)).play(&format!(
        "{BEGIN}C: PATCH {{location}}\nC:\nC: x\nS: 405\nC: PUT {{location}}?digest={{hello}}\nC:\nC: hello\nS: 201"
    ));
    stage(|b| b.chunks.patch = Patch::Once(404)).play(&format!(
        "{BEGIN}C: PATCH {{location}}\nC:\nC: hello\nS: 202\nC: PATCH {{location}}\nC:\nC: x\nS: 404
         C: PUT {{location}}?digest={{hello}}\nS: 201"
    ));
}

#[test]
fn status_of_success() {
    let statuses = [(201, "201"), (204, "204\nS: !content-length")];
    each(
        &statuses,
        |b, status| b.chunks.status = status,
        "C: POST /v2/a/blobs/uploads/\nS: 202\nS: Location: {location}
         C: PATCH {location}\nC:\nC: hello\nS: $
         C: PUT {location}?digest={hello}\nS: 201",
    );
}

#[test]
fn ranges_after_chunks() {
    // Of a chunk of three bytes and one of two, with Content-Range; then of one without.
    let ranges = [
        (PatchRange::Correct, ["0-2", "0-4", "0-5"]),
        (PatchRange::FirstChunk, ["0-2", "0-2", "0-2"]),
        (PatchRange::OffByOne, ["0-3", "0-5", "0-6"]),
        (PatchRange::OffByOneStreamed, ["0-2", "3-4", "0-6"]),
        (PatchRange::Constant, ["0-0", "0-0", "0-0"]),
        (PatchRange::OfChunk, ["0-2", "0-1", "0-0"]),
    ];
    for (range, [first, second, third]) in ranges {
        stage(|b| b.chunks.range = range).play(&format!(
            "{BEGIN}C: PATCH {{location}}\nC: Content-Range: 0-2\nC:\nC: hel\nS: 202\nS: Range: {first}
             C: PATCH {{location}}\nC: Content-Range: 3-4\nC:\nC: lo\nS: 202\nS: Range: {second}
             C: PATCH {{location}}\nC:\nC: !\nS: 202\nS: Range: {third}"
        ));
    }
    stage(|b| b.chunks.range = PatchRange::Absent)
        .play(&format!("{BEGIN}C: PATCH {{location}}\nC:\nC: hello\nS: 202\nS: !range\nS: Location: {{location}}"));
}

#[test]
fn ranges_of_nothing() {
    let ranges =
        [(EmptyRange::Zero, "Range: 0-0"), (EmptyRange::MinusOne, "Range: 0--1"), (EmptyRange::Absent, "!range")];
    each(
        &ranges,
        |b, range| b.chunks.empty_range = range,
        "C: POST /v2/a/blobs/uploads/\nS: 202\nS: Location: {location}
         C: GET {location}\nS: 204\nS: $
         C: PATCH {location}\nS: 202\nS: $",
    );
}

#[test]
fn location_missing() {
    stage(|b| b.chunks.location_missing = true)
        .play(&format!("{BEGIN}C: PATCH {{location}}\nC:\nC: hello\nS: 202\nS: !location\nS: Range: 0-4"));
}

#[test]
fn content_range_ignored() {
    stage(|b| b.chunks.content_range = ContentRange::Ignored).play(&format!(
        "{BEGIN}C: PATCH {{location}}\nC: Content-Range: 7-9\nC:\nC: hel\nS: 202\nS: Range: 0-2
         C: PATCH {{location}}\nC: Content-Range: 0-1\nC:\nC: lo\nS: 202\nS: Range: 0-4
         C: PUT {{location}}?digest={{hello}}\nS: 201"
    ));
}

#[test]
fn overlapping_chunks() {
    stage(|b| b.chunks.content_range = ContentRange::Overlapping).play(&format!(
        "{BEGIN}C: PATCH {{location}}\nC: Content-Range: 0-2\nC:\nC: hel\nS: 202
         C: PATCH {{location}}\nC: Content-Range: 4-4\nC:\nC: o\nS: 416
         C: PATCH {{location}}\nC: Content-Range: 1-3\nC:\nC: ell\nS: 202\nS: Range: 0-3
         C: PATCH {{location}}\nC: Content-Range: 2-3\nC:\nC: ll\nS: 202\nS: Range: 0-3
         C: PATCH {{location}}\nC: Content-Range: 0-0\nC:\nC: o\nS: 202\nS: Range: 0-4
         C: PUT {{location}}?digest={{hello}}\nS: 201"
    ));
}

#[test]
fn malformed_content_range() {
    stage(|b| b.chunks.malformed = 500)
        .play(&format!("{BEGIN}C: PATCH {{location}}\nC: Content-Range: bytes 0-4/5\nC:\nC: hello\nS: 500"));
}

#[test]
fn out_of_order() {
    let chunk = "C: PATCH {location}\nC:\nC: hel\nS: 202\nC: PATCH {location}\nC: Content-Range: 9-9\nC:\nC: x\n";
    stage(|b| b.chunks.out_of_order = 500).play(&format!("{BEGIN}{chunk}S: 500\nS: Range: 0-2"));
    stage(|b| b.chunks.out_of_order_range = OutOfOrderRange::Absent)
        .play(&format!("{BEGIN}{chunk}S: 416\nS: !range\nS: !location"));
    stage(|b| b.chunks.out_of_order_range = OutOfOrderRange::OffByOne)
        .play(&format!("{BEGIN}{chunk}S: 416\nS: Range: 0-3\nS: Location: {{location}}"));
    stage(|b| b.chunks.out_of_order_code = Some("RANGE_INVALID".into()))
        .play(&format!("{BEGIN}{chunk}S: 416\nS:\nS: {{\"errors\":[{{\"code\":\"RANGE_INVALID\"{{more}}"));
    stage(|b| b.chunks.out_of_order_code = Some(String::new()))
        .play(&format!("{BEGIN}{chunk}S: 416\nS: Content-Length: 0\nS: !content-type"));
}

#[test]
fn longest_bodies() {
    let max = |of| Some(BodyMax::new(4, 416, of));
    stage(|b| b.chunks.max = max(MaxOf::SizedChunks)).play(&format!(
        "{BEGIN}C: PATCH {{location}}\nC: Content-Length: 5\nC:\nC: hello\nS: 416\nS: !range
         C: PUT {{location}}?digest={{hello}}\nC: Content-Range: 0-4\nC: Content-Length: 5\nC:\nC: hello\nS: 416
         C: PATCH {{location}}\nC: Transfer-Encoding: chunked\nC:\nC: hello\nS: 202"
    ));
    stage(|b| b.chunks.max = max(MaxOf::SizedChunks))
        .play(&format!("{BEGIN}C: PUT {{location}}?digest={{hello}}\nC: Content-Length: 5\nC:\nC: hello\nS: 201"));
    stage(|b| b.chunks.max = max(MaxOf::AllBodies)).play(&format!(
        "{BEGIN}C: PATCH {{location}}\nC: Transfer-Encoding: chunked\nC:\nC: hello\nS: 416
         C: PUT {{location}}?digest={{hello}}\nC: Content-Length: 5\nC:\nC: hello\nS: 416
         C: PATCH {{location}}\nC:\nC: hell\nS: 202
         C: PUT {{location}}?digest={{hello}}\nC:\nC: o\nS: 201"
    ));
}

#[test]
fn one_stream() {
    stage(|b| b.chunks.one_stream = true).play(&format!(
        "{BEGIN}C: PATCH {{location}}\nC:\nC: hel\nS: 202
         C: PATCH {{location}}\nC:\nC: lo\nS: 400
         C: PATCH {{location}}\nC: Content-Range: 3-4\nC:\nC: lo\nS: 202
         C: PUT {{location}}?digest={{hello}}\nS: 201"
    ));
}

#[test]
fn strict_type() {
    stage(|b| b.chunks.strict_type = true).play(&format!(
        "{BEGIN}C: PATCH {{location}}\nC: Content-Type: application/json\nC:\nC: hello\nS: 500
         C: PATCH {{location}}\nC: Content-Type: application/octet-stream\nC:\nC: hello\nS: 202"
    ));
}

#[test]
fn a_body_that_is_cut() {
    let cut = |stage: &mut Stage| {
        stage.play(&format!("{BEGIN}C: PATCH {{location}}\nC:\nC: hel\nS: 202"));
        let head = http::Request::patch(stage.fill("{location}")).body(()).unwrap().into_parts().0;
        let Opened::Body(id) = stage.registry.open(Instant::default(), head) else { panic!("answered early") };
        assert!(matches!(stage.registry.piece(id, &"lo".into()), Progress::More));
        assert_eq!(stage.registry.close(Instant::default(), id, BodyEnd::Cut).status, 400);
    };
    for (rule, after) in [
        (CutBody::Kept, "GET {location}\nS: 204\nS: Range: 0-4\nC: PUT {location}?digest={hello}\nS: 201"),
        (
            CutBody::Dropped,
            "GET {location}\nS: 204\nS: Range: 0-2\nC: PUT {location}?digest={hello}\nC:\nC: lo\nS: 201",
        ),
        (CutBody::Gone, "GET {location}\nS: 404"),
    ] {
        let mut stage = stage(|b| b.chunks.cut = rule);
        cut(&mut stage);
        stage.play(&format!("C: {after}"));
    }
}

#[test]
fn chunks_without_a_byte() {
    stage(|b| b.chunks.empty_refused = Some(416))
        .play(&format!("{BEGIN}C: PATCH {{location}}\nC: Content-Length: 0\nS: 416"));
    stage(|_| ()).play(&format!("{BEGIN}C: PATCH {{location}}\nC: Content-Length: 0\nS: 202"));
}

#[test]
fn writes_sent_elsewhere() {
    stage(|b| b.chunks.redirected = Some(301)).play(&format!(
        "{BEGIN}C: PATCH {{location}}\nC: Content-Length: 3\nC:\nC: hel\nS: 301\nS: Location: {{location}}?via=proxy
         C: PATCH {{location}}?via=proxy\nC: Content-Length: 3\nC:\nC: hel\nS: 202
         C: PUT {{location}}?digest={{hello}}\nC:\nC: lo\nS: 301\nS: Location: {{location}}?digest={{hello}}&via=proxy
         C: PUT {{location}}?digest={{hello}}&via=proxy\nC: Content-Length: 2\nC:\nC: lo\nS: 201"
    ));
}

#[test]
fn bodies_at_once() {
    let mut stage = stage(|b| b.chunks.at_once = Some(1));
    stage.play(BEGIN);
    let head = http::Request::patch(stage.fill("{location}")).body(()).unwrap().into_parts().0;
    let Opened::Body(id) = stage.registry.open(Instant::default(), head) else { panic!("answered early") };
    for (method, uri) in [("PATCH", "{location}"), ("POST", "/v2/a/blobs/uploads/?digest={hello}")] {
        let head = http::Request::builder().method(method).uri(stage.fill(uri)).body(()).unwrap().into_parts().0;
        let Opened::Answer(answer) = stage.registry.open(Instant::default(), head) else { panic!("two at once") };
        assert_eq!(answer.delivery, longshore_mock_registry::Delivery::Lost, "{method}");
    }
    assert_eq!(stage.registry.state.uploads.len(), 1);
    assert_eq!(stage.registry.close(Instant::default(), id, BodyEnd::Complete).status, 202);
    stage.play("C: PATCH {location}\nC:\nC: hello\nS: 202");
}
