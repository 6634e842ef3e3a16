//! The table of targets in `README.md`: what they are for, and what the ledger says of them.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::{home, ledger, targets};

const HEADER: &str = "| target | what the bytes are | what must hold | last run | executions | edges |";

/// `table [--write]`: fails where the table is not what targets and ledger say.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    if arguments.iter().any(|argument| argument == "--write") {
        return write();
    }
    let (text, current) = (read()?, replaced()?);
    if text == current { Ok(()) } else { Err("the table of README.md is old: cargo run -- table --write".to_owned()) }
}

/// Writes the table.
pub(crate) fn write() -> Result<(), String> {
    fs::write(file(), replaced()?).map_err(|error| format!("{}: {error}", file().display()))
}

fn file() -> PathBuf {
    home().join("README.md")
}

fn read() -> Result<String, String> {
    fs::read_to_string(file()).map_err(|error| format!("{}: {error}", file().display()))
}

/// The text of `README.md` with the table of now.
fn replaced() -> Result<String, String> {
    let text = read()?;
    let from = text.find("| target | what the bytes are |").ok_or("README.md has no table of targets")?;
    let len = text[from..].find("\n\n").ok_or("the table of targets has no end")?;
    Ok(format!("{}{}{}", &text[..from], table()?, &text[from + len..]))
}

fn table() -> Result<String, String> {
    let text = ledger::read()?;
    let totals = ledger::totals(&text);
    let mut table = format!("{HEADER}\n|---|---|---|---|---|---|");
    for target in targets() {
        let said = totals.get(target.name).map_or_else(
            || "never | 0 | 0".to_owned(),
            |total| format!("{} | {} | {}", total.last, total.executions, total.edges),
        );
        // Writing to a string cannot fail.
        _ = write!(table, "\n| `{}` | {} | {} | {said} |", target.name, target.input, target.promise);
    }
    Ok(table)
}
