//! Faults, as the registry strikes with them.

mod transcript;

use bytes::Bytes;
use http::Request;
use longshore_mock_registry::fault::{Fault, Struck};
use longshore_mock_registry::{Answer, BodyEnd, Delivery, Instant, Opened, Progress, RegistryOptions, Row};
use transcript::{Stage, image, push, sha256};

fn stage(faults: &str) -> Stage {
    let options = RegistryOptions { faults: faults.parse().unwrap(), ..RegistryOptions::default() };
    Stage::new(options).with("hello", sha256("hello"))
}

/// One request, with its body in pieces of one byte.
fn ask(stage: &mut Stage, method: &str, uri: &str, body: &str) -> Answer {
    let uri = stage.fill(uri);
    let head = Request::builder().method(method).uri(uri).header("content-length", body.len()).body(()).unwrap();
    let registry = &mut stage.registry;
    match registry.open(Instant::default(), head.into_parts().0) {
        Opened::Answer(answer) => answer,
        Opened::Body(id) => {
            for byte in body.bytes() {
                if let Progress::Answer(answer) = registry.piece(id, &Bytes::copy_from_slice(&[byte])) {
                    return answer;
                }
            }
            registry.close(Instant::default(), id, BodyEnd::Complete)
        }
    }
}

#[test]
fn a_lost_request_changes_nothing_and_a_lost_answer_all() {
    let mut stage = stage("1=request-lost,2=answer-lost");
    let mut post = || {
        let answer = ask(&mut stage, "POST", "/v2/a/blobs/uploads/?digest={hello}", "hello");
        (answer.delivery, stage.registry.state.repositories.len())
    };
    assert_eq!(post(), (Delivery::Lost, 0));
    assert_eq!(post(), (Delivery::Lost, 1));
    assert_eq!(post(), (Delivery::Whole, 1));
}

#[test]
fn a_body_is_cut_where_the_plan_says() {
    let mut stage = stage("end-5/1=body-cut:3,end-5/2=body-cut:2,end-13/1=body-cut:9");
    stage.play("C: POST /v2/a/blobs/uploads/\nS: 202\nS: Location: {location}");
    assert_eq!(ask(&mut stage, "PATCH", "{location}", "hello").delivery, Delivery::Lost);
    stage.play("C: GET {location}\nS: 500\nC: GET {location}\nS: 204\nS: Range: 0-2");
    // A body that is no longer than the cut: all of it came.
    assert_eq!(ask(&mut stage, "PATCH", "{location}", "lo").delivery, Delivery::Lost);
    stage.play("C: PUT {location}?digest={hello}\nS: 201");
    let struck = &stage.registry.struck;
    assert_eq!(struck[0], Struck { request: 2, row: Row::End5, fault: Fault::BodyCut(3) });
    assert_eq!(struck.len(), 3);
}

#[test]
fn answers_are_cut_late_or_somebody_elses() {
    let mut stage = stage("2=answer-cut:2,3=answer-cut:5,4=slow:7,5=status:502,6=status:429:7,7=status-date:503:9");
    push(&mut stage, "a", "hello");
    let mut get = || ask(&mut stage, "GET", "/v2/a/blobs/{hello}", "");
    assert_eq!(get().delivery, Delivery::CutAfter(2));
    // A body that is no longer than the cut is late is lost: otherwise nothing would go wrong.
    assert_eq!(get().delivery, Delivery::Lost);
    assert_eq!(get().delivery, Delivery::Late(7));
    let away = get();
    assert!(away.status == 502 && away.delivery == Delivery::Whole && !away.headers.contains_key("retry-after"));
    let away = get();
    assert!(away.status == 429 && away.headers["retry-after"] == "7");
    let away = get();
    assert_eq!(away.headers["date"], "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(away.headers["retry-after"], "Thu, 01 Jan 1970 00:00:09 GMT");
    assert_eq!(get().status, 200);
}

#[test]
fn what_the_registry_forgets() {
    let mut stage = stage("end-7a/1=blob-not-yet-visible,end-2/1=blob-not-yet-visible,end-5/1=upload-gone");
    let manifest = image(&mut stage, "a", "");
    let put = format!("C: PUT /v2/a/manifests/v1\nC:\nC: {manifest}\nS: ");
    let config = sha256("{}");
    stage.play(&format!(
        "{put}400\n{put}201\nC: HEAD /v2/a/blobs/{config}\nS: 404\nC: HEAD /v2/a/blobs/{config}\nS: 200"
    ));
    stage.play(
        "C: POST /v2/a/blobs/uploads/\nS: 202\nS: Location: {location}
         C: PATCH {location}\nC:\nC: hello\nS: 404
         C: GET {location}\nS: 404",
    );
}

#[test]
fn uploads_that_are_not_found_once_and_load_balancers() {
    let mut stage = stage("end-5/1=upload-missed,end-4a/2=health-check,end-3/1=upload-missed");
    stage.play(
        "C: POST /v2/a/blobs/uploads/\nS: 202\nS: Location: {location}
         C: PATCH {location}\nC:\nC: hello\nS: 404
         C: PATCH {location}\nC:\nC: hello\nS: 202
         C: POST /v2/a/blobs/uploads/\nS: 200\nS: !location\nS: Content-Type: text/plain\nS:\nS: Healthcheck requested
         C: GET /v2/a/manifests/v1\nS: 404",
    );
    assert_eq!(stage.registry.state.uploads.len(), 1);
}

#[test]
fn faults_are_counted_from_where_they_begin() {
    let mut stage = stage("1=request-lost");
    assert_eq!(ask(&mut stage, "GET", "/v2/", "").delivery, Delivery::Lost);
    stage.registry.inject_faults("2=status:502,end-2/1=status:503".parse().unwrap());
    assert!(stage.registry.struck.is_empty());
    let mut head = |expected| assert_eq!(ask(&mut stage, "HEAD", "/v2/b/blobs/{hello}", "").status, expected);
    head(503);
    head(502);
    head(404);
    assert_eq!(stage.registry.struck[0].request, 1);
}
