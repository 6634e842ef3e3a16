//! What is wrong with a text that should be faults.

use thiserror::Error;

/// Why a text is not [`Faults`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FaultError {
    /// There is no colon before what goes wrong.
    #[error("{0:?} is not a fault: write REQUESTS: FAULT, for example 'PATCH#2: answer-lost'")]
    NoFault(String),
    /// No fault has this name.
    #[error("there is no fault {name:?}; did you mean {nearest:?}?")]
    UnknownFault {
        /// What was given.
        name: String,
        /// The nearest name that there is.
        nearest: &'static str,
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
        "{0:?} says nothing about requests: write a method (PATCH), a row (end-6, token) or every, with #2, #2..5, #2.. \
         or #..5 behind it; then 'in REPOSITORY', 'of DIGEST', 'p=0.1' or 'for 10s'"
    )]
    BadRequests(String),
}

impl FaultError {
    /// No fault has this name, of these that there are.
    pub(super) fn unknown_fault(name: &str, names: impl Iterator<Item = &'static str>) -> Self {
        let nearest = names.min_by_key(|known| strsim::levenshtein(known, name)).unwrap_or_default();
        Self::UnknownFault { name: name.chars().take(64).collect(), nearest }
    }
}
