//! Reports: one schema for a client that was judged, a registry that the suite tested, and a matrix of clients and
//! registries.
//!
//! A [`Report`] is a list of [`Check`]s: each has a rule or a row, how binding it is, its clause in the spec, and its
//! result. It is written as JSON ([`Report::to_json`], [`Report::from_json`]) and, with the feature `junit`, as JUnit
//! XML.
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

/// The name and version of this schema. A reader of another schema refuses the file.
pub const SCHEMA: &str = "longshore-report-1";

/// The results of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// The kind of the tested subject.
    pub kind: ReportKind,
    /// The name and version of the program that wrote the report.
    pub tool: String,
    /// The tested registry's URL, or the tested client's name.
    pub subject: String,
    /// When the run began, in the form of RFC 3339; `None` in virtual time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
    /// The duration in seconds.
    pub seconds: f64,
    /// The settings of the run, such as `profile`, `faults` and `seed`. They contain no secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
    /// The checks, in order.
    pub checks: Vec<Check>,
}

/// The kind of subject of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReportKind {
    /// A registry that the suite tested. Each check is a row.
    Registry,
    /// A client that was judged. Each check is a rule.
    Client,
    /// Several clients with several profiles and faults. Each check is a cell.
    Matrix,
}

/// An error in the text of a [`Report`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The text is not JSON of this form.
    #[error("this is not a report: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The report has another schema.
    #[error("this report has the schema {0:?}; {SCHEMA:?} is the one that is read here")]
    OtherSchema(String),
}

impl Report {
    /// A report of this program without checks.
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

    /// Sets a property. It replaces an older one of this name.
    #[must_use]
    pub fn with_property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(name.into(), value.into());
        self
    }

    /// The number of checks of this level with this result.
    #[must_use]
    pub fn count(&self, level: Level, status: CheckStatus) -> usize {
        self.checks.iter().filter(|check| check.level == level && check.status == status).count()
    }

    /// Whether a MUST was broken that is not a known failure.
    #[must_use]
    pub fn breaks_a_must(&self) -> bool {
        self.checks.iter().any(|check| check.level == Level::Must && check.status.is_failure())
    }

    /// The report as JSON, indented.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Maps with texts as keys and finite numbers cannot fail to be written as JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads a report.
    ///
    /// # Errors
    /// If the text is not a report, or has another schema.
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
