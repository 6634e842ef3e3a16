//! Reports: one schema for a client that the judge watched, a registry that the suite asked, and a matrix of both.
//!
//! A [`Report`] is a list of [`Check`]s: each names a rule or a row, how binding it is, where it stands in the spec, and
//! what came of it. It is written as JSON ([`Report::to_json`], [`Report::from_json`]) and, with the feature `junit`, as
//! JUnit XML.
//!
//! ```
//! use longshore_mock_registry::report::{Check, CheckStatus, Clause, Level, Report, ReportKind};
//!
//! let mut report = Report::new(ReportKind::Registry, "http://127.0.0.1:5000");
//! let clause = Clause::spec("Pushing a blob in chunks", "pushing-a-blob-in-chunks");
//! report.checks.push(Check::new("chunk-out-of-order", "push", Level::Must, clause).failed("200 instead of 416"));
//!
//! let read = Report::from_json(&report.to_json())?;
//! assert_eq!(read.checks[0].status, CheckStatus::Failed);
//! assert_eq!(read.count(Level::Must, CheckStatus::Failed), 1);
//! # Ok::<(), longshore_mock_registry::report::ReportError>(())
//! ```

mod check;
#[cfg(feature = "junit")]
mod junit;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use check::{Check, CheckStatus, Clause, Evidence, Level, RecordedExchange};
#[cfg(feature = "junit")]
pub use junit::JunitError;

/// The name and version of this schema. A reader that knows another one refuses the file.
pub const SCHEMA: &str = "longshore-report-1";

/// What was judged, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// What was judged.
    pub kind: ReportKind,
    /// Who judged: the name and version of a program.
    pub tool: String,
    /// Who was judged: a registry's URL, or a client's name.
    pub subject: String,
    /// When it began, as RFC 3339 writes it; nothing where time is virtual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
    /// How many seconds it took.
    pub seconds: f64,
    /// How it was set up: `profile`, `faults`, `seed` and the like. No secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
    /// What was looked at, in order.
    pub checks: Vec<Check>,
}

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReportKind {
    /// A registry, asked by the suite. Each check is a row.
    Registry,
    /// A client, watched by the judge. Each check is a rule.
    Client,
    /// Several clients under several profiles and faults. Each check is a cell.
    Matrix,
}

/// Why a text is not a [`Report`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// It is not JSON of this form.
    #[error("this is not a report: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It has another schema.
    #[error("this report has the schema {0:?}; {SCHEMA:?} is the one that is read here")]
    OtherSchema(String),
}

impl Report {
    /// A report without a check, of this program.
    #[must_use]
    pub fn new(kind: ReportKind, subject: impl Into<String>) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            kind,
            tool: concat!("longshore ", env!("CARGO_PKG_VERSION")).to_owned(),
            subject: subject.into(),
            started: None,
            seconds: 0.0,
            properties: BTreeMap::new(),
            checks: Vec::new(),
        }
    }

    /// One more property, in place of an older one of this name.
    #[must_use]
    pub fn with_property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(name.into(), value.into());
        self
    }

    /// How many checks of this level came to this.
    #[must_use]
    pub fn count(&self, level: Level, status: CheckStatus) -> usize {
        self.checks.iter().filter(|check| check.level == level && check.status == status).count()
    }

    /// Whether a MUST was broken, and was not known to be.
    #[must_use]
    pub fn breaks_a_must(&self) -> bool {
        self.checks.iter().any(|check| check.level == Level::Must && check.status.is_failure())
    }

    /// The report as JSON, indented.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Maps with text as keys, numbers that are numbers: nothing here can fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads a report.
    ///
    /// # Errors
    /// Where the text is no report, or one of another schema.
    pub fn from_json(text: &str) -> Result<Self, ReportError> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let Head { schema } = serde_json::from_str(text)?;
        if schema != SCHEMA {
            return Err(ReportError::OtherSchema(schema.chars().take(256).collect()));
        }
        Ok(serde_json::from_str(text)?)
    }
}

#[cfg(test)]
mod tests;
