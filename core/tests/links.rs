//! Links to the distribution spec are to one version of it, each endpoint's file links its rows there, and each quirk that a
//! comment names is on the page of quirks.

use std::fs;
use std::path::{Path, PathBuf};

/// The commit of the spec that the endpoints were written from: v1.1.1, the newest release, lacks `end-4c` and `end-14`.
const SPEC: &str =
    "https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md";

fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn all_links_to_the_spec_are_to_one_version() {
    let mut links = 0;
    for (path, text) in files(&sources()) {
        for (at, _) in text.match_indices("https://github.com/opencontainers/distribution-spec/") {
            assert!(text[at..].starts_with(SPEC), "{} links another version of the spec", path.display());
            links += 1;
        }
    }
    assert!(links >= 12, "{links} links were found");
}

#[test]
fn each_file_of_an_endpoint_links_its_rows() {
    let mut rows = 0;
    for (path, text) in files(&sources().join("endpoint")) {
        let first = text.lines().next().unwrap_or_default();
        let Some((named, _)) = first.strip_prefix("//! [`end-").and(first.split_once(": ")) else {
            assert!(!first.starts_with("//! `end-"), "{} does not link its row", path.display());
            continue;
        };
        for row in named.split('`').filter(|part| part.starts_with("end-")) {
            let link = format!("//! [`{row}`]: {SPEC}#endpoints");
            assert!(text.lines().any(|line| line == link), "{} does not link {row}", path.display());
            rows += 1;
        }
    }
    // end-1 to end-14, and the b of 7, 8 and 12; end-4 has three.
    assert_eq!(rows, 19, "rows that have a file");
}

#[test]
fn every_quirk_that_a_comment_names_is_on_the_page_of_quirks() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("QUIRKS.md")).unwrap();
    let mut named = 0;
    for (path, text) in files(&sources()) {
        // A comment in one line, so that an id may stand in the line after the word.
        let text = text.lines().map(|line| line.trim_start().trim_start_matches(['/', '!'])).collect::<String>();
        for word in ["quirk `", "quirks `", "quirk](crate::quirks) `", "quirks](crate::quirks) `"] {
            for (at, _) in text.match_indices(word) {
                for id in ids(&text[at + word.len()..]) {
                    assert!(page.contains(&format!("\n## `{id}`\n")), "{} names no quirk: {id}", path.display());
                    named += 1;
                }
            }
        }
    }
    assert!(named >= 100, "{named} ids were found");
}

/// The ids of a list such as ``a`, `b` and `c`)``, whose first backtick is left out.
fn ids(list: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = list;
    while let Some((id, after)) = rest.split_once('`') {
        found.push(id);
        match after.strip_prefix(", `").or_else(|| after.strip_prefix(" and `")) {
            Some(next) => rest = next,
            None => break,
        }
    }
    found
}
