//! The contract with a driver: what the core asks for, and what it is told.
//!
//! A driver owns an HTTP stack, a clock and the bytes of blobs, and nothing else. It
//!
//! 1. calls [`Client::poll`](crate::Client::poll) with the time and does what each [`Output`] says, until it is [`Output::Wait`];
//! 2. then, and only then, may block until something happens: an answer, a failure, filled bytes, or the deadline;
//! 3. tells the client with [`Client::handle`](crate::Client::handle) and goes back to 1.
//!
//! Inputs may come at any time and in any order. The driver sets no header, follows no redirect, retries nothing, keeps no
//! cookie, and sends credentials nowhere by itself: every request is complete as it is given, and each attempt is a new one.

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

/// The caller's own name for a blob: a path, an index, an id. The core copies it and compares it, no more.
///
/// Implemented by everything that fits.
pub trait Key: Clone + Ord + fmt::Debug {}

impl<T: Clone + Ord + fmt::Debug> Key for T {}

/// One attempt of one request. Never used again: an answer to an id that is gone is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// One question for credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub(crate) u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// A request's body, by name: no byte of a blob crosses this interface.
///
/// It prints the length of its bytes and not the bytes: a token service's form holds a secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Body<K> {
    /// No body. `Content-Length: 0` is already set where the method wants it.
    Empty,
    /// These bytes: a manifest, a form.
    Bytes(Bytes),
    /// These bytes of a blob, exactly. A source that has fewer must report [`NoAnswer::Source`], never send a shorter body.
    Blob {
        /// Which blob.
        key: K,
        /// Which of its bytes; the end is exclusive.
        range: Range<u64>,
    },
    /// Everything of a blob of unknown length from this byte on, as it comes; followed by [`Input::Ended`], which names the
    /// operation of the [`Output::Read`] that went before.
    Rest {
        /// Which blob.
        key: K,
        /// The first byte.
        from: u64,
    },
}

impl<K> Body<K> {
    /// The length in bytes, where it is known before it is sent.
    #[must_use]
    pub fn len(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Blob { range, .. } => Some(range.end.saturating_sub(range.start)),
            Self::Rest { .. } => None,
        }
    }

    /// Whether there is no byte to send.
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
