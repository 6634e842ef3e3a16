//! The outputs of the core, which a driver carries out.

use std::fmt;

use http::Request;

use super::{AskId, Body, OperationId, RequestId};
use crate::config::Limits;
use crate::outcome::{Event, Failure, Receipt};
use crate::{Algorithm, Instant, Registry, Repository};

/// What the driver must do next.
///
/// This enum is exhaustive on purpose: a driver that ignored an output in a wildcard arm would hang.
///
/// `Debug` prints the method and the path of a request, but neither its query nor its headers, which may be secret.
#[must_use]
pub enum Output<K> {
    /// Send this request, and report its result exactly once, with [`Input::Answered`](super::Input::Answered) or
    /// [`Input::Failed`](super::Input::Failed).
    Send {
        /// The id of this attempt.
        id: RequestId,
        /// The complete request: method, absolute URI, every header, and the body. The URI's path and query must be
        /// sent byte for byte; if the HTTP stack would change them, report
        /// [`NoAnswer::Unsendable`](super::NoAnswer::Unsendable).
        request: Request<Body<K>>,
        /// What to do with the answer's body.
        keep: Keep<K>,
        /// The limits of this request.
        limits: Limits,
    },
    /// Abort this request if that is possible. The driver owes no input for it any more, and an answer that still comes
    /// is ignored.
    Abort {
        /// The attempt to abort.
        id: RequestId,
    },
    /// Buffer these bytes of a one-shot blob. Then report [`Input::Filled`](super::Input::Filled), or
    /// [`Input::Ended`](super::Input::Ended) if the blob ends at or before `up_to`. Bytes before `from` are not needed
    /// any more and may be dropped.
    Read {
        /// The operation that the blob belongs to. The input must name it too.
        operation: OperationId,
        /// Which blob.
        blob: K,
        /// The position of the first byte that is still needed.
        from: u64,
        /// The position after the last byte to buffer, counted from the blob's beginning.
        up_to: u64,
    },
    /// Look up the credentials for this registry, and for no other, and report
    /// [`Input::Credentials`](super::Input::Credentials).
    Ask {
        /// The id of this question.
        id: AskId,
        /// The registry that the credentials are for.
        registry: Registry,
        /// The repository of the first request that needs them, for stores that keep credentials by path
        /// (`registry.example/team`). The client uses the credentials for every repository of this registry.
        repository: Option<Repository>,
        /// Whether the registry or its token service refused the credentials that were given before. If so, do not
        /// answer from a cache.
        stale: bool,
    },
    /// Something happened that can be shown. The driver need not do anything.
    Event(Event<K>),
    /// Nothing to do until an input comes or the deadline passes. This is the only output after which a driver may
    /// block.
    ///
    /// `None` means that there is no deadline. If the driver owes no input either, because no request is in flight,
    /// no blob is being read and no credentials are being looked up, the client is idle: only a new operation or more
    /// content for an open push gives it something to do.
    Wait(Option<Deadline>),
    /// An operation has ended.
    Done {
        /// Which one.
        operation: OperationId,
        /// Its result.
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

/// What to do with an answer's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep<K> {
    /// Keep at most this many bytes. If there are more, stop reading and report
    /// [`End::OverLimit`](super::End::OverLimit).
    UpTo(usize),
    /// If the status is 2xx, empty the caller's sink with this key, write the body into it, and report
    /// [`End::Poured`](super::End::Poured). If the sink does not exist or cannot be written, report
    /// [`NoAnswer::Sink`](super::NoAnswer::Sink). For every other status keep at most `if_error` bytes.
    Into {
        /// The key of the sink.
        key: K,
        /// The algorithm of the digest to compute over the bytes.
        algorithm: Algorithm,
        /// The expected size of the blob in bytes, if it is known. If the body is longer, stop and report
        /// [`End::OverLimit`](super::End::OverLimit).
        size: Option<u64>,
        /// How many bytes of an error's body to keep at most.
        if_error: usize,
    },
}

/// When to poll again if no input comes before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Deadline {
    /// The moment.
    pub at: Instant,
    /// Why the client waits, to show it or to find out why a push hangs.
    pub waiting: Waiting,
}

/// What a [`Deadline`] is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Waiting {
    /// The client retries a request at this moment.
    Retry,
    /// The registry asked for a pause with `Retry-After`.
    Pause,
}
