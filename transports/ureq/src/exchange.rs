//! One request and its answer, in its own thread.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use ::http::{Request, Response};
use longshore_core::Target;
use longshore_core::driver::{Body, Input, Keep, Key, Limits, NoAnswer, RequestId};
use longshore_sources::source::BodyReader;
use longshore_sources::{IncomingAnswer, Sink, Source, SourceError};
use ureq::SendBody;

use crate::http::Http;
use crate::words;

/// How many bytes are sent between two reports of progress.
const REPORT: u64 = 256 * 1024;

/// One request, with everything that its thread needs.
pub(crate) struct Exchange<K> {
    pub(crate) id: RequestId,
    pub(crate) request: Request<Body<K>>,
    pub(crate) keep: Keep<K>,
    pub(crate) limits: Limits,
    /// The source of the body's blob, if it has one.
    pub(crate) source: Result<Source, SourceError>,
    /// The sink of the answer's body, if it has one.
    pub(crate) sink: Option<Sink>,
    pub(crate) http: Http,
    pub(crate) inputs: Sender<Input<K>>,
    pub(crate) is_aborted: Arc<AtomicBool>,
}

impl<K: Key + 'static> Exchange<K> {
    /// Sends the request, and returns the input for the core.
    pub(crate) fn run(self) -> Input<K> {
        let id = self.id;
        self.answer().unwrap_or_else(|why| Input::Failed { id, why })
    }

    fn answer(self) -> Result<Input<K>, NoAnswer> {
        let (head, body) = self.request.into_parts();
        let target = Target::parse(&head.uri.to_string()).map_err(|error| NoAnswer::Unsendable(error.to_string()))?;
        let agent = self.http.agent(target.origin(), &self.limits);
        let (reader, rest) = match body {
            Body::Empty => (None, None),
            Body::Bytes(bytes) => {
                let len = bytes.len() as u64;
                (Some(Source::bytes(bytes).open(0..len)?), None)
            }
            Body::Blob { range, .. } => (Some(self.source?.open(range)?), None),
            Body::Rest { key, from } => {
                let source = self.source?;
                (Some(source.rest(from)?), Some((source, key)))
            }
        };
        let (id, is_aborted, inputs) = (self.id, self.is_aborted, self.inputs);
        let mut outgoing =
            reader.map(|reader| Outgoing { id, reader, rest, inputs, is_aborted, sent: 0, told: 0, failed: None });
        let answered = match &mut outgoing {
            Some(outgoing) => agent.run(Request::from_parts(head, SendBody::from_reader(outgoing))),
            None => agent.run(Request::from_parts(head, SendBody::none())),
        };
        if let Some(why) = outgoing.and_then(|outgoing| outgoing.failed) {
            return Err(NoAnswer::Source(why));
        }
        let (head, body) = answered.map_err(|error| words::no_answer(&error, target.origin()))?.into_parts();
        let sink = self.sink;
        let answer = IncomingAnswer::new(id, Response::from_parts(head, ()), self.keep, self.limits, |_| sink)?;
        answer.read(body.into_reader(), None)
    }
}

/// The body of a request, as ureq reads it.
struct Outgoing<K> {
    id: RequestId,
    reader: BodyReader,
    /// The blob, if its end is not known and was not reported yet.
    rest: Option<(Source, K)>,
    inputs: Sender<Input<K>>,
    is_aborted: Arc<AtomicBool>,
    sent: u64,
    told: u64,
    failed: Option<String>,
}

impl<K> Outgoing<K> {
    /// Gives the core an input. If the driver was dropped, the input is not needed.
    fn tell(&self, input: Input<K>) {
        drop(self.inputs.send(input));
    }
}

impl<K> Read for Outgoing<K> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_aborted.load(Ordering::Relaxed) {
            return Err(io::Error::other("the request was given up"));
        }
        let len = self.reader.read(buffer).inspect_err(|error| self.failed = Some(error.to_string()))?;
        self.sent += len as u64;
        if len == 0
            && !buffer.is_empty()
            && let Some(ended) = self.rest.take().and_then(|(source, blob)| source.rest_ended(blob))
        {
            // The core is told the end before the registry can answer.
            self.tell(ended);
        }
        if self.sent - self.told >= REPORT || (self.reader.remaining() == Some(0) && self.sent > self.told) {
            self.told = self.sent;
            self.tell(Input::Sent { id: self.id, total: self.sent });
        }
        Ok(len)
    }
}
