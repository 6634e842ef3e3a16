//! Every input of every fuzz target's corpus, judged as the fuzzer would judge it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use longshore_conformance::fuzz::TARGETS;

/// The folder of the fuzz targets.
fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(fuzz().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_target_has_a_file_and_a_corpus() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("corpus"), targets);
    assert_eq!(names("fuzz_targets"), targets.iter().map(|name| format!("{name}.rs")).collect());
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for name in targets {
        assert!(!names(&format!("corpus/{name}")).is_empty(), "{name} has no corpus");
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} is not built");
        let source = fs::read_to_string(fuzz().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(source.contains(&format!("fuzz::{name}(bytes)")), "{name} calls something else");
    }
}

#[test]
fn every_corpus_is_replayed() {
    for (name, target) in TARGETS {
        let folder = format!("corpus/{name}");
        for input in names(&folder) {
            println!("{folder}/{input}"); // shown where it fails
            target(&fs::read(fuzz().join(&folder).join(&input)).unwrap());
        }
    }
}
