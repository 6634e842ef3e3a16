//! What the core asks of a driver.

use std::fmt;

use http::Request;

use super::{AskId, Body, OperationId, RequestId};
use crate::config::Limits;
use crate::outcome::{Event, Failure, Receipt};
use crate::{Algorithm, Instant, Registry, Repository};

/// What the driver does next.
///
/// Exhaustive on purpose: a wildcard arm that swallowed one of these would hang.
///
/// It prints a request by its method and where it goes, without what may be secret.
#[must_use]
pub enum Output<K> {
    /// Send this request, and report what came of it with [`Input::Answered`](super::Input::Answered) or
    /// [`Input::Failed`](super::Input::Failed), once.
    Send {
        /// The name of this attempt.
        id: RequestId,
        /// The whole request: method, absolute URI, every header, and the body by name.
        /// The URI's path and query must reach the wire byte for byte; if they would not, report
        /// [`NoAnswer::Unsendable`](super::NoAnswer::Unsendable).
        request: Request<Body<K>>,
        /// What becomes of the answer's body.
        keep: Keep<K>,
        /// What the driver may spend on it.
        limits: Limits,
    },
    /// The answer to this request is no longer wanted. Best effort: an answer that still comes is ignored.
    Abort {
        /// The attempt to give up.
        id: RequestId,
    },
    /// Have these bytes of a one-shot blob in hand, and report [`Input::Filled`](super::Input::Filled) or, where the blob ends
    /// at or before `up_to`, [`Input::Ended`](super::Input::Ended). Bytes before `from` will not be asked for again and may be dropped.
    Read {
        /// The operation whose blob it is; the answer names it too.
        operation: OperationId,
        /// Which blob.
        blob: K,
        /// The first byte that is still needed.
        from: u64,
        /// One past the last byte wanted, counted from the blob's beginning.
        up_to: u64,
    },
    /// Look up the credentials for this registry, and for no other, and report
    /// [`Input::Credentials`](super::Input::Credentials). Helpers, keychains and files are I/O.
    Ask {
        /// The name of this question.
        id: AskId,
        /// Whose credentials.
        registry: Registry,
        /// The repository that the first request to need them is about, for stores that keep credentials by path
        /// (`registry.example/team`). What is answered serves every repository of this registry.
        repository: Option<Repository>,
        /// Whether what was answered before was refused: a cache in front of a helper should be passed by.
        stale: bool,
    },
    /// Something to show; nothing to do.
    Event(Event<K>),
    /// Nothing to do until an input comes or this moment passes. The only output after which a driver may block.
    Wait(Option<Deadline>),
    /// An operation has ended.
    Done {
        /// Which one.
        operation: OperationId,
        /// What came of it.
        result: Result<Receipt<K>, Box<Failure>>,
    },
}

impl<K: fmt::Debug> fmt::Debug for Output<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send { id, request, .. } => {
                let path = request.uri().path();
                write!(f, "Send({id} {} {path}, {:?})", request.method(), request.body())
            }
            Self::Abort { id } => write!(f, "Abort({id})"),
            Self::Read { operation, blob, from, up_to } => {
                write!(f, "Read({operation:?}, {blob:?}, {from}..{up_to})")
            }
            Self::Ask { id, registry, repository, stale } => {
                write!(f, "Ask({id:?}, {registry}, {repository:?}, stale: {stale})")
            }
            Self::Event(event) => write!(f, "Event({event:?})"),
            Self::Wait(deadline) => write!(f, "Wait({deadline:?})"),
            Self::Done { operation, result } => write!(f, "Done({operation:?}, {result:?})"),
        }
    }
}

/// What becomes of an answer's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep<K> {
    /// Keep at most so many bytes; stop reading at the first byte past them and report [`End::OverLimit`](super::End::OverLimit).
    UpTo(usize),
    /// If the status is 2xx, pour the body into the caller's sink of this name, emptied first, and report
    /// [`End::Poured`](super::End::Poured); where the sink cannot be written, or there is none,
    /// [`NoAnswer::Sink`](super::NoAnswer::Sink). Otherwise keep at most `if_error` bytes.
    Into {
        /// The sink.
        key: K,
        /// What to compute over the bytes on their way.
        algorithm: Algorithm,
        /// How many bytes the blob is said to have; stop and report [`End::OverLimit`](super::End::OverLimit) past them.
        size: Option<u64>,
        /// How many bytes of an error's body to keep.
        if_error: usize,
    },
}

/// When to poll again though nothing came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    /// The moment.
    pub at: Instant,
    /// What is waited for: to show, and to find out what hangs.
    pub waiting: Waiting,
}

/// What a [`Deadline`] is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Waiting {
    /// A request is tried again then.
    Retry,
    /// The registry asked for a pause with `Retry-After`.
    Pause,
}
