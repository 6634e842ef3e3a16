//! One check of a report.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A rule, a row or a cell, and its result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Check {
    /// Its name, which is the same in all versions.
    pub id: String,
    /// Its group: a chapter of the suite, or a client of the matrix.
    pub group: String,
    /// The requirement, as a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// How binding it is.
    pub level: Level,
    /// The clause that states the requirement.
    pub clause: Clause,
    /// Its endpoint: `end-1` to `end-14`, `token` or `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// What came of it.
    pub status: CheckStatus,
    /// Why it was skipped, why it is known to fail, or why it could not be carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The observations, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// The requests and answers, with secrets removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<RecordedExchange>,
    /// The `curl` command that repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curl: Option<String>,
    /// The duration in seconds.
    #[serde(default)]
    pub seconds: f64,
}

/// How binding a requirement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The spec says MUST, or a violation can lose content or leak a secret.
    Must,
    /// The spec says SHOULD.
    Should,
    /// The spec says MAY: a party that uses the option must use it in this way.
    May,
    /// The spec allows the behaviour, but a real registry fails with it.
    Quirk,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CheckStatus {
    /// The requirement was checked and is met.
    Passed,
    /// The requirement was checked and is not met.
    Failed,
    /// It was not checked, because no request concerned it or it was excluded.
    Skipped,
    /// The requirement is not met, which is a known failure; the reason says why.
    KnownFailure,
    /// The requirement is a known failure, and is met.
    UnexpectedPass,
    /// It could not be carried out, for example because there was no answer in time.
    Error,
}

/// The clause that states a requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Clause {
    /// The heading in the spec, or the name of another source.
    pub title: String,
    /// The URL of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Clause {
    /// A clause with a heading and the URL of its text.
    #[must_use]
    pub fn new(title: impl Into<String>, url: Option<String>) -> Self {
        Self { title: title.into(), url }
    }
}

/// An observation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Evidence {
    /// The number of the request, from 1, if it is about one request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
    /// The endpoint of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// The observation as a sentence.
    pub sentence: String,
}

impl Evidence {
    /// An observation that is not about one request.
    #[must_use]
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { request: None, row: None, sentence: sentence.into() }
    }

    /// Sets the number of the request and the id of its row.
    #[must_use]
    pub fn about(self, request: Option<u64>, row: Option<String>) -> Self {
        Self { request, row, ..self }
    }
}

/// A request and its answer in a readable form, with secrets removed and bodies shortened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct RecordedExchange {
    /// The method.
    pub method: String,
    /// Path and query; the whole URL if the request went to another origin than the other requests.
    pub target: String,
    /// The headers of the request, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_headers: Vec<(String, String)>,
    /// The beginning of the request's body, if it is text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_body: String,
    /// The length of the request's body in bytes.
    #[serde(default)]
    pub request_bytes: u64,
    /// The status of the answer; `None` if there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The headers of the answer, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_headers: Vec<(String, String)>,
    /// The beginning of the answer's body, if it is text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub response_body: String,
    /// The number of bytes of the answer's body that were received.
    #[serde(default)]
    pub response_bytes: u64,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    /// The duration in seconds.
    #[serde(default)]
    pub seconds: f64,
}

impl Check {
    /// A check without a result, which counts as skipped.
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

    /// Sets the result to passed.
    #[must_use]
    pub fn passed(mut self) -> Self {
        self.status = CheckStatus::Passed;
        self
    }

    /// Sets the result to failed, with an observation.
    #[must_use]
    pub fn failed(mut self, sentence: impl Into<String>) -> Self {
        self.status = CheckStatus::Failed;
        self.evidence.push(Evidence { request: None, row: self.row.clone(), sentence: sentence.into() });
        self
    }

    /// Sets the result to skipped, with the reason.
    #[must_use]
    pub fn skipped(mut self, reason: impl Into<String>) -> Self {
        self.status = CheckStatus::Skipped;
        self.reason = Some(reason.into());
        self
    }
}

impl CheckStatus {
    /// Whether this is a new failure: failed or not carried out, and not a known failure.
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
    /// A heading of the distribution spec with its anchor.
    #[must_use]
    pub fn spec(title: impl Into<String>, anchor: &str) -> Self {
        let url = format!(
            "https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#{anchor}"
        );
        Self { title: title.into(), url: Some(url) }
    }

    /// A source that is not the spec: an RFC, or the behaviour of a registry.
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
