//! Bounds and collisions: what is too long or too much, and two requests that meet in one upload.

#[path = "transcript/mod.rs"]
mod transcript;

use bytes::Bytes;
use http::Request;
use longshore_mock_registry::{Answer, Body, BodyEnd, Instant, Opened, Progress, RegistryOptions, RequestId};
use transcript::{Stage, image, push, sha256};

const NOW: Instant = Instant::from_micros(0);
const BEGIN: &str = "C: POST /v2/a/blobs/uploads/\nS: 202\nS: Location: {location}";

fn stage(change: impl FnOnce(&mut RegistryOptions)) -> Stage {
    let mut options = RegistryOptions::default();
    change(&mut options);
    Stage::new(options).with("hello", sha256("hello")).with("absent", sha256("absent"))
}

fn open(stage: &mut Stage, method: &str, uri: &str, length: Option<u64>) -> Opened {
    let head = Request::builder().method(method).uri(stage.fill(uri));
    let head = length.iter().fold(head, |head, length| head.header("content-length", *length));
    stage.registry.open(NOW, head.body(()).unwrap().into_parts().0)
}

fn opened(stage: &mut Stage, method: &str, uri: &str) -> RequestId {
    let Opened::Body(pending) = open(stage, method, uri, None) else { panic!("answered early") };
    pending
}

fn piece(stage: &mut Stage, pending: RequestId, bytes: &'static str) -> Option<Answer> {
    match stage.registry.piece(pending, &Bytes::from_static(bytes.as_bytes())) {
        Progress::More => None,
        Progress::Answer(answer) => Some(answer),
    }
}

#[test]
fn s12_requests_on_their_way_in_are_bounded() {
    let mut stage = stage(|options| options.limits.pending = 1);
    let pending = opened(&mut stage, "POST", "/v2/a/blobs/uploads/?digest={hello}");
    stage.play("C: GET /v2/\nS: 503");
    assert!(piece(&mut stage, pending, "hello").is_none());
    assert_eq!(stage.registry.close(NOW, pending, BodyEnd::Complete).status, 201);
    stage.play("C: GET /v2/\nS: 200");
}

#[test]
fn one_request_at_a_time_writes_to_an_upload() {
    let mut stage = stage(|options| options.faults = "end-5#2: upload-gone".parse().unwrap());
    stage.play(BEGIN);
    let pending = opened(&mut stage, "PATCH", "{location}");
    assert!(piece(&mut stage, pending, "hel").is_none());
    // Not even a fault takes away what is being written to.
    stage.play("C: PATCH {location}\nC:\nC: hello\nS: 409\nC: PUT {location}?digest={hello}\nC:\nC: hello\nS: 409");
    assert!(piece(&mut stage, pending, "lo").is_none());
    assert_eq!(stage.registry.close(NOW, pending, BodyEnd::Complete).status, 202);
    stage.play("C: PUT {location}?digest={hello}\nS: 201");
}

#[test]
fn s1_a_blob_that_is_too_long_is_refused_as_soon_as_that_is_known() {
    let mut stage = stage(|options| options.limits.blob = 4);
    stage.play(BEGIN);
    let Opened::Answer(answer) = open(&mut stage, "PATCH", "{location}", Some(5)) else { panic!("it is let in") };
    assert_eq!(answer.status, 413);
    let pending = opened(&mut stage, "PATCH", "{location}");
    assert!(piece(&mut stage, pending, "hell").is_none());
    assert_eq!(piece(&mut stage, pending, "o").unwrap().status, 413);
    // The upload is as it was before.
    stage.play("C: GET {location}\nS: 204\nS: Range: 0-0\nC: DELETE {location}\nS: 204");
    let pending = opened(&mut stage, "POST", "/v2/a/blobs/uploads/?digest={hello}");
    assert_eq!(piece(&mut stage, pending, "hello").unwrap().status, 413);
    assert!(stage.registry.state.uploads.is_empty());
}

#[test]
fn a_single_post_that_is_refused_leaves_no_upload() {
    let mut stage = stage(|options| options.behaviour.commit.mismatch_keeps_upload = true);
    stage.play("C: POST /v2/a/blobs/uploads/?digest={absent}\nC:\nC: hello\nS: 400");
    assert!(stage.registry.state.uploads.is_empty());
    let pending = opened(&mut stage, "POST", "/v2/a/blobs/uploads/?digest={hello}");
    assert_eq!(stage.registry.close(NOW, pending, BodyEnd::Cut).status, 400);
    assert!(stage.registry.state.uploads.is_empty());
}

#[test]
fn s12_a_blob_that_has_no_room_leaves_no_bytes() {
    let mut stage = stage(|options| options.limits.blobs = 1);
    push(&mut stage, "a", "first");
    stage.play(
        "C: POST /v2/a/blobs/uploads/?digest={hello}\nC:\nC: hello\nS: 507
         C: HEAD /v2/a/blobs/{hello}\nS: 404",
    );
    assert!(stage.registry.read(&Body::Blob { digest: sha256("hello"), range: 0..5 }).is_err());
}

#[test]
fn a_blob_that_is_there_stays_visible_when_it_comes_again() {
    let mut stage = stage(|options| options.behaviour.commit.visible_after = 1000);
    push(&mut stage, "a", "hello");
    stage.now = 1000;
    push(&mut stage, "a", "hello");
    stage.play("C: HEAD /v2/a/blobs/{hello}\nS: 200");
}

#[test]
fn only_the_second_version_of_the_schema_is_known() {
    let mut stage = stage(|_| ());
    let one = image(&mut stage, "a", "").replace(r#""schemaVersion":2"#, r#""schemaVersion":1"#);
    stage.play(&format!("C: PUT /v2/a/manifests/v1\nC:\nC: {one}\nS: 400"));
}

#[test]
fn s2_a_page_of_referrers_is_no_longer_than_a_manifest() {
    let mut stage = stage(|_| ());
    let subject = sha256("subject");
    for number in 0..5 {
        let extra = format!(
            r#","annotations":{{"n":"{number}"}},"subject":{{"mediaType":"application/x","digest":"{subject}","size":7}}"#
        );
        let referrer = image(&mut stage, "a", &extra);
        stage.play(&format!("C: PUT /v2/a/manifests/{}\nC:\nC: {referrer}\nS: 201", sha256(&referrer)));
    }
    stage.registry.options.limits.manifest = 700;
    let (mut path, mut pages) = (format!("/v2/a/referrers/{subject}"), 0);
    loop {
        let page = stage.registry.answer(NOW, Request::get(&path).body(Bytes::new()).unwrap()).unwrap();
        pages += 1;
        assert!(page.body().len() <= 700, "{} bytes", page.body().len());
        let Some(next) = page.headers().get("link") else { break };
        next.to_str().unwrap()[1..].split('>').next().unwrap().clone_into(&mut path);
    }
    assert!((2..=5).contains(&pages), "{pages} pages");
}

#[test]
fn limits_say_which_they_are_and_name_their_flag() {
    let mut stage = stage(|options| {
        options.limits.repositories = 1;
        options.limits.uploads = 1;
    });
    let mut message = |uri: &str| {
        let answered = stage.registry.answer(NOW, Request::post(uri).body(Bytes::new()).unwrap()).unwrap();
        let body: serde_json::Value = serde_json::from_slice(answered.body()).unwrap_or_default();
        (answered.status().as_u16(), body["errors"][0]["message"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(message("/v2/a/blobs/uploads/").0, 202);
    let (status, said) = message("/v2/a/blobs/uploads/");
    assert!(status == 429 && said.contains("--max-uploads"), "{said}");
}

#[test]
fn ten_thousand_uploads_end_when_their_time_has_come_and_not_before() {
    let mut stage = stage(|_| {});
    let hour = 3_600_000_000;
    let at = |micros| longshore_mock_registry::Instant::from_micros(micros);
    let mut locations = Vec::new();
    for number in 0..10_000 {
        let post = Request::post("/v2/a/blobs/uploads/").body(Bytes::new()).unwrap();
        let answered = stage.registry.answer(at(number), post).unwrap();
        locations.push(answered.headers()["location"].to_str().unwrap().to_owned());
    }
    // One is touched, and lives an hour from then on.
    let get = Request::get(&locations[0]).body(Bytes::new()).unwrap();
    assert_eq!(stage.registry.answer(at(hour - 1), get).unwrap().status(), 204);
    stage.registry.advance(at(hour + 4_999));
    assert_eq!(stage.registry.state.uploads.len(), 5_001);
    stage.registry.advance(at(hour + 9_999));
    assert_eq!(stage.registry.state.uploads.len(), 1);
    stage.registry.advance(at(2 * hour - 1));
    assert!(stage.registry.state.uploads.is_empty());
}
