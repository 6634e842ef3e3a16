//! The list of a subject's referrers, where several pushes of one client change it at once.

use std::cell::RefCell;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request, Response};
use longshore_core::driver::Body;
use longshore_core::{
    Algorithm, Blob, Descriptor, Digest, Manifest, MediaType, Operation, OperationId, Options, Push, Tag,
};

use crate::world::*;

/// A registry without the referrers API, and the manifests that it has by their names.
#[derive(Default)]
struct Manifests {
    by_name: BTreeMap<String, Bytes>,
    registry: Registry,
}

impl Manifests {
    fn answer(&mut self, request: &Request<Body<String>>) -> Response<Bytes> {
        let path = request.uri().path().replace("%3A", ":");
        let Some((_, name)) = path.split_once("/manifests/") else { return self.registry.answer(request) };
        match (request.method(), request.body()) {
            (&Method::PUT, Body::Bytes(bytes)) => {
                self.by_name.insert(name.to_owned(), bytes.clone());
                respond(201, &[("location", "/x")], "")
            }
            _ => match self.by_name.get(name) {
                Some(bytes) => Response::new(bytes.clone()),
                None => respond(404, &[], r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#),
            },
        }
    }

    fn listed(&self, subject: &Digest) -> Vec<Digest> {
        let list = self.by_name.get(&Tag::of_referrers(subject).to_string()).expect("there is a list");
        Manifest::parse(list.clone()).unwrap().children().map(|entry| entry.digest).collect()
    }
}

fn subject() -> Descriptor {
    Descriptor::new(MediaType::oci_manifest(), Digest::of(Algorithm::Sha256, b"subject"), 7)
}

fn artifact(number: usize) -> Manifest {
    let config =
        Descriptor::new("application/vnd.oci.empty.v1+json".parse().unwrap(), Digest::of(Algorithm::Sha256, b"{}"), 2);
    let document = serde_json::json!({
        "schemaVersion": 2, "config": config, "layers": [], "subject": subject(),
        "annotations": { "number": number.to_string() },
    });
    Manifest::parse(document.to_string()).unwrap()
}

fn attach(world: &mut World<'_>, number: usize) -> OperationId {
    let push = Push::new("registry.example".parse().unwrap(), "a/b".parse().unwrap());
    let config = Blob::known("{}".to_owned(), Digest::of(Algorithm::Sha256, b"{}"), 2);
    world.client.start(push.blob(config).root(artifact(number)))
}

fn writes(world: &World<'_>) -> usize {
    world.sent.iter().filter(|sent| sent.line.starts_with("PUT /v2/a/b/manifests/sha256-")).count()
}

#[test]
fn what_several_pushes_enter_into_one_list_goes_in_together_and_none_is_lost() {
    let registry = RefCell::new(Manifests::default());
    let mut world =
        World::new(Options::default(), |_, request| Fate::Answered(millis(20), registry.borrow_mut().answer(request)));
    let pushes: Vec<_> = (0..200).map(|number| attach(&mut world, number)).collect();
    world.run();
    for push in &pushes {
        world.succeeded(*push);
    }
    let listed = registry.borrow().listed(&subject().digest);
    assert!((0..200).all(|number| listed.contains(&artifact(number).digest())), "{} are listed", listed.len());
    assert!(writes(&world) <= 10, "{} writes", writes(&world));
}

#[test]
fn a_push_that_is_cancelled_takes_nobody_elses_entry_with_it() {
    let registry = RefCell::new(Manifests::default());
    let mut world =
        World::new(Options::default(), |_, request| Fate::Answered(millis(20), registry.borrow_mut().answer(request)));
    let pushes: Vec<_> = (0..20).map(|number| attach(&mut world, number)).collect();
    while !world.sent.iter().any(|sent| sent.line.starts_with("GET /v2/a/b/manifests/sha256-")) {
        let next = world.time() + millis(10);
        world.run_until(next);
    }
    for push in pushes.iter().step_by(2) {
        world.client.cancel(*push);
    }
    world.run();
    for (number, push) in pushes.iter().enumerate() {
        if number % 2 == 1 {
            world.succeeded(*push);
            assert!(registry.borrow().listed(&subject().digest).contains(&artifact(number).digest()), "{number}");
        }
    }
}

/// A list that was being written when its push was cancelled is not written elsewhere, where the registry sends us there.
#[test]
fn the_list_of_a_cancelled_push_is_not_written_elsewhere() {
    let registry = RefCell::new(Manifests::default());
    let mut world = World::new(Options::default(), |_, request| {
        let is_list = request.uri().path().contains("/manifests/sha256-");
        if request.method() == Method::PUT && is_list {
            let to = format!("https://storage.example{}", request.uri().path());
            return Fate::Answered(millis(20), respond(307, &[("location", &to)], ""));
        }
        Fate::Answered(millis(20), registry.borrow_mut().answer(request))
    });
    let push = attach(&mut world, 1);
    while writes(&world) == 0 {
        let next = world.time() + millis(10);
        world.run_until(next);
    }
    world.client.cancel(push);
    world.run();
    assert!(world.sent_to("storage.example").is_empty(), "{}", world.transcript());
}

#[test]
fn a_registry_that_is_down_is_not_one_without_referrers() {
    for status in [500, 502, 503, 429] {
        let mut world = World::new(Options::default(), |_, request| {
            let path = request.uri().path();
            if path.contains("/referrers/") {
                return Fate::Answered(millis(10), respond(status, &[], ""));
            }
            Fate::Answered(millis(10), respond(404, &[], r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#))
        });
        let list = world.client.start(Operation::ListReferrers {
            registry: "registry.example".parse().unwrap(),
            repository: "a/b".parse().unwrap(),
            subject: Digest::of(Algorithm::Sha256, b"x"),
            artifact_type: None,
        });
        world.run();
        assert!(world.done[&list].1.is_err(), "{status}: {:?}\n{}", world.done[&list].1, world.transcript());
    }
}

#[test]
fn a_registry_that_is_throttled_is_not_one_without_a_referrers_api() {
    for status in [503, 429] {
        let registry = RefCell::new(Registry::default());
        let mut world = World::new(Options::default(), |_, request| {
            if request.uri().path().contains("/referrers/") {
                return Fate::Answered(millis(10), respond(status, &[], ""));
            }
            Fate::Answered(millis(10), registry.borrow_mut().answer(request))
        });
        let subject = Descriptor::new(MediaType::oci_manifest(), Digest::of(Algorithm::Sha256, b"subject"), 7);
        let config = Descriptor::new(
            "application/vnd.oci.empty.v1+json".parse().unwrap(),
            Digest::of(Algorithm::Sha256, b"{}"),
            2,
        );
        let document = serde_json::json!({"schemaVersion": 2, "config": config, "layers": [], "subject": subject});
        let push = Push::new("registry.example".parse().unwrap(), "a/b".parse().unwrap());
        let config = Blob::known("{}".to_owned(), Digest::of(Algorithm::Sha256, b"{}"), 2);
        let push = push.blob(config).root(Manifest::parse(document.to_string()).unwrap());
        world.client.start(push);
        world.run();
        let learned = world.client.learned(&"registry.example".parse().unwrap()).unwrap();
        assert_eq!(learned.referrers(&"a/b".parse().unwrap()), None, "{status}");
    }
}
