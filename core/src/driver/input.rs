//! The inputs that a driver gives to the core.

use std::fmt;

use bytes::Bytes;
use http::Response;
use thiserror::Error;

use super::{AskId, OperationId, RequestId};
use crate::Digest;
use crate::auth::Credentials;
use crate::outcome::NoAnswer;

/// An input that a driver gives to the core with [`Client::handle`](crate::Client::handle).
///
/// `Debug` prints the status of an answer, but neither headers nor body, which may be secret.
pub enum Input<K> {
    /// An answer came: its status, its headers, and the part of its body that [`Keep`](super::Keep) asks for.
    Answered {
        /// To which attempt.
        id: RequestId,
        /// The answer.
        response: Response<Bytes>,
        /// How its body ended. The status is used even if the body is incomplete.
        end: End,
    },
    /// No answer came, and none will come.
    Failed {
        /// To which attempt.
        id: RequestId,
        /// Why.
        why: NoAnswer,
    },
    /// Progress: this many bytes of the request's body were written to the connection. Optional: without it, the
    /// progress of a blob moves in steps of whole requests.
    Sent {
        /// Of which attempt.
        id: RequestId,
        /// How many bytes, counted from the beginning of this body.
        total: u64,
    },
    /// The bytes that [`Output::Read`](super::Output::Read) asked for are buffered, and the blob has not ended yet.
    Filled {
        /// The operation of that [`Output::Read`](super::Output::Read).
        operation: OperationId,
        /// Which blob.
        blob: K,
        /// The position after the last buffered byte, counted from the blob's beginning.
        len: u64,
    },
    /// A one-shot blob has ended. This answers an [`Output::Read`](super::Output::Read) that reaches the blob's end. It
    /// is also reported when a [`Body::Rest`](super::Body::Rest) was read to its end, before the answer to that request.
    Ended {
        /// The operation that the last [`Output::Read`](super::Output::Read) of this blob named. There is always one
        /// before.
        operation: OperationId,
        /// Which blob.
        blob: K,
        /// Its size in bytes.
        len: u64,
        /// The digest of the whole blob, computed while it was read.
        digest: Digest,
    },
    /// A blob cannot be read. Every upload that needs its bytes fails.
    Unreadable {
        /// Which blob.
        blob: K,
        /// The reason, in one sentence.
        why: String,
    },
    /// The answer to [`Output::Ask`](super::Output::Ask). `None` means that there are no credentials, and the client
    /// continues anonymously.
    Credentials {
        /// To which question.
        id: AskId,
        /// What was found.
        answer: Result<Option<Credentials>, AskFailed>,
    },
}

impl<K: fmt::Debug> fmt::Debug for Input<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { id, response, end } => {
                write!(f, "Answered({id} {}, {} bytes, {end:?})", response.status(), response.body().len())
            }
            Self::Failed { id, why } => write!(f, "Failed({id}, {why:?})"),
            Self::Sent { id, total } => write!(f, "Sent({id}, {total})"),
            Self::Filled { operation, blob, len } => write!(f, "Filled({operation:?}, {blob:?}, {len})"),
            Self::Ended { operation, blob, len, digest } => {
                write!(f, "Ended({operation:?}, {blob:?}, {len}, {digest})")
            }
            Self::Unreadable { blob, why } => write!(f, "Unreadable({blob:?}, {why:?})"),
            Self::Credentials { id, answer } => write!(f, "Credentials({id:?}, {answer:?})"),
        }
    }
}

/// How the body of an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The whole body is in the response.
    Complete,
    /// The body is longer than the limit; the part up to the limit is in the response.
    OverLimit,
    /// The connection ended before the body; the part that came is in the response.
    Cut,
    /// The whole body was written into the sink that [`Keep::Into`](super::Keep::Into) named.
    Poured {
        /// How many bytes.
        len: u64,
        /// Their digest, with the algorithm that [`Keep::Into`](super::Keep::Into) named.
        digest: Digest,
    },
}

/// Why credentials could not be looked up. The operation fails: the client does not continue anonymously.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the credentials could not be looked up: {0}")]
pub struct AskFailed(
    /// The reason, in one sentence.
    pub String,
);
