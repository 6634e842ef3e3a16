//! The mock registry as the other side of the suite: in memory and in virtual time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http::{Request, Response};
use longshore_core::Instant;
use longshore_core::driver::NoAnswer;
use longshore_mock_registry::{Answer, BodyEnd, Delivery, Opened, Progress, Registry};

use super::client::{RawBody, RawClient, RawRequest};

/// How long an exchange takes.
const EXCHANGE: Duration = Duration::from_millis(1);

/// A [`RawClient`] that hands each request to a mock registry. Each takes a millisecond of virtual time.
#[derive(Debug)]
pub struct InMemory {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    registry: Registry,
    now: Instant,
}

impl InMemory {
    /// Sends everything to this registry.
    #[must_use]
    pub const fn new(registry: Registry) -> Self {
        Self { inner: Mutex::new(Inner { registry, now: Instant::ZERO }) }
    }

    /// The registry as it is now.
    #[must_use]
    pub fn into_registry(self) -> Registry {
        self.inner.into_inner().unwrap_or_else(PoisonError::into_inner).registry
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RawClient for InMemory {
    fn send(&self, request: RawRequest) -> Result<Response<Bytes>, NoAnswer> {
        let mut inner = self.lock();
        inner.now = inner.now.after(EXCHANGE);
        let limit = request.body_limit;
        let (head, body) = split(request)?;
        let answer = inner.answer(head, &body);
        if matches!(body, RawBody::Cut(_)) {
            return Err(NoAnswer::Lost("the request was cut".to_owned()));
        }
        match answer.delivery {
            Delivery::Whole => {}
            Delivery::Lost | Delivery::CutAfter(_) => {
                return Err(NoAnswer::Lost("the connection was closed before the end of the answer".to_owned()));
            }
            Delivery::Late(micros) => inner.now = inner.now.after(Duration::from_micros(micros)),
        }
        let response = inner.registry.response(answer);
        if response.body().len() > limit {
            return Err(NoAnswer::Lost(format!("the answer has more than {limit} bytes")));
        }
        Ok(response)
    }

    fn now(&self) -> Instant {
        self.lock().now
    }

    fn wait(&self, time: Duration) {
        let mut inner = self.lock();
        inner.now = inner.now.after(time);
    }
}

impl Inner {
    fn answer(&mut self, head: Parts, body: &RawBody) -> Answer {
        let end = if matches!(body, RawBody::Cut(_)) { BodyEnd::Cut } else { BodyEnd::Complete };
        match self.registry.open(self.now, head) {
            Opened::Answer(answer) => answer,
            Opened::Body(id) => match self.registry.piece(id, body.bytes()) {
                Progress::Answer(answer) => answer,
                Progress::More => self.registry.close(self.now, id, end),
            },
        }
    }
}

fn split(request: RawRequest) -> Result<(Parts, RawBody), NoAnswer> {
    let unsendable = |why: String| NoAnswer::Unsendable(why);
    let uri = request.target.uri().map_err(|error| unsendable(error.to_string()))?;
    let host = HeaderValue::try_from(request.target.origin().authority());
    let (mut head, ()) = Request::new(()).into_parts();
    head.method = request.method;
    head.uri = uri;
    head.headers = request.headers;
    head.headers.insert(HOST, host.map_err(|error| unsendable(error.to_string()))?);
    if matches!(request.body, RawBody::Chunked(_)) {
        head.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    Ok((head, request.body))
}
