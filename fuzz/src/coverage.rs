//! `coverage.toml`: how many lines of each parser and machine the corpora cover by themselves. Less than that fails.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::home;

/// The files that are measured: a heading of `coverage.toml`, and what their paths begin with.
const GROUPS: [(&str, &[&str]); 4] = [
    (
        "parsers",
        &[
            "core/src/auth/challenge.rs",
            "core/src/auth/token.rs",
            "core/src/auth/service.rs",
            "core/src/config/checkpoint.rs",
            "core/src/content/manifest.rs",
            "core/src/content/media_type.rs",
            "core/src/content/strict.rs",
            "core/src/digest.rs",
            "core/src/header/",
            "core/src/name/",
            "core/src/target/",
            "core/src/text.rs",
        ],
    ),
    ("flows", &["core/src/endpoint/", "core/src/flow/"]),
    ("client", &["core/src/auth/", "core/src/client/"]),
    (
        "around",
        &[
            "mock-registry/src/fault/",
            "mock-registry/src/profile/",
            "transports/sources/src/credentials/",
            "transports/sources/src/layout/",
            "transports/sources/src/portable_path.rs",
            "transports/sources/src/unpack/",
        ],
    ),
];

/// Measured again, a number may be less by so many hundredths of a percent: a line more in a file shifts all of them.
const TOLERANCE: u64 = 5;

/// Covered lines and all lines, by group and file.
#[derive(Default)]
struct Measured(BTreeMap<&'static str, BTreeMap<String, (u64, u64)>>);

/// `coverage [--write]`
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let measured = measure()?;
    for (group, files) in &measured.0 {
        let (covered, all) = files.values().fold((0, 0), |(covered, all), file| (covered + file.0, all + file.1));
        println!("{group:8} {:6.2} % of {all} lines in {} files", percent(covered, all), files.len());
    }
    if arguments.iter().any(|argument| argument == "--write") {
        return fs::write(file(), written(&measured)).map_err(|error| format!("{}: {error}", file().display()));
    }
    let less = compare(&measured)?;
    if less.is_empty() { Ok(()) } else { Err(format!("the corpora cover less than they did:\n{}", less.join("\n"))) }
}

fn file() -> PathBuf {
    home().join("coverage.toml")
}

/// Replays the corpora in a build of their test that counts, with the tools of the toolchain that made it.
fn measure() -> Result<Measured, String> {
    let tools = tools()?;
    let folder = home().join("target/coverage");
    let profiles = folder.join("profiles");
    let _ = fs::remove_dir_all(&profiles);
    fs::create_dir_all(&profiles).map_err(|error| format!("{}: {error}", profiles.display()))?;
    let program = build(&folder)?;
    let mut replay = Command::new(&program);
    replay.env("LLVM_PROFILE_FILE", profiles.join("%p.profraw")).arg("every_corpus_is_replayed").stdout(Stdio::null());
    output(replay.current_dir(root().join("conformance")))?;
    let merged = folder.join("corpora.profdata");
    let raw = fs::read_dir(&profiles).map_err(|error| error.to_string())?;
    let raw: Vec<PathBuf> = raw.filter_map(Result::ok).map(|entry| entry.path()).collect();
    let mut merge = Command::new(tools.join("llvm-profdata"));
    output(merge.args(["merge", "-sparse", "-o"]).arg(&merged).args(&raw))?;
    let mut export = Command::new(tools.join("llvm-cov"));
    export.args(["export", "-summary-only", "-instr-profile"]).arg(&merged).arg(&program);
    let exported: Value = serde_json::from_slice(&output(&mut export)?).map_err(|error| error.to_string())?;
    Ok(grouped(&exported))
}

/// The tools of `rustup component add llvm-tools`.
fn tools() -> Result<PathBuf, String> {
    let mut rustc = Command::new("rustc");
    let sysroot = output(rustc.args(["--print", "target-libdir"]))?;
    let libraries = PathBuf::from(String::from_utf8_lossy(&sysroot).trim());
    let tools = libraries.parent().unwrap_or(&libraries).join("bin");
    let is_there = tools.join("llvm-cov").is_file() && tools.join("llvm-profdata").is_file();
    if is_there { Ok(tools) } else { Err("coverage needs: rustup component add llvm-tools".to_owned()) }
}

/// Builds the test of the corpora outside this folder, so that it has no flags of a fuzzer.
fn build(folder: &Path) -> Result<PathBuf, String> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root());
    cargo.env("RUSTFLAGS", "-Cinstrument-coverage").env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
    cargo.env("CARGO_TARGET_DIR", folder).env("LLVM_PROFILE_FILE", "/dev/null").env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo.args(["test", "--locked", "--package", "longshore-conformance", "--test", "corpus", "--no-run"]);
    let built = output(cargo.arg("--message-format=json-render-diagnostics"))?;
    let messages = String::from_utf8_lossy(&built).into_owned();
    let programs = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = programs.filter(|message| message["target"]["name"] == "corpus");
    let program = programs.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    program.ok_or_else(|| "cargo did not say where the test of the corpora is".to_owned())
}

fn grouped(exported: &Value) -> Measured {
    let root = format!("{}/", root().display());
    let mut measured = Measured::default();
    for file in exported["data"][0]["files"].as_array().into_iter().flatten() {
        let Some(path) = file["filename"].as_str().and_then(|path| path.strip_prefix(&root)) else { continue };
        let is_in = |paths: &[&str]| paths.iter().any(|prefix| path.starts_with(prefix));
        let Some((group, _)) = GROUPS.iter().find(|(_, paths)| is_in(paths)) else { continue };
        let lines = &file["summary"]["lines"];
        let (covered, all) = (lines["covered"].as_u64().unwrap_or(0), lines["count"].as_u64().unwrap_or(0));
        measured.0.entry(group).or_default().insert(path.to_owned(), (covered, all));
    }
    measured
}

fn compare(measured: &Measured) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(file()).map_err(|error| format!("{}: {error}", file().display()))?;
    let known: BTreeMap<String, BTreeMap<String, f64>> = toml::from_str(&text).map_err(|error| error.to_string())?;
    let mut less = Vec::new();
    for (group, files) in &known {
        for (path, expected) in files {
            // A file that is gone has nothing that could be covered.
            let Some((covered, all)) = measured.0.get(group.as_str()).and_then(|files| files.get(path)) else {
                continue;
            };
            let found = percent(*covered, *all);
            if hundredths(found) + TOLERANCE < hundredths(*expected) {
                less.push(format!("{path}: {found:.2} %, and it was {expected:.2} %"));
            }
        }
    }
    Ok(less)
}

fn written(measured: &Measured) -> String {
    let mut text =
        "# Lines that the corpora cover by themselves, in percent. `cargo run -- coverage --write` makes this file.\n"
            .to_owned();
    for (group, _) in GROUPS {
        // Writing to a string cannot fail.
        _ = writeln!(text, "\n[{group}]");
        for (path, (covered, all)) in measured.0.get(group).into_iter().flatten() {
            _ = writeln!(text, "\"{path}\" = {:.2}", percent(*covered, *all));
        }
    }
    text
}

fn percent(covered: u64, all: u64) -> f64 {
    if all == 0 { 100.0 } else { 100.0 * covered as f64 / all as f64 }
}

fn hundredths(percent: f64) -> u64 {
    (percent * 100.0).round() as u64
}

fn root() -> PathBuf {
    home().parent().map_or_else(home, Path::to_owned)
}

fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(format!("{command:?} ended with {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}
