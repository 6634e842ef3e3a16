//! The spec's own text as transcripts.

mod blobs;
mod lists;
mod manifests;
#[path = "../transcript/mod.rs"]
mod transcript;
mod uploads;

use longshore_core::{Algorithm, Digest};
use longshore_mock_registry::RegistryOptions;
use transcript::{Stage, sha256};

fn stage() -> Stage {
    Stage::new(RegistryOptions::default())
        .with("hello", sha256("hello"))
        .with("hello512", Digest::of(Algorithm::Sha512, b"hello"))
        .with("absent", sha256("absent"))
}
