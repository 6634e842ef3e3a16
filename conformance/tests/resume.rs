//! A push that is interrupted anywhere is gone on with by another process.

use bytes::Bytes;
use http::Method;
use longshore_conformance::Mock;
use longshore_core::{Algorithm, Blob, Checkpoint, CheckpointError, Client, Digest, Manifest, Options, Push, Receipt};
use longshore_memory::{Simulation, Source, Step};
use longshore_mock_registry as mock;

fn blobs() -> Vec<(&'static str, Bytes)> {
    let made = |seed: u8, len: usize| (0..len).map(|i| (i as u8).wrapping_mul(31) ^ seed).collect::<Bytes>();
    vec![("config", made(1, 40)), ("base", made(2, 1000)), ("app", made(3, 777))]
}

fn push() -> Push<&'static str> {
    let descriptor = |bytes: &Bytes| {
        let digest = Digest::of(Algorithm::Sha256, bytes);
        format!(r#"{{"mediaType":"application/octet-stream","digest":"{digest}","size":{}}}"#, bytes.len())
    };
    let blobs = blobs();
    let layers: Vec<String> = blobs[1..].iter().map(|(_, bytes)| descriptor(bytes)).collect();
    let manifest =
        format!(r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#, descriptor(&blobs[0].1), layers.join(","));
    let push = Push::new("registry.example".parse().unwrap(), "library/app".parse().unwrap());
    let push = blobs.into_iter().fold(push, |push, (key, bytes)| {
        push.blob(Blob::known(key, Digest::of(Algorithm::Sha256, &bytes), bytes.len() as u64))
    });
    push.root(Manifest::parse(manifest).unwrap()).tag("v1".parse().unwrap())
}

/// Chunks of 100 bytes for all that is larger.
fn client() -> Client<&'static str> {
    let mut options = Options::default();
    (options.chunk, options.chunk_above, options.single_post) = (100, 100, 100);
    Client::new(options)
}

fn simulation(registry: mock::Registry) -> Simulation<&'static str, Mock> {
    let simulation = Simulation::new(3, Mock::around(registry)).step_limit(5000);
    blobs().into_iter().fold(simulation, |simulation, (key, bytes)| simulation.source(key, Source::bytes(bytes)))
}

/// Runs a push for so many steps and saves it; or to its end.
fn interrupted_after(steps: usize) -> (mock::Registry, Option<Checkpoint>) {
    let mut simulation = simulation(mock::Registry::new(mock::RegistryOptions::default()));
    let mut client = client();
    let operation = client.start(push());
    for _ in 0..steps {
        if let Step::Done { .. } = simulation.step(&mut client) {
            return (simulation.handler.broken_off(), None);
        }
    }
    let checkpoint = client.save(operation).expect("the push is under way");
    (simulation.handler.broken_off(), Some(checkpoint))
}

#[test]
fn i40_a_push_that_stops_anywhere_is_gone_on_with() {
    let (mut stops, mut went_on) = (0, 0);
    loop {
        let (registry, Some(checkpoint)) = interrupted_after(stops) else { break };
        stops += 1;
        let json = checkpoint.to_json();
        let checkpoint = Checkpoint::from_json(&json).unwrap();
        let mut simulation = simulation(registry);
        let mut client = client();
        let operation = client.start(push().resume(checkpoint).unwrap());
        let result = simulation.run(&mut client, operation);
        let transcript = simulation.transcript().to_string();
        assert!(matches!(result, Ok(Receipt::Pushed(_))), "stopped after {stops}: {result:?}\n{transcript}");
        // An upload that is gone on with is asked how far it is, and is not begun at its first byte.
        went_on += transcript
            .lines()
            .filter(|line| line.starts_with("C:") && line.contains(" GET ") && line.contains("/uploads/"))
            .count();
        for (_, bytes) in blobs() {
            let digest = Digest::of(Algorithm::Sha256, &bytes);
            let repository = "library/app".parse().unwrap();
            assert_eq!(simulation.handler.blob(&repository, &digest), Some(bytes), "{transcript}");
        }
        let tag = simulation.handler.ask(Method::GET, "/v2/library/app/manifests/v1", Bytes::new());
        assert_eq!(tag.status(), 200);
    }
    assert!(stops > 50, "the push had only {stops} steps");
    assert!(went_on > 20, "uploads were gone on with only {went_on} times");
}

#[test]
fn i40_what_was_stored_is_not_sent_again() {
    // Almost at its end: every blob is stored, and the manifest is not.
    let last = (0..).find(|steps| interrupted_after(*steps).1.is_none()).unwrap();
    let stored_all = (0..last).rev().find_map(|steps| {
        let (registry, checkpoint) = interrupted_after(steps);
        let is_tagged = registry.state.repositories.values().any(|repository| !repository.tags.is_empty());
        (!is_tagged).then_some((registry, checkpoint?))
    });
    let (registry, checkpoint) = stored_all.unwrap();
    let mut simulation = simulation(registry);
    let mut client = client();
    let operation = client.start(push().resume(checkpoint).unwrap());
    let Ok(Receipt::Pushed(pushed)) = simulation.run(&mut client, operation) else { panic!("it fails") };
    assert_eq!((pushed.uploaded, pushed.requests), (0, 2), "{}", simulation.transcript());
}

#[test]
fn i40_a_checkpoint_of_another_push_is_refused() {
    let (_, checkpoint) = interrupted_after(30);
    let checkpoint = checkpoint.unwrap();
    let elsewhere: Push<&str> = Push::new("other.example".parse().unwrap(), "library/app".parse().unwrap());
    assert!(matches!(elsewhere.resume(checkpoint.clone()), Err(CheckpointError::OtherPush { .. })));
    let json = String::from_utf8(checkpoint.to_json()).unwrap();
    let newer = json.replace("\"version\": 1", "\"version\": 2");
    assert_eq!(Checkpoint::from_json(newer.as_bytes()), Err(CheckpointError::Version(2)));
    assert!(!format!("{checkpoint:?}").contains("/uploads/"));
}
