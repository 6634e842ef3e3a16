//! What one origin does costs the others nothing, and what it asked for is kept without end.

use std::cell::RefCell;

use longshore_core::{Event, FailureKind, Options};

use crate::world::*;

const MIB: u64 = 1024 * 1024;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("layer {number}")).collect()
}

fn layers(names: &[String], size: u64) -> Vec<(&str, u64)> {
    names.iter().map(|name| (name.as_str(), size)).collect()
}

/// What is sent to `fine.example`, byte and moment, while `other.example` does this.
fn beside(other: impl Fn() -> Fate) -> Vec<Sent> {
    let (registry, failed) = (RefCell::new(Registry::default()), RefCell::new(0));
    let mut options = Options::default();
    options.seed = 7;
    let mut world = World::new(options, |_, request| {
        if request.uri().host() == Some("other.example") {
            return other();
        }
        // Every fifth answer is a 502, so that waits that are drawn by chance count too.
        *failed.borrow_mut() += 1;
        if *failed.borrow() % 5 == 0 {
            return Fate::Answered(millis(10), respond(502, &[], ""));
        }
        Fate::Answered(millis(10), registry.borrow_mut().answer(request))
    });
    let names = names(20);
    let other = world.client.start(push("other.example", "a/b", &layers(&names, 10_000)));
    let fine = world.client.start(push("fine.example", "a/b", &layers(&names, 10_000)));
    world.run_until(seconds(30));
    world.succeeded(fine);
    world.client.cancel(other);
    world.sent_to("fine.example")
}

#[test]
fn what_one_registry_is_sent_does_not_depend_on_another() {
    let answers = || Fate::Answered(millis(10), respond(201, &[("location", "/x")], ""));
    let expected = beside(answers);
    assert!(expected.len() > 20);
    assert_eq!(beside(|| Fate::Lost(seconds(300))), expected, "it hangs");
    assert_eq!(beside(|| Fate::Lost(millis(1))), expected, "it is down");
    assert_eq!(beside(|| Fate::Answered(millis(1), respond(503, &[("retry-after", "20")], ""))), expected, "it waits");
    assert_eq!(beside(|| Fate::Answered(millis(1), respond(429, &[], ""))), expected, "it throttles");
}

/// A wait above the limit fails the push that is told of it, and every other one at that origin: none of them undercuts it.
#[test]
fn a_wait_above_the_limit_is_kept_by_every_push() {
    let (registry, refused) = (RefCell::new(Registry::default()), RefCell::new(false));
    // Two at a time, so that the other push has more to send when the refusal comes.
    let mut options = Options::default();
    options.in_flight = 2;
    let mut world = World::new(options, |_, request| {
        if request.uri().path().contains("/a/one/blobs/") && !refused.replace(true) {
            return Fate::Answered(millis(10), respond(503, &[("retry-after", "1000")], ""));
        }
        Fate::Answered(millis(15), registry.borrow_mut().answer(request))
    });
    let pushes =
        ["a/one", "a/two"].map(|name| world.client.start(push("registry.example", name, &[("x", 10), ("y", 10)])));
    let fine = world.client.start(push("fine.example", "a/b", &[("x", 10)]));
    world.run_until(seconds(100));
    world.succeeded(fine);
    for push in pushes {
        assert!(matches!(world.failure(push).kind, FailureKind::RetryAfter { .. }), "{}", world.transcript());
    }
    // One that is begun later fails too, until what is left of the wait is no longer too long.
    let later = world.client.start(push("registry.example", "a/three", &[("x", 10)]));
    world.run_until(seconds(101));
    assert!(matches!(world.failure(later).kind, FailureKind::RetryAfter { .. }), "{}", world.transcript());
    world.run_until(seconds(800));
    let last = world.client.start(push("registry.example", "a/four", &[("x", 10)]));
    world.run();
    assert!(world.succeeded(last) >= seconds(1000), "{}", world.transcript());
    let sent = world.sent_to("registry.example");
    let told = sent.iter().position(|sent| sent.line.contains("/a/one/blobs/")).expect("it is sent");
    let early = sent[told..].iter().filter(|sent| sent.at > millis(60) && sent.at < seconds(1000));
    assert_eq!(early.count(), 0, "{}", world.transcript());
}

#[test]
fn an_outage_is_paid_back_by_time() {
    let (registry, is_down) = (RefCell::new(Registry::default()), RefCell::new(true));
    let mut world = World::new(Options::default(), |_, request| {
        if *is_down.borrow() {
            return Fate::Lost(millis(10));
        }
        Fate::Answered(millis(10), registry.borrow_mut().answer(request))
    });
    for number in 0..12 {
        world.client.start(push("registry.example", &format!("a/b{number}"), &[("x", 10)]));
        world.run();
    }
    // The budget is spent now, and an hour later it is not.
    let hour = world.time() + seconds(3600);
    world.run_until(hour);
    let push = world.client.start(push("registry.example", "a/b", &[("x", 10)]));
    world.run_until(hour + millis(5));
    *is_down.borrow_mut() = false;
    world.run();
    world.succeeded(push);
}

#[test]
fn a_rate_limit_that_is_kept_is_outlasted() {
    {
        let (registry, window) = (RefCell::new(Registry::default()), RefCell::new((0, 0)));
        let mut world = World::new(Options::default(), |at, request| {
            let mut window = window.borrow_mut();
            if window.0 != at.as_secs() / 2 {
                *window = (at.as_secs() / 2, 0);
            }
            window.1 += 1;
            if window.1 > 3 {
                return Fate::Answered(millis(20), respond(429, &[("retry-after", "2")], ""));
            }
            Fate::Answered(millis(20), registry.borrow_mut().answer(request))
        });
        let names = names(120);
        let push = world.client.start(push("registry.example", "a/b", &layers(&names, 1000)));
        world.run();
        world.succeeded(push);
    }
}

/// A registry that serves three requests in each two seconds, and refuses the others with this status, without a word of how long
/// to wait.
fn three_in_two_seconds(status: u16) -> impl FnMut(std::time::Duration) -> Option<Fate> {
    let mut window = (0, 0);
    move |at| {
        if window.0 != at.as_secs() / 2 {
            window = (at.as_secs() / 2, 0);
        }
        window.1 += 1;
        (window.1 > 3).then(|| Fate::Answered(millis(20), respond(status, &[], "")))
    }
}

#[test]
fn a_registry_that_throttles_without_a_word_is_outlasted() {
    for status in [429, 503] {
        for (pushes, ignores_single_post) in [(1, false), (1, true), (12, false)] {
            let registry = RefCell::new(Registry::default());
            registry.borrow_mut().ignores_single_post = ignores_single_post;
            let mut throttle = three_in_two_seconds(status);
            let mut world = World::new(Options::default(), |at, request| {
                throttle(at).unwrap_or_else(|| Fate::Answered(millis(20), registry.borrow_mut().answer(request)))
            });
            let names = names(120 / pushes);
            let pushes: Vec<_> = (0..pushes)
                .map(|number| {
                    world.client.start(push("registry.example", &format!("a/b{number}"), &layers(&names, 1000)))
                })
                .collect();
            world.run();
            for push in &pushes {
                world.succeeded(*push);
            }
            // With a 503 it has to be asked what was stored, and an upload to be begun again.
            let served = if ignores_single_post { 243 } else { 120 + 3 * pushes.len() };
            let most = if status == 429 { 2 * served } else { 4 * served };
            assert!(world.sent.len() <= most, "{} requests for {served}", world.sent.len());
        }
    }
}

#[test]
fn a_refusal_that_names_no_wait_pauses_all_that_goes_to_that_origin() {
    for status in [429, 503] {
        let (registry, refused) = (RefCell::new(Registry::default()), RefCell::new(None));
        let mut world = World::new(Options::default(), |at, request| {
            let is_blob = request.uri().path().contains("/blobs/uploads/");
            if is_blob && at > millis(400) && refused.borrow().is_none() {
                *refused.borrow_mut() = Some(at + millis(500));
                return Fate::Answered(millis(500), respond(status, &[], ""));
            }
            Fate::Answered(millis(100), registry.borrow_mut().answer(request))
        });
        let names = names(100);
        let pushes = ["a/b", "c/d"].map(|of| world.client.start(push("registry.example", of, &layers(&names, 1000))));
        world.run();
        pushes.iter().for_each(|push| {
            world.succeeded(*push);
        });
        let told = refused.borrow().expect("it was refused");
        let early = world.sent.iter().find(|sent| sent.at > told && sent.at < told + millis(500));
        assert_eq!(early, None, "{status}\n{}", world.transcript());
    }
}

/// A registry that can be asked and takes nothing, as while its data is moved.
#[test]
fn a_registry_that_serves_questions_only_is_given_up_soon() {
    let mut world = World::new(Options::default(), |_, request| {
        let status = if request.method().is_safe() { 404 } else { 503 };
        Fate::Answered(millis(20), respond(status, &[], ""))
    });
    let names = names(100);
    let push = world.client.start(push("registry.example", "a/b", &layers(&names, 10_000)));
    world.run();
    let failure = world.failure(push).to_string();
    assert!(failure.contains("503") && world.done[&push].0 < seconds(120), "{:?}: {failure}", world.done[&push].0);
}

/// A registry that can be asked, and asks for a wait whenever it is to take something.
#[test]
fn a_registry_that_serves_questions_and_defers_uploads_ends_the_patience() {
    for questions in [404, 202] {
        let mut world = World::new(Options::default(), |_, request| {
            Fate::Answered(
                millis(20),
                match request.method().is_safe() {
                    true => respond(questions, &[], ""),
                    false => respond(503, &[("retry-after", "10")], ""),
                },
            )
        });
        let push = world.client.start(push("registry.example", "a/b", &[("x", 10)]));
        world.run();
        let failure = world.failure(push);
        let is_named = matches!(failure.kind, FailureKind::PatienceExhausted { .. });
        assert!(is_named || failure.to_string().contains("503"), "{questions}: {failure}");
        let waited = world.done[&push].0;
        assert!(waited >= seconds(900) && waited < seconds(3600), "{waited:?}");
    }
}

/// What it wants of its client before it refuses again, is no service to others.
#[test]
fn a_registry_that_throttles_what_it_has_challenged_or_redirected_is_given_up_soon() {
    for status in [401, 307] {
        let asked = RefCell::new(0);
        let mut world = World::new(Options::default(), |_, request| {
            *asked.borrow_mut() += u32::from(request.uri().path() != "/v2/");
            let status = match (request.uri().path(), *asked.borrow() % 2) {
                ("/v2/", _) => 412,
                (_, 0) => status,
                _ => 429,
            };
            Fate::Answered(millis(20), respond(status, &[("location", request.uri().path())], ""))
        });
        let push = world.client.start(push("registry.example", "a/b", &[("x", 10)]));
        world.run();
        assert!(world.failure(push).to_string().contains("429"), "{}", world.failure(push));
        assert!(world.sent.len() < 100, "{status}: {} requests in {:?}", world.sent.len(), world.done[&push].0);
    }
}

#[test]
fn a_registry_that_only_asks_for_waits_ends_the_patience() {
    let answer = |retry_after| respond(503, &[("retry-after", retry_after)], "");
    let mut world = World::new(Options::default(), |_, _| Fate::Answered(millis(10), answer("100")));
    let push = world.client.start(push("registry.example", "a/b", &[("x", 10)]));
    world.run();
    assert!(matches!(world.failure(push).kind, FailureKind::PatienceExhausted { .. }), "{}", world.failure(push));
    let waited = world.done[&push].0;
    assert!(waited >= seconds(900) && waited < seconds(1200), "{waited:?}");
}

#[test]
fn a_wait_of_nothing_is_none_that_was_asked_for() {
    let answer = || respond(503, &[("retry-after", "0")], "");
    let mut options = Options::default();
    (options.backoff, options.backoff_throttled) = (millis(0), millis(0));
    let mut world = World::new(options, |_, _| Fate::Answered(millis(10), answer()));
    let push = world.client.start(push("registry.example", "a/b", &[("x", 10)]));
    world.run();
    assert!(world.failure(push).to_string().contains("503"), "{}", world.failure(push));
    assert!(world.sent.len() < 40, "{} requests", world.sent.len());
}

#[test]
fn two_hundred_small_blobs_take_half_of_what_eight_at_a_time_do() {
    let registry = RefCell::new(Registry::default());
    let mut world = World::new(Options::default(), |_, request| {
        // One POST stores nothing here, so that each blob takes two requests.
        if request.uri().query().is_some_and(|query| query.starts_with("digest=")) && request.method() == "POST" {
            return Fate::Answered(millis(50), respond(405, &[], ""));
        }
        Fate::Answered(millis(50), registry.borrow_mut().answer(request))
    });
    let names = names(200);
    let push = world.client.start(push("registry.example", "a/b", &layers(&names, 65_536)));
    world.run();
    let took = world.succeeded(push);
    assert!(took <= millis(1400), "{took:?}");
}

#[test]
fn a_small_push_gets_through_beside_large_ones() {
    let registry = RefCell::new(Registry::default());
    let mut world = World::new(Options::default(), |_, request| {
        // A megabyte a second.
        let takes = millis(10) + std::time::Duration::from_micros(request.body().len().unwrap_or(0));
        Fate::Answered(takes, registry.borrow_mut().answer(request))
    });
    let names = names(40);
    world.client.start(push("registry.example", "a/large", &layers(&names, 100 * MIB)));
    world.run_until(seconds(30));
    let small = world.client.start(push("registry.example", "a/small", &[("x", 10)]));
    world.run_until(seconds(60));
    let took = world.succeeded(small);
    assert!(took < seconds(32), "{took:?}");
}

#[test]
fn the_cap_on_all_counts_each_place_beyond_the_first_of_an_origin() {
    let (flying, most) = (RefCell::new(Vec::<(std::time::Duration, String)>::new()), RefCell::new(0_usize));
    let registry = RefCell::new(Registry::default());
    let mut options = Options::default();
    options.in_flight_total = 3;
    let mut world = World::new(options, |at, request| {
        let mut flying = flying.borrow_mut();
        flying.retain(|(end, _)| *end > at);
        flying.push((at + millis(10), request.uri().host().unwrap().to_owned()));
        let hosts: std::collections::BTreeSet<&str> = flying.iter().map(|(_, host)| host.as_str()).collect();
        let extra = flying.len() - hosts.len();
        let before = *most.borrow();
        *most.borrow_mut() = extra.max(before);
        Fate::Answered(millis(10), registry.borrow_mut().answer(request))
    });
    let names = names(30);
    let pushes: Vec<_> = (0..4)
        .map(|number| world.client.start(push(&format!("r{number}.example"), "a/b", &layers(&names, 20_000))))
        .collect();
    world.run();
    let ends: Vec<_> = pushes.iter().map(|push| world.succeeded(*push)).collect();
    assert_eq!(*most.borrow(), 3);
    let (first, last) = (ends.iter().min().unwrap(), ends.iter().max().unwrap());
    assert!(*last < *first * 2, "lanes take turns: {ends:?}");
}

#[test]
fn new_warnings_are_told_however_many_there_were() {
    let (registry, number) = (RefCell::new(Registry::default()), RefCell::new(0));
    let mut world = World::new(Options::default(), |at, request| {
        let mut answer = registry.borrow_mut().answer(request);
        *number.borrow_mut() += 1;
        let text = if at < seconds(1000) {
            format!("299 - \"quota: {} bytes left\"", number.borrow())
        } else {
            "299 - \"this registry is switched off tomorrow\"".to_owned()
        };
        answer.headers_mut().insert("warning", text.parse().unwrap());
        Fate::Answered(millis(1), answer)
    });
    let names = names(300);
    world.client.start(push("registry.example", "a/b", &layers(&names, 10)));
    world.run_until(seconds(2000));
    world.events.clear();
    for number in 0..3 {
        world.client.start(push("registry.example", &format!("c/d{number}"), &[("y", 10)]));
        world.run();
    }
    let warnings = world.events.iter().filter(|event| matches!(event, Event::Warning { .. })).count();
    assert_eq!(warnings, 1, "it is told, and told once");
}

/// Uploads go to a storage host, which asks for a wait: the registry did not.
#[test]
fn a_wait_that_a_storage_host_asks_for_is_its_own() {
    let (registry, waits) = (RefCell::new(Registry::default()), RefCell::new(true));
    registry.borrow_mut().ignores_single_post = true;
    let mut options = Options::default();
    let storage: longshore_core::Registry = "storage.example".parse().unwrap();
    options.policy = options.policy.clone().allow_origin(storage.origin());
    let mut world = World::new(options, |at, request| {
        if request.uri().host() == Some("storage.example") {
            if at < seconds(100) && waits.replace(false) {
                return Fate::Answered(millis(10), respond(503, &[("retry-after", "100")], ""));
            }
            return Fate::Answered(millis(10), respond(201, &[("location", "/x")], ""));
        }
        let mut answer = registry.borrow_mut().answer(request);
        let is_upload = request.method() == "POST" && request.uri().path().contains("/a/stored/");
        if is_upload {
            answer.headers_mut().insert("location", "https://storage.example/upload/1".parse().unwrap());
        }
        Fate::Answered(millis(10), answer)
    });
    let stored = world.client.start(push("registry.example", "a/stored", &[("x", 100_000)]));
    world.run_until(seconds(1));
    let other = world.client.start(push("registry.example", "a/other", &[("y", 100_000)]));
    world.run();
    assert!(world.succeeded(other) < seconds(3), "{}", world.transcript());
    assert!(world.succeeded(stored) >= seconds(100), "{}", world.transcript());
}
