//! Operations that wait for a token service which is another origin than the registry.

use std::cell::RefCell;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use longshore_core::Options;
use longshore_core::driver::Body;

use crate::world::*;

const CHALLENGE: &str = r#"Bearer realm="https://auth.registry.example/token",service="r""#;

/// Answers as a registry whose token service needs this long. What has a token is answered by `served`.
fn with_tokens(took: Duration, request: &Request<Body<String>>, served: impl FnOnce() -> Response<Bytes>) -> Fate {
    if request.uri().path() == "/token" {
        return Fate::Answered(took, respond(200, &[], r#"{"token":"t","expires_in":300}"#));
    }
    if !request.headers().contains_key("authorization") {
        return Fate::Answered(millis(50), respond(401, &[("www-authenticate", CHALLENGE)], ""));
    }
    Fate::Answered(millis(50), served())
}

#[test]
fn an_operation_that_is_cancelled_while_it_waits_for_a_token_service_holds_up_no_other() {
    let mut world = World::new(Options::default(), |_, request| with_tokens(seconds(2), request, found));
    let all: Vec<_> = (0..40).map(|n| world.client.start(pull_from(&format!("a/b{n}"), "v1"))).collect();
    world.run_until(millis(1000));
    // All but the last one are given up while they wait for the first tokens.
    all[1..39].iter().for_each(|operation| world.client.cancel(*operation));
    world.run();
    world.succeeded(all[0]);
    world.succeeded(all[39]);
}

#[test]
fn an_operation_that_needs_no_token_any_more_holds_up_no_other() {
    let mut world = World::new(Options::default(), |_, request| with_tokens(seconds(2), request, found));
    let all: Vec<_> = [("a/a", "v1"), ("a/b", "v1"), ("a/b", "v2"), ("a/c", "v1")]
        .into_iter()
        .map(|(repository, tag)| world.client.start(pull_from(repository, tag)))
        .collect();
    world.run();
    for operation in all {
        world.succeeded(operation);
    }
}

#[test]
fn pushes_to_several_repositories_end_though_the_token_service_takes_one_request_at_a_time() {
    let registry = RefCell::new(Registry::default());
    let mut world = World::new(Options::default(), |_, request| {
        with_tokens(millis(300), request, || registry.borrow_mut().answer(request))
    });
    let mut all = Vec::new();
    for n in 0..6 {
        let name = format!("x{n}");
        all.push(world.client.start(push("registry.example", &format!("a/b{}", n / 2), &[(&name, 100)])));
    }
    world.run();
    for operation in all {
        world.succeeded(operation);
    }
}

#[test]
fn as_many_tokens_are_fetched_at_once_as_the_token_service_has_shown_to_serve() {
    let mut world = World::new(Options::default(), |_, request| with_tokens(seconds(1), request, found));
    let all: Vec<_> = (0..40).map(|n| world.client.start(pull_from(&format!("a/b{n}"), "v1"))).collect();
    world.run();
    for operation in all {
        world.succeeded(operation);
    }
    assert!(world.time() < seconds(20), "{:?}\n{}", world.time(), world.transcript());
}
