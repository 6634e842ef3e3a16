//! A request in three steps: the head, the body in pieces, the end.

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use thiserror::Error;

use crate::Instant;
use crate::answer::{Answer, Delivery};
use crate::fault::{FaultEffect, changed, delivered};
use crate::judge::JudgedRequest;
use crate::progress::{BodyEnd, Opened, PendingRequest, Progress, Receiver, Repetition, RequestId, Step};
use crate::refusal::{Code, Refusal};
use crate::registry::Registry;
use crate::request::ParsedRequest;

/// The length in bytes of the longest body that a fault can deliver twice.
const REPEATED: usize = 16 << 20;

/// An answer that did not arrive completely because of a fault.
#[derive(Debug, Error)]
#[error("the answer did not arrive whole: {delivery:?}")]
#[non_exhaustive]
pub struct Undelivered {
    /// How the answer was delivered.
    pub delivery: Delivery,
    /// The part that arrived: the head, and the bytes of the body before the cut.
    pub arrived: Option<Response<Bytes>>,
}

impl Registry {
    /// Takes the head of a request.
    pub fn open(&mut self, now: Instant, head: Parts) -> Opened {
        self.advance(now);
        let method = head.method.clone();
        let mut request = match self.parse(head) {
            Ok(request) => request,
            Err(refusal) => return Opened::Answer(self.sent(&method, self.refused(None, refusal))),
        };
        self.asked_at.clone_from(&request.asked_at);
        self.requests += 1;
        let judged = JudgedRequest::of(self.requests, &request);
        let (effect, early) = self.strike(&request, &judged);
        if let Some(answer) = early {
            return Opened::Answer(delivered(self.sent(&method, answer), &effect));
        }
        self.judge_head(&judged, &request);
        let begun = self.check_origin(&request).and_then(|()| {
            request.caller = self.authorize(&request, effect.token_expired)?;
            self.begin(&request, &effect)
        });
        let done = match begun {
            Ok(Step::Answer(answer)) if !effect.twice => Ok(answer),
            Ok(Step::Answer(_)) => self.repeat(&request, &Bytes::new(), &effect, &judged),
            Ok(Step::Receive(receiver)) => {
                let id = RequestId(self.requests);
                let good_until = request.caller.good_until;
                let asked_at = request.asked_at.clone();
                let repetition =
                    effect.twice.then(|| Box::new(Repetition { request, body: BytesMut::new(), is_whole: true }));
                let pending =
                    PendingRequest { judged, effect, received: 0, receiver, good_until, asked_at, repetition };
                self.pending.insert(id, pending);
                return Opened::Body(id);
            }
            Err(refusal) => Err(refusal),
        };
        Opened::Answer(self.leave(&judged, done, &effect))
    }

    /// Takes the next piece of a body.
    pub fn piece(&mut self, id: RequestId, bytes: &Bytes) -> Progress {
        let Some(mut pending) = self.pending.remove(&id) else { return Progress::Answer(self.over()) };
        self.asked_at.clone_from(&pending.asked_at);
        let allowed = pending.effect.body_cut.unwrap_or(u64::MAX).saturating_sub(pending.received);
        let taken = bytes.slice(..bytes.len().min(usize::try_from(allowed).unwrap_or(usize::MAX)));
        pending.received = pending.received.saturating_add(taken.len() as u64);
        if let Some(repetition) = &mut pending.repetition {
            repetition.add(&taken);
        }
        if let Err(refusal) = self.take(&mut pending.receiver, &taken) {
            return Progress::Answer(self.leave(&pending.judged, Err(refusal), &pending.effect));
        }
        if taken.len() < bytes.len() {
            return Progress::Answer(self.end(pending, BodyEnd::Cut));
        }
        self.pending.insert(id, pending);
        Progress::More
    }

    /// Ends a body, and returns the answer. The answer to a body that was cut cannot reach the client: it is the answer
    /// that the registry would send.
    pub fn close(&mut self, now: Instant, id: RequestId, how: BodyEnd) -> Answer {
        self.advance(now);
        match self.pending.remove(&id) {
            Some(pending) => {
                self.asked_at.clone_from(&pending.asked_at);
                self.end(pending, how)
            }
            None => self.over(),
        }
    }

    /// The number of bytes a second at which the body of a request is to be received, if a fault limits it. The server
    /// or the test that delivers the request carries this out.
    #[must_use]
    pub fn body_rate(&self, id: RequestId) -> Option<u64> {
        self.pending.get(&id)?.effect.request_rate
    }

    /// Makes all three steps, for a request and an answer that fit in memory.
    ///
    /// # Errors
    /// If a fault prevents that the answer arrives completely.
    pub fn answer(&mut self, now: Instant, request: Request<Bytes>) -> Result<Response<Bytes>, Undelivered> {
        let (head, body) = request.into_parts();
        let answer = match self.open(now, head) {
            Opened::Answer(answer) => answer,
            Opened::Body(id) => match self.piece(id, &body) {
                Progress::Answer(answer) => answer,
                Progress::More => self.close(now, id, BodyEnd::Complete),
            },
        };
        let delivery = answer.delivery;
        match delivery {
            Delivery::Whole => Ok(self.response(answer)),
            Delivery::CutAfter(bytes) => {
                let arrived = self.response(answer);
                let len = arrived.body().len().min(usize::try_from(bytes).unwrap_or(usize::MAX));
                Err(Undelivered { delivery, arrived: Some(arrived.map(|body| body.slice(..len))) })
            }
            Delivery::NotSent | Delivery::Lost | Delivery::Reset | Delivery::HeadCut(_) | Delivery::Garbage => {
                Err(Undelivered { delivery, arrived: None })
            }
        }
    }

    /// An answer with its body read into memory, regardless of its delivery.
    #[must_use]
    pub fn response(&self, answer: Answer) -> Response<Bytes> {
        let (status, headers, body) = (answer.status, answer.headers, self.read(&answer.body));
        let mut response = Response::new(body.unwrap_or_default());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }

    fn begin(&mut self, request: &ParsedRequest, effect: &FaultEffect) -> Result<Step, Refusal> {
        if self.pending.len() >= self.options.limits.pending {
            let message = "too many requests are on their way in";
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, Code::TooManyRequests, message));
        }
        self.check_hidden(request, effect)?;
        self.dispatch(request, effect)
    }

    fn take(&mut self, receiver: &mut Receiver, bytes: &Bytes) -> Result<(), Refusal> {
        match receiver {
            Receiver::Upload(writing) => self.take_upload(writing, bytes),
            Receiver::Manifest(receiving) => self.take_manifest(receiving, bytes),
            Receiver::Token(asking) => asking.take(bytes),
        }
    }

    fn finish(
        &mut self,
        receiver: Receiver,
        how: BodyEnd,
        effect: &FaultEffect,
        judged: &mut JudgedRequest,
    ) -> Result<Answer, Refusal> {
        match receiver {
            Receiver::Upload(writing) => self.finish_upload(&writing, how),
            Receiver::Manifest(receiving) => self.finish_manifest(receiving, how, effect.blobs_hidden, judged),
            Receiver::Token(asking) => self.finish_token(&asking, how),
        }
    }

    /// Handles the same request a second time, without judging it.
    fn repeat(
        &mut self,
        request: &ParsedRequest,
        body: &Bytes,
        effect: &FaultEffect,
        judged: &JudgedRequest,
    ) -> Result<Answer, Refusal> {
        let breaches = self.judge.breaches.len();
        let done = match self.begin(request, effect)? {
            Step::Answer(answer) => Ok(answer),
            Step::Receive(mut receiver) => self
                .take(&mut receiver, body)
                .and_then(|()| self.finish(receiver, BodyEnd::Complete, effect, &mut judged.clone())),
        };
        self.judge.breaches.truncate(breaches);
        done
    }

    fn end(&mut self, pending: PendingRequest, how: BodyEnd) -> Answer {
        let PendingRequest { mut judged, mut effect, receiver, good_until, repetition, .. } = pending;
        let late = self.options.behaviour.auth.checked_at_end && good_until.is_some_and(|until| until <= self.now);
        let how = if late { BodyEnd::Cut } else { how };
        if effect.body_cut.is_some() {
            // The body ended before the cut: all bytes arrived, and then the connection was lost.
            effect.delivery = Delivery::Lost;
        }
        let mut done = self.finish(receiver, how, &effect, &mut judged);
        if late {
            done = Err(self.ended_too_late());
        } else if let Some(repetition) = repetition.filter(|repetition| repetition.is_whole && how == BodyEnd::Complete)
        {
            done = self.repeat(&repetition.request, &repetition.body.freeze(), &effect, &judged);
        }
        self.leave(&judged, done, &effect)
    }

    /// Completes an answer, and applies the fault.
    fn leave(&mut self, judged: &JudgedRequest, done: Result<Answer, Refusal>, effect: &FaultEffect) -> Answer {
        let answer = done.unwrap_or_else(|refusal| self.refused(judged.row, refusal));
        let answer = delivered(self.sent(&judged.method, changed(answer, effect)), effect);
        self.learn(judged, &answer);
        answer
    }

    /// The answer to a caller that continues a request that has ended.
    fn over(&self) -> Answer {
        self.refused(None, Refusal::bad_request(Code::Unknown, "this request is over"))
    }
}

impl Repetition {
    fn add(&mut self, bytes: &Bytes) {
        self.is_whole &= self.body.len() + bytes.len() <= REPEATED;
        if self.is_whole {
            self.body.extend_from_slice(bytes);
        }
    }
}
