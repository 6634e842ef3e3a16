//! A report as an HTML page, which is self-contained and makes no requests.
//!
//! ```
//! use longshore_conformance::page;
//! use longshore_mock_registry::report::{Report, ReportKind};
//!
//! let html = page::html(&Report::new(ReportKind::Registry, "https://registry.example"));
//! assert!(html.starts_with("<!DOCTYPE html>"));
//! ```

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use longshore_mock_registry::report::{Report, ReportKind};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page. It contains the report as data, which is JSON, compressed with gzip and written in Base64, and a script that
/// shows it. The script never interprets a text as HTML.
#[must_use]
pub fn html(report: &Report) -> String {
    let breaks = report.breaks_a_must();
    let verdict = match (report.kind, breaks) {
        (ReportKind::Registry, false) => "conforms, as far as was asked",
        (ReportKind::Registry, true) => "does not conform",
        (ReportKind::Matrix, false) => "all pushes went well",
        (ReportKind::Matrix, true) => "not all pushes went well",
        (_, false) => "keeps the rules",
        (_, true) => "breaks the rules",
    };
    let colon = if report.kind == ReportKind::Matrix { ":" } else { "" };
    let sentence = format!("{}{colon} {verdict}", escaped(&report.subject));
    filled(&[
        ("title", &sentence),
        ("style", STYLE),
        ("verdict", if breaks { "bad" } else { "good" }),
        ("sentence", &sentence),
        ("report", &packed(report)),
        ("script", SCRIPT),
    ])
}

/// The report as the script reads it.
///
/// # Panics
/// Never, because a report can be written as JSON, and nothing fails to be written into memory.
fn packed(report: &Report) -> String {
    let json = serde_json::to_vec(report).expect("a report can be written as JSON");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&json).expect("it is written into memory");
    STANDARD.encode(gzip.finish().expect("it is written into memory"))
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
