//! One request and its answer, in a thread of its own.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use ::http::{Request, Response};
use bytes::Bytes;
use longshore_core::Target;
use longshore_core::driver::{Body, Collector, End, Input, Keep, Key, Limits, NoAnswer, OperationId, RequestId};
use longshore_sources::source::BodyReader;
use longshore_sources::{Sink, Source, SourceError};
use ureq::SendBody;

use crate::http::Http;
use crate::words;

/// How many bytes pass between two reports of progress.
const REPORT: u64 = 256 * 1024;

/// How many bytes of an answer are read at once.
const PIECE: usize = 64 * 1024;

/// One request, with all that its thread needs.
pub(crate) struct Exchange<K> {
    pub(crate) id: RequestId,
    pub(crate) request: Request<Body<K>>,
    pub(crate) keep: Keep<K>,
    pub(crate) limits: Limits,
    /// Where the bytes of the body's blob come from, where it has one.
    pub(crate) source: Result<Source, SourceError>,
    /// The operation whose blob the body is, where the end of the blob is to be told.
    pub(crate) operation: Option<OperationId>,
    /// Where the answer's body goes, where it goes anywhere.
    pub(crate) sink: Option<Sink>,
    pub(crate) http: Http,
    pub(crate) inputs: Sender<Input<K>>,
    pub(crate) is_aborted: Arc<AtomicBool>,
}

impl<K: Key + 'static> Exchange<K> {
    /// Makes the request, and gives what the core is to be told of it.
    pub(crate) fn run(self) -> Input<K> {
        let id = self.id;
        match self.answer() {
            Ok((response, end)) => Input::Answered { id, response, end },
            Err(why) => Input::Failed { id, why },
        }
    }

    fn answer(self) -> Result<(Response<Bytes>, End), NoAnswer> {
        let (head, body) = self.request.into_parts();
        let target = Target::parse(&head.uri.to_string()).map_err(|error| NoAnswer::Unsendable(error.to_string()))?;
        let agent = self.http.agent(target.origin(), &self.limits);
        let source = |error: SourceError| NoAnswer::Source(error.to_string());
        let (reader, rest) = match body {
            Body::Empty => (None, None),
            Body::Bytes(bytes) => {
                let len = bytes.len() as u64;
                (Some(Source::bytes(bytes).open(0..len).map_err(source)?), None)
            }
            Body::Blob { range, .. } => (Some(self.source.and_then(|it| it.open(range)).map_err(source)?), None),
            Body::Rest { key, from } => {
                (Some(self.source.and_then(|it| it.rest(from)).map_err(source)?), self.operation.zip(Some(key)))
            }
        };
        let (is_aborted, inputs) = (self.is_aborted, self.inputs);
        let mut outgoing = reader.map(|reader| Outgoing {
            id: self.id,
            reader,
            rest,
            inputs,
            is_aborted,
            sent: 0,
            told: 0,
            failed: None,
        });
        let answered = match &mut outgoing {
            Some(outgoing) => agent.run(Request::from_parts(head, SendBody::from_reader(outgoing))),
            None => agent.run(Request::from_parts(head, SendBody::none())),
        };
        if let Some(why) = outgoing.and_then(|outgoing| outgoing.failed) {
            return Err(NoAnswer::Source(why));
        }
        let (head, body) = answered.map_err(|error| words::no_answer(&error, target.origin()))?.into_parts();
        let mut collector = Collector::new(self.keep, self.limits);
        let mut writer = None;
        if collector.head(Response::from_parts(head, ()))?.is_some() {
            let sink = self.sink.ok_or_else(no_sink)?;
            writer = Some(sink.open().map_err(|error| NoAnswer::Sink(error.to_string()))?);
        }
        let is_whole = receive(&mut body.into_reader(), &mut collector, writer)?;
        Ok(collector.finish(is_whole))
    }
}

/// The body of a request, as ureq reads it.
struct Outgoing<K> {
    id: RequestId,
    reader: BodyReader,
    /// The blob and its operation, where its end is not known beforehand and was not told yet.
    rest: Option<(OperationId, K)>,
    inputs: Sender<Input<K>>,
    is_aborted: Arc<AtomicBool>,
    sent: u64,
    told: u64,
    failed: Option<String>,
}

impl<K> Outgoing<K> {
    /// Tells the core. Where it has gone away, nobody wants to know.
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
            && let Some(((operation, blob), ended)) = self.rest.take().zip(self.reader.ended())
        {
            // The core hears of the end before the registry can answer.
            self.tell(Input::Ended { operation, blob, len: ended.len, digest: ended.digest });
        }
        if self.sent - self.told >= REPORT || (self.reader.remaining() == Some(0) && self.sent > self.told) {
            self.told = self.sent;
            self.tell(Input::Sent { id: self.id, total: self.sent });
        }
        Ok(len)
    }
}

/// Reads the body of an answer as far as it is wanted, into its sink where it has one. Whether its end was seen.
fn receive<K: Clone>(
    reader: &mut impl Read,
    collector: &mut Collector<K>,
    mut sink: Option<Box<dyn Write + Send>>,
) -> Result<bool, NoAnswer> {
    let failed = |error: io::Error| NoAnswer::Sink(error.to_string());
    let mut buffer = vec![0; PIECE];
    loop {
        let piece = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => &buffer[..read],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return Ok(false),
        };
        if !collector.take(piece) {
            return Ok(false);
        }
        if let Some(sink) = &mut sink {
            sink.write_all(piece).map_err(failed)?;
        }
    }
    if let Some(sink) = &mut sink {
        sink.flush().map_err(failed)?;
    }
    Ok(true)
}

fn no_sink() -> NoAnswer {
    NoAnswer::Sink("no sink was given for this blob: add one before it is pulled".to_owned())
}
