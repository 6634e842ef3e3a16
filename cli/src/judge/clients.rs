//! The clients that are judged.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::exit::Error;
use crate::files;

/// A client.
#[derive(Debug, Clone)]
pub(super) struct JudgedClient {
    pub(super) name: String,
    /// The version that it prints; empty if it was not run.
    pub(super) version: String,
    /// What is to be known of its defaults.
    pub(super) note: String,
    pub(super) command: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    push: Vec<String>,
    #[serde(default)]
    version: Vec<String>,
    #[serde(default)]
    note: String,
}

/// The one client of a command line.
pub(super) fn of_command(command: &[String]) -> JudgedClient {
    let program = command.first().map(String::as_str).unwrap_or_default();
    let name = Path::new(program).file_name().map_or_else(|| program.to_owned(), |name| name.to_string_lossy().into());
    JudgedClient { name, version: String::new(), note: String::new(), command: command.to_vec() }
}

/// The clients of a file that can be called here; and the names of those that cannot.
pub(super) fn of_file(path: &Path) -> Result<(Vec<JudgedClient>, Vec<String>), Error> {
    let text = files::read(path).and_then(|text| String::from_utf8(text).map_err(std::io::Error::other));
    let text = text.map_err(|error| Error::failed(format!("cannot read {}: {error}", path.display())))?;
    let entries: BTreeMap<String, Entry> =
        toml::from_str(&text).map_err(|error| Error::misuse(format!("{}: {error}", path.display())))?;
    let (mut clients, mut absent) = (Vec::new(), Vec::new());
    for (name, entry) in entries {
        match version(&entry.version) {
            Some(version) if !entry.push.is_empty() => {
                clients.push(JudgedClient { name, version, note: entry.note, command: entry.push });
            }
            _ => absent.push(name),
        }
    }
    Ok((clients, absent))
}

/// The first line that a command prints; `None` if it cannot be run or fails.
fn version(command: &[String]) -> Option<String> {
    let (program, arguments) = command.split_first()?;
    let output = Command::new(own(program)).args(arguments).stdin(Stdio::null()).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| said.lines().next().unwrap_or_default().trim().to_owned())
}

/// The program that a word names: `longshore` is this one.
pub(super) fn own(program: &str) -> std::path::PathBuf {
    match program {
        "longshore" => std::env::current_exe().unwrap_or_else(|_| program.into()),
        other => other.into(),
    }
}
