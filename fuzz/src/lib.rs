//! Fuzz targets: what libFuzzer makes up, against the oracles of `longshore_conformance::fuzz` and other readers.
//!
//! `README.md` says how to run, add, reproduce, minimise and explain.

mod campaign;
pub mod command;
pub mod control;
mod coverage;
mod fuzzer;
mod ledger;
mod mutator;
pub mod peers;
mod table;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

// What the flags of this folder make of every function calls libFuzzer, in the tests of this crate too.
#[cfg(test)]
use libfuzzer_sys as _;
use longshore_conformance::fuzz::{TARGETS, Target};

pub use mutator::{cross_over, mutate};

/// What is being fuzzed by this process.
static CURRENT: OnceLock<&'static Target> = OnceLock::new();

thread_local! {
    /// The input that is being judged, to name it where it fails.
    static SHOWN: std::cell::RefCell<Option<PathBuf>> = const { std::cell::RefCell::new(None) };
}

/// Every target: those of the conformance suite, then the one that needs a server, then those that need other readers.
pub fn targets() -> impl Iterator<Item = &'static Target> {
    TARGETS.iter().chain([&control::TARGET]).chain(peers::TARGETS)
}

/// The target of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Target> {
    targets().find(|target| target.name == name)
}

/// Judges an input by the target of this process.
///
/// # Panics
/// Where the target's promise is broken.
pub fn judge(bytes: &[u8]) {
    if let Some(target) = CURRENT.get() {
        (target.judge)(bytes);
    }
}

/// This folder.
fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The inputs of a target that are kept.
fn corpus(target: &Target) -> PathBuf {
    home().join("corpus").join(target.name)
}

/// The words that a target's inputs are made of, where there is a list of them.
fn dictionary(target: &Target) -> Option<PathBuf> {
    let name = match target.name {
        "challenge" | "peers_challenge" | "token_response" | "docker_config" | "helper_words" => "authentication",
        "core_responses" | "mock_http" | "redaction" | "location_resolve" => "protocol",
        "link_header" | "range_headers" | "retry_after" | "error_body" => "headers",
        "manifest_strict" | "peers_manifest" | "referrers_merge" | "checkpoint" | "layout" | "layout_tar" => {
            "manifests"
        }
        "reference" | "peers_reference" | "peers_digest" | "digest" | "origin_classify" => "names",
        "profile_toml" | "fault_plan" | "control_requests" => "mock",
        "unpack" => "paths",
        _ => return None,
    };
    Some(home().join(format!("dictionaries/{name}.dict")))
}
