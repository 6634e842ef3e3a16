//! Why a text cannot be read as faults.

use thiserror::Error;

use crate::nearest::nearest;

/// Why a text is not [`Faults`](super::Faults).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FaultError {
    /// A rule has no colon between the requests and the fault.
    #[error("{0:?} is not a fault: write REQUESTS: FAULT, for example 'PATCH#2: answer-lost'")]
    NoFault(String),
    /// No fault has this name.
    #[error("there is no fault {name:?}{}", meant(.nearest))]
    UnknownFault {
        /// What was given.
        name: String,
        /// The nearest name of a fault, if one is near.
        nearest: Option<String>,
    },
    /// A fault has values of a wrong form.
    #[error("{given:?} is not written as {form:?}")]
    BadValues {
        /// What was given.
        given: String,
        /// The right form.
        form: &'static str,
    },
    /// A word in the description of the requests is unknown.
    #[error(
        "{given:?} says nothing about requests{}: write a method (PATCH), a row (end-6, token) or every, with #2, #2..5, #2.. \
         or #..5 behind it; then 'in REPOSITORY', 'of DIGEST', 'p=0.1' or 'for 10s'",
        meant(.nearest)
    )]
    BadRequests {
        /// What was given.
        given: String,
        /// The nearest known word, if one is near.
        nearest: Option<String>,
    },
}

impl FaultError {
    /// The error that no fault has this name.
    pub(super) fn unknown_fault<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Self {
        Self::UnknownFault { name: name.chars().take(64).collect(), nearest: nearest(name, names) }
    }

    /// The error that this word is unknown. `known` are the words that are allowed there.
    pub(super) fn bad_requests<'a>(given: &str, words: impl Iterator<Item = &'a str>) -> Self {
        Self::BadRequests { given: given.chars().take(256).collect(), nearest: nearest(given, words) }
    }
}

fn meant(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|nearest| format!("; did you mean {nearest:?}?")).unwrap_or_default()
}
