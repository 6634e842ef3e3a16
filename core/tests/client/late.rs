//! What a registry has acknowledged it may show late (quirk `blob-visible-after-delay`): it is waited for before any byte is
//! sent a second time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use longshore_core::driver::{Body, Input};
use longshore_core::{Algorithm, Blob, FailureKind, Manifest, Options, Push};

use crate::world::*;

const LAYERS: [(&str, u64); 3] = [("one", 500_000), ("two", 600_000), ("three", 700_000)];

/// A registry that shows each blob some time after it has stored it.
struct Late {
    /// For how long a blob is hidden from HEAD, and from the look at what a manifest refers to.
    hidden: [Duration; 2],
    /// Whether a refusal says which blob it is about.
    names: bool,
    takes_head: bool,
    /// When each blob was stored, by its digest.
    stored: BTreeMap<String, Duration>,
    /// Bytes of blobs that were sent.
    bytes: u64,
    uploads: Registry,
}

impl Late {
    fn new(to_head: Duration, to_manifests: Duration) -> RefCell<Self> {
        RefCell::new(Self {
            hidden: [to_head, to_manifests],
            names: true,
            takes_head: true,
            stored: BTreeMap::new(),
            bytes: 0,
            uploads: Registry::default(),
        })
    }

    fn answer(&mut self, at: Duration, request: &Request<Body<String>>) -> Fate {
        Fate::Answered(millis(10), self.respond(at, request))
    }

    fn respond(&mut self, at: Duration, request: &Request<Body<String>>) -> Response<Bytes> {
        let is_hidden = |late: &Self, digest: &str, hidden: Duration| {
            late.stored.get(digest).is_none_or(|stored| at < *stored + hidden)
        };
        let path = request.uri().path().replace("%3A", ":");
        match (request.method(), request.body()) {
            (&Method::HEAD, _) if !self.takes_head => respond(405, &[], ""),
            (&Method::HEAD, _) if path.contains("/blobs/") => {
                let digest = path.rsplit('/').next().unwrap();
                respond(if is_hidden(self, digest, self.hidden[0]) { 404 } else { 200 }, &[], "")
            }
            (&Method::PUT, Body::Bytes(bytes)) => {
                let manifest = Manifest::parse(bytes.clone()).unwrap();
                let mut blobs = manifest.blobs().map(|blob| blob.digest.to_string());
                match blobs.find(|digest| is_hidden(self, digest, self.hidden[1])) {
                    Some(digest) => {
                        let detail = if self.names { digest } else { String::new() };
                        let error = format!(r#"{{"code":"MANIFEST_BLOB_UNKNOWN","detail":"{detail}"}}"#);
                        respond(404, &[], &format!(r#"{{"errors":[{error}]}}"#))
                    }
                    None => respond(201, &[("location", "/x")], ""),
                }
            }
            _ => {
                self.bytes += if let Body::Blob { .. } = request.body() { request.body().len().unwrap() } else { 0 };
                let response = self.uploads.answer(request);
                let query = request.uri().query().unwrap_or("").replace("%3A", ":");
                let digest = query.split('&').find_map(|pair| pair.strip_prefix("digest="));
                if let Some(digest) = digest.filter(|_| response.status() == 201) {
                    self.stored.insert(digest.to_owned(), at);
                }
                response
            }
        }
    }
}

/// All bytes of the image, once.
fn all() -> u64 {
    LAYERS.iter().map(|(_, size)| size).sum::<u64>() + 2
}

#[test]
fn what_is_seen_three_seconds_late_is_waited_for() {
    for hidden in [[seconds(3), seconds(3)], [seconds(0), seconds(3)], [seconds(6), seconds(6)]] {
        for names in [true, false] {
            let registry = Late::new(hidden[0], hidden[1]);
            registry.borrow_mut().names = names;
            let mut world = World::new(Options::default(), |at, request| registry.borrow_mut().answer(at, request));
            let push = world.client.start(push("registry.example", "a/b", &LAYERS));
            world.run();
            assert!(world.succeeded(push) < seconds(15));
            assert_eq!(registry.borrow().bytes, all(), "{hidden:?}, {names}\n{}", world.transcript());
        }
    }
}

#[test]
fn where_no_head_is_taken_the_manifest_is_sent_again_until_it_is_taken() {
    let registry = Late::new(seconds(0), seconds(3));
    registry.borrow_mut().takes_head = false;
    let mut world = World::new(Options::default(), |at, request| registry.borrow_mut().answer(at, request));
    let push = world.client.start(push("registry.example", "a/b", &LAYERS));
    world.run();
    world.succeeded(push);
    assert_eq!(registry.borrow().bytes, all(), "{}", world.transcript());
}

#[test]
fn what_another_push_of_the_same_client_stored_a_moment_ago_is_waited_for() {
    let registry = Late::new(seconds(3), seconds(3));
    let mut world = World::new(Options::default(), |at, request| registry.borrow_mut().answer(at, request));
    let of = |name: &str| push("registry.example", "a/b", &[LAYERS.as_slice(), &[(name, 10)]].concat());
    let first = world.client.start(of("four"));
    world.run_until(millis(200));
    let second = world.client.start(of("five"));
    world.run();
    for push in [first, second] {
        world.succeeded(push);
    }
    assert_eq!(registry.borrow().bytes, all() + 20, "{}", world.transcript());

    // Nor does a push that takes nothing on trust send what it cannot see yet.
    let third = world.client.start(of("six"));
    let until = world.time() + millis(100);
    world.run_until(until);
    let fourth = world.client.start(of("six").recheck());
    world.run();
    for push in [third, fourth] {
        world.succeeded(push);
    }
    assert_eq!(registry.borrow().bytes, all() + 30, "{}", world.transcript());
}

#[test]
fn what_is_really_lost_is_sent_again_and_nothing_else() {
    let registry = Late::new(seconds(0), seconds(0));
    let mut world = World::new(Options::default(), |at, request| registry.borrow_mut().answer(at, request));
    let first = world.client.start(push("registry.example", "a/b", &LAYERS));
    world.run();
    world.succeeded(first);
    let lost = registry.borrow_mut().stored.pop_first().unwrap();
    registry.borrow_mut().bytes = 0;
    let second = world.client.start(push("registry.example", "a/b", &[LAYERS.as_slice(), &[("four", 10)]].concat()));
    world.run();
    world.succeeded(second);
    let len = registry.borrow().bytes - 10;
    assert!(LAYERS.iter().map(|(_, size)| *size).chain([2]).any(|size| size == len), "{lost:?}, {len} bytes");
}

#[test]
fn what_the_registry_never_shows_is_sent_twice_and_the_push_ends_with_its_refusal() {
    for hidden in [[seconds(1 << 30), seconds(1 << 30)], [seconds(0), seconds(1 << 30)]] {
        for names in [true, false] {
            let registry = Late::new(hidden[0], hidden[1]);
            registry.borrow_mut().names = names;
            let mut world = World::new(Options::default(), |at, request| registry.borrow_mut().answer(at, request));
            let push = world.client.start(push("registry.example", "a/b", &LAYERS));
            world.run();
            let refused = world.failure(push).refused().expect("the registry refused the manifest");
            assert!(refused.errors.has_code("MANIFEST_BLOB_UNKNOWN"));
            assert!(registry.borrow().bytes <= 2 * all(), "{}", world.transcript());
        }
    }
}

/// Its bytes are gone: it is asked for as long as anything else, and the failure says what is the matter.
#[test]
fn what_can_be_read_once_is_waited_for_too() {
    let push_of_pipe = || {
        let digest = longshore_core::Digest::of(Algorithm::Sha256, b"{}");
        let config = format!(r#"{{"mediaType":"application/octet-stream","digest":"{digest}","size":2}}"#);
        let root = Manifest::parse(format!(r#"{{"schemaVersion":2,"config":{config},"layers":[]}}"#)).unwrap();
        let push = Push::new("registry.example".parse().unwrap(), "a/b".parse().unwrap());
        push.blob(Blob::read_once("pipe".to_owned(), digest, 2)).root(root).tag("v1".parse().unwrap())
    };
    for (hidden, is_seen) in [(seconds(3), true), (seconds(1 << 30), false)] {
        let registry = Late::new(hidden, hidden);
        let mut world = World::new(Options::default(), |at, request| registry.borrow_mut().answer(at, request));
        world.on_read = Box::new(|operation, blob| {
            let digest = longshore_core::Digest::of(Algorithm::Sha256, b"{}");
            Input::Ended { operation, blob, len: 2, digest }
        });
        let push = world.client.start(push_of_pipe());
        world.run();
        if is_seen {
            world.succeeded(push);
            assert_eq!(registry.borrow().bytes, 2);
        } else {
            let failure = world.failure(push);
            assert!(failure.refused().is_some() || failure.kind == FailureKind::NotReplayable, "{failure}");
        }
    }
}
