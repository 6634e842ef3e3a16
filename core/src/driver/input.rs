//! What the core is told by a driver.

use std::fmt;

use bytes::Bytes;
use http::Response;
use thiserror::Error;

use super::{AskId, OperationId, RequestId};
use crate::Digest;
use crate::auth::Credentials;
use crate::outcome::NoAnswer;

/// Something that happened. It prints an answer by its status alone: its headers and body may be secret.
pub enum Input<K> {
    /// An answer came: status, headers, and the body as far as it was kept.
    Answered {
        /// To which attempt.
        id: RequestId,
        /// The answer.
        response: Response<Bytes>,
        /// How its body ended. The status stands even if the body does not.
        end: End,
    },
    /// No answer came, and none will.
    Failed {
        /// To which attempt.
        id: RequestId,
        /// Why.
        why: NoAnswer,
    },
    /// Progress: so many bytes of the request's body have been handed to the network. Optional.
    Sent {
        /// Of which attempt.
        id: RequestId,
        /// Bytes since the beginning of this body.
        total: u64,
    },
    /// The bytes asked for with [`Output::Read`](super::Output::Read) are in hand; the blob goes on.
    Filled {
        /// The operation of that [`Output::Read`](super::Output::Read).
        operation: OperationId,
        /// Which blob.
        blob: K,
        /// One past the last byte in hand, counted from the blob's beginning.
        len: u64,
    },
    /// A blob of unknown length has ended. Sent once a blob, before the answer to the request that carried its end.
    Ended {
        /// The operation that the last [`Output::Read`](super::Output::Read) of this blob named: one always goes before.
        operation: OperationId,
        /// Which blob.
        blob: K,
        /// Its length in bytes.
        len: u64,
        /// The digest of all of it, computed on the way.
        digest: Digest,
    },
    /// A blob cannot be read. Every upload that needs its bytes fails.
    Unreadable {
        /// Which blob.
        blob: K,
        /// The reason, in one sentence.
        why: String,
    },
    /// The answer to [`Output::Ask`](super::Output::Ask); `None` means that there are none, and the client goes on without.
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
    /// All of it is in the response.
    Complete,
    /// It went on past the limit; what was kept is in the response.
    OverLimit,
    /// The connection ended before the body did; what came is in the response.
    Cut,
    /// All of it went into the sink that [`Keep::Into`](super::Keep::Into) named.
    Poured {
        /// How many bytes.
        len: u64,
        /// Their digest, of the algorithm that was asked for.
        digest: Digest,
    },
}

/// Why credentials could not be looked up. That is an error, and no reason to go on without.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the credentials could not be looked up: {0}")]
pub struct AskFailed(
    /// The reason, in one sentence.
    pub String,
);
