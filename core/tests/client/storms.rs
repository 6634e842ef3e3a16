//! Random operations against a registry whose token service is another origin, in random trouble, cancelled and suspended at
//! random: each ends, the cleanup ends, and what is left open at the registry is in a checkpoint.

use std::cell::RefCell;
use std::time::Duration;

use http::{Method, Request};
use longshore_core::auth::Credentials;
use longshore_core::driver::{Body, Input};
use longshore_core::{Algorithm, Blob, Deletion, Digest, Operation, Options, Push, Receipt, Secret};

use crate::world::*;

const SEEDS: u64 = 300;
const CHALLENGE: &str = r#"Bearer realm="https://auth.registry.example/token",service="r""#;

/// Numbers that follow from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// How the token service answers.
fn token(random: &mut Random, trouble: u64) -> Fate {
    let after = millis(1 + random.below(400));
    match random.below(12) {
        0 if trouble > 1 => Fate::Lost(after),
        1 if trouble > 1 => Fate::Answered(after, respond(401, &[], "")),
        2 if trouble > 0 => Fate::Answered(after, respond(503, &[("retry-after", "2")], "")),
        3 if trouble > 2 => Fate::Answered(after, respond(400, &[], "")),
        4 => Fate::Answered(seconds(70), respond(200, &[], r#"{"token":"t"}"#)),
        _ => Fate::Answered(after, respond(200, &[], r#"{"token":"t","expires_in":60}"#)),
    }
}

/// How the registry answers.
fn answer(random: &mut Random, trouble: u64, registry: &mut Registry, request: &Request<Body<String>>) -> Fate {
    let after = millis(1 + random.below(400));
    let (method, path) = (request.method(), request.uri().path());
    if !request.headers().contains_key("authorization") {
        return Fate::Answered(after, respond(401, &[("www-authenticate", CHALLENGE)], ""));
    }
    let elsewhere = format!("https://storage.example{path}");
    match random.below(30) {
        0 if trouble > 0 => Fate::Lost(after),
        1 if trouble > 0 => Fate::Answered(after, respond(429, &[], "")),
        2 if trouble > 0 => Fate::Answered(after, respond(503, &[("retry-after", "3")], "")),
        3 if trouble > 1 => Fate::Answered(after, respond(401, &[("www-authenticate", CHALLENGE)], "")),
        4 if trouble > 1 => Fate::Answered(after, respond(500, &[], "")),
        5 if trouble > 2 => Fate::Answered(after, respond(403, &[], "")),
        6 if trouble > 2 => Fate::Answered(after, respond(307, &[("location", &elsewhere)], "")),
        7..20 if method == Method::GET && path.contains("/manifests/") => Fate::Answered(after, found()),
        _ => Fate::Answered(after, registry.answer(request)),
    }
}

fn operation(random: &mut Random, number: usize) -> Operation<String> {
    let name = format!("a/b{}", random.below(3));
    let (registry, repository) = ("registry.example".parse().unwrap(), name.parse().unwrap());
    match random.below(6) {
        0 => pull_from(&name, "v1"),
        1 => Operation::ListTags { registry, repository },
        2 => Operation::CheckPush { registry, repository },
        3 => {
            let what = Deletion::Manifest(Digest::of(Algorithm::Sha256, b"m"));
            Operation::Delete { registry, repository, what }
        }
        4 => {
            let blob = Blob::unknown(format!("pipe{number}"), Algorithm::Sha256);
            Push::new(registry, repository).blob(blob).into()
        }
        _ => push("registry.example", &name, &[("x", 2500), ("y", 5000)]).into(),
    }
}

fn options(random: &mut Random) -> Options {
    let mut options = if random.below(2) == 0 { in_chunks() } else { Options::default() };
    options.open_pipes = 1 + random.below(3) as usize;
    options.in_flight = [1, 2, 32][random.below(3) as usize];
    options.in_flight_total = [0, 1, 128][random.below(3) as usize];
    options
}

fn storm(seed: u64) {
    let random = RefCell::new(Random(seed));
    let below = |bound| random.borrow_mut().below(bound);
    let registry = RefCell::new(Registry::default());
    let (trouble, options) = (below(4), options(&mut random.borrow_mut()));
    let mut world = World::new(options, |_, request| {
        let random = &mut random.borrow_mut();
        match request.uri().path() {
            "/token" => token(random, trouble),
            _ => answer(random, trouble, &mut registry.borrow_mut(), request),
        }
    });
    world.credentials = Box::new(|| {
        let password = Some(below(3)).filter(|number| *number > 0)?;
        Some(Credentials::Basic { user: "robot".to_owned(), password: Secret::new(format!("password-{password}")) })
    });
    world.on_read = Box::new(|operation, blob| match below(4) {
        0 => Input::Unreadable { blob, why: "gone".to_owned() },
        _ => Input::Ended { operation, len: 700, digest: Digest::of(Algorithm::Sha256, blob.as_bytes()), blob },
    });
    let mut all = Vec::new();
    for number in 0..12 {
        let operation = operation(&mut random.borrow_mut(), number);
        all.push(world.client.start(operation));
        if below(2) == 0 {
            let next = world.time() + millis(below(600));
            world.run_until(next);
        }
        let one = all[below(all.len() as u64) as usize];
        match below(18) {
            0..3 => world.client.cancel(one),
            3 => world.client.suspend(one),
            _ => {}
        }
    }
    world.run_until(Duration::from_secs(100_000));
    let transcript = || format!("seed {seed}\n{}", world.transcript());
    assert!(all.iter().all(|operation| world.done.contains_key(operation)), "one never ends: {}", transcript());
    assert!(!world.client.is_cleaning_up(), "the cleanup never ends: {}", transcript());
    assert!(world.sent.len() < 3000, "there are {} requests: {}", world.sent.len(), transcript());
    if trouble == 0 {
        let saved = world.done.values().map(|(_, result)| match result {
            Ok(Receipt::Suspended(checkpoint)) => saved_uploads(checkpoint),
            _ => 0,
        });
        assert_eq!(registry.borrow().open.len(), saved.sum::<usize>(), "open at the end: {}", transcript());
    }
}

#[test]
fn in_any_weather_every_operation_ends_and_nothing_is_left_open_that_no_checkpoint_has() {
    (0..SEEDS).for_each(storm);
}
