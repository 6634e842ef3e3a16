//! The files of a crate's sources, and which of them uses which. The test of another crate takes this file too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A file of the sources, without its tests.
pub(crate) struct File {
    /// The modules that lead to it, such as `flow`, `upload`, `plan`; those of `flow/upload/mod.rs` are `flow`, `upload`.
    module: Vec<String>,
    /// The paths that it uses, from the crate's root.
    uses: BTreeSet<Vec<String>>,
    /// The names that it hands on from elsewhere, each with the path where they come from.
    hands_on: BTreeMap<String, Vec<String>>,
}

/// All files of the sources of a package, by the modules that lead to them.
pub(crate) fn sources(package: &Path) -> BTreeMap<Vec<String>, File> {
    let root = package.join("src");
    let mut files = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(&root).unwrap().with_extension("");
            let mut module: Vec<String> = below.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            module.pop_if(|last| last == "mod" || last == "lib");
            let text = fs::read_to_string(&path).unwrap();
            // The guide and the list of quirks are pages of the documentation.
            let is_no_code = module.last().is_some_and(|last| ["tests", "guide", "quirks"].contains(&last.as_str()));
            if !is_no_code && !is_only_for_tests(&module, &root) {
                files.insert(module.clone(), read(module, &text));
            }
        }
    }
    files
}

/// Whether the module is declared behind `#[cfg(test)]`.
fn is_only_for_tests(module: &[String], root: &Path) -> bool {
    let Some((name, parents)) = module.split_last() else { return false };
    let parent = parents.iter().fold(root.to_owned(), |path, part| path.join(part));
    let of_folder = if parents.is_empty() { root.join("lib.rs") } else { parent.join("mod.rs") };
    let text = fs::read_to_string(of_folder).or_else(|_| fs::read_to_string(parent.with_extension("rs"))).unwrap();
    text.contains(&format!("#[cfg(test)]\nmod {name};"))
}

fn read(module: Vec<String>, text: &str) -> File {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = lines.flat_map(|line| [line, "\n"]).collect();
    let (mut uses, mut hands_on, mut rest) = (BTreeSet::new(), BTreeMap::new(), String::new());
    for statement in code.split_inclusive(';') {
        let Some((before, tree)) = split_use(statement) else {
            rest.push_str(statement);
            continue;
        };
        rest.push_str(before);
        for path in leaves(tree.trim_end_matches(';')) {
            let Some(path) = absolute(&module, &path) else { continue };
            if before.ends_with("pub ") || before.ends_with(") ") {
                hands_on.insert(path.last().unwrap().clone(), path.clone());
            }
            uses.insert(path);
        }
    }
    for start in ["crate::", "super::"] {
        for (at, _) in rest.match_indices(start) {
            let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let end = rest[at..].find(|c| !is_path(c)).map_or(rest.len(), |len| at + len);
            if at == 0 || !rest[..at].ends_with(|c: char| c == ':' || c.is_alphanumeric()) {
                let path: Vec<String> =
                    rest[at..end].split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
                uses.extend(absolute(&module, &path));
            }
        }
    }
    File { module, uses, hands_on }
}

/// A statement that is a `use`: what stands before the word, and its tree.
fn split_use(statement: &str) -> Option<(&str, &str)> {
    let at = statement.rfind("\nuse ").map(|at| at + 1).or_else(|| {
        let at = statement.rfind("use ")?;
        let line = statement[..at].rsplit('\n').next().unwrap().trim_start();
        (line.is_empty() || line.starts_with("pub")).then_some(at)
    })?;
    let is_only_one = !statement[at..].contains("fn ");
    is_only_one.then(|| (&statement[..at], &statement[at + "use ".len()..]))
}

/// The paths of a tree such as `a::{b, c::{d, e}}`.
fn leaves(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let Some((prefix, group)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap();
        return vec![name.split("::").map(|part| part.trim().to_owned()).collect()];
    };
    let prefix: Vec<String> =
        prefix.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let (mut depth, mut from, mut all) = (0, 0, Vec::new());
    let group = group.rsplit_once('}').unwrap().0;
    for (at, c) in group.char_indices().chain([(group.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !group[from..at].trim().is_empty() {
                    all.extend(leaves(&group[from..at]).into_iter().map(|leaf| [prefix.clone(), leaf].concat()));
                }
                from = at + 1;
            }
            _ => {}
        }
    }
    all
}

/// A path from the crate's root; `None` for one into another crate.
fn absolute(module: &[String], path: &[String]) -> Option<Vec<String>> {
    let supers = path.iter().take_while(|part| *part == "super").count();
    let base: Vec<String> = match path.first()?.as_str() {
        "crate" => return (path.len() > 1).then(|| path[1..].to_vec()),
        "super" => module[..module.len().checked_sub(supers)?].to_vec(),
        "self" => module.to_vec(),
        // A module beside or below, named without a prefix; or a crate.
        _ => return child(module, path),
    };
    let rest = &path[if supers > 0 { supers } else { 1 }..];
    (!rest.is_empty()).then(|| [base, rest.to_vec()].concat())
}

fn child(module: &[String], path: &[String]) -> Option<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folder = module.iter().fold(root, |folder, part| folder.join(part));
    let is_file = folder.join(&path[0]).with_extension("rs").exists() || folder.join(&path[0]).is_dir();
    is_file.then(|| [module.to_vec(), path.to_vec()].concat())
}

/// The file that a path leads to, through every file that hands it on.
fn resolve(files: &BTreeMap<Vec<String>, File>, path: &[String]) -> Option<Vec<String>> {
    let mut path = path.to_vec();
    for _ in 0..10 {
        let depth = (0..=path.len()).rev().find(|depth| files.contains_key(&path[..*depth]))?;
        let (module, rest) = path.split_at(depth);
        let next = rest.first().and_then(|name| files[module].hands_on.get(name));
        match next {
            Some(next) if *next != path => path = [next.as_slice(), &rest[1..]].concat(),
            _ => return Some(module.to_vec()),
        }
    }
    None
}

/// Every file, with the files that it uses.
pub(crate) fn arrows(files: &BTreeMap<Vec<String>, File>) -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
    let used = |file: &File| file.uses.iter().filter_map(|path| resolve(files, path)).collect();
    files.values().map(|file| (file.module.clone(), used(file))).collect()
}

/// Panics where files use each other in a circle. A folder's own file and the files below it are one: what the folder holds
/// is written in several files. A root module, which only names the others, is none.
pub(crate) fn refuse_circles(files: &BTreeMap<Vec<String>, File>) {
    let arrows: BTreeMap<_, BTreeSet<_>> = arrows(files)
        .into_iter()
        .filter(|(module, _)| !module.is_empty())
        .map(|(module, uses)| {
            let is_other = |used: &Vec<String>| !used.starts_with(&module) && !module.starts_with(used);
            (module.clone(), uses.into_iter().filter(is_other).collect())
        })
        .collect();
    let mut done: BTreeSet<&[String]> = BTreeSet::new();
    for start in arrows.keys() {
        let mut way = vec![(start.as_slice(), arrows[start].iter())];
        while let Some((at, uses)) = way.last_mut() {
            match uses.next() {
                None => {
                    done.insert(at);
                    way.pop();
                }
                Some(next) if done.contains(next.as_slice()) => {}
                Some(next) => {
                    let circle: Vec<String> = way.iter().map(|(module, _)| module.join("/")).collect();
                    assert!(!circle.contains(&next.join("/")), "{} use {}", circle.join(" uses "), next.join("/"));
                    way.push((next, arrows[next].iter()));
                }
            }
        }
    }
}

#[test]
fn what_a_file_uses_is_read_as_rust_reads_it() {
    let module = vec!["flow".to_owned(), "upload".to_owned()];
    let text = "use std::fmt;\npub(crate) use super::{Context, list::{ListTags, ListReferrers as L}};\nuse crate::Tag;\n\
                fn f() { crate::text::shown(1); }\n// crate::client\n";
    let file = read(module, text);
    let uses: Vec<String> = file.uses.iter().map(|path| path.join("::")).collect();
    assert_eq!(uses, ["Tag", "flow::Context", "flow::list::ListReferrers", "flow::list::ListTags", "text::shown"]);
    assert_eq!(file.hands_on.len(), 3);
}
