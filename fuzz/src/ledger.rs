//! `LEDGER.md`: what campaigns have done, a line each, oldest first.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// One campaign of one target.
pub(crate) struct Entry<'a> {
    pub(crate) commit: &'a str,
    pub(crate) target: &'a str,
    pub(crate) executions: u64,
    pub(crate) seconds: u64,
    /// Edges of the program that its corpus covers.
    pub(crate) edges: u64,
    /// Inputs that broke a promise, took too long, or too much memory.
    pub(crate) finds: usize,
}

impl Entry<'_> {
    /// Adds it to the end of the file.
    pub(crate) fn append(&self) -> std::io::Result<()> {
        let Self { commit, target, executions, seconds, edges, finds } = self;
        let mut file = OpenOptions::new().append(true).create(true).open(path())?;
        let date = today();
        writeln!(file, "| {date} | {commit} | {target} | {executions} | {seconds} | {edges} | {finds} |")
    }
}

/// What all campaigns of one target came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Total<'a> {
    /// The date of the last one.
    pub(crate) last: &'a str,
    /// The executions of all.
    pub(crate) executions: u64,
    /// The edges that its corpus covered at the end of the last one.
    pub(crate) edges: u64,
}

/// The text of the ledger.
pub(crate) fn read() -> Result<String, String> {
    fs::read_to_string(path()).map_err(|error| format!("{}: {error}", path().display()))
}

/// What a ledger says of each target that it names.
pub(crate) fn totals(ledger: &str) -> BTreeMap<&str, Total<'_>> {
    let mut totals = BTreeMap::new();
    for line in ledger.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", date, _commit, target, executions, _seconds, edges, _finds, ""] = cells[..] else { continue };
        // Its heading has words where the others have numbers.
        let (Ok(executions), Ok(edges)) = (executions.parse::<u64>(), edges.parse()) else { continue };
        let total = totals.entry(target).or_insert(Total { last: date, executions: 0, edges });
        *total = Total { last: date, executions: total.executions + executions, edges };
    }
    totals
}

fn path() -> PathBuf {
    crate::home().join("LEDGER.md")
}

/// The date, in UTC, as `2026-01-31`.
fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (year, month, day) = date_of(seconds / 86_400);
    format!("{year}-{month:02}-{day:02}")
}

/// The date so many days after 1970-01-01.
fn date_of(mut days: u64) -> (u64, u64, u64) {
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lens = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lens[month] {
        days -= lens[month];
        month += 1;
    }
    (year, month as u64 + 1, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_add_up_and_the_last_run_says_the_edges() {
        let ledger = "# Ledger\n\n| date | commit | target | executions | seconds | edges | finds |\n|---|---|---|---|---|---|---|\n\
                      | 2026-01-01 | abc | lanes | 10 | 60 | 500 | 1 |\n| 2026-01-02 | abd* | lanes | 5 | 60 | 501 | 0 |\n";
        let expected = Total { last: "2026-01-02", executions: 15, edges: 501 };
        assert_eq!(totals(ledger), BTreeMap::from([("lanes", expected)]));
    }

    #[test]
    fn days_are_dates() {
        let dates = [0, 59, 364, 365, 789, 11_016, 20_783].map(date_of);
        let expected =
            [(1970, 1, 1), (1970, 3, 1), (1970, 12, 31), (1971, 1, 1), (1972, 2, 29), (2000, 2, 29), (2026, 11, 26)];
        assert_eq!(dates, expected);
    }
}
