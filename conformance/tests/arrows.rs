//! Which crate of this house may use which: an arrow that is not drawn here is a mistake. In the transports, which file may use
//! which: no files use each other in a circle.

// How the sources are read is said once, beside the test of the core.
#[path = "../../core/tests/arrows/files.rs"]
mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A crate, what it may use, and what only its tests may use besides. The command alone may use everything.
const ARROWS: [(&str, &[&str], &[&str]); 13] = [
    ("longshore-core", &[], &[]),
    ("longshore-sources", &["core"], &[]),
    ("longshore-memory", &["core"], &["mock-registry", "transport-kit"]),
    ("longshore-mock-registry", &["core"], &["memory"]),
    ("longshore-http-body", &["core", "sources"], &[]),
    ("longshore-transport-kit", &["core"], &["conformance", "http-body", "sources"]),
    ("longshore-tls", &["core"], &[]),
    ("longshore-reqwest", &["core", "http-body", "sources", "tls"], &["conformance", "mock-registry", "transport-kit"]),
    ("longshore-ureq", &["core", "sources", "tls"], &["conformance", "mock-registry", "transport-kit"]),
    ("longshore-conformance", &["core", "memory", "mock-registry", "sources"], &[]),
    ("longshore-fuzz", &["conformance", "core", "mock-registry"], &[]), // the control address, which is the server's
    ("longshore-core-wasm", &["core"], &[]),
    ("longshore-mock-registry-wasm", &["core", "mock-registry"], &[]),
];

/// The one crate that sees all.
const COMMAND: &str = "longshore";

#[test]
fn crates_use_only_what_is_drawn() {
    let allowed: BTreeMap<_, _> = ARROWS.iter().map(|(name, uses, tests)| (*name, (*uses, *tests))).collect();
    let packages = packages("Cargo.toml").into_iter().chain(packages("fuzz/Cargo.toml"));
    let mut seen = BTreeSet::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        seen.insert(name.to_owned());
        if name == COMMAND {
            continue;
        }
        let (uses, tests) = allowed.get(name).unwrap_or_else(|| panic!("no arrow is drawn for {name}"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let Some(used) = ours(dependency) else { continue };
            let is_test = dependency["kind"] == "dev" && tests.contains(&used);
            assert!(uses.contains(&used) || is_test, "{name} uses {used}, and no such arrow is drawn");
        }
    }
    for name in ["longshore-core", "longshore-conformance", "longshore-fuzz", "longshore-mock-registry"] {
        assert!(seen.contains(name), "{name} was not looked at: {seen:?}");
    }
}

#[test]
fn no_files_of_a_transport_use_each_other_in_a_circle() {
    let transports = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("transports");
    for (transport, least) in
        [("http-body", 5), ("kit", 20), ("memory", 8), ("reqwest", 9), ("sources", 20), ("ureq", 4)]
    {
        let files = files::sources(&transports.join(transport));
        let arrows: usize = files::arrows(&files).values().map(BTreeSet::len).sum();
        assert!(arrows >= least, "{arrows} arrows were seen in {transport}: its sources were not read");
        files::refuse_circles(&files);
    }
}

/// The crate of this house that a dependency names, without the prefix; `None` for anybody else's.
fn ours(dependency: &Value) -> Option<&str> {
    dependency["path"].as_str()?;
    dependency["name"].as_str()?.strip_prefix("longshore-")
}

/// The packages of a workspace, as cargo reads their manifests. Nothing is resolved, so nothing is fetched.
fn packages(manifest: &str) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--format-version", "1", "--offline", "--manifest-path"]);
    let output = cargo.arg(root.join(manifest)).output().unwrap();
    assert!(output.status.success(), "cargo failed: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}
