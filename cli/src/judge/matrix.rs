//! What came of all cells, as tables.

use std::collections::BTreeMap;

use longshore_mock_registry::report::{Check, CheckStatus, Report};

use super::clients::JudgedClient;

/// A table of clients and profiles, and one of clients and faults, in Markdown. Each cell leads to its exchange in
/// report.html.
pub(super) fn markdown(report: &Report, clients: &[JudgedClient]) -> String {
    let mut text =
        "# Clients against registries\n\nWritten by `longshore judge`; nothing here is written by hand.\n\n".to_owned();
    text += &format!("{}{}\n\n", report.tool, report.started.as_ref().map_or_else(String::new, |at| format!(", {at}")));
    text += "| client | version | called as | what is to be known |\n|---|---|---|---|\n";
    for client in clients {
        let (name, version, note) = (&client.name, &client.version, &client.note);
        text += &format!("| {name} | {version} | `{}` | {note} |\n", client.command.join(" "));
    }
    let cells = cells(report);
    let profiles = cells.keys().map(|(_, profile, _)| *profile);
    let faults = cells.keys().map(|(.., fault)| *fault);
    text += "\n✓ it ended well, everything stands, and no MUST was broken · ✗ not so · – the fault struck nothing\n";
    text +=
        &table("profile", clients, &distinct(profiles), |client, row| cells.get(&(client, row, "no fault")).copied());
    let faults: Vec<&str> = distinct(faults).into_iter().filter(|fault| *fault != "no fault").collect();
    if !faults.is_empty() {
        let first = cells.keys().map(|(_, profile, _)| *profile).next().unwrap_or_default();
        let profile = if cells.keys().any(|(_, profile, _)| *profile == "spec") { "spec" } else { first };
        text += &table("fault", clients, &faults, |client, row| cells.get(&(client, profile, row)).copied());
    }
    text
}

/// The checks by client, profile and fault.
fn cells(report: &Report) -> BTreeMap<(&str, &str, &str), &Check> {
    let parts = |check: &'_ Check| -> Option<(usize, usize)> {
        let first = check.id.find('/')?;
        Some((first, first + 1 + check.id[first + 1..].find('/')?))
    };
    let key = |check| parts(check).map(|(one, two)| (&check.id[..one], &check.id[one + 1..two], &check.id[two + 1..]));
    report.checks.iter().filter_map(|check| Some((key(check)?, check))).collect()
}

fn distinct<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    all.fold(Vec::new(), |mut seen, one| {
        if !seen.contains(&one) {
            seen.push(one);
        }
        seen
    })
}

fn table<'a>(
    what: &str,
    clients: &[JudgedClient],
    rows: &[&str],
    cell: impl Fn(&str, &str) -> Option<&'a Check>,
) -> String {
    let names: Vec<&str> = clients.iter().map(|client| client.name.as_str()).collect();
    let mut text = format!("\n| {what} | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for row in rows {
        let cells: Vec<String> = names.iter().map(|name| cell(name, row).map_or_else(String::new, word)).collect();
        text += &format!("| {row} | {} |\n", cells.join(" | "));
    }
    text
}

/// A cell: the verdict, requests and time, and a link to the exchange.
fn word(check: &Check) -> String {
    let sign = match check.status {
        CheckStatus::Passed => "✓",
        CheckStatus::Skipped => "–",
        _ => "✗",
    };
    let id = check.id.replace('%', "%25").replace(' ', "%20").replace('#', "%23").replace(')', "%29");
    format!("[{sign} {} in {:.1} s](report.html#{id})", check.exchanges.len(), check.seconds)
}
