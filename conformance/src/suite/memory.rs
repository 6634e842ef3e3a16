//! A client for a mock registry in memory and in virtual time.

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

/// The virtual duration of an exchange.
const EXCHANGE: Duration = Duration::from_millis(1);

/// A [`RawClient`] that gives each request to a mock registry. Each request takes a millisecond of virtual time.
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

    /// The registry in its current state.
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
        let opened = inner.open(request)?;
        let taken = inner.take(opened);
        inner.close(taken)
    }

    /// All heads are sent first, then all bodies, then all ends, so that every request overlaps every other one.
    fn send_at_once(&self, requests: Vec<RawRequest>) -> Vec<Result<Response<Bytes>, NoAnswer>> {
        let mut inner = self.lock();
        inner.now = inner.now.after(EXCHANGE);
        let opened: Vec<_> = requests.into_iter().map(|request| inner.open(request)).collect();
        let taken: Vec<_> = opened.into_iter().map(|opened| opened.map(|opened| inner.take(opened))).collect();
        taken.into_iter().map(|taken| taken.and_then(|taken| inner.close(taken))).collect()
    }

    fn now(&self) -> Instant {
        self.lock().now
    }

    fn wait(&self, time: Duration) {
        let mut inner = self.lock();
        inner.now = inner.now.after(time);
    }
}

/// A request that is being sent.
struct Open {
    body: RawBody,
    body_limit: usize,
    state: Opened,
}

impl Inner {
    /// Sends the head of a request.
    fn open(&mut self, request: RawRequest) -> Result<Open, NoAnswer> {
        let body_limit = request.body_limit;
        let (head, body) = split(request)?;
        Ok(Open { body, body_limit, state: self.registry.open(self.now, head) })
    }

    /// Sends the body.
    fn take(&mut self, mut open: Open) -> Open {
        if let Opened::Body(id) = open.state
            && let Progress::Answer(answer) = self.registry.piece(id, open.body.bytes())
        {
            open.state = Opened::Answer(answer);
        }
        open
    }

    /// Ends the body, and returns the answer as it arrives.
    fn close(&mut self, open: Open) -> Result<Response<Bytes>, NoAnswer> {
        let is_cut = matches!(open.body, RawBody::Cut(_));
        let answer = match open.state {
            Opened::Answer(answer) => answer,
            Opened::Body(id) => {
                let end = if is_cut { BodyEnd::Cut } else { BodyEnd::Complete };
                self.registry.close(self.now, id, end)
            }
        };
        if is_cut {
            return Err(NoAnswer::Lost("the request was cut".to_owned()));
        }
        self.arrived(answer, open.body_limit)
    }

    fn arrived(&mut self, answer: Answer, body_limit: usize) -> Result<Response<Bytes>, NoAnswer> {
        if answer.delivery != Delivery::Whole {
            return Err(NoAnswer::Lost("the connection was closed before the end of the answer".to_owned()));
        }
        self.now = self.now.after(Duration::from_micros(answer.pace.delay(answer.body.len())));
        let response = self.registry.response(answer);
        match response.body().len() > body_limit {
            true => Err(NoAnswer::Lost(format!("the answer has more than {body_limit} bytes"))),
            false => Ok(response),
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
