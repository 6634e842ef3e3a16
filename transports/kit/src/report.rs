//! The report of the kit.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::duties::Duty;

/// The results of one driver, duty by duty.
#[derive(Debug, Clone)]
#[must_use = "a report may say that duties are broken"]
pub struct Report {
    pub(crate) results: Vec<DutyResult>,
}

/// The result of one duty.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DutyResult {
    /// The duty's name.
    pub name: &'static str,
    /// What a driver must do.
    pub what: &'static str,
    /// `any`, or `socket` if the duty needs sockets.
    pub over: &'static str,
    /// Whether the driver fulfils it.
    pub verdict: Verdict,
    /// The time of the check, over all protocols.
    pub took: Duration,
}

/// Whether a driver fulfils a duty.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It does, over each of these protocols.
    Held(Vec<&'static str>),
    /// It does not: over which protocol, and what happened.
    Broken(String),
    /// The driver does not declare the capability that the duty needs.
    Absent(&'static str),
}

impl Report {
    /// The results, in the order of the guide.
    #[must_use]
    pub fn results(&self) -> &[DutyResult] {
        &self.results
    }

    /// The names of the duties that are broken.
    #[must_use]
    pub fn broken(&self) -> Vec<&'static str> {
        let is_broken = |result: &&DutyResult| matches!(result.verdict, Verdict::Broken(_));
        self.results.iter().filter(is_broken).map(|result| result.name).collect()
    }

    /// Asserts that every duty is fulfilled or absent.
    ///
    /// # Panics
    /// If a duty is broken. The message is the whole report.
    pub fn assert(&self) {
        assert!(self.broken().is_empty(), "duties are broken: {}\n{self}", self.broken().join(", "));
    }

    /// The report as lines that [`matrix`] reads.
    #[must_use]
    pub fn lines(&self) -> String {
        let line = |result: &DutyResult| {
            let verdict = match &result.verdict {
                Verdict::Held(_) => format!("{} ms", result.took.as_millis().max(1)),
                Verdict::Broken(_) => "**broken**".to_owned(),
                Verdict::Absent(_) => "-".to_owned(),
            };
            format!("{}\t{verdict}\n", result.name)
        };
        self.results.iter().map(line).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for DutyResult { name, what, over, verdict, took } in &self.results {
            let millis = took.as_millis();
            match verdict {
                Verdict::Held(protocols) => writeln!(f, "held    {name:<20} {millis:>6} ms  {}", protocols.join(", "))?,
                Verdict::Broken(why) => writeln!(f, "BROKEN  {name:<20} {millis:>6} ms  ({over}) {what}: {why}")?,
                Verdict::Absent(needs) => writeln!(f, "absent  {name:<20}            needs {needs}")?,
            }
        }
        Ok(())
    }
}

/// The matrix of duties and drivers in Markdown, from each driver's name and the [lines](Report::lines) of its report.
///
/// A duty that a driver's report does not have was not checked, because it needs a socket.
#[must_use]
pub fn matrix(reports: &[(String, String)]) -> String {
    let mut table = String::from("| duty | over | what a driver must do |");
    reports.iter().for_each(|(driver, _)| table.push_str(&format!(" {driver} |")));
    table.push_str(&format!("\n|---|---|---|{}\n", "---:|".repeat(reports.len())));
    let found: Vec<BTreeMap<&str, &str>> =
        reports.iter().map(|(_, lines)| lines.lines().filter_map(|line| line.split_once('\t')).collect()).collect();
    for Duty { name, what, over, .. } in crate::duties::all() {
        table.push_str(&format!("| `{name}` | {} | {what} |", over.as_str()));
        for verdicts in &found {
            table.push_str(&format!(" {} |", verdicts.get(name).copied().unwrap_or("")));
        }
        table.push('\n');
    }
    table
}
