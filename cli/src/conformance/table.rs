//! A report as a table for a terminal.

use console::Style;
use longshore_conformance::suite::GROUPS;
use longshore_mock_registry::report::{Check, CheckStatus, Level, Report};

/// How many characters of what came are shown: the files have all.
const LONGEST: usize = 240;

/// A line for each group, under each what counts against the registry; then the sum and the verdict.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for group in GROUPS {
        let checks: Vec<&Check> = report.checks.iter().filter(|check| check.group == group.name).collect();
        if checks.is_empty() {
            continue;
        }
        lines.push(format!("{:<42}{}", group.title, levels(&checks)));
        lines.extend(checks.iter().filter_map(|check| said(check)));
    }
    lines.push(String::new());
    lines.push(format!("{:<42}{}", "All", levels(&report.checks.iter().collect::<Vec<_>>())));
    lines.extend(report.properties.get("left").map(|left| format!("left at the registry: {left}")));
    lines.push(verdict(report));
    lines
}

/// How many of each level hold, of those that were not skipped.
fn levels(checks: &[&Check]) -> String {
    let mut words = Vec::new();
    for level in [Level::Must, Level::Should, Level::May] {
        let of = |wanted: &dyn Fn(CheckStatus) -> bool| {
            checks.iter().filter(|check| check.level == level && wanted(check.status)).count()
        };
        let (held, judged) = (of(&holds), of(&|status| status != CheckStatus::Skipped));
        let word = format!("{:<16}", if judged == 0 { String::new() } else { format!("{level} {held}/{judged}") });
        words.push(match held == judged {
            true => Style::new().apply_to(word).to_string(),
            false => color(level).apply_to(word).to_string(),
        });
    }
    words.concat().trim_end().to_owned()
}

const fn holds(status: CheckStatus) -> bool {
    matches!(status, CheckStatus::Passed | CheckStatus::UnexpectedPass)
}

fn color(level: Level) -> Style {
    if level == Level::Must { Style::new().red().bold() } else { Style::new().yellow() }
}

/// What is to be said of a check beyond that it holds.
fn said(check: &Check) -> Option<String> {
    let why = || {
        let seen = check.evidence.iter().map(|evidence| evidence.sentence.as_str());
        seen.chain(check.reason.as_deref()).collect::<Vec<_>>().join("; ")
    };
    let (word, style) = match check.status {
        CheckStatus::Failed => ("failed", color(check.level)),
        CheckStatus::Error => ("error", color(check.level)),
        CheckStatus::KnownFailure => ("known", Style::new().dim()),
        CheckStatus::UnexpectedPass => ("passed though it was known to fail", Style::new().green()),
        _ => return None,
    };
    let why = why();
    let short: String = why.chars().take(LONGEST).collect();
    let end = if short.len() < why.len() { "…" } else { "" };
    Some(format!("  {} {} {}: {short}{end}", style.apply_to(word), check.level, check.id))
}

fn verdict(report: &Report) -> String {
    let seconds = report.seconds;
    let count = report.checks.len();
    match report.breaks_a_must() {
        true => Style::new()
            .red()
            .bold()
            .apply_to(format!("{} does not conform ({count} requirements, {seconds:.1} s)", report.subject))
            .to_string(),
        false => Style::new()
            .green()
            .bold()
            .apply_to(format!(
                "{} conforms, as far as was asked ({count} requirements, {seconds:.1} s)",
                report.subject
            ))
            .to_string(),
    }
}
