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
fn every_target_has_a_corpus_and_a_line_in_the_readme() {
    let readme = fs::read_to_string(fuzz().join("README.md")).unwrap();
    for target in TARGETS {
        assert!(!names(&format!("corpus/{}", target.name)).is_empty(), "{} has no corpus", target.name);
        let line = format!("| `{}` | {} | {} |", target.name, target.input, target.promise);
        assert!(readme.contains(&line), "the readme lacks the line {line}");
    }
    let sorted = TARGETS.is_sorted_by_key(|target| target.name);
    assert!(sorted, "the targets are not in the order of their names");
}

#[test]
fn every_corpus_is_replayed() {
    for target in TARGETS {
        let folder = format!("corpus/{}", target.name);
        for input in names(&folder) {
            println!("{folder}/{input}"); // shown where it fails
            (target.judge)(&fs::read(fuzz().join(&folder).join(&input)).unwrap());
        }
    }
}
