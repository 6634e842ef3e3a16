//! The interface through which the suite sends requests.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use longshore_core::driver::NoAnswer;
use longshore_core::{Instant, Target};

/// Sends requests without any change, one after another or from several threads at once, and blocks until the answer
/// arrives.
///
/// An implementation follows no redirect, repeats nothing, decompresses nothing and adds no header beyond those that
/// HTTP itself needs: `Host`, and `Transfer-Encoding` for [`RawBody::Chunked`]. `Content-Length` is among the headers
/// of the request if it is to be sent.
pub trait RawClient: Sync {
    /// Sends a request and waits for its answer for at most [`RawRequest::time_limit`].
    ///
    /// # Errors
    /// If no complete answer arrived. [`NoAnswer`] states what is known about the request.
    fn send(&self, request: RawRequest) -> Result<Response<Bytes>, NoAnswer>;

    /// Sends several requests at the same time, and returns their results in the same order.
    fn send_at_once(&self, requests: Vec<RawRequest>) -> Vec<Result<Response<Bytes>, NoAnswer>> {
        std::thread::scope(|scope| {
            let threads: Vec<_> = requests.into_iter().map(|request| scope.spawn(|| self.send(request))).collect();
            let panicked = |_| Err(NoAnswer::Lost("the thread that sent it panicked".to_owned()));
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect()
        })
    }

    /// The current time since an arbitrary start. In tests it is virtual.
    fn now(&self) -> Instant;

    /// Waits.
    fn wait(&self, time: Duration);
}

/// A complete request.
#[derive(Clone)]
pub struct RawRequest {
    /// The method.
    pub method: Method,
    /// The target. Its path and query are sent byte for byte.
    pub target: Target,
    /// All headers except `Host`.
    pub headers: HeaderMap,
    /// The body.
    pub body: RawBody,
    /// The time limit of the answer.
    pub time_limit: Duration,
    /// The largest number of bytes of the answer's body. A longer body is [`NoAnswer::Lost`].
    pub body_limit: usize,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawBody {
    /// These bytes, whose number is in `Content-Length`. They may be empty.
    Sized(Bytes),
    /// These bytes in the chunked transfer coding of HTTP/1.1 (RFC 9112, section 7.1): the length is not announced.
    Chunked(Bytes),
    /// Only these bytes of a body that is longer according to `Content-Length`; then the connection is closed. The
    /// result is [`NoAnswer::Lost`].
    Cut(Bytes),
}

impl RawBody {
    /// The bytes that are sent.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        match self {
            Self::Sized(bytes) | Self::Chunked(bytes) | Self::Cut(bytes) => bytes,
        }
    }
}

impl fmt::Debug for RawRequest {
    /// Writes method and target only, because the headers may contain a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawRequest({} {})", self.method, self.target)
    }
}
