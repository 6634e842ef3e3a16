//! The README says how long the two drivers are that are examples.

use std::fs;
use std::path::Path;

#[test]
fn the_readme_says_how_many_lines_the_two_drivers_have() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(package.join(path));
    // In the package it stands beside the manifest.
    let readme = read("README.md").or_else(|_| read("../../README.md")).unwrap();
    let lines = |files: &[&str]| files.iter().map(|file| read(file).unwrap().lines().count()).sum::<usize>();
    let serial = lines(&["examples/serial_driver/driver.rs"]);
    let concurrent = lines(&["examples/hyper_driver/driver.rs", "examples/hyper_driver/exchange.rs"]);
    for (lines, link) in [(serial, "[serial]"), (concurrent, "[concurrent and streaming]")] {
        let before = readme.split(link).next().unwrap().trim_end_matches(['(', '\n', ' ']);
        let said = before.trim_end_matches(" lines").split([' ', '\n']).next_back().unwrap();
        assert_eq!(said, lines.to_string(), "{link}");
    }
}
