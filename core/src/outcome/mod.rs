//! What an operation came to, and what happened on the way: events, receipts and failures, and what a failure is made of.

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
