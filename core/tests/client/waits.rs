//! Waits that registries ask for, and those that the client chooses.

use std::cell::RefCell;

use longshore_core::driver::{End, Input, Output, RequestId};
use longshore_core::{Client, Instant, Operation, Options};

use crate::world::*;

#[test]
fn a_wait_that_nobody_asked_for_is_not_measured_by_the_limit_of_retry_after() {
    let mut options = Options::default();
    options.retry_after_limit = seconds(3);
    let count = RefCell::new(0);
    let mut world = World::new(options, |_, _| {
        *count.borrow_mut() += 1;
        if *count.borrow() <= 4 {
            return Fate::Answered(millis(10), respond(429, &[], ""));
        }
        Fate::Answered(millis(10), found())
    });
    let one = world.client.start(pull("v1"));
    let two = world.client.start(pull("v2"));
    world.run();
    world.succeeded(one);
    world.succeeded(two);
}

#[test]
fn two_requests_that_wait_together_do_not_halve_the_patience() {
    let mut options = Options::default();
    options.patience = seconds(5);
    let mut world = World::new(options, |now, _| {
        if now < millis(50) {
            return Fate::Answered(millis(10), found());
        }
        Fate::Answered(millis(10), respond(503, &[("retry-after", "4")], ""))
    });
    let first = world.client.start(pull("v0"));
    world.run_until(millis(100));
    world.succeeded(first);
    let started = world.time();
    let one = world.client.start(pull("v1"));
    let two = world.client.start(pull("v2"));
    world.run();
    for operation in [one, two] {
        let (at, result) = &world.done[&operation];
        let waited = *at - started;
        assert!(waited >= seconds(5), "after {waited:?}: {}\n{}", result.as_ref().unwrap_err(), world.transcript());
    }
}

/// What becomes of two pulls whose registry asks for waits three times and then serves, with the milliseconds at which each is
/// done. In the same moment as the last refusal the caller may cancel an operation at another registry.
fn after_three_refusals(is_other_cancelled: bool) -> Vec<(u64, String)> {
    let mut options = Options::default();
    options.patience = seconds(5);
    let mut client: Client<String> = Client::new(options);
    let mut done = Vec::new();
    let mut drain = |client: &mut Client<String>, now: u64| {
        let mut sent: Vec<RequestId> = Vec::new();
        loop {
            match client.poll(Instant::ZERO.after(millis(now))) {
                Output::Send { id, request, .. } if request.uri().host() == Some("registry.example") => sent.push(id),
                Output::Done { result: Err(failure), .. } => done.push((now, failure.to_string())),
                Output::Wait(_) => return sent,
                _ => {}
            }
        }
    };
    client.start(pull("v0"));
    for id in drain(&mut client, 0) {
        client.handle(Input::Answered { id, response: found(), end: End::Complete });
    }
    client.start(pull("v1"));
    client.start(pull("v2"));
    let (registry, repository) = ("elsewhere.example".parse().unwrap(), "a".parse().unwrap());
    let other = client.start(Operation::ListTags { registry, repository });
    let mut now = 10;
    for round in 0..3 {
        for id in drain(&mut client, now) {
            let response = respond(503, &[("retry-after", "4")], "");
            client.handle(Input::Answered { id, response, end: End::Complete });
        }
        if is_other_cancelled && round == 2 {
            client.cancel(other);
        }
        now += 10;
        drain(&mut client, now);
        now += 60_000;
    }
    for id in drain(&mut client, now) {
        client.handle(Input::Answered { id, response: found(), end: End::Complete });
    }
    drain(&mut client, now + 10);
    done.retain(|(_, failure)| !failure.contains("cancelled"));
    done
}

#[test]
fn patience_is_judged_when_the_answer_comes_whatever_else_ends_then() {
    let alone = after_three_refusals(false);
    assert!(alone.len() == 2 && alone[0].1.contains("has served nothing"), "{alone:?}");
    assert_eq!(after_three_refusals(true), alone);
}
