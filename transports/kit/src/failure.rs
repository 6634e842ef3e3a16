//! Reads the driver's report from a failure.

use longshore_core::driver::NoAnswer;
use longshore_core::{Failure, FailureKind, Receipt};

use crate::driver::Ended;

/// The driver's reason, if there was no answer.
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

/// The result of an operation as text.
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
