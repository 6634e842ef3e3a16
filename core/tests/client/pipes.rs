//! Blobs of unknown digest in many pushes: how many are open at once, and whose turn it is.

use std::cell::RefCell;

use longshore_core::driver::{Input, OperationId};
use longshore_core::{Algorithm, Blob, Digest, Options, Push};

use crate::world::*;

fn push_of_pipes(name: &str, count: usize) -> Push<String> {
    let push = Push::new("registry.example".parse().unwrap(), format!("a/{name}").parse().unwrap());
    (0..count).fold(push, |push, number| push.blob(Blob::unknown(format!("{name} {number}"), Algorithm::Sha256)))
}

#[test]
fn no_more_pipes_are_open_in_all_pushes_than_the_option_says_and_pushes_take_turns() {
    let (registry, reads) = (RefCell::new(Registry::default()), RefCell::new(Vec::new()));
    let mut options = Options::default();
    options.open_pipes = 4;
    let mut world = World::new(options, |_, request| Fate::Answered(millis(10), registry.borrow_mut().answer(request)));
    world.on_read = Box::new(|operation, blob| {
        reads.borrow_mut().push((operation, blob.clone()));
        // Nothing comes yet: this is nobody's blob.
        Input::Unreadable { blob: "nobody".to_owned(), why: "it is not there".to_owned() }
    });
    let large = world.client.start(push_of_pipes("large", 50));
    let small = world.client.start(push_of_pipes("small", 1));
    world.run_until(seconds(5));
    assert_eq!(reads.borrow().len(), 4, "{}", world.transcript());
    let mut ended = 0;
    while ended < 51 {
        assert!(reads.borrow().len() - ended <= 4, "{:?}", reads.borrow());

        let (operation, blob): (OperationId, String) = reads.borrow()[ended].clone();
        let digest = Digest::of(Algorithm::Sha256, blob.as_bytes());
        world.client.handle(Input::Ended { operation, blob, len: 10, digest });
        ended += 1;
        let next = world.time() + seconds(1);
        world.run_until(next);
        // The push of one pipe does not wait until all fifty of the other have ended.
        assert!(ended < 8 || world.done.contains_key(&small), "{:?}", reads.borrow());
    }
    world.run();
    world.succeeded(large);
    world.succeeded(small);
    assert!(registry.borrow().open.is_empty());
}

#[test]
fn the_pipes_of_a_push_that_was_given_up_are_free_for_others() {
    let (registry, reads) = (RefCell::new(Registry::default()), RefCell::new(Vec::new()));
    let mut options = Options::default();
    options.open_pipes = 2;
    let mut world = World::new(options, |_, request| Fate::Answered(millis(10), registry.borrow_mut().answer(request)));
    world.on_read = Box::new(|operation, blob| {
        reads.borrow_mut().push(operation);
        if blob.starts_with("second") {
            let digest = Digest::of(Algorithm::Sha256, blob.as_bytes());
            return Input::Ended { operation, blob, len: 10, digest };
        }
        Input::Unreadable { blob: "nobody".to_owned(), why: "it is not there".to_owned() }
    });
    let first = world.client.start(push_of_pipes("first", 10));
    let second = world.client.start(push_of_pipes("second", 10));
    world.run_until(seconds(5));
    assert_eq!(*reads.borrow(), [first, first]);
    world.client.cancel(first);
    world.run();
    world.succeeded(second);
}
