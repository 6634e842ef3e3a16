//! The handler: what answers the requests.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{Request, Response};
use longshore_core::Instant;

use crate::Fault;

/// Identifies one delivery of a request to the [`Handler`]. A request that is delivered twice has two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub(crate) u64);

/// How the body of a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEnd {
    /// It is complete.
    Complete,
    /// The connection broke before its end.
    Cut,
}

/// A handler's answer, and a fault of that answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The answer.
    pub answer: Response<Bytes>,
    /// The fault of the answer: [`Fault::AnswerLost`], [`Fault::AnswerCut`] or [`Fault::Slow`].
    pub fault: Option<Fault>,
}

impl From<Response<Bytes>> for Reply {
    fn from(answer: Response<Bytes>) -> Self {
        Self { answer, fault: None }
    }
}

/// Answers requests. It receives the head first, then the body in pieces, then its end. Calls for other requests may
/// come between these.
///
/// An answer before the end of the body ends the exchange.
pub trait Handler {
    /// The head of a request. `None` asks for its body, which may be empty.
    fn open(&mut self, now: Instant, id: ExchangeId, head: Parts) -> Option<Reply>;

    /// The next bytes of a body. `None` asks for more.
    fn piece(&mut self, now: Instant, id: ExchangeId, bytes: Bytes) -> Option<Reply>;

    /// The end of a body. The answer to an incomplete body is dropped.
    fn close(&mut self, now: Instant, id: ExchangeId, how: BodyEnd) -> Reply;
}

/// A handler that receives each request with its whole body: a closure.
///
/// It does not receive a request whose body is incomplete.
#[derive(Debug)]
pub struct Whole<F> {
    answer: F,
    open: BTreeMap<ExchangeId, Request<BytesMut>>,
}

impl<F: FnMut(Instant, Request<Bytes>) -> Response<Bytes>> Whole<F> {
    /// A handler that calls `answer`.
    pub const fn new(answer: F) -> Self {
        Self { answer, open: BTreeMap::new() }
    }
}

impl<F: FnMut(Instant, Request<Bytes>) -> Response<Bytes>> Handler for Whole<F> {
    fn open(&mut self, _: Instant, id: ExchangeId, head: Parts) -> Option<Reply> {
        self.open.insert(id, Request::from_parts(head, BytesMut::new()));
        None
    }

    fn piece(&mut self, _: Instant, id: ExchangeId, bytes: Bytes) -> Option<Reply> {
        self.open.get_mut(&id)?.body_mut().extend_from_slice(&bytes);
        None
    }

    fn close(&mut self, now: Instant, id: ExchangeId, how: BodyEnd) -> Reply {
        match self.open.remove(&id) {
            Some(request) if how == BodyEnd::Complete => (self.answer)(now, request.map(BytesMut::freeze)).into(),
            _ => Response::new(Bytes::new()).into(),
        }
    }
}
