//! The ends of operations: done before courtesy, suspended, shared.

use std::cell::RefCell;

use http::Method;
use longshore_core::driver::{Body, Input};
use longshore_core::{Blob, Checkpoint, Options, Push, Receipt};

use crate::world::*;

#[test]
fn a_push_that_is_cancelled_is_done_at_once_though_the_registry_asked_for_a_pause() {
    let registry = RefCell::new(Registry::default());
    let mut world = World::new(in_chunks(), |_, request| {
        if request.method() == Method::PATCH {
            return Fate::Answered(millis(10), respond(503, &[("retry-after", "290")], ""));
        }
        Fate::Answered(millis(10), registry.borrow_mut().answer(request))
    });
    let push = world.client.start(push("registry.example", "a/b", &[("x", 5000)]));
    world.run_until(seconds(5));
    world.client.cancel(push);
    world.run_until(seconds(6));
    assert_eq!(world.done[&push].0, seconds(5));
    assert!(world.client.is_cleaning_up());
    world.run();
    assert!(!world.client.is_cleaning_up() && registry.borrow().open.is_empty(), "{}", world.transcript());
}

#[test]
fn the_upload_that_a_cancelled_post_opens_is_cancelled_too() {
    let registry = RefCell::new(Registry::default());
    let mut world =
        World::new(in_chunks(), |_, request| Fate::Answered(seconds(1), registry.borrow_mut().answer(request)));
    let push = world.client.start(push("registry.example", "a/b", &[("x", 5000), ("y", 6000)]));
    let is_post = |sent: &Sent| sent.line.starts_with("POST");
    while !world.sent.iter().any(is_post) {
        let next = world.time() + millis(100);
        world.run_until(next);
    }
    world.client.cancel(push);
    world.run();
    assert!(world.done[&push].1.is_err());
    assert!(registry.borrow().open.is_empty(), "{}", world.transcript());
}

#[test]
fn a_push_that_is_suspended_keeps_its_uploads_and_another_process_goes_on_with_them() {
    let registry = RefCell::new(Registry::default());
    let network = |_: std::time::Duration, request: &http::Request<_>| {
        Fate::Answered(millis(100), registry.borrow_mut().answer(request))
    };
    let mut world = World::new(in_chunks(), network);
    let of = || push("registry.example", "a/b", &[("x", 10_000)]);
    let first = world.client.start(of());
    let chunks = |world: &World<'_>| world.sent.iter().filter(|sent| sent.line.starts_with("PATCH")).count();
    while chunks(&world) < 4 {
        let next = world.time() + millis(100);
        world.run_until(next);
    }
    world.client.suspend(first);
    world.run();
    let Ok(Receipt::Suspended(checkpoint)) = &world.done[&first].1 else { panic!("{:?}", world.done[&first]) };
    assert_eq!(registry.borrow().open.len(), 1, "{}", world.transcript());
    let saved = Checkpoint::from_json(&checkpoint.to_json()).unwrap();
    drop(world);
    let mut world = World::new(in_chunks(), network);
    let second = world.client.start(of().resume(saved).unwrap());
    world.run();
    world.succeeded(second);
    let questions = world.sent.iter().filter(|sent| sent.line.starts_with("GET /v2/a/b/blobs/uploads/")).count();
    assert_eq!(questions, 1, "it asks how far the upload is\n{}", world.transcript());
    let chunks = world.sent.iter().filter(|sent| sent.line.starts_with("PATCH")).count();
    assert!(chunks <= 7, "what is there is not sent again\n{}", world.transcript());
}

#[test]
fn a_shared_upload_goes_on_with_the_source_of_whoever_waits_for_it() {
    let (registry, keys) = (RefCell::new(Registry::default()), RefCell::new(Vec::new()));
    let mut options = Options::default();
    options.single_post = 0;
    let mut world = World::new(options, |_, request| {
        if let longshore_core::driver::Body::Blob { key, .. } = request.body() {
            keys.borrow_mut().push(key.clone());
        }
        let takes = if request.body().len() == Some(500_000) { seconds(10) } else { millis(10) };
        Fate::Answered(takes, registry.borrow_mut().answer(request))
    });
    let of = |number: u8| {
        let descriptor = longshore_core::Digest::of(longshore_core::Algorithm::Sha256, b"shared");
        let push = Push::new("registry.example".parse().unwrap(), "a/b".parse().unwrap());
        push.blob(Blob::known(format!("of {number}"), descriptor, 500_000))
    };
    let (first, second) = (world.client.start(of(1)), world.client.start(of(2)));
    world.run_until(seconds(1));
    world.client.cancel(first);
    world.run();
    assert_eq!(*keys.borrow(), ["of 1", "of 2"], "nothing of the first is asked for after it is done");
    assert_eq!(world.done[&first].0, seconds(1));
    world.succeeded(second);
    assert!(registry.borrow().open.is_empty());
}

/// A connection that is lost says less than what the registry said before.
#[test]
fn a_failure_tells_the_registrys_own_refusal_and_counts_the_attempts() {
    for status in [500, 503] {
        let tries = RefCell::new(0);
        let mut world = World::new(Options::default(), |_, request| {
            if request.method() != Method::PUT {
                return Fate::Answered(
                    millis(10),
                    if request.method() == Method::POST {
                        respond(201, &[("location", "/x")], "")
                    } else {
                        respond(404, &[], "")
                    },
                );
            }
            *tries.borrow_mut() += 1;
            if *tries.borrow() <= 2 {
                Fate::Answered(millis(10), respond(status, &[], "no room"))
            } else {
                Fate::Lost(millis(10))
            }
        });
        let push = world.client.start(push("registry.example", "a/b", &[("x", 10)]));
        world.run();
        let failure = world.failure(push);
        assert_eq!(failure.refused().map(|refused| refused.status.as_u16()), Some(status), "{failure}");
        assert_eq!((failure.attempts, *tries.borrow()), (5, 5), "{failure}");
    }
}

/// Who may not ask may push all the same.
#[test]
fn a_refusal_of_head_is_advice_whatever_its_status() {
    for status in [401, 403, 405] {
        let registry = RefCell::new(Registry::default());
        let mut options = Options::default();
        options.ask_above = 1000;
        let mut world = World::new(options, |_, request| {
            if request.method() == Method::HEAD {
                return Fate::Answered(millis(10), respond(status, &[], ""));
            }
            Fate::Answered(millis(10), registry.borrow_mut().answer(request))
        });
        let layers = [("x", 500_000), ("y", 600_000), ("z", 700_000)];
        let push = world.client.start(push("registry.example", "a/b", &layers).recheck());
        world.run();
        world.succeeded(push);
        assert!(registry.borrow().open.is_empty(), "{status}\n{}", world.transcript());
    }
}

/// What the last request before a suspension came to is not known to anybody: the registry is asked before bytes go twice.
#[test]
fn an_upload_that_was_closed_while_its_push_was_suspended_is_not_sent_again() {
    let (registry, is_stored) = (RefCell::new(Registry::default()), RefCell::new(false));
    // The second time the registry answers 503 to the PUT that it applied, and asks for a wait.
    for status in [201, 503] {
        let network = |_, request: &http::Request<longshore_core::driver::Body<String>>| {
            let path = request.uri().path().to_owned();
            let is_gone = path.contains("/uploads/") && !registry.borrow().open.contains_key(&path);
            let answer = match *request.method() {
                Method::HEAD if *is_stored.borrow() => respond(200, &[], ""),
                Method::GET if is_gone => respond(404, &[], ""),
                Method::PUT if path.contains("/uploads/") => {
                    *is_stored.borrow_mut() = true;
                    registry.borrow_mut().answer(request);
                    respond(status, &[("location", "/x"), ("retry-after", "60")], "")
                }
                _ => registry.borrow_mut().answer(request),
            };
            Fate::Answered(millis(10), answer)
        };
        let of = || {
            let digest = longshore_core::Digest::of(longshore_core::Algorithm::Sha256, b"layer");
            let push = Push::new("registry.example".parse().unwrap(), "a/b".parse().unwrap());
            push.blob(Blob::known("layer".to_owned(), digest, 2500))
        };
        *is_stored.borrow_mut() = false;
        let mut world = World::new(in_chunks(), network);
        let first = world.client.start(of());
        while !world.sent.last().is_some_and(|sent| sent.line.starts_with("PUT")) {
            let next = world.time() + millis(1);
            world.run_until(next);
        }
        // In the first round its answer is under way; in the second it has come.
        let next = world.time() + if status == 201 { millis(0) } else { millis(20) };
        world.run_until(next);
        world.client.suspend(first);
        world.run();
        let Ok(Receipt::Suspended(checkpoint)) = &world.done[&first].1 else { panic!("{:?}", world.done[&first]) };
        let checkpoint = checkpoint.clone();
        drop(world);
        let mut world = World::new(in_chunks(), network);
        let second = world.client.start(of().resume(checkpoint).unwrap());
        world.run();
        world.succeeded(second);
        let writes = world.sent.iter().filter(|sent| !sent.line.starts_with("GET") && !sent.line.starts_with("HEAD"));
        assert_eq!(writes.count(), 0, "{status}: nothing is sent twice\n{}", world.transcript());
    }
}

/// A redirect says that nothing was opened here, and nobody wants it opened elsewhere.
#[test]
fn what_a_cancelled_push_had_sent_is_not_sent_elsewhere() {
    let registry = RefCell::new(Registry::default());
    let mut world = World::new(in_chunks(), |_, request| {
        if request.uri().query().is_some_and(|query| query.contains("from=team%2Ftwo")) {
            let to = [("location", "https://storage.example/v2/a/b/blobs/uploads/")];
            return Fate::Answered(millis(100), respond(307, &to, ""));
        }
        Fate::Answered(millis(10), registry.borrow_mut().answer(request))
    });
    let digest = longshore_core::Digest::of(longshore_core::Algorithm::Sha256, b"layer");
    let blob = Blob::known("layer".to_owned(), digest, 2500);
    let blob = blob.mount_from("team/one".parse().unwrap()).mount_from("team/two".parse().unwrap());
    let push = Push::new("registry.example".parse().unwrap(), "a/b".parse().unwrap()).blob(blob);
    let push = world.client.start(push);
    while !world.sent.iter().any(|sent| sent.line.contains("team%2Ftwo")) {
        let next = world.time() + millis(1);
        world.run_until(next);
    }
    world.client.cancel(push);
    world.run();
    assert!(world.sent_to("storage.example").is_empty(), "{}", world.transcript());
    assert!(registry.borrow().open.is_empty(), "the upload that the first mount opened is cancelled too");
}

#[test]
fn whoever_has_wrong_bytes_fails_alone() {
    let registry = RefCell::new(Registry::default());
    let mut world = World::new(Options::default(), |_, request| {
        let is_wrong = matches!(request.body(), Body::Blob { key, .. } if key == "wrong");
        if is_wrong {
            return Fate::Answered(
                millis(10),
                respond(400, &[], r#"{"errors":[{"code":"DIGEST_INVALID","message":"x"}]}"#),
            );
        }
        Fate::Answered(millis(10), registry.borrow_mut().answer(request))
    });
    let wrong = world.client.start(push_blob("wrong", "layer"));
    let right = world.client.start(push_blob("right", "layer"));
    world.run();
    assert!(world.done[&wrong].1.is_err());
    world.succeeded(right);
}

#[test]
fn wrong_bytes_say_nothing_about_the_registry() {
    let registry = RefCell::new(Registry::default());
    let mut world = World::new(Options::default(), |_, request| {
        if matches!(request.body(), Body::Blob { key, .. } if key == "wrong") {
            let body = r#"{"errors":[{"code":"DIGEST_INVALID","message":"x"}]}"#;
            return Fate::Answered(millis(10), respond(400, &[], body));
        }
        Fate::Answered(millis(10), registry.borrow_mut().answer(request))
    });
    world.client.start(push_blob("wrong", "one"));
    world.run();
    let before = world.sent.len();
    let right = world.client.start(push_blob("right", "other"));
    world.run();
    world.succeeded(right);
    assert_eq!(world.sent.len() - before, 1, "{}", world.transcript());
}

#[test]
fn a_source_that_fails_while_an_upload_is_opened_leaves_nothing_open() {
    let registry = RefCell::new(Registry::default());
    let mut world =
        World::new(in_chunks(), |_, request| Fate::Answered(seconds(1), registry.borrow_mut().answer(request)));
    let push = world.client.start(push_blob("layer", "layer"));
    while !world.sent.iter().any(|sent| sent.line.starts_with("POST")) {
        let next = world.time() + millis(10);
        world.run_until(next);
    }
    world.client.handle(Input::Unreadable { blob: "layer".to_owned(), why: "gone".to_owned() });
    world.run();
    assert!(world.done[&push].1.is_err());
    assert!(registry.borrow().open.is_empty(), "{}", world.transcript());
}
