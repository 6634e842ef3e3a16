//! The one thing that the suite needs of its surroundings: somebody who sends a request as it stands.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use longshore_core::driver::NoAnswer;
use longshore_core::{Instant, Target};

/// Sends requests as they stand, one after another or from several threads at once, and blocks until the answer is there.
///
/// An implementation follows no redirect, repeats nothing, decompresses nothing and adds no header beyond those that HTTP
/// itself needs: `Host`, and `Transfer-Encoding` for [`RawBody::Chunked`]. `Content-Length` is among the headers of the
/// request where it is to be sent.
pub trait RawClient: Sync {
    /// Sends a request and waits for its answer, no longer than [`RawRequest::time_limit`].
    ///
    /// # Errors
    /// Where no whole answer came: [`NoAnswer`] says what is known of the request.
    fn send(&self, request: RawRequest) -> Result<Response<Bytes>, NoAnswer>;

    /// Sends several requests side by side, and gives their outcomes in the same order.
    fn send_at_once(&self, requests: Vec<RawRequest>) -> Vec<Result<Response<Bytes>, NoAnswer>> {
        std::thread::scope(|scope| {
            let threads: Vec<_> = requests.into_iter().map(|request| scope.spawn(|| self.send(request))).collect();
            let panicked = |_| Err(NoAnswer::Lost("the thread that sent it panicked".to_owned()));
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect()
        })
    }

    /// The time, from any beginning. In tests it is virtual.
    fn now(&self) -> Instant;

    /// Lets time pass.
    fn wait(&self, time: Duration);
}

/// One request, complete.
#[derive(Clone)]
pub struct RawRequest {
    /// The method.
    pub method: Method,
    /// Where it goes: these bytes of path and query and no others.
    pub target: Target,
    /// All headers but `Host`.
    pub headers: HeaderMap,
    /// The body.
    pub body: RawBody,
    /// How long the answer may take.
    pub time_limit: Duration,
    /// How many bytes of the answer's body are read. A longer one is [`NoAnswer::Lost`].
    pub body_limit: usize,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawBody {
    /// These bytes, as long as `Content-Length` says; there may be none.
    Sized(Bytes),
    /// These bytes in the chunked transfer coding of HTTP/1.1 (RFC 9112, section 7.1): their number is not announced.
    Chunked(Bytes),
    /// Only these bytes of a body that `Content-Length` announces as longer; then the connection is closed. The answer is
    /// [`NoAnswer::Lost`].
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
    /// Method and target; the headers may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawRequest({} {})", self.method, self.target)
    }
}
