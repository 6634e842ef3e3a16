//! The ten lines of Rust in the README compile: they stand here word for word.

use std::fs;
use std::path::Path;

#[expect(dead_code, reason = "it is compiled only: there is no such layout")]
mod ten_lines {
    #[tokio::main]
    async fn main() -> Result<(), Box<dyn std::error::Error>> {
        // With the credentials that `docker login` has stored on this machine.
        let pushed = longshore_reqwest::push("path/to/layout", "localhost:5000/name:tag").await?;
        println!("{} bytes in {} requests", pushed.bytes, pushed.requests);
        Ok(())
    }
}

#[test]
fn the_ten_lines_of_the_readme_stand_here_word_for_word() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(package.join(path));
    // In the package it stands beside the manifest.
    let readme = read("README.md").or_else(|_| read("../../README.md")).unwrap();
    let block = readme.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let lines = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    assert!(
        lines(include_str!("readme.rs")).contains(lines(block).trim()),
        "other lines stand in the README:\n{block}"
    );
}
