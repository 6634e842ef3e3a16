//! Counts the requests of a push: on a real network a push is round trips.
//!
//! `cargo bench -p longshore-conformance --bench requests` prints the table of the README. Nothing is timed, and nothing
//! here depends on the machine: the registry is the mock, the network is simulated.
//!
//! Two numbers look too high, and have reasons:
//! * Cold, at a registry that takes a single POST: the POST for the largest blob asks for a mount from the target repository
//!   itself, and so whether the image is there under another tag. It opens an upload where it is not, and the PUT is the
//!   request more. Without the question, a new tag of an image that is there would send all its blobs. `NAME_UNKNOWN` in the
//!   answer to the first request does not spare it: a registry may say so until the repository has its first manifest, though
//!   it has the blobs of a push that was interrupted. If more than 16 MiB would be sent without a question, a second blob is
//!   asked about, because the largest one may be the one that changed.
//! * Under a new tag, at a registry that never mounts: 202 says neither that the blob is missing nor that such mounts are not
//!   supported. A HEAD would tell, but it would be one request more in every first push to every registry. So the first
//!   push sends blobs of up to `Options::ask_above` bytes. Once it is known what one POST does, the question is a HEAD.

mod images;

use longshore_conformance::Mock;
use longshore_core::{Client, Learned, Options, Push, Pushed, Receipt};
use longshore_memory::Simulation;
use longshore_mock_registry as mock;
use longshore_mock_registry::Behaviour;
use longshore_mock_registry::behaviour::{MountPolicy, SinglePost, WithoutFrom};

use images::{BASE, Image, REPOSITORY, registry};

/// A way in which registries differ that decides how many requests a push takes.
struct Kind {
    name: &'static str,
    behaviour: Behaviour,
}

fn kinds() -> [Kind; 3] {
    let mut distribution = Behaviour::default();
    distribution.start.single_post = SinglePost::Ignored;
    let mut never_mounts = Behaviour::default();
    never_mounts.mount.policy = MountPolicy::Never;
    never_mounts.mount.without_from = WithoutFrom::Upload;
    [
        Kind { name: "ignores a single POST (distribution)", behaviour: distribution },
        Kind { name: "takes a single POST", behaviour: Behaviour::default() },
        Kind { name: "takes a single POST, never mounts", behaviour: never_mounts },
    ]
}

/// Which of [`kinds`] takes a single POST and mounts.
const TAKES_SINGLE_POST: usize = 1;

/// A push to count.
struct Row {
    name: &'static str,
    /// The fewest requests of a peer, measured against distribution 2.8.
    peer: &'static str,
    /// What is pushed before, by another client.
    before: Option<Image>,
    image: Image,
    /// Whether the blobs are in another repository, which is named.
    mounts: bool,
    /// Whether it goes under another tag than what was pushed before.
    is_new_tag: bool,
    /// Whether the tag of what was pushed before is named as one that holds something like it.
    is_like: bool,
}

fn rows() -> Vec<Row> {
    const KIB: u64 = 1024;
    const MB: u64 = 1_000_000;
    let large = [30 * MB, 30 * MB + 1, 36 * MB];
    let many = |changed: u64| {
        Image::new(KIB + changed, (0..200).map(|i| 64 * KIB + i - if i == 100 { changed * 500 } else { 0 }))
    };
    let large_ones = |changed: u64| Image::new(KIB + changed, (0..20).map(|i| 3 * MB + i + changed * (i / 19)));
    let row =
        |name, peer, image| Row { name, peer, before: None, image, mounts: false, is_new_tag: false, is_like: false };
    vec![
        row("2 blobs (1 KiB, 1 MiB), cold", "7", Image::new(KIB, [1024 * KIB])),
        row("4 blobs (1 KiB, 30, 30, 36 MB), cold", "13", Image::new(KIB, large)),
        row("201 blobs of about 64 KiB, cold", "604", many(0)),
        Row { before: Some(many(0)), ..row("the same again", "1", many(0)) },
        Row { before: Some(many(0)), ..row("one layer of 200 changed", "206", many(1)) },
        Row { before: Some(many(0)), is_new_tag: true, ..row("the same under a new tag", "2", many(0)) },
        Row { before: Some(many(0)), is_new_tag: true, ..row("one layer of 200 changed, new tag", "210", many(1)) },
        Row {
            before: Some(many(0)),
            is_new_tag: true,
            is_like: true,
            ..row("the same, and the older tag is named", "—", many(1))
        },
        Row {
            before: Some(large_ones(0)),
            is_new_tag: true,
            ..row("the largest of 20 layers of 3 MB changed, new tag", "—", large_ones(1))
        },
        row("index of 8 platforms, 18 blobs, cold", "3.4 per blob", Image::index(8)),
        Row {
            before: Some(Image::index(8)),
            is_new_tag: true,
            ..row("the index under a new tag", "—", Image::index(8))
        },
        Row { mounts: true, ..row("the 201 blobs from another repository", "202", many(0)) },
    ]
}

fn main() {
    println!(
        "| push (config + layers) | best peer | {} | kB sent where it is taken |",
        kinds().map(|kind| kind.name).join(" | ")
    );
    println!("|---|---|{}---|", "---|".repeat(kinds().len()));
    for row in rows() {
        let counts = kinds().map(|kind| count(&row, &kind.behaviour));
        let sent = counts[TAKES_SINGLE_POST].1.div_ceil(1000);
        let counts = counts.map(|(requests, _)| requests);
        println!("| {} | {} | {} | {sent} |", row.name, row.peer, counts.join(" | "));
    }
}

/// The requests of a first push, and those of one by a client that was told what the first one learned; the bytes that the
/// first one sent.
fn count(row: &Row, behaviour: &Behaviour) -> (String, u64) {
    let (first, learned) = push(row, behaviour, Learned::default());
    let (second, _) = push(row, behaviour, learned);
    let requests = if first.requests == second.requests {
        first.requests.to_string()
    } else {
        format!("{} ({} when known)", first.requests, second.requests)
    };
    (requests, first.bytes)
}

fn push(row: &Row, behaviour: &Behaviour, learned: Learned) -> (Pushed, Learned) {
    let options = mock::RegistryOptions::default().with_behaviour(behaviour.clone());
    let mut simulation = Simulation::new(1, Mock::new(options));
    if row.mounts {
        let push = row.image.push(BASE, false, "v1");
        simulation = run(simulation, &row.image, push, Learned::default()).0;
    }
    if let Some(before) = &row.before {
        let push = before.push(REPOSITORY, false, "v1");
        simulation = run(simulation, before, push, Learned::default()).0;
    }
    let push = row.image.push(REPOSITORY, row.mounts, if row.is_new_tag { "v2" } else { "v1" });
    let push = if row.is_like { push.like("v1".parse().expect("a constant")) } else { push };
    let (_, pushed, learned) = run(simulation, &row.image, push, learned);
    (pushed, learned)
}

fn run(
    simulation: Simulation<u64, Mock>,
    image: &Image,
    push: Push<u64>,
    learned: Learned,
) -> (Simulation<u64, Mock>, Pushed, Learned) {
    let mut client = Client::new(Options::default());
    client.teach(&registry(), learned);
    let mut simulation = image.sources().fold(simulation, |simulation, (key, source)| simulation.source(key, source));
    let operation = client.start(push);
    match simulation.run(&mut client, operation) {
        Ok(Receipt::Pushed(pushed)) => {
            let learned = client.learned(&registry()).cloned().unwrap_or_default();
            (simulation, pushed, learned)
        }
        other => panic!("{other:?}\n{}", simulation.transcript()),
    }
}
