//! What a failure says of the driver's work.

use longshore_core::driver::NoAnswer;
use longshore_core::{Failure, FailureKind, Receipt};

use crate::driver::Ended;

/// The driver's own words, where it had no answer.
pub(crate) fn no_answer(ended: &Ended) -> Option<&NoAnswer> {
    match ended {
        Err(failure) => match &failure.kind {
            FailureKind::NoAnswer(no_answer) => Some(no_answer),
            _ => None,
        },
        Ok(_) => None,
    }
}

/// Whether the answer was cut at its limit.
pub(crate) fn is_too_large(ended: &Ended) -> bool {
    matches!(ended, Err(failure) if failure.kind == FailureKind::TooLarge)
}

/// Whether a connection was lost.
pub(crate) fn is_lost(ended: &Ended) -> bool {
    matches!(no_answer(ended), Some(NoAnswer::Lost(_)))
}

/// What came of an operation, to show.
pub(crate) fn shown(ended: &Ended) -> String {
    match ended {
        Ok(Receipt::Tags(tags)) => format!("{} tags", tags.len()),
        Ok(receipt) => format!("{receipt:?}"),
        Err(failure) => kind(failure),
    }
}

fn kind(failure: &Failure) -> String {
    match &failure.kind {
        FailureKind::NoAnswer(no_answer) => format!("{no_answer:?}"),
        _ => failure.to_string(),
    }
}
