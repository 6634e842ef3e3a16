//! What the core is built from: a list that grows by a decision, and never by accident.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// Everything the core may use. Each is needed, kept, and does no I/O.
const ALLOWED: [&str; 9] =
    ["base64", "bytes", "http", "httpdate", "serde", "serde_json", "sha2", "thiserror", "zeroize"];

/// How many crates may be built for the core, itself included.
const MOST: usize = 30;

#[test]
fn the_core_depends_on_what_is_listed() {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let core = packages.iter().find(|package| package["name"] == env!("CARGO_PKG_NAME")).unwrap();
    let dependencies = core["dependencies"].as_array().unwrap().iter().filter(|dependency| dependency["kind"] != "dev");
    let names: BTreeSet<&str> = dependencies.map(|dependency| dependency["name"].as_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(ALLOWED));
}

#[test]
fn few_crates_are_built_for_the_core() {
    let package = ["--package", env!("CARGO_PKG_NAME")];
    let tree = cargo(&[&["tree", "--edges", "normal,build", "--prefix", "none", "--no-dedupe"], &package[..]].concat());
    let crates: BTreeSet<&str> = tree.lines().collect();
    assert!(crates.len() > ALLOWED.len(), "the tree was not read: {tree}");
    assert!(crates.len() <= MOST, "{} crates are built for the core: {crates:#?}", crates.len());
}

/// What cargo says of this workspace, without the network and without a change.
fn cargo(arguments: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    let output = cargo.args(arguments).args(["--offline", "--locked"]).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let output = output.unwrap();
    assert!(output.status.success(), "cargo failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
