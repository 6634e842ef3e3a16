//! Faults: what goes wrong with which request, as data that replays.
//!
//! A fault concerns how a request or its answer is delivered, or what the registry has forgotten. The registry decides when
//! it strikes; whoever delivers, does what [`Answer::delivery`](crate::Answer::delivery) and
//! [`Answer::pace`](crate::Answer::pace) say. The same seed and the same requests give the same faults.
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

/// Something that goes wrong with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing leaves the client: over HTTP/2 the stream is refused, over HTTP/1 the connection is closed unread.
    NotSent,
    /// The connection is closed before the registry sees the request.
    RequestLost,
    /// The connection is reset before the registry sees the request.
    RequestReset,
    /// The registry acts on the request, and its answer is lost (`put-retry-after-commit-404`).
    AnswerLost,
    /// The registry acts on the request, and the connection is reset instead of an answer.
    AnswerReset,
    /// The connection is lost after so many bytes of the request's body: what came is kept as the behaviour says
    /// (`http2-reset-mid-upload`).
    BodyCut(u64),
    /// The connection is lost after so many bytes of the answer's head.
    HeadCut(u64),
    /// The connection is lost after so many bytes of the answer's body. An answer without a body is lost.
    AnswerCut(u64),
    /// What arrives instead of the answer is no HTTP.
    Garbage,
    /// The answer has a body of so many bytes, whatever it had.
    Oversize(u64),
    /// The answer comes so many microseconds later.
    Latency(u64),
    /// The request's body is taken in at so many bytes a second, at least 1.
    DripRequest(u64),
    /// The answer's body is sent at so many bytes a second, at least 1.
    DripAnswer(u64),
    /// Both bodies go at so many bytes a second, at least 1.
    Bandwidth(u64),
    /// Somebody on the way answers with this status, and the registry sees nothing (`retryable-status-set`).
    Status(u16, Option<RetryAfter>),
    /// Somebody on the way redirects with this status, and the registry sees nothing: to this URL, or, where there is none,
    /// to the same URL.
    Redirect(u16, Option<String>),
    /// The registry acts and answers, but the answer's `Location` is this URL.
    Location(String),
    /// The request's token is no longer good, nor is any other of the same user (`token-expires-mid-upload`,
    /// `client-must-replay-body`).
    TokenExpired,
    /// Blobs are not there for this request: a manifest that refers to any is refused (`blob-visible-after-delay`).
    BlobNotYetVisible,
    /// Content is not there for a `GET`, though `HEAD` finds it.
    HiddenFromGet,
    /// The upload that the request names is gone (`session-gone-404`, `intermittent-404-session`).
    UploadGone,
    /// The upload that the request names is not found, and is there for the next one (`intermittent-404-session`).
    UploadMissed,
    /// The registry gets the request twice, one after the other; the answer is the second one. A body of more than 16 MiB
    /// is not repeated.
    Twice,
    /// A load balancer on the way answers 200 with words of its own (`post-200-healthcheck`).
    HealthCheck,
}

/// The forms of `Retry-After` (`429-retry-after-forms`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryAfter {
    /// So many seconds.
    Seconds(u64),
    /// The date so many seconds after the answer's own `Date`.
    Date(u64),
    /// This text, which need not be either.
    Text(String),
}

/// A fault that struck.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Struck {
    /// The number of the request, from 1.
    pub request: u64,
    /// The row of the spec's table that it asked; nothing where it was none.
    pub row: Option<Row>,
    /// What went wrong.
    pub fault: Fault,
}

impl Fault {
    /// Whether it only slows the request down: such faults come on top of others.
    #[must_use]
    pub const fn is_pace(&self) -> bool {
        matches!(self, Self::Latency(_) | Self::DripRequest(_) | Self::DripAnswer(_) | Self::Bandwidth(_))
    }
}
