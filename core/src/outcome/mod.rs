//! The results of operations: receipts and failures, and the events on the way.

mod answer;
mod event;
mod failure;
mod no_answer;
mod receipt;
mod row;

pub use answer::{AnswerError, Digests, Flaw, Refused};
pub use event::{Event, Stored};
pub use failure::{Failure, FailureKind};
pub use no_answer::NoAnswer;
pub use receipt::{Pushed, Receipt};
pub use row::Row;
