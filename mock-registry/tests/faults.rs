//! Faults, as the registry strikes with them.

mod transcript;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use longshore_mock_registry::fault::{EFFECTS, Fault, Faults, RetryAfter};
use longshore_mock_registry::{Answer, BodyEnd, Delivery, Instant, Opened, Progress, RegistryOptions, Row};
use transcript::{Stage, image, push, sha256};

fn stage(faults: &str) -> Stage {
    let options = RegistryOptions::default().with_faults(faults.parse().unwrap());
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
    let mut stage = stage("#1: request-lost; #2: answer-lost");
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
    let mut stage = stage("end-5#1: body-cut 3; end-5#2: body-cut 2; end-13#1: body-cut 9");
    stage.play("C: POST /v2/a/blobs/uploads/\nS: 202\nS: Location: {location}");
    assert_eq!(ask(&mut stage, "PATCH", "{location}", "hello").delivery, Delivery::Lost);
    stage.play("C: GET {location}\nS: 500\nC: GET {location}\nS: 204\nS: Range: 0-2");
    // A body that is no longer than the cut: all of it came.
    assert_eq!(ask(&mut stage, "PATCH", "{location}", "lo").delivery, Delivery::Lost);
    stage.play("C: PUT {location}?digest={hello}\nS: 201");
    let struck = &stage.registry.struck;
    assert_eq!((struck[0].request, struck[0].row, &struck[0].fault), (2, Some(Row::SendChunk), &Fault::BodyCut(3)));
    assert_eq!(struck.len(), 3);
}

#[test]
fn answers_are_cut_late_or_somebody_elses() {
    let mut stage = stage(
        "#2: answer-cut 2; #3: answer-cut 5; #4: latency 7us; #5: status 502; #6: status 429 retry-after 7; #7: status 503 retry-after date+9",
    );
    push(&mut stage, "a", "hello");
    let mut get = || ask(&mut stage, "GET", "/v2/a/blobs/{hello}", "");
    assert_eq!(get().delivery, Delivery::CutAfter(2));
    // A body that is no longer than the cut is late is lost: otherwise nothing would go wrong.
    assert_eq!(get().delivery, Delivery::Lost);
    let late = get();
    assert_eq!((late.delivery, late.pace.late), (Delivery::Whole, 7));
    let away = get();
    assert!(away.status == 502 && away.delivery == Delivery::Whole && !away.headers.contains_key("retry-after"));
    let away = get();
    assert!(away.status == 429 && away.headers["retry-after"] == "7");
    let away = get();
    assert_eq!(away.headers["date"], "Thu, 01 Jan 2026 00:00:00 GMT");
    assert_eq!(away.headers["retry-after"], "Thu, 01 Jan 2026 00:00:09 GMT");
    assert_eq!(get().status, 200);
}

#[test]
fn what_the_registry_forgets() {
    let mut stage = stage("end-7a#1: blob-not-yet-visible; end-2#1: blob-not-yet-visible; end-5#1: upload-gone");
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
    let mut stage = stage("end-5#1: upload-missed; end-4a#2: health-check; end-3#1: upload-missed");
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
    let mut stage = stage("#1: request-lost");
    assert_eq!(ask(&mut stage, "GET", "/v2/", "").delivery, Delivery::Lost);
    stage.registry.inject_faults("#2: status 502; end-2#1: status 503".parse().unwrap());
    assert!(stage.registry.struck.is_empty());
    let mut head = |expected| assert_eq!(ask(&mut stage, "HEAD", "/v2/b/blobs/{hello}", "").status, expected);
    head(503);
    head(502);
    head(404);
    assert_eq!(stage.registry.struck[0].request, 1);
}

#[test]
fn a_request_that_comes_twice_is_answered_the_second_time() {
    let mut stage = stage("end-6: twice; end-4b: twice; end-7a: twice; end-10: twice");
    stage.play(
        "C: POST /v2/a/blobs/uploads/\nS: 202\nS: Location: {location}
         C: PUT {location}?digest={hello}\nC:\nC: hello\nS: 404
         C: POST /v2/a/blobs/uploads/?digest={hello}\nC:\nC: hello\nS: 201",
    );
    let manifest = image(&mut stage, "a", "");
    stage.play(&format!("C: PUT /v2/a/manifests/v1\nC: Content-Type: application/vnd.oci.image.manifest.v1+json\nC:\nC: {manifest}\nS: 201"));
    stage.play("C: DELETE /v2/a/blobs/{hello}\nS: 404");
    // Nobody is accused of what came a second time.
    let breaches: Vec<_> = stage.registry.judge.breaches.iter().map(|breach| (breach.request, breach.rule)).collect();
    let once: std::collections::BTreeSet<_> = breaches.iter().collect();
    assert_eq!(once.len(), breaches.len(), "{breaches:?}");
    assert!(breaches.iter().all(|(_, rule)| *rule != "children-first"), "{breaches:?}");
}

#[test]
fn content_that_a_get_does_not_see_and_head_does() {
    let mut stage = stage("GET#1..2: hidden-from-get; HEAD: hidden-from-get");
    push(&mut stage, "a", "hello");
    let mut status = |method: &str| ask(&mut stage, method, "/v2/a/blobs/{hello}", "").status.as_u16();
    assert_eq!([status("HEAD"), status("GET"), status("GET"), status("GET")], [200, 404, 404, 200]);
}

#[test]
fn answers_steer_away_swell_and_redirect() {
    let mut stage = stage(
        "end-4a: location http://127.0.0.1:9/away; end-2#1: oversize 1MiB; end-2#2: redirect 307; end-2#3: redirect 302 /x",
    );
    push(&mut stage, "a", "hello");
    let opened = ask(&mut stage, "POST", "/v2/a/blobs/uploads/", "");
    assert_eq!(opened.headers["location"], "http://127.0.0.1:9/away");
    let big = ask(&mut stage, "GET", "/v2/a/blobs/{hello}", "");
    assert_eq!((big.body.len(), &big.headers["content-length"]), (1 << 20, &"1048576".parse().unwrap()));
    let uri = stage.fill("/v2/a/blobs/{hello}");
    let again = ask(&mut stage, "GET", &uri, "");
    assert_eq!((again.status.as_u16(), again.headers["location"].to_str().unwrap()), (307, uri.as_str()));
    assert_eq!(ask(&mut stage, "GET", &uri, "").headers["location"], "/x");
}

#[test]
fn what_only_slows_down_comes_on_top_of_other_faults() {
    let mut stage =
        stage("every: latency 5us; GET#1: answer-lost; every: bandwidth 10; GET: drip-answer 7; GET: garbage");
    push(&mut stage, "a", "hello");
    let lost = ask(&mut stage, "GET", "/v2/a/blobs/{hello}", "");
    assert_eq!((lost.delivery, lost.pace.late, lost.pace.rate), (Delivery::Lost, 5, Some(7)));
    assert_eq!(ask(&mut stage, "GET", "/v2/a/blobs/{hello}", "").delivery, Delivery::Garbage);
    assert_eq!(lost.pace.delay(14), 2_000_005);
}

#[test]
fn faults_by_repository_digest_time_and_chance() {
    let digest = sha256("hello");
    let text = format!("HEAD in b: status 502; HEAD of {digest} for 1s: status 503; GET p=0.5: status 504");
    let mut stage = stage(&text);
    push(&mut stage, "a", "hello");
    push(&mut stage, "b", "hello");
    let mut head = |uri: &str| ask(&mut stage, "HEAD", uri, "").status.as_u16();
    assert_eq!([head("/v2/b/manifests/v1"), head("/v2/a/manifests/v1")], [502, 404]);
    assert_eq!(head("/v2/a/blobs/{hello}"), 503);
    stage.registry.advance(Instant::from_micros(1_000_000));
    let struck = |seed: u8| {
        let mut options = RegistryOptions::default().with_faults(text.parse().unwrap());
        options.seed = [seed; 32];
        let mut stage = Stage::new(options);
        let struck = (0..200).map(|_| ask(&mut stage, "GET", "/v2/", "").status == 504);
        struck.collect::<Vec<_>>()
    };
    let half = struck(1).into_iter().filter(|struck| *struck).count();
    assert!((60..140).contains(&half), "{half} of 200");
    assert_eq!(struck(1), struck(1));
    assert_ne!(struck(1), struck(2));
}

#[test]
fn an_answer_that_does_not_arrive_is_an_error_with_what_arrived() {
    let mut stage = stage("HEAD: answer-lost; GET: answer-cut 2");
    push(&mut stage, "a", "hello");
    let uri = stage.fill("/v2/a/blobs/{hello}");
    let mut answer = |method: &str| {
        let request = Request::builder().method(method).uri(&uri).body(Bytes::new()).unwrap();
        stage.registry.answer(Instant::default(), request)
    };
    assert!(answer("HEAD").unwrap_err().arrived.is_none());
    assert_eq!(answer("GET").unwrap_err().arrived.unwrap().into_body(), "he");
}

/// Each fault that Rust makes is the one that its text means, and each has a text.
#[test]
fn every_fault_made_in_rust_is_the_one_that_its_text_means() {
    let at = || Faults::nth(2).method(http::Method::GET);
    let built = [
        (at().not_sent(), "not-sent"),
        (at().request_lost(), "request-lost"),
        (at().request_reset(), "request-reset"),
        (at().answer_lost(), "answer-lost"),
        (at().answer_reset(), "answer-reset"),
        (at().body_cut(3), "body-cut 3"),
        (at().head_cut(4), "head-cut 4"),
        (at().answer_cut(5), "answer-cut 5"),
        (at().garbage(), "garbage"),
        (at().oversize(1 << 10), "oversize 1KiB"),
        (at().latency(Duration::from_millis(7)), "latency 7ms"),
        (at().drip_request(8), "drip-request 8"),
        (at().drip_answer(9), "drip-answer 9"),
        (at().bandwidth(10), "bandwidth 10"),
        (at().status(502), "status 502"),
        (at().status_retry_after(429, RetryAfter::Seconds(7)), "status 429 retry-after 7"),
        (at().status_retry_after(503, RetryAfter::Date(9)), "status 503 retry-after date+9"),
        (at().status_retry_after(503, RetryAfter::Text("soon".to_owned())), "status 503 retry-after soon"),
        (at().redirect(307, "http://x.example/"), "redirect 307 http://x.example/"),
        (at().location("http://x.example/"), "location http://x.example/"),
        (at().token_expired(), "token-expired"),
        (at().blob_not_yet_visible(), "blob-not-yet-visible"),
        (at().hidden_from_get(), "hidden-from-get"),
        (at().upload_gone(), "upload-gone"),
        (at().upload_missed(), "upload-missed"),
        (at().twice(), "twice"),
        (at().health_check(), "health-check"),
    ];
    for (built, text) in &built {
        assert_eq!(*built, format!("GET#2: {text}").parse().unwrap(), "{text}");
    }
    let name = |text: &'static str| text.split(' ').next().unwrap();
    let made: BTreeSet<&str> = built.iter().map(|(_, text)| name(text)).collect();
    assert_eq!(made, EFFECTS.iter().map(|(form, _)| name(form)).collect());
    // What never ends is as slow as can be.
    for slowest in [at().drip_request(0), at().drip_answer(0), at().bandwidth(0)] {
        assert!(slowest.to_string().ends_with(" 1"), "{slowest}");
    }
}
