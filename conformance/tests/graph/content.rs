//! A source that does not give what it was said to give.

use longshore_conformance::Key;
use longshore_core::{Algorithm, Blob, Digest, FailureKind};

use crate::world::{Came, LAYER, World, image};

const SAID: &[u8] = b"what was said to come";
const SHORT: &[u8] = b"what was said";
const OTHER: &[u8] = b"what nobody spoke of.";

/// Pushes an image whose layer was said to be `SAID`, from a pipe that gives something else.
fn push(gives: &[u8], chunk: u64) -> (World, Came) {
    let mut world = World::with(longshore_conformance::quirk::spec_true(), |options| options.chunk = chunk);
    world.pipe(gives);
    let layer = Blob::read_once(Key(0), Digest::of(Algorithm::Sha256, SAID), SAID.len() as u64);
    let push = world.empty().tag("v0".parse().unwrap()).blob(world.blob(b"{}")).blob(layer);
    let came = world.run(push.root(image(&[(LAYER, SAID)], &[])));
    (world, came)
}

#[test]
fn what_is_not_as_it_was_said_to_be_is_never_committed() {
    let (said, other) = (Digest::of(Algorithm::Sha256, SAID), Digest::of(Algorithm::Sha256, OTHER));
    let wrong_size = FailureKind::SizeMismatch { expected: SAID.len() as u64, actual: SHORT.len() as u64 };
    let wrong_digest = FailureKind::DigestMismatch { expected: said, actual: other };
    for chunk in [4, 1000] {
        for (gives, why) in [(SHORT, &wrong_size), (OTHER, &wrong_digest)] {
            let (world, came) = push(gives, chunk);
            let failure = came.result.as_ref().unwrap_err();
            assert_eq!(failure.kind, *why, "{failure}\n{}", came.transcript);
            assert!(!world.has(gives) && !world.has(SAID), "{}", came.transcript);
            assert!(world.registry.registry.state.uploads.is_empty(), "{}", came.transcript);
        }
    }
    let (world, came) = push(SAID, 4);
    came.ok();
    assert!(world.has(SAID));
}
