//! This crate takes the core's vocabulary and nothing else, because a mistake made once in a shared codec would hide in both;
//! and no files of it use each other in a circle.

// How the sources are read is said once, beside the test of the core.
#[path = "../../core/tests/arrows/files.rs"]
mod files;

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The paths into the core that a source names, with every group written out.
fn named(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, prefix) in source.match_indices("longshore_core::") {
        let rest: String =
            source[at + prefix.len()..].split(';').next().unwrap_or_default().split_whitespace().collect();
        found.extend(rest.trim_matches(['{', '}']).split(['{', ',', '}']).map(str::to_owned));
    }
    found
}

#[test]
fn only_the_cores_vocabulary_is_used() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 10, "the sources were not found");
    for file in files {
        for path in named(&fs::read_to_string(&file).unwrap()) {
            let first = path.split("::").next().unwrap_or_default();
            let first: String = first.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let forbidden = ["endpoint", "flow", "client", "*"].contains(&&*first) || path.starts_with('*');
            assert!(!forbidden, "{} uses longshore_core::{path}", file.display());
        }
    }
}

#[test]
fn the_check_sees_what_it_forbids() {
    let source = "use longshore_core::{Digest, endpoint::StartUpload}; use longshore_core::client::Client; let x = longshore_core::flow::push();";
    let named = named(source);
    for first in ["endpoint::", "client::", "flow::"] {
        assert!(named.iter().any(|path| path.starts_with(first)), "{named:?}");
    }
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let files = files::sources(Path::new(env!("CARGO_MANIFEST_DIR")));
    let arrows: usize = files::arrows(&files).values().map(std::collections::BTreeSet::len).sum();
    assert!(arrows > 200, "{arrows} arrows were seen: the sources were not read");
    files::refuse_circles(&files);
}
