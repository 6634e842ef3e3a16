//! Campaigns: one target after the other in fork mode, so that one find does not end it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use longshore_conformance::fuzz::Target;

use crate::fuzzer::{chosen, fuzzer};
use crate::{corpus, home, ledger, table};

/// Targets whose inputs drive the client: they are slow and worth the most, and get four times as long as the others.
const MACHINES: [&str; 7] =
    ["push_vs_mock", "core_responses", "several_pushes", "lanes", "two_processes", "driver_misuse", "checkpoint"];

/// `campaign SECONDS [TARGET...]`: machines first. What is found is in `artifacts/TARGET`, what covers more in `found/TARGET`;
/// `minimise` brings the smallest of it into the corpora.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let (seconds, names) = arguments.split_first().ok_or("campaign SECONDS [TARGET...]")?;
    let seconds: u64 = seconds.parse().map_err(|_| format!("{seconds} is no number of seconds"))?;
    let mut targets = chosen(names)?;
    targets.sort_by_key(|target| !MACHINES.contains(&target.name));
    let commit = commit();
    for target in targets {
        let seconds = if MACHINES.contains(&target.name) { seconds * 4 } else { seconds };
        fuzz(target, seconds, &commit)?;
        table::write()?;
    }
    Ok(())
}

fn fuzz(target: &Target, seconds: u64, commit: &str) -> Result<(), String> {
    let (found, artifacts) = (folder("found", target)?, folder("artifacts", target)?);
    let log = home().join("artifacts").join(format!("{}.log", target.name));
    let file = fs::File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let arguments = [
        "-fork=1".to_owned(),
        "-ignore_crashes=1".to_owned(),
        "-ignore_timeouts=1".to_owned(),
        "-ignore_ooms=1".to_owned(),
        "-timeout=60".to_owned(),
        // What is slow because the machine has other work is no find.
        "-report_slow_units=60".to_owned(),
        "-rss_limit_mb=2048".to_owned(),
        format!("-max_total_time={seconds}"),
        format!("-artifact_prefix={}/", artifacts.display()),
        // What is found goes into the first folder; the second is read.
        text(&found),
        text(&corpus(target)),
    ];
    let before = count(&artifacts);
    let begin = Instant::now();
    let mut command = fuzzer(target, &arguments);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).status();
    let status = status.map_err(|error| format!("cannot run {}: {error}", target.name))?;
    let log = fs::read(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let log = String::from_utf8_lossy(&log);
    let (executions, edges) = numbers(&log).ok_or_else(|| format!("{} ended with {status}: {log}", target.name))?;
    let (seconds, finds) = (begin.elapsed().as_secs(), count(&artifacts) - before);
    let entry = ledger::Entry { commit, target: target.name, executions, seconds, edges, finds };
    println!("{:18} {executions:10} executions in {seconds:5} s, {edges:6} edges, {finds} finds", target.name);
    entry.append().map_err(|error| format!("the ledger cannot be written: {error}"))
}

/// Executions and edges, out of the last line of a kind such as `#1425: cov: 10147 ft: 32146 corp: 296 exec/s: 62 ...`.
fn numbers(log: &str) -> Option<(u64, u64)> {
    let line = log.lines().rev().find(|line| line.starts_with('#') && line.contains(": cov: "))?;
    let executions = line.strip_prefix('#')?.split(':').next()?.parse().ok()?;
    let edges = line.split_once("cov: ")?.1.split(' ').next()?.parse().ok()?;
    Some((executions, edges))
}

/// `minimise [TARGET...]`: the corpora become the smallest sets that cover what they and all that was found cover.
pub(crate) fn minimise(names: &[String]) -> Result<(), String> {
    for target in chosen(names)? {
        let (found, corpus) = (folder("found", target)?, corpus(target));
        let merged = folder("merged", target)?;
        // What is kept covers the same edges; how often each is passed would keep several times as much.
        let options = ["-merge=1", "-use_counters=0", "-rss_limit_mb=2048"].map(str::to_owned);
        let arguments = [&options[..], &[text(&merged), text(&corpus), text(&found)]].concat();
        let status = fuzzer(target, &arguments).stderr(Stdio::null()).status();
        let status = status.map_err(|error| format!("cannot run {}: {error}", target.name))?;
        if !status.success() {
            return Err(format!("merging the corpus of {} ended with {status}", target.name));
        }
        println!("{:18} {} of {}", target.name, count(&merged), count(&corpus) + count(&found));
        take_over(&merged, &corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
        fs::remove_dir_all(&merged).map_err(|error| format!("{}: {error}", merged.display()))?;
    }
    Ok(())
}

/// What has a name that says what it is, stays; what is named by its hash is replaced by what was merged.
fn take_over(merged: &Path, corpus: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(corpus)? {
        let path = entry?.path();
        if is_hash(&path) {
            fs::remove_file(path)?;
        }
    }
    let mut named = Vec::new();
    for entry in fs::read_dir(corpus)? {
        named.push(fs::read(entry?.path())?);
    }
    for entry in fs::read_dir(merged)? {
        let path = entry?.path();
        if !named.contains(&fs::read(&path)?) {
            fs::copy(&path, corpus.join(path.file_name().unwrap_or_default()))?;
        }
    }
    Ok(())
}

fn is_hash(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn folder(kind: &str, target: &Target) -> Result<PathBuf, String> {
    let folder = home().join(kind).join(target.name);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// The commit that is fuzzed, with a star where it was changed.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(home()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let head = git(&["rev-parse", "--short=8", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    let is_changed = git(&["status", "--porcelain", "--", "..", ":!LEDGER.md", ":!README.md", ":!corpus"])
        .is_some_and(|it| !it.is_empty());
    if is_changed { head + "*" } else { head }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_progress_says_executions_and_edges() {
        let log = "INFO: x\n#786: cov: 9951 ft: 30790 corp: 185\n#1425: cov: 10147 ft: 32146 corp: 296 exec/s: 62\nbye";
        assert_eq!(numbers(log), Some((1425, 10147)));
        assert_eq!(numbers("nothing"), None);
    }

    #[test]
    fn only_names_of_forty_hex_digits_are_hashes() {
        assert!(is_hash(Path::new("corpus/x/0123456789abcdef0123456789abcdef01234567")));
        assert!(!is_hash(Path::new("corpus/x/a-token-that-ends")));
    }
}
