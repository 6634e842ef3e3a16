//! What the kit asks of a driver.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use longshore_core::{Failure, Receipt, Registry};

use crate::Work;

/// What came of an operation.
pub(crate) type Ended = Result<Receipt<u32>, Box<Failure>>;

/// A driver under proof.
///
/// Every `FnMut(Work) -> Vec<Result<Receipt<u32>, Box<Failure>>>` is one.
pub trait Driver {
    /// Starts all operations of the work in a new client with its options, and drives it until it is idle.
    /// Gives what came of them, in their order.
    ///
    /// Connections may be kept from one call to the next.
    fn run(&mut self, work: Work) -> Vec<Result<Receipt<u32>, Box<Failure>>>;
}

impl<F: FnMut(Work) -> Vec<Ended>> Driver for F {
    fn run(&mut self, work: Work) -> Vec<Ended> {
        self(work)
    }
}

/// A server that a driver is made for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Site {
    /// Scheme, host and port: `http://127.0.0.1:40123`. The work names it too.
    pub base_url: String,
    /// The same, as the core calls it.
    pub registry: Registry,
    /// The certificate of the CA to trust, as PEM.
    pub ca_pem: String,
}

/// What a driver's stack can do beyond what every driver must. What is declared is checked, and what is not declared is
/// reported as absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each stands for itself")]
pub struct Capabilities {
    /// It speaks TLS.
    pub tls: bool,
    /// It speaks HTTP/2 where TLS's ALPN agrees on it.
    pub http2: bool,
    /// It has several requests in flight at once.
    pub concurrent: bool,
    /// It tells an answer that comes before the request's body was sent, and sends no more of the body.
    pub early_answers: bool,
    /// It ends a request that was aborted, and its connection where that is what it takes.
    pub abort: bool,
    /// It tells a TLS connection whose end was said from one that was cut: a body without a length ends with it.
    pub tls_end: bool,
}

impl Capabilities {
    /// None of them: one request at a time in plain HTTP/1.1.
    #[must_use]
    pub const fn none() -> Self {
        Self { tls: false, http2: false, concurrent: false, early_answers: false, abort: false, tls_end: false }
    }

    /// It speaks TLS.
    #[must_use]
    pub const fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// It speaks HTTP/2, and TLS with it.
    #[must_use]
    pub const fn http2(mut self) -> Self {
        self.http2 = true;
        self.tls = true;
        self
    }

    /// It has several requests in flight at once.
    #[must_use]
    pub const fn concurrent(mut self) -> Self {
        self.concurrent = true;
        self
    }

    /// It tells answers that come early.
    #[must_use]
    pub const fn early_answers(mut self) -> Self {
        self.early_answers = true;
        self
    }

    /// It ends what is aborted.
    #[must_use]
    pub const fn abort(mut self) -> Self {
        self.abort = true;
        self
    }

    /// It tells how a TLS connection ended.
    #[must_use]
    pub const fn tls_end(mut self) -> Self {
        self.tls_end = true;
        self
    }
}

/// The other side of a driver that has no sockets. A clone is another handle on the same.
#[derive(Clone)]
pub struct Handler {
    pub(crate) answer: Arc<dyn Fn(Request<Bytes>) -> Response<Bytes> + Send + Sync>,
}

impl Handler {
    /// The answer to a request.
    #[must_use]
    pub fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        (self.answer)(request)
    }
}

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handler")
    }
}
