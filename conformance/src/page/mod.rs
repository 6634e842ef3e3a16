//! A report as an HTML page, which is self-contained and makes no requests.
//!
//! ```
//! use longshore_conformance::page;
//! use longshore_mock_registry::report::{Report, ReportKind};
//!
//! let html = page::html(&Report::new(ReportKind::Registry, "https://registry.example"));
//! assert!(html.starts_with("<!DOCTYPE html>"));
//! ```

use longshore_mock_registry::report::{Report, ReportKind};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page. It contains the report as data, and a script that shows it. The script never interprets a text as HTML.
#[must_use]
pub fn html(report: &Report) -> String {
    let breaks = report.breaks_a_must();
    let sentence = match (report.kind, breaks) {
        (ReportKind::Registry, false) => "conforms, as far as was asked",
        (ReportKind::Registry, true) => "does not conform",
        (_, false) => "keeps the rules",
        (_, true) => "breaks the rules",
    };
    // In a script element only `<` could end it.
    let data = serde_json::to_string(report).unwrap_or_default().replace('<', "\\u003c");
    let subject = escaped(&report.subject);
    filled(&[
        ("title", &format!("{subject} {sentence}")),
        ("style", STYLE),
        ("verdict", if breaks { "bad" } else { "good" }),
        ("sentence", &format!("{subject} {sentence}")),
        ("report", &data),
        ("script", SCRIPT),
    ])
}

/// The template with these values inserted. Inserted text is not searched for further placeholders.
fn filled(values: &[(&str, &str)]) -> String {
    let mut page = String::new();
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        page.push_str(before);
        page.push_str(values.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value));
        rest = after;
    }
    page + rest
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
