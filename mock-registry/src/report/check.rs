//! One check of a report.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A rule, a row or a cell, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Check {
    /// Its name, which stays the same from version to version.
    pub id: String,
    /// The group it stands in: a chapter of the suite, a client of the matrix.
    pub group: String,
    /// What is required, as a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// How binding it is.
    pub level: Level,
    /// Where that is written.
    pub clause: Clause,
    /// The endpoint it is about: `end-1` to `end-14`, `token` or `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// What came of it.
    pub status: CheckStatus,
    /// Why it was skipped, is known to fail, or could not be carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was seen, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// The requests and answers that show it, secrets cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<RecordedExchange>,
    /// The `curl` that repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curl: Option<String>,
    /// How many seconds it took.
    #[serde(default)]
    pub seconds: f64,
}

/// How binding something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The spec says MUST, or content can be lost or a secret leak by it.
    Must,
    /// The spec says SHOULD.
    Should,
    /// The spec says MAY: where it is done, it is done like this.
    May,
    /// The spec allows it, and some registry does not stand it.
    Quirk,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CheckStatus {
    /// It was looked at, and holds.
    Passed,
    /// It was looked at, and does not hold.
    Failed,
    /// Nothing happened that it is about, or it was left out.
    Skipped,
    /// It does not hold, as was known before; the reason says why.
    KnownFailure,
    /// It was known not to hold, and holds.
    UnexpectedPass,
    /// It could not be carried out: no answer in time, say.
    Error,
}

/// Where a rule is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Clause {
    /// The heading, or the name of a source that is not the spec.
    pub title: String,
    /// Where to read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Clause {
    /// A heading, and where to read it.
    #[must_use]
    pub fn new(title: impl Into<String>, url: Option<String>) -> Self {
        Self { title: title.into(), url }
    }
}

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Evidence {
    /// The number of the request, from 1, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
    /// The endpoint that the request was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// What was seen, as a sentence.
    pub sentence: String,
}

impl Evidence {
    /// A sentence, about nothing in particular yet.
    #[must_use]
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { request: None, row: None, sentence: sentence.into() }
    }

    /// The same, about the request of this number, and of the row with this id.
    #[must_use]
    pub fn about(self, request: Option<u64>, row: Option<String>) -> Self {
        Self { request, row, ..self }
    }
}

/// A request and its answer, for people to read: secrets are cut, bodies shortened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct RecordedExchange {
    /// The method.
    pub method: String,
    /// Path and query; the whole URL where it went to another origin than the rest.
    pub target: String,
    /// The headers of the request, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_headers: Vec<(String, String)>,
    /// The beginning of the request's body, where it is text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_body: String,
    /// How many bytes the request's body has.
    #[serde(default)]
    pub request_bytes: u64,
    /// The status of the answer; nothing where none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The headers of the answer, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_headers: Vec<(String, String)>,
    /// The beginning of the answer's body, where it is text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub response_body: String,
    /// How many bytes of the answer's body came.
    #[serde(default)]
    pub response_bytes: u64,
    /// Why no answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    /// How many seconds it took.
    #[serde(default)]
    pub seconds: f64,
}

impl Check {
    /// A check that nothing is known of yet: skipped.
    #[must_use]
    pub fn new(id: impl Into<String>, group: impl Into<String>, level: Level, clause: Clause) -> Self {
        Self {
            id: id.into(),
            group: group.into(),
            title: String::new(),
            level,
            clause,
            row: None,
            status: CheckStatus::Skipped,
            reason: None,
            evidence: Vec::new(),
            exchanges: Vec::new(),
            curl: None,
            seconds: 0.0,
        }
    }

    /// The same, passed.
    #[must_use]
    pub fn passed(mut self) -> Self {
        self.status = CheckStatus::Passed;
        self
    }

    /// The same, failed, with what was seen.
    #[must_use]
    pub fn failed(mut self, sentence: impl Into<String>) -> Self {
        self.status = CheckStatus::Failed;
        self.evidence.push(Evidence { request: None, row: self.row.clone(), sentence: sentence.into() });
        self
    }

    /// The same, skipped, with the reason.
    #[must_use]
    pub fn skipped(mut self, reason: impl Into<String>) -> Self {
        self.status = CheckStatus::Skipped;
        self.reason = Some(reason.into());
        self
    }
}

impl CheckStatus {
    /// Whether this is a failure that nobody knew of: failed, or not carried out.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Error)
    }

    /// Its name in a report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::KnownFailure => "known-failure",
            Self::UnexpectedPass => "unexpected-pass",
            Self::Error => "error",
        }
    }
}

impl Clause {
    /// A heading of the distribution spec, and its anchor there.
    #[must_use]
    pub fn spec(title: impl Into<String>, anchor: &str) -> Self {
        let url = format!(
            "https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#{anchor}"
        );
        Self { title: title.into(), url: Some(url) }
    }

    /// Something else than the spec: an RFC, or what a registry does.
    #[must_use]
    pub fn other(title: impl Into<String>) -> Self {
        Self { title: title.into(), url: None }
    }
}

impl Level {
    /// All levels, the most binding first.
    pub const ALL: [Self; 4] = [Self::Must, Self::Should, Self::May, Self::Quirk];

    /// Its name in a report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::May => "may",
            Self::Quirk => "quirk",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::May => "MAY",
            Self::Quirk => "some registries",
        })
    }
}

impl fmt::Display for CheckStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
