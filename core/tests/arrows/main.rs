//! Which file of the core may use which: what stands lower knows nothing of what stands above it, and no files use each other
//! in a circle.

mod files;

use std::collections::BTreeSet;
use std::path::Path;

use files::{arrows, refuse_circles, sources};

/// The modules from the ground floor up. A file may use those of its own floor and of the floors below.
const FLOORS: [&[&str]; 5] = [
    &["content", "digest", "name", "secret", "target", "text", "time"],
    &["auth", "config", "header", "outcome"],
    &["driver", "endpoint"],
    &["flow"],
    &["client"],
];

fn floor(module: &[String]) -> Option<usize> {
    let top = module.first()?;
    FLOORS.iter().position(|floor| floor.contains(&top.as_str()))
}

#[test]
fn no_file_uses_what_stands_above_it() {
    let files = sources(Path::new(env!("CARGO_MANIFEST_DIR")));
    let tops: BTreeSet<&str> = files.keys().filter_map(|module| module.first()).map(String::as_str).collect();
    let drawn: BTreeSet<&str> = FLOORS.concat().into_iter().collect();
    assert_eq!(tops, drawn, "a module has no floor, or a floor has no module");
    let mut seen = 0;
    for (module, uses) in arrows(&files) {
        let Some(own) = floor(&module) else { continue };
        for used in uses {
            let Some(other) = floor(&used) else { continue };
            assert!(other <= own, "{} uses {}", module.join("/"), used.join("/"));
            seen += usize::from(other < own);
        }
    }
    assert!(seen > 200, "{seen} arrows were seen: the sources were not read");
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    refuse_circles(&sources(Path::new(env!("CARGO_MANIFEST_DIR"))));
}
