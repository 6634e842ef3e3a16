//! Faults of chosen requests, as data that can be replayed.
//!
//! A fault changes how a request or its answer is delivered, or what the registry has stored. The registry decides
//! which requests it affects; the server or test that delivers an answer carries out
//! [`Answer::delivery`](crate::Answer::delivery) and [`Answer::pace`](crate::Answer::pace). The same seed and the same
//! requests give the same faults.
//!
//! ```
//! use http::Method;
//! use longshore_mock_registry::fault::{Fault, Faults};
//!
//! // The answer to the second PATCH is lost, and one in ten manifests is refused with 503.
//! let faults: Faults = "PATCH#2: answer-lost; end-7a p=0.1: status 503 retry-after 7".parse()?;
//! assert_eq!(faults.rules[0].fault, Fault::AnswerLost);
//!
//! // The same in Rust.
//! let same = Faults::nth(2).method(Method::PATCH).answer_lost();
//! assert_eq!(same.rules[0], faults.rules[0]);
//! assert_eq!(same.to_string(), "PATCH#2: answer-lost");
//! # Ok::<(), longshore_mock_registry::fault::FaultError>(())
//! ```
//!
#![doc = include_str!("../../FAULTS.md")]

mod build;
mod effect;
mod error;
mod form;
mod plan;
mod strike;
mod text;
mod when;

use longshore_core::Row;

pub use error::FaultError;
pub use form::EFFECTS;
pub use plan::{FaultRule, Faults};
pub use when::When;

pub(crate) use effect::{FaultEffect, changed, delivered};
pub(crate) use when::FaultCounters;

/// A fault of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The request is not sent: over HTTP/2 the stream is refused, over HTTP/1 the connection is closed unread.
    NotSent,
    /// The connection is closed before the registry receives the request.
    RequestLost,
    /// The connection is reset before the registry receives the request.
    RequestReset,
    /// The registry applies the request, and its answer is lost (`put-retry-after-commit-404`).
    AnswerLost,
    /// The registry applies the request, and the connection is reset instead of an answer.
    AnswerReset,
    /// The connection is lost after this many bytes of the request's body. The behaviour decides what stays of them
    /// (`http2-reset-mid-upload`).
    BodyCut(u64),
    /// The connection is lost after this many bytes of the answer's head.
    HeadCut(u64),
    /// The connection is lost after this many bytes of the answer's body. An answer without a body is lost.
    AnswerCut(u64),
    /// Bytes that are not HTTP arrive instead of the answer.
    Garbage,
    /// The answer has a body of this many bytes in place of its own.
    Oversize(u64),
    /// The answer comes this many microseconds later.
    Latency(u64),
    /// The request's body is read at this many bytes a second, at least 1.
    DripRequest(u64),
    /// The answer's body is sent at this many bytes a second, at least 1.
    DripAnswer(u64),
    /// Both bodies are transferred at this many bytes a second, at least 1.
    Bandwidth(u64),
    /// A proxy answers with this status, and the registry does not receive the request (`retryable-status-set`).
    Status(u16, Option<RetryAfter>),
    /// A proxy redirects with this status, and the registry does not receive the request. The target is this URL, or
    /// the same URL if it is `None`.
    Redirect(u16, Option<String>),
    /// The registry applies the request and answers, but the answer's `Location` is this URL.
    Location(String),
    /// The request's token, and all others of the same user, have expired (`token-expires-mid-upload`,
    /// `client-must-replay-body`).
    TokenExpired,
    /// All blobs are missing for this request: a manifest that refers to any is refused (`blob-visible-after-delay`).
    BlobNotYetVisible,
    /// Content is missing for a `GET`, although `HEAD` finds it.
    HiddenFromGet,
    /// The upload that the request names is gone (`session-gone-404`, `intermittent-404-session`).
    UploadGone,
    /// The upload that the request names is not found, but exists for the next request (`intermittent-404-session`).
    UploadMissed,
    /// The registry receives the request twice, and the client receives the second answer. A body of more than 16 MiB
    /// is not repeated.
    Twice,
    /// A load balancer answers 200 with a text of its own (`post-200-healthcheck`).
    HealthCheck,
}

/// The forms of `Retry-After` (`429-retry-after-forms`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryAfter {
    /// This many seconds.
    Seconds(u64),
    /// The date this many seconds after the answer's own `Date`.
    Date(u64),
    /// This text, which need not be either.
    Text(String),
}

/// A fault that has occurred.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Struck {
    /// The number of the request, from 1.
    pub request: u64,
    /// The row of the spec's endpoint table; `None` if the request is in no row.
    pub row: Option<Row>,
    /// The fault.
    pub fault: Fault,
}

impl Fault {
    /// Whether it only slows the request down. Such faults are added to others.
    #[must_use]
    pub const fn is_pace(&self) -> bool {
        matches!(self, Self::Latency(_) | Self::DripRequest(_) | Self::DripAnswer(_) | Self::Bandwidth(_))
    }
}
