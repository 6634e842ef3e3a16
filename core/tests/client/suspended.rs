//! Pushes that are suspended or cancelled at odd moments: what is left open at the registry is what the checkpoint has.

use std::cell::RefCell;
use std::time::Duration;

use http::{Method, Request};
use longshore_core::driver::{Body, End, Input, Output};
use longshore_core::{Algorithm, Blob, Checkpoint, Client, Digest, Event, Instant, OperationId, Push, Receipt};

use crate::world::*;

/// The push that most tests suspend.
fn one_layer() -> Push<String> {
    push("registry.example", "a/b", &[("x", 10_000)])
}

/// Goes on until this many chunks were sent.
fn midway(world: &mut World<'_>, chunks: usize) {
    while world.sent.iter().filter(|sent| sent.line.starts_with("PATCH")).count() < chunks {
        let next = world.time() + millis(10);
        world.run_until(next);
    }
}

/// Starts a push and suspends it after a few chunks.
fn suspended(world: &mut World<'_>, push: Push<String>) -> Checkpoint {
    let operation = world.client.start(push);
    midway(world, 4);
    world.client.suspend(operation);
    world.run();
    checkpoint(world, operation)
}

fn checkpoint(world: &World<'_>, operation: OperationId) -> Checkpoint {
    match &world.done[&operation].1 {
        Ok(Receipt::Suspended(checkpoint)) => checkpoint.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn to_suspend_twice_is_to_suspend_once() {
    let registry = RefCell::new(Registry::default());
    let mut world =
        World::new(in_chunks(), |_, request| Fate::Answered(millis(100), registry.borrow_mut().answer(request)));
    let first = world.client.start(one_layer());
    midway(&mut world, 4);
    world.client.suspend(first);
    world.client.suspend(first);
    world.run();
    assert_eq!(registry.borrow().open.len(), 1);
    assert_eq!(saved_uploads(&checkpoint(&world, first)), 1);
}

#[test]
fn what_is_suspended_is_not_cancelled_too() {
    let registry = RefCell::new(Registry::default());
    let mut world =
        World::new(in_chunks(), |_, request| Fate::Answered(millis(100), registry.borrow_mut().answer(request)));
    let first = world.client.start(one_layer());
    midway(&mut world, 4);
    world.client.suspend(first);
    world.client.cancel(first);
    world.run();
    assert_eq!(registry.borrow().open.len(), 1);
    assert_eq!(saved_uploads(&checkpoint(&world, first)), 1);
}

#[test]
fn what_is_cancelled_is_not_suspended_too() {
    let registry = RefCell::new(Registry::default());
    let mut world =
        World::new(in_chunks(), |_, request| Fate::Answered(millis(100), registry.borrow_mut().answer(request)));
    let first = world.client.start(one_layer());
    midway(&mut world, 4);
    world.client.cancel(first);
    world.client.suspend(first);
    world.run();
    assert!(registry.borrow().open.is_empty());
    assert!(world.done[&first].1.is_err(), "{:?}", world.done[&first]);
}

#[test]
fn to_suspend_hides_no_failure_that_was_there() {
    let mut client: Client<String> = Client::new(in_chunks());
    let registry = RefCell::new(Registry::default());
    let push = client.start(push("registry.example", "a/b", &[("x", 10)]));
    let now = Instant::ZERO;
    let mut was_refused = false;
    loop {
        match client.poll(now) {
            Output::Send { id, request, .. } => {
                let is_commit = request.method() == Method::PUT && request.uri().path().contains("/manifests/");
                was_refused |= is_commit;
                let response = if is_commit {
                    respond(403, &[], r#"{"errors":[{"code":"DENIED"}]}"#)
                } else {
                    registry.borrow_mut().answer(&request)
                };
                client.handle(Input::Answered { id, response, end: End::Complete });
            }
            // The user interrupts the program when the progress bar moves for the last time.
            Output::Event(Event::Progress { .. }) if was_refused => client.suspend(push),
            Output::Done { result, .. } => {
                assert!(result.is_err(), "{result:?}");
                return;
            }
            Output::Wait(_) => panic!("it hangs"),
            _ => {}
        }
    }
}

#[test]
fn an_upload_that_a_second_mount_opened_is_cancelled_when_its_push_is_suspended() {
    let registry = RefCell::new(Registry::default());
    let mut world =
        World::new(in_chunks(), |_, request| Fate::Answered(millis(100), registry.borrow_mut().answer(request)));
    let digest = Digest::of(Algorithm::Sha256, b"layer");
    let blob = Blob::known("layer".to_owned(), digest, 10_000);
    let blob = blob.mount_from("team/one".parse().unwrap()).mount_from("team/two".parse().unwrap());
    let push = Push::new("registry.example".parse().unwrap(), "a/b".parse().unwrap()).blob(blob);
    let checkpoint = suspended(&mut world, push);
    assert_eq!(registry.borrow().open.len(), saved_uploads(&checkpoint), "{checkpoint:?}\n{}", world.transcript());
}

#[test]
fn an_upload_at_another_origin_is_cancelled_when_its_push_is_suspended() {
    let registry = RefCell::new(Registry::default());
    let mut world = World::new(in_chunks(), |_, request| {
        let mut answer = registry.borrow_mut().answer(request);
        if let Some(location) = answer.headers().get("location").cloned() {
            let at = format!("https://storage.example{}", location.to_str().unwrap());
            answer.headers_mut().insert("location", at.parse().unwrap());
        }
        Fate::Answered(millis(100), answer)
    });
    let checkpoint = suspended(&mut world, one_layer());
    assert_eq!(registry.borrow().open.len(), saved_uploads(&checkpoint), "{checkpoint:?}\n{}", world.transcript());
}

#[test]
fn a_resumed_push_that_is_suspended_again_forgets_no_upload() {
    let registry = RefCell::new(Registry::default());
    let network = |_: Duration, request: &Request<Body<String>>| {
        Fate::Answered(millis(100), registry.borrow_mut().answer(request))
    };
    let mut world = World::new(in_chunks(), network);
    let saved = suspended(&mut world, one_layer());
    assert_eq!(saved_uploads(&saved), 1);
    drop(world);
    let mut world = World::new(in_chunks(), network);
    let second = world.client.start(one_layer().resume(saved).unwrap());
    // It reads the manifest under its tag.
    world.run_until(millis(50));
    world.client.suspend(second);
    world.run();
    assert_eq!(registry.borrow().open.len(), 1);
    assert_eq!(saved_uploads(&checkpoint(&world, second)), 1);
}

#[test]
fn a_resumed_push_cancels_the_uploads_that_it_does_not_need() {
    let registry = RefCell::new(Registry::default());
    let mut world =
        World::new(in_chunks(), |_, request| Fate::Answered(millis(100), registry.borrow_mut().answer(request)));
    let saved = suspended(&mut world, one_layer());
    // The same client pushes it as a whole meanwhile.
    let whole = world.client.start(one_layer());
    world.run();
    world.succeeded(whole);
    let second = world.client.start(one_layer().resume(saved).unwrap());
    world.run();
    world.succeeded(second);
    assert!(registry.borrow().open.is_empty(), "{:?}\n{}", registry.borrow().open, world.transcript());
}
