//! Reasons to end a check early.

use std::fmt;

/// Reasons to end a check early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// The registry does not meet the requirement.
    Failed(Finding),
    /// The registry does not have the optional feature, which the specification allows.
    Unsupported(String),
    /// The preparation of the check failed, so it has no result about the requirement.
    NotPrepared(String),
}

/// A difference between the expected and the actual behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// The expected behaviour.
    pub(super) expected: String,
    /// The actual behaviour.
    pub(super) found: String,
    /// The index of the exchange; `None` if it is about several exchanges.
    pub(super) exchange: Option<usize>,
}

impl Stop {
    /// A failure that several exchanges show together.
    pub(super) fn failed(expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self::Failed(Finding { expected: expected.to_string(), found: found.to_string(), exchange: None })
    }

    pub(super) fn unsupported(why: impl fmt::Display) -> Self {
        Self::Unsupported(why.to_string())
    }
}

/// Turns a failure during the preparation of a check into [`Stop::NotPrepared`].
pub(super) fn prepared<T>(what: &str, done: Result<T, Stop>) -> Result<T, Stop> {
    done.map_err(|stop| match stop {
        Stop::Failed(finding) => Stop::NotPrepared(format!("{what}: {}", finding.found)),
        Stop::NotPrepared(why) | Stop::Unsupported(why) => Stop::NotPrepared(format!("{what}: {why}")),
    })
}
