//! Why a check ends before its end.

use std::fmt;

/// Why a check ends before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// The registry does otherwise.
    Failed(Finding),
    /// The registry does not have what the check is about, as the specification allows.
    Unsupported(String),
    /// What the check needs could not be brought about: nothing is said about the requirement itself.
    NotPrepared(String),
}

/// How a registry does otherwise than it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// What should have come.
    pub(super) expected: String,
    /// What came.
    pub(super) found: String,
    /// In which of the check's exchanges; none where it is about several.
    pub(super) exchange: Option<usize>,
}

impl Stop {
    /// The registry does otherwise, as several exchanges together show.
    pub(super) fn failed(expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self::Failed(Finding { expected: expected.to_string(), found: found.to_string(), exchange: None })
    }

    pub(super) fn unsupported(why: impl fmt::Display) -> Self {
        Self::Unsupported(why.to_string())
    }
}

/// What failed while a check was being prepared says nothing about what it checks.
pub(super) fn prepared<T>(what: &str, done: Result<T, Stop>) -> Result<T, Stop> {
    done.map_err(|stop| match stop {
        Stop::Failed(finding) => Stop::NotPrepared(format!("{what}: {}", finding.found)),
        Stop::NotPrepared(why) | Stop::Unsupported(why) => Stop::NotPrepared(format!("{what}: {why}")),
    })
}
