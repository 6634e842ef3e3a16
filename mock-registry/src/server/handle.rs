//! Answers the requests of one connection.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::Body as _;
use hyper::body::Incoming;

use super::body::{self, Outgoing};
use super::connection::ConnectionState;
use super::connections::{Connections, InFlight};
use super::hosts::{Hosts, Turned};

use super::log::Recorder;
use super::record::{Before, RequestRecord};
use super::{HEALTH, Shared};
use crate::refusal::{Code, Refusal};
use crate::{Answer, Body, BodyEnd, Delivery, Opened, Progress, RequestId, Row};

/// The number of bytes that are read of a body that is no longer needed, so that a client reads the answer before the
/// connection ends.
const DRAIN: u64 = 16 << 20;

/// The handler of requests.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) shared: Shared,
    pub(super) connections: Arc<Connections>,
    pub(super) hosts: Arc<Hosts>,
}

/// A request that gets no answer because of a fault.
#[derive(Debug)]
pub(super) struct Aborted(Option<h2::Error>);

impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is closed on purpose")
    }
}

impl Error for Aborted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // For HTTP/2, the source decides the code with which the stream is reset.
        self.0.as_ref().map(|error| error as &(dyn Error + 'static))
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Outgoing>, Aborted>> + Send>>;

impl Service {
    /// The handler for one connection.
    pub(super) fn on(
        &self,
        state: Arc<ConnectionState>,
    ) -> impl hyper::service::Service<Request<Incoming>, Response = Response<Outgoing>, Error = Aborted, Future = Answering>
    {
        let service = self.clone();
        hyper::service::service_fn(move |request| -> Answering {
            let (service, state) = (service.clone(), Arc::clone(&state));
            Box::pin(async move { service.handle(&state, request).await })
        })
    }

    /// Records bytes that were refused before they were a request.
    pub(super) fn refused(&self, state: &ConnectionState, error: &(dyn Error + 'static)) {
        let parsed = error.downcast_ref::<hyper::Error>().filter(|error| error.is_parse());
        if let Some(why) = state.refusal().map(str::to_owned).or(parsed.map(ToString::to_string)) {
            self.recorder().write(RequestRecord::refused(why));
        }
    }

    fn recorder(&self) -> &Recorder {
        &self.shared.recorder
    }

    /// Answers one request.
    async fn handle(
        &self,
        state: &Arc<ConnectionState>,
        request: Request<Incoming>,
    ) -> Result<Response<Outgoing>, Aborted> {
        let in_flight = InFlight::begin(&self.connections, state, self.shared.start);
        let (head, body) = request.into_parts();
        let version = head.version;
        let mut record = self.recorder().records().then(|| RequestRecord::of(&head, self.recorder().with_headers()));
        let answer = match self.hosts.check(&head) {
            Err(turned) => {
                if let Some(record) = &mut record {
                    record.refused = Some(turned.why.to_owned());
                }
                drain(body);
                Ok(turned_away(turned))
            }
            Ok(()) if head.uri.path() == HEALTH => {
                drain(body);
                Ok(health(&head))
            }
            Ok(()) => self.ask(head, body, &mut record).await,
        };
        let Ok(answer) = answer else { return Ok(failed("the registry failed").during(in_flight)) };
        if let Some(mut record) = record {
            record.answered(&answer);
            self.recorder().write(record);
        }
        self.deliver(state, version, answer, in_flight).await
    }

    /// Gives a request to the registry.
    async fn ask(&self, head: Parts, body: Incoming, record: &mut Option<RequestRecord>) -> Result<Answer, StatusCode> {
        if head.headers.contains_key(header::AUTHORIZATION) {
            let headers = head.headers.clone();
            let verified = self.shared.verify(|registry| registry.unverified_head(&headers)).await;
            if let Err(status) = verified {
                return Ok(too_many_checks(status));
            }
        }
        let is_token = head.uri.path() == "/token";
        let mut own = record.take();
        let (opened, own) = self
            .shared
            .call(move |registry, now| {
                let before = Before::of(registry);
                let opened = registry.open(now, head);
                if let Some(record) = &mut own {
                    record.opened(registry, &before);
                    record.judged(registry);
                }
                (opened, own)
            })
            .await?;
        *record = own;
        match opened {
            Opened::Answer(answer) => {
                drain(body);
                Ok(answer)
            }
            Opened::Body(id) => self.receive(id, body, is_token, record).await,
        }
    }

    /// Gives a body to the registry, and returns the registry's answer.
    async fn receive(
        &self,
        id: RequestId,
        mut body: Incoming,
        is_token: bool,
        record: &mut Option<RequestRecord>,
    ) -> Result<Answer, StatusCode> {
        let unfinished = Unfinished { shared: &self.shared, id: Some(id) };
        let rate =
            if self.shared.lock().options.faults.rules.is_empty() { None } else { self.shared.lock().body_rate(id) };
        let mut received = 0;
        let how = loop {
            match body::next(&mut body).await {
                None => break BodyEnd::Complete,
                Some(Err(_)) => break BodyEnd::Cut,
                Some(Ok(bytes)) => {
                    received += bytes.len() as u64;
                    if let Some(rate) = rate {
                        tokio::time::sleep(Duration::from_secs_f64(bytes.len() as f64 / rate.max(1) as f64)).await;
                    }
                    if let Progress::Answer(answer) =
                        self.shared.call(move |registry, _| registry.piece(id, &bytes)).await?
                    {
                        unfinished.defuse();
                        drain(body);
                        self.judged(record, received);
                        return Ok(answer);
                    }
                }
            }
        };
        if is_token && let Err(status) = self.shared.verify(|registry| registry.unverified_form(id)).await {
            return Ok(too_many_checks(status));
        }
        unfinished.defuse();
        let answer = self.shared.call(move |registry, now| registry.close(now, id, how)).await?;
        self.judged(record, received);
        Ok(answer)
    }

    fn judged(&self, record: &mut Option<RequestRecord>, received: u64) {
        if let Some(record) = record {
            record.received = received;
            record.judged(&self.shared.lock());
        }
    }

    /// Delivers an answer with its faults.
    async fn deliver(
        &self,
        state: &Arc<ConnectionState>,
        version: Version,
        answer: Answer,
        in_flight: InFlight,
    ) -> Result<Response<Outgoing>, Aborted> {
        let Answer { status, headers, body, delivery, pace, .. } = answer;
        if pace.late > 0 {
            tokio::time::sleep(Duration::from_micros(pace.late)).await;
        }
        match delivery {
            Delivery::Whole | Delivery::CutAfter(_) => {}
            Delivery::NotSent => return Err(Aborted(Some(h2::Reason::REFUSED_STREAM.into()))),
            Delivery::Lost => return Err(Aborted(None)),
            Delivery::Reset => {
                state.reset();
                std::future::pending::<()>().await;
            }
            Delivery::HeadCut(bytes) => state.cut_output(bytes.min(shortest_head(version, &headers))),
            Delivery::Garbage => state.garble_output(),
        }
        let mut outgoing = match body {
            Body::Bytes(bytes) => Outgoing::bytes(bytes),
            Body::Spaces(count) => Outgoing::spaces(count),
            Body::Blob { digest, range } => {
                let near = self.shared.is_near();
                match self.shared.call(move |registry, _| registry.blob_bytes(&digest)).await {
                    Ok(Ok(blob)) if near => Outgoing::near(blob, &range),
                    Ok(Ok(blob)) => Outgoing::far(blob, range),
                    Ok(Err(error)) => return Ok(failed(&error.to_string()).during(in_flight)),
                    Err(_) => return Ok(failed("the registry failed").during(in_flight)),
                }
            }
        };
        if let Delivery::CutAfter(bytes) = delivery {
            outgoing = outgoing.cut_after(bytes);
        }
        if let Some(rate) = pace.rate {
            outgoing = outgoing.paced(rate);
        }
        let mut response = Response::new(outgoing.during(in_flight));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// Reads the rest of a body that is no longer needed, up to a limit, while the answer is sent.
fn drain(mut body: Incoming) {
    let empty = body.is_end_stream()
        || matches!(pin!(body::next(&mut body)).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(None));
    if empty {
        return;
    }
    tokio::spawn(async move {
        let mut taken = 0;
        while let Some(Ok(bytes)) = body::next(&mut body).await {
            taken += bytes.len() as u64;
            if taken > DRAIN {
                return;
            }
        }
    });
}

/// A request whose client may disconnect at any `await`. If that happens, the registry gets a cut body.
struct Unfinished<'a> {
    shared: &'a Shared,
    id: Option<RequestId>,
}

impl Unfinished<'_> {
    fn defuse(mut self) {
        self.id = None;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let now = self.shared.now();
            self.shared.lock().close(now, id, BodyEnd::Cut);
        }
    }
}

/// A lower bound of the length of an answer's head: a cut before it is inside the head.
fn shortest_head(version: Version, headers: &http::HeaderMap) -> u64 {
    if version == Version::HTTP_2 {
        // One byte less than a frame header.
        return 8;
    }
    let fields: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    ("HTTP/1.1 200 \r\n".len() + fields) as u64
}

fn turned_away(turned: Turned) -> Answer {
    let code = if turned.status == StatusCode::FORBIDDEN { Code::Denied } else { Code::Unsupported };
    Refusal::new(turned.status, code, turned.why).into_answer(None, crate::behaviour::ErrorBody::Spec)
}

fn too_many_checks(status: StatusCode) -> Answer {
    let refusal = Refusal::new(status, Code::TooManyRequests, "too many passwords wait to be checked");
    refusal.header(header::RETRY_AFTER, "1").into_answer(Row::FetchToken, crate::behaviour::ErrorBody::Spec)
}

fn health(head: &Parts) -> Answer {
    let answer = Answer::new(None, StatusCode::OK).body("application/json", Body::Bytes("{\"status\":\"ok\"}".into()));
    if head.method == Method::HEAD { answer.without_body() } else { answer }
}

/// The error of a blob that is in the records and that the storage cannot read.
fn failed(why: &str) -> Failed {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    Failed(response, Bytes::from(why.to_owned()))
}

struct Failed(Response<()>, Bytes);

impl Failed {
    fn during(self, in_flight: InFlight) -> Response<Outgoing> {
        let body = Outgoing::bytes(self.1).during(in_flight);
        self.0.map(|()| body)
    }
}
