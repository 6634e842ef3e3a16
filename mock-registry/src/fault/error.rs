//! What is wrong with a text that should be faults.

use thiserror::Error;

use crate::nearest::nearest;

/// Why a text is not [`Faults`](super::Faults).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FaultError {
    /// There is no colon before what goes wrong.
    #[error("{0:?} is not a fault: write REQUESTS: FAULT, for example 'PATCH#2: answer-lost'")]
    NoFault(String),
    /// No fault has this name.
    #[error("there is no fault {name:?}{}", meant(.nearest))]
    UnknownFault {
        /// What was given.
        name: String,
        /// The nearest name that there is, if any is near.
        nearest: Option<String>,
    },
    /// The values of a fault are not as it wants them.
    #[error("{given:?} is not written as {form:?}")]
    BadValues {
        /// What was given.
        given: String,
        /// How it is written.
        form: &'static str,
    },
    /// A word about the requests is not understood.
    #[error(
        "{given:?} says nothing about requests{}: write a method (PATCH), a row (end-6, token) or every, with #2, #2..5, #2.. \
         or #..5 behind it; then 'in REPOSITORY', 'of DIGEST', 'p=0.1' or 'for 10s'",
        meant(.nearest)
    )]
    BadRequests {
        /// What was given.
        given: String,
        /// The nearest word that there is, if any is near.
        nearest: Option<String>,
    },
}

impl FaultError {
    /// No fault has this name, of these that there are.
    pub(super) fn unknown_fault<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Self {
        Self::UnknownFault { name: name.chars().take(64).collect(), nearest: nearest(name, names) }
    }

    /// A word that is no part of a rule, among these that could stand there.
    pub(super) fn bad_requests<'a>(given: &str, words: impl Iterator<Item = &'a str>) -> Self {
        Self::BadRequests { given: given.chars().take(256).collect(), nearest: nearest(given, words) }
    }
}

fn meant(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|nearest| format!("; did you mean {nearest:?}?")).unwrap_or_default()
}
