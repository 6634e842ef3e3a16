//! What is repeated, when, how often, and what is asked before.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use http::Method;
use longshore_core::driver::NoAnswer;
use longshore_core::{FailureKind, Options, Row};

use crate::world::*;

#[test]
fn as_many_attempts_are_made_as_the_options_say() {
    for (attempts, status) in [(1, 500), (5, 500), (1, 503), (5, 503), (5, 429)] {
        let mut options = Options::default();
        options.attempts = attempts;
        let mut world = World::new(options, |_, _| Fate::Answered(millis(10), respond(status, &[], "")));
        let pull = world.client.start(pull("v1"));
        world.run();
        assert_eq!(world.failure(pull).refused().unwrap().status.as_u16(), status);
        assert_eq!((world.failure(pull).attempts, world.sent.len()), (attempts, attempts as usize), "{status}");
    }
}

#[test]
fn only_an_overload_delays_the_other_requests_to_an_origin() {
    for (status, is_overload) in [(500, false), (502, false), (408, false), (429, true), (503, true)] {
        let mut world = World::new(Options::default(), |_, request| {
            let answer = if request.uri().path().ends_with("/bad") { respond(status, &[], "") } else { found() };
            Fate::Answered(millis(10), answer)
        });
        world.client.start(pull("known"));
        world.run();
        let begun = world.time();
        world.client.start(pull("bad"));
        world.run_until(begun + millis(10));
        let good = world.client.start(pull("good"));
        world.run_until(begun + millis(25));
        assert_eq!(world.done.contains_key(&good), !is_overload, "{status}");
        world.run();
        world.succeeded(good);
    }
}

#[test]
fn a_request_that_is_refused_while_others_are_served_does_not_lose_its_attempts() {
    let refusals = Cell::new(0);
    let mut world = World::new(Options::default(), |_, request| {
        if request.uri().path().ends_with("/deferred") && refusals.replace(refusals.get() + 1) < 20 {
            return Fate::Answered(millis(10), respond(503, &[], ""));
        }
        Fate::Answered(millis(10), found())
    });
    let deferred = world.client.start(pull("deferred"));
    let mut number = 0;
    while !world.done.contains_key(&deferred) {
        number += 1;
        world.client.start(pull(&format!("other{number}")));
        world.run_until(millis(500 * number));
    }
    world.succeeded(deferred);
    assert_eq!(world.count("/deferred"), 21);
}

/// The patience with a request that is refused while others are served ends at a moment, and not after it.
#[test]
fn patience_with_a_request_that_alone_is_refused_ends_when_it_is_over() {
    for (early, requests) in [(0, 2), (1, 3)] {
        let first = Cell::new(None);
        let mut options = Options::default();
        (options.attempts, options.patience) = (2, seconds(100));
        (options.backoff, options.backoff_throttled) = (millis(0), millis(0));
        let mut world = World::new(options, |at, request| {
            if !request.uri().path().ends_with("/deferred") {
                return Fate::Answered(millis(1), found());
            }
            let after = match first.get() {
                None => {
                    first.set(Some(at + millis(10)));
                    millis(10)
                }
                Some(first) if at < first + seconds(90) => first + seconds(100) - millis(early) - at,
                Some(_) => return Fate::Answered(millis(1), found()),
            };
            Fate::Answered(after, respond(503, &[], ""))
        });
        world.client.start(pull("known"));
        world.run();
        let deferred = world.client.start(pull("deferred"));
        let begun = world.time();
        world.run_until(begun + millis(11));
        let other = world.client.start(pull("other"));
        world.run_until(begun + millis(20));
        world.succeeded(other);
        world.run();
        assert_eq!(world.count("/deferred"), requests, "{}", world.transcript());
        assert_eq!(world.done[&deferred].1.is_ok(), early > 0);
    }
}

#[test]
fn a_registry_that_only_asked_for_waits_is_told_with_all_that_was_waited() {
    let mut options = Options::default();
    options.patience = seconds(300);
    (options.backoff, options.backoff_throttled) = (millis(0), millis(0));
    let mut world = World::new(options, |_, _| Fate::Answered(millis(10), respond(503, &[("retry-after", "100")], "")));
    let pull = world.client.start(pull("v1"));
    world.run();
    let FailureKind::PatienceExhausted { waited, .. } = &world.failure(pull).kind else {
        panic!("{}", world.failure(pull))
    };
    assert_eq!((*waited, world.sent.len()), (seconds(300), 4), "{}", world.transcript());
}

#[test]
fn a_wait_of_just_the_limit_is_kept_and_one_that_is_longer_fails_each_request_with_its_name() {
    for (wait, is_kept) in [("300", true), ("301", false)] {
        let is_first = Cell::new(true);
        let mut world = World::new(Options::default(), |_, _| {
            let answer = if is_first.replace(false) { respond(429, &[("retry-after", wait)], "") } else { found() };
            Fate::Answered(millis(10), answer)
        });
        let first = world.client.start(pull("v1"));
        world.run_until(seconds(1));
        let second = world.client.start(pull("v2"));
        world.run_until(seconds(2));
        if is_kept {
            world.run();
            assert!(world.succeeded(first) >= seconds(300) && world.succeeded(second) >= seconds(300));
            continue;
        }
        for (pull, tag) in [(first, "v1"), (second, "v2")] {
            let failure = world.failure(pull);
            assert!(matches!(failure.kind, FailureKind::RetryAfter { .. }), "{failure}");
            assert_eq!(failure.row, Some(Row::PullManifest));
            let target = failure.target.as_ref().expect("it names the request");
            assert!(target.path_and_query().ends_with(tag), "{failure}");
        }
    }
}

/// The line of the second chunk of a blob, which comes to this, and the line of the request after it.
fn after_a_chunk(fate: impl Fn() -> Fate) -> [String; 2] {
    let (registry, chunks) = (RefCell::new(Registry::default()), Cell::new(0));
    let mut world = World::new(in_chunks(), |_, request| {
        if request.method() == Method::PATCH && chunks.replace(chunks.get() + 1) == 1 {
            return fate();
        }
        Fate::Answered(millis(10), registry.borrow_mut().answer(request))
    });
    let push = world.client.start(push("registry.example", "a/b", &[("x", 5000)]));
    world.run();
    world.succeeded(push);
    let (second, chunk) =
        world.sent.iter().enumerate().filter(|(_, sent)| sent.line.starts_with("PATCH")).nth(1).expect("it is sent");
    let path = chunk.line.split(' ').nth(1).unwrap();
    let next = world.sent[second + 1..].iter().find(|sent| sent.line.contains(path)).expect("it goes on");
    [chunk.line.clone(), next.line.clone()]
}

#[test]
fn what_is_stored_of_a_chunk_is_asked_unless_the_answer_says_that_nothing_was_done() {
    let answer = |status, headers| move || Fate::Answered(millis(10), respond(status, headers, ""));
    for [chunk, next] in [
        after_a_chunk(answer(500, &[])),
        after_a_chunk(answer(503, &[])),
        after_a_chunk(answer(503, &[("retry-after", "1")])),
        after_a_chunk(|| Fate::Lost(millis(10))),
    ] {
        assert!(chunk.starts_with("PATCH") && next.starts_with("GET"), "{chunk}\n{next}");
    }
    for [chunk, next] in [
        after_a_chunk(answer(429, &[])),
        after_a_chunk(answer(429, &[("retry-after", "1")])),
        after_a_chunk(|| Fate::Failed(millis(10), NoAnswer::NotSent("refused".to_owned()))),
    ] {
        assert_eq!(chunk, next);
    }
}

#[test]
fn what_the_driver_cannot_send_is_told_though_the_registry_refused_before() {
    let is_first = Cell::new(true);
    let mut world = World::new(Options::default(), |_, _| {
        if is_first.replace(false) {
            return Fate::Answered(millis(10), respond(500, &[], ""));
        }
        Fate::Failed(millis(10), NoAnswer::Unsendable("no".to_owned()))
    });
    let pull = world.client.start(pull("v1"));
    world.run();
    let failure = world.failure(pull);
    assert!(matches!(failure.kind, FailureKind::NoAnswer(NoAnswer::Unsendable(_))), "{failure}");
    assert_eq!(failure.attempts, 2);
}

/// A fuzzer's find: a registry closes every connection, and the last attempt cannot be sent.
#[test]
fn the_last_attempt_that_was_lost_is_told_and_not_one_after_it_that_was_not_sent() {
    for (lost, told) in [(0..4, "lost 3"), (0..1, "lost 0"), (1..5, "lost 4"), (0..0, "not sent 4")] {
        let attempts = Cell::new(0);
        let mut world = World::new(Options::default(), |_, _| {
            let attempt = attempts.replace(attempts.get() + 1);
            let why = match lost.contains(&attempt) {
                true => NoAnswer::Lost(format!("lost {attempt}")),
                false => NoAnswer::NotSent(format!("not sent {attempt}")),
            };
            Fate::Failed(millis(10), why)
        });
        let pull = world.client.start(pull("v1"));
        world.run();
        let failure = world.failure(pull).to_string();
        assert!(attempts.get() == 5 && failure.contains(told), "{lost:?}: {failure}");
    }
}

#[test]
fn a_request_that_is_repeated_later_is_redirected_anew() {
    let mut signed_at = Duration::ZERO;
    let mut asked = 0;
    let mut world = World::new(Options::default(), |now, request| {
        if request.uri().host() == Some("registry.example") {
            signed_at = now;
            let to = format!("https://storage.example/x?sig={}", now.as_secs());
            return Fate::Answered(millis(10), respond(307, &[("location", &to)], ""));
        }
        asked += 1;
        if asked == 1 {
            return Fate::Answered(millis(10), respond(503, &[("retry-after", "120")], ""));
        }
        if now - signed_at > seconds(60) {
            return Fate::Answered(millis(10), respond(403, &[], "<Error>expired</Error>"));
        }
        Fate::Answered(millis(10), found())
    });
    let pull = world.client.start(pull("v1"));
    world.run();
    world.succeeded(pull);
}
