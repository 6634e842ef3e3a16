//! `core/SECURITY-INVARIANTS.md` speaks of tests that exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names of all functions in the sources.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in folder.read_dir().unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        // Not what was built.
        let is_ours = !name.to_string_lossy().starts_with('.') && !path.join("CACHEDIR.TAG").exists();
        if path.is_dir() && is_ours {
            functions(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let names = text.split("fn ").skip(1);
            found.extend(names.filter_map(|rest| Some(rest.split_once('(')?.0.to_owned())));
        }
    }
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_that_the_table_names_exists() {
    let table = std::fs::read_to_string(workspace().join("core/SECURITY-INVARIANTS.md")).unwrap();
    let mut known = BTreeSet::from(["compile_fail".to_owned()]);
    functions(&workspace(), &mut known);
    let (mut rows, mut missing) = (0, Vec::new());
    for line in table.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let is_quirk = quoted(cells[0]).next();
        let named: Vec<String> = match is_quirk {
            // A quirk names its test itself.
            Some(id) => [id.replace('-', "_")].into_iter().chain(quoted(cells[2]).map(str::to_owned)).collect(),
            None => quoted(cells[2]).filter(|name| name.contains('_')).map(str::to_owned).collect(),
        };
        rows += usize::from(!named.is_empty());
        missing.extend(named.into_iter().filter(|name| !known.contains(name)));
    }
    assert_eq!(missing, Vec::<String>::new());
    assert!(rows > 70, "only {rows} rows name tests");
}

#[test]
fn every_invariant_has_a_row() {
    let table = std::fs::read_to_string(workspace().join("core/SECURITY-INVARIANTS.md")).unwrap();
    let numbers =
        (1..=43).map(|number| format!("| I{number} |")).chain((1..=12).map(|number| format!("| S{number} |")));
    for row in numbers {
        assert_eq!(table.lines().filter(|line| line.starts_with(&row)).count(), 1, "{row}");
    }
}
