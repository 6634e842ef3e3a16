//! Every switch of [`Behaviour`], as it looks on the wire.

mod chunks;
mod commit;
mod errors;
mod listing;
mod manifests;
mod mount;
mod read;
mod referrers;
mod registries;
mod start;
#[path = "../transcript/mod.rs"]
mod transcript;

use longshore_core::{Host, Origin, Scheme};
use longshore_mock_registry::{Behaviour, RegistryOptions};
use transcript::{Stage, sha256};

/// A registry at `https://reg.example:5443`, with a storage at `https://storage.example`, that behaves otherwise.
fn stage(change: impl FnOnce(&mut Behaviour)) -> Stage {
    let origin = |host: &str, port| Origin::new(Scheme::Https, host.parse::<Host>().unwrap(), port);
    let mut options = RegistryOptions::default()
        .with_origin(origin("reg.example", Some(5443)))
        .with_storage(origin("storage.example", None));
    change(&mut options.behaviour);
    Stage::new(options).with("hello", sha256("hello")).with("empty", sha256("")).with("absent", sha256("absent"))
}

/// Plays a transcript for each of some values of one switch.
fn each<T: Clone>(values: &[(T, &str)], set: impl Fn(&mut Behaviour, T), transcript: &str) {
    for (value, expected) in values {
        stage(|behaviour| set(behaviour, value.clone())).play(&transcript.replace("$", expected));
    }
}
