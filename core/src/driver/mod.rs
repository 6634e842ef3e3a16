//! The contract with a driver: the core's outputs and inputs.
//!
//! A driver owns the HTTP stack, the clock and the bytes of blobs. It
//!
//! 1. calls [`Client::poll`](crate::Client::poll) with the current time and does what each [`Output`] says, until the
//!    output is [`Output::Wait`];
//! 2. may block then, and only then, until something happens: an answer, a failure, bytes that are buffered, or the
//!    deadline;
//! 3. gives the client each input with [`Client::handle`](crate::Client::handle), and starts again with 1.
//!
//! Inputs may come at any time and in any order. Each [`Output::Send`] is a complete request, and each retry is a new
//! one. So the driver adds no header, follows no redirect, retries nothing, keeps no cookies and adds no credentials.

mod collector;
mod input;
mod output;

use std::fmt;
use std::ops::Range;

use bytes::Bytes;

pub use collector::Collector;
pub use input::{AskFailed, End, Input};
pub use output::{Deadline, Keep, Output, Waiting};

pub use crate::config::{Limits, OperationId};
pub use crate::outcome::NoAnswer;

/// The caller's own key for a blob, such as a path, an index or an id. The core only clones, compares and prints it.
///
/// Implemented for every type with these traits.
pub trait Key: Clone + Ord + fmt::Debug {}

impl<T: Clone + Ord + fmt::Debug> Key for T {}

/// Identifies one attempt of one request. An id is never used twice; an input for an id that is no longer in flight is
/// ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// Identifies one [`Output::Ask`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub(crate) u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The body of a request. Blobs are only named: their bytes do not pass through the core.
///
/// `Debug` prints the length of [`Body::Bytes`] and not the bytes, because the form for a token service contains a
/// secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Body<K> {
    /// No body. The request already has `Content-Length: 0` if its method needs it.
    Empty,
    /// These bytes, such as a manifest or a form.
    Bytes(Bytes),
    /// Exactly these bytes of a blob. If the source has fewer, the driver must report [`NoAnswer::Source`] and never
    /// send a shorter body.
    Blob {
        /// Which blob.
        key: K,
        /// Which of its bytes. The end is exclusive.
        range: Range<u64>,
    },
    /// All bytes of a blob of unknown size from this position on, as the source gives them. At its end the driver
    /// reports [`Input::Ended`], which names the operation of the last [`Output::Read`] of this blob.
    Rest {
        /// Which blob.
        key: K,
        /// The position of the first byte.
        from: u64,
    },
}

impl<K> Body<K> {
    /// The length in bytes, if it is known before the body is sent.
    #[must_use]
    pub fn len(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Blob { range, .. } => Some(range.end.saturating_sub(range.start)),
            Self::Rest { .. } => None,
        }
    }

    /// Whether the body is known to have no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }
}

impl<K: fmt::Debug> fmt::Debug for Body<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Blob { key, range } => write!(f, "Blob({key:?}, {range:?})"),
            Self::Rest { key, from } => write!(f, "Rest({key:?}, {from}..)"),
        }
    }
}
