//! The driver that the kit checks, and its capabilities.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use longshore_core::{Failure, Receipt, Registry};

use crate::Work;

/// The result of an operation.
pub(crate) type Ended = Result<Receipt<u32>, Box<Failure>>;

/// A driver that the kit checks.
///
/// It is implemented for every `FnMut(Work) -> Vec<Result<Receipt<u32>, Box<Failure>>>`.
pub trait Driver {
    /// Starts all operations of the work in a new client with the work's options, and drives it until it is idle.
    /// Returns the results of the operations, in order.
    ///
    /// Connections may be kept from one call to the next.
    fn run(&mut self, work: Work) -> Vec<Result<Receipt<u32>, Box<Failure>>>;
}

impl<F: FnMut(Work) -> Vec<Ended>> Driver for F {
    fn run(&mut self, work: Work) -> Vec<Ended> {
        self(work)
    }
}

/// The server that a driver is made for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Site {
    /// Scheme, host and port, such as `http://127.0.0.1:40123`. The work's operations name it too.
    pub base_url: String,
    /// The same address as a registry of the core.
    pub registry: Registry,
    /// The certificate of the CA to trust, as PEM.
    pub ca_pem: String,
}

/// The optional capabilities of a driver. A capability that is declared is checked, and one that is not declared is
/// reported as absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each stands for itself")]
pub struct Capabilities {
    /// It speaks TLS.
    pub tls: bool,
    /// It speaks HTTP/2 if ALPN selects it.
    pub http2: bool,
    /// It can have several requests in flight at once.
    pub concurrent: bool,
    /// It reports an answer that comes before the whole body was sent, and stops sending the body.
    pub early_answers: bool,
    /// It ends a request that was aborted, by closing its connection if necessary.
    pub abort: bool,
    /// It distinguishes a TLS connection that was closed with `close_notify` from one that was cut, which matters for a
    /// body without a length.
    pub tls_end: bool,
}

impl Capabilities {
    /// No capabilities: one request at a time, over plain HTTP/1.1.
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

    /// It can have several requests in flight at once.
    #[must_use]
    pub const fn concurrent(mut self) -> Self {
        self.concurrent = true;
        self
    }

    /// It reports early answers.
    #[must_use]
    pub const fn early_answers(mut self) -> Self {
        self.early_answers = true;
        self
    }

    /// It ends requests that are aborted.
    #[must_use]
    pub const fn abort(mut self) -> Self {
        self.abort = true;
        self
    }

    /// It reports how a TLS connection ended.
    #[must_use]
    pub const fn tls_end(mut self) -> Self {
        self.tls_end = true;
        self
    }
}

/// The handler for a driver without sockets. A clone is another handle to the same handler.
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
