//! The other side: whatever answers requests.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{Request, Response};
use longshore_core::Instant;

use crate::Fault;

/// One delivery of one request to the [`Handler`]. A request that is delivered twice has two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub(crate) u64);

/// How the body of a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEnd {
    /// It is whole.
    Complete,
    /// The connection broke before its end.
    Cut,
}

/// What a handler answers, and what it does to its answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The answer.
    pub answer: Response<Bytes>,
    /// What becomes of it on its way: [`Fault::AnswerLost`], [`Fault::AnswerCut`] or [`Fault::Slow`].
    pub fault: Option<Fault>,
}

impl From<Response<Bytes>> for Reply {
    fn from(answer: Response<Bytes>) -> Self {
        Self { answer, fault: None }
    }
}

/// Answers requests: their head comes first, then their body in pieces, then its end. Other requests may come in between.
///
/// An answer that is given before the body ended is the answer; the exchange is then over.
pub trait Handler {
    /// The head of a request. `None` asks for its body, which may be empty.
    fn open(&mut self, now: Instant, id: ExchangeId, head: Parts) -> Option<Reply>;

    /// The next bytes of a body. `None` asks for more.
    fn piece(&mut self, now: Instant, id: ExchangeId, bytes: Bytes) -> Option<Reply>;

    /// The end of a body. What is answered to a body that was cut reaches nobody.
    fn close(&mut self, now: Instant, id: ExchangeId, how: BodyEnd) -> Reply;
}

/// A handler that takes each request whole: a closure.
///
/// A request whose body was cut does not reach it.
#[derive(Debug)]
pub struct Whole<F> {
    answer: F,
    open: BTreeMap<ExchangeId, Request<BytesMut>>,
}

impl<F: FnMut(Instant, Request<Bytes>) -> Response<Bytes>> Whole<F> {
    /// A handler that asks `answer`.
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
