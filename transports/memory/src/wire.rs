//! The connection between the client and the handler: latency, order, and faults.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response};
use longshore_core::driver::{Body, End, Input, Keep, Key, NoAnswer, RequestId};
use longshore_core::{Digester, Instant};

use crate::handler::{BodyEnd, ExchangeId, Handler, Reply};
use crate::source::NoBytes;
use crate::{Choice, Driven, Fault, Order, Said, Simulation};

/// An event in the future.
pub(crate) struct Happening<K> {
    at: Instant,
    what: What<K>,
}

enum What<K> {
    /// A request reaches the handler.
    Arrives(Flight<K>),
    /// The end of its body reaches the handler.
    Closes(Flight<K>, ExchangeId, BodyEnd),
    /// An answer reaches the client.
    Answers(Flight<K>, Response<Bytes>),
    /// The client gets another input.
    Tells(Input<K>),
}

/// A request in flight.
#[derive(Clone)]
struct Flight<K> {
    ordinal: u64,
    id: RequestId,
    head: Parts,
    body: Body<K>,
    keep: Keep<K>,
    fault: Option<Fault>,
    /// Whether the client was told its result.
    is_told: bool,
}

/// What a handler did with a head and its body.
enum Taken {
    Answer(Reply),
    Open(ExchangeId, BodyEnd),
}

impl<K: Key, H: Handler> Simulation<K, H> {
    pub(crate) fn send(&mut self, id: RequestId, request: Request<Body<K>>, keep: Keep<K>) {
        self.requests += 1;
        let ordinal = self.requests;
        let fault = self.schedule.draw(ordinal);
        let (head, body) = request.into_parts();
        self.check_length(&head, &body);
        self.transcript.add(self.now, ordinal, Said::Asked { head: head.clone(), body: body.clone() });
        if let Some(fault) = fault.clone() {
            self.transcript.add(self.now, ordinal, Said::Meets(fault));
        }
        self.ordinals.insert(id, ordinal);
        let at = self.now + self.some_latency();
        let flight = Flight { ordinal, id, head, body, keep, fault, is_told: false };
        self.pending.push(Happening { at, what: What::Arrives(flight) });
    }

    pub(crate) fn abort(&mut self, id: RequestId) {
        let ordinal = self.ordinals.get(&id).copied().unwrap_or(0);
        self.transcript.add(self.now, ordinal, Said::Aborted);
        self.aborted.insert(id);
    }

    pub(crate) fn later(&mut self, input: Input<K>) {
        let at = self.now + self.some_latency();
        self.pending.push(Happening { at, what: What::Tells(input) });
    }

    /// The core sets every header, so the length that it states must be the body's.
    fn check_length(&self, head: &Parts, body: &Body<K>) {
        let stated =
            head.headers.get(CONTENT_LENGTH).map(|value| value.to_str().ok().and_then(|text| text.parse().ok()));
        if let (Some(stated), Some(len)) = (stated, body.len())
            && stated != Some(len)
        {
            self.stop(&format!("a request states {stated:?} as the length of {body:?}"));
        }
    }

    fn some_latency(&mut self) -> Duration {
        let spread = self.latency.end.saturating_sub(self.latency.start);
        let micros = u64::try_from(spread.as_micros()).unwrap_or(u64::MAX);
        self.latency.start + Duration::from_micros(self.random.below(micros))
    }

    /// Takes the next event, unless the client's deadline is before it.
    pub(crate) fn next_happening(&mut self, wake: Option<Instant>) -> Option<Happening<K>> {
        // An event that was requested after the others is sorted after them.
        self.pending.sort_by_key(|happening| if self.order == Order::Latency { happening.at } else { Instant::ZERO });
        let first = self.pending.first()?.at;
        if self.order == Order::Latency {
            if wake.is_some_and(|wake| wake < first) {
                return None;
            }
            self.now = self.now.max(first);
            return Some(self.pending.remove(0));
        }
        let of = self.pending.len();
        let chosen = self.order.choose(of, self.choices.len(), &mut self.random);
        self.choices.push(Choice { chosen, of });
        self.now = self.now + Duration::from_millis(1);
        Some(self.pending.remove(chosen))
    }

    pub(crate) fn happen(&mut self, happening: Happening<K>, client: &mut dyn Driven<K>) -> Option<Input<K>> {
        match happening.what {
            What::Tells(input) => Some(input),
            What::Arrives(flight) => self.arrive(flight, client),
            What::Closes(flight, exchange, how) => {
                let answer = self.handler.close(self.now, exchange, how);
                self.closed(flight, how, answer, client)
            }
            What::Answers(flight, answer) => self.answer(&flight, answer),
        }
    }

    fn arrive(&mut self, mut flight: Flight<K>, client: &mut dyn Driven<K>) -> Option<Input<K>> {
        // A request that was aborted may still reach the handler.
        if self.aborted.contains(&flight.id) && self.random.coin() {
            return None;
        }
        match flight.fault.clone() {
            Some(Fault::NotSent) => {
                return self.fail(&flight, NoAnswer::NotSent("nobody listens there".to_owned()));
            }
            Some(Fault::RequestLost) => return self.fail(&flight, lost()),
            Some(Fault::RequestLate(delay)) => {
                // Its bytes were sent already, even if the source fails now.
                match self.body(&mut flight, client) {
                    Ok(pieces) => flight.body = Body::Bytes(pieces.collect::<Vec<Bytes>>().concat().into()),
                    Err(why) => return self.fail(&flight, why),
                }
                let told = self.fail(&flight, lost());
                flight.fault = Some(Fault::AnswerLost);
                flight.is_told = true;
                let at = self.now + delay;
                self.pending.push(Happening { at, what: What::Arrives(flight) });
                return told;
            }
            Some(Fault::Status(status, retry_after)) => {
                let mut answer = Response::new(Bytes::new());
                *answer.status_mut() = status;
                if let Some(seconds) = retry_after {
                    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
                }
                return self.reply(flight, answer);
            }
            Some(Fault::Twice) => match self.take(&mut flight, client) {
                Ok(Taken::Open(exchange, how)) => drop(self.handler.close(self.now, exchange, how)),
                Ok(Taken::Answer(_)) => {}
                Err(why) => return self.fail(&flight, why),
            },
            _ => {}
        }
        match self.take(&mut flight, client) {
            Err(why) => self.fail(&flight, why),
            Ok(Taken::Answer(answer)) => self.closed(flight, BodyEnd::Complete, answer, client),
            // If the order is chosen, a request and its answer are one event.
            Ok(Taken::Open(exchange, how)) if self.order != Order::Latency || flight.body.is_empty() => {
                let answer = self.handler.close(self.now, exchange, how);
                self.closed(flight, how, answer, client)
            }
            Ok(Taken::Open(exchange, how)) => {
                let at = self.now + self.some_latency();
                self.pending.push(Happening { at, what: What::Closes(flight, exchange, how) });
                None
            }
        }
    }

    /// Hands a request's head and body to the handler.
    fn take(&mut self, flight: &mut Flight<K>, client: &mut dyn Driven<K>) -> Result<Taken, NoAnswer> {
        let body = self.body(flight, client)?;
        let mut left = if let Some(Fault::BodyCut(at)) = flight.fault { at } else { u64::MAX };
        self.last_id += 1;
        let exchange = ExchangeId(self.last_id);
        if let Some(answer) = self.handler.open(self.now, exchange, flight.head.clone()) {
            return Ok(Taken::Answer(answer));
        }
        for mut piece in body {
            piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            left = left.saturating_sub(piece.len() as u64);
            if !piece.is_empty()
                && let Some(answer) = self.handler.piece(self.now, exchange, piece)
            {
                return Ok(Taken::Answer(answer));
            }
        }
        let is_cut = matches!(flight.fault, Some(Fault::BodyCut(_)));
        Ok(Taken::Open(exchange, if is_cut { BodyEnd::Cut } else { BodyEnd::Complete }))
    }

    /// The bytes of a body, in pieces.
    fn body(
        &mut self,
        flight: &mut Flight<K>,
        client: &mut dyn Driven<K>,
    ) -> Result<Box<dyn Iterator<Item = Bytes>>, NoAnswer> {
        let sent = match &flight.body {
            Body::Empty => return Ok(Box::new(std::iter::empty())),
            Body::Bytes(bytes) => return Ok(Box::new(std::iter::once(bytes.clone()))),
            Body::Blob { key, range } => {
                let source = self.sources.get(key).ok_or_else(no_source)?;
                source.send(range)
            }
            Body::Rest { key, from } => {
                let (key, from) = (key.clone(), *from);
                let Some(operation) = self.reading.get(&key).copied() else {
                    self.stop("the client sends the rest of a blob that it did not read ahead in");
                };
                let source = self.sources.get_mut(&key).ok_or_else(no_source)?;
                let all = from..source.len();
                // The bytes that were read once are kept, in case they are delivered twice.
                flight.body = Body::Blob { key: key.clone(), range: all.clone() };
                source.read(operation, key, from, u64::MAX).and_then(|ended| {
                    client.handle(ended);
                    source.send(&all)
                })
            }
        };
        match sent {
            Ok(pieces) => Ok(Box::new(pieces)),
            Err(NoBytes::Source(why)) => Err(NoAnswer::Source(why)),
            Err(NoBytes::Contract(why)) => self.stop(&why),
        }
    }

    /// The handler has answered.
    fn closed(
        &mut self,
        mut flight: Flight<K>,
        how: BodyEnd,
        reply: Reply,
        client: &mut dyn Driven<K>,
    ) -> Option<Input<K>> {
        if how == BodyEnd::Complete
            && let Some(total) = flight.body.len()
        {
            client.handle(Input::Sent { id: flight.id, total });
        }
        // A fault of the connection takes precedence over one of the handler, but adds no answer that the handler does
        // not give.
        flight.fault = match flight.fault {
            Some(Fault::Twice) | None => reply.fault,
            Some(_) if reply.fault == Some(Fault::AnswerLost) => reply.fault,
            of_the_way => of_the_way,
        };
        match flight.fault {
            Some(Fault::AnswerLost | Fault::BodyCut(_)) => self.fail(&flight, lost()),
            _ => self.reply(flight, reply.answer),
        }
    }

    fn reply(&mut self, flight: Flight<K>, answer: Response<Bytes>) -> Option<Input<K>> {
        if self.order != Order::Latency {
            return self.answer(&flight, answer);
        }
        let slow = if let Some(Fault::Slow(slow)) = flight.fault { slow } else { Duration::ZERO };
        let at = self.now + self.some_latency() + slow;
        self.pending.push(Happening { at, what: What::Answers(flight, answer) });
        None
    }

    /// An answer reaches the client.
    fn answer(&mut self, flight: &Flight<K>, mut answer: Response<Bytes>) -> Option<Input<K>> {
        if self.aborted.contains(&flight.id) && self.random.coin() {
            return None;
        }
        if let Some(fault) = &flight.fault {
            fault.change(&mut answer);
        }
        if flight.head.method == Method::HEAD {
            answer.body_mut().clear();
        }
        let mut cut = false;
        if let Some(Fault::AnswerCut(at)) = flight.fault {
            if answer.body().is_empty() {
                return self.fail(flight, lost());
            }
            cut = true;
            answer.body_mut().truncate(at);
        }
        let end = self.keep(&flight.keep, &mut answer, cut);
        self.transcript.add(self.now, flight.ordinal, Said::Answered { answer: answer.clone(), end });
        Some(Input::Answered { id: flight.id, response: answer, end })
    }

    /// Applies the client's [`Keep`] to the body.
    fn keep(&mut self, keep: &Keep<K>, answer: &mut Response<Bytes>, cut: bool) -> End {
        let limit = match keep {
            Keep::UpTo(limit) => *limit,
            Keep::Into { key, algorithm, size, .. } if answer.status().is_success() => {
                let body = std::mem::take(answer.body_mut());
                let len = body.len() as u64;
                let mut digester = Digester::new(*algorithm);
                digester.update(&body);
                self.sinks.insert(key.clone(), body);
                return match size {
                    _ if cut => End::Cut,
                    Some(size) if len > *size => End::OverLimit,
                    _ => End::Poured { len, digest: digester.finish() },
                };
            }
            Keep::Into { if_error, .. } => *if_error,
        };
        if answer.body().len() > limit {
            answer.body_mut().truncate(limit);
            return End::OverLimit;
        }
        if cut { End::Cut } else { End::Complete }
    }

    fn fail(&mut self, flight: &Flight<K>, why: NoAnswer) -> Option<Input<K>> {
        if flight.is_told {
            return None;
        }
        self.transcript.add(self.now, flight.ordinal, Said::Failed(why.clone()));
        Some(Input::Failed { id: flight.id, why })
    }
}

fn lost() -> NoAnswer {
    NoAnswer::Lost("the other side closed the connection".to_owned())
}

fn no_source() -> NoAnswer {
    NoAnswer::Source("there is no such source".to_owned())
}
