//! A driver for every HTTP stack that blocks and sends one request at a time.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::thread;
use std::time::Duration;

use longshore_core::auth::Credentials;
use longshore_core::driver::{AskFailed, Body, Input, Keep, Key, Limits, NoAnswer, OperationId, Output, RequestId};
use longshore_core::http::{Method, Request, Response, header};
use longshore_core::{Client, Event, Failure, Instant, Operation, Options, Receipt, Registry, Repository};

use crate::incoming::IncomingAnswer;
use crate::sink::Sink;
use crate::source::{BodyReader, Sources};

/// Drives a [`Client`] over a stack that blocks and sends one request at a time. The stack is one function.
///
/// The function sends the request and returns the head of the final answer, with a reader of its body:
///
/// * It sends the method, the path and the query, and the headers as they are, and adds only `Host`, `Connection` and
///   the framing. It follows no redirect and retries nothing.
/// * It sends all bytes of the [`BodyReader`]. If there are any and the request has no `Content-Length`, their number is
///   not known: the body is chunked. If the reader fails, the request must not look complete: close the connection, and
///   return any error.
/// * It applies [`Limits::connect`] and [`Limits::silence`], and does not read a head that is larger than the limits.
/// * Its reader removes the chunks. It may end early or run on: the driver checks `Content-Length`, and reads the
///   answers that have no body as such.
/// * Its errors are [`NoAnswer::NotSent`], [`NoAnswer::Untrusted`], [`NoAnswer::Unsendable`] and [`NoAnswer::Lost`].
///
/// ```
/// use std::io::{Cursor, Read};
///
/// use longshore_core::driver::{Limits, NoAnswer};
/// use longshore_core::http::{Request, Response};
/// use longshore_core::{Operation, Options, Receipt};
/// use longshore_sources::SerialDriver;
/// use longshore_sources::source::BodyReader;
///
/// /// Your HTTP stack.
/// fn send(request: Request<BodyReader>, _limits: Limits) -> Result<Response<impl Read>, NoAnswer> {
///     assert_eq!(request.uri().path(), "/v2/a/tags/list");
///     let answer = Response::builder().header("content-type", "application/json");
///     answer.body(Cursor::new(r#"{"name":"a","tags":["v1"]}"#)).map_err(|error| NoAnswer::Lost(error.to_string()))
/// }
///
/// let list = Operation::ListTags { registry: "registry.example".parse()?, repository: "a".parse()? };
/// let mut driver = SerialDriver::<u32, _>::new(Options::default(), send);
/// let results = driver.run([list]);
/// assert!(matches!(&results[..], [Ok(Receipt::Tags(tags))] if tags[0].as_str() == "v1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SerialDriver<K, S> {
    client: Client<K>,
    send: S,
    sources: Sources<K>,
    sinks: BTreeMap<K, Sink>,
    credentials: Box<LookUp>,
    on_event: Box<dyn FnMut(Event<K>)>,
    /// How long the cleanup may take.
    grace: Duration,
    began: std::time::Instant,
}

type LookUp = dyn FnMut(&Registry, Option<&Repository>, bool) -> Result<Option<Credentials>, AskFailed>;

impl<K: Key, S, B> SerialDriver<K, S>
where
    S: FnMut(Request<BodyReader>, Limits) -> Result<Response<B>, NoAnswer>,
    B: Read,
{
    /// A driver over the function that sends a request, for a new client with these options.
    #[must_use]
    pub fn new(options: Options, send: S) -> Self {
        Self {
            grace: options.grace,
            client: Client::new(options),
            send,
            sources: Sources::new(),
            sinks: BTreeMap::new(),
            credentials: Box::new(|_, _, _| Ok(None)),
            on_event: Box::new(|_| {}),
            began: std::time::Instant::now(),
        }
    }

    /// Adds the sources of the blobs that are sent.
    #[must_use]
    pub fn sources(mut self, sources: impl IntoIterator<Item = (K, crate::Source)>) -> Self {
        self.sources.extend(sources);
        self
    }

    /// Adds the sinks of the blobs that are pulled.
    #[must_use]
    pub fn sinks(mut self, sinks: impl IntoIterator<Item = (K, Sink)>) -> Self {
        self.sinks.extend(sinks);
        self
    }

    /// Sets the function that looks up credentials. The flag states whether the credentials that it returned before
    /// were refused.
    #[must_use]
    pub fn credentials(
        mut self,
        look_up: impl FnMut(&Registry, Option<&Repository>, bool) -> Result<Option<Credentials>, AskFailed> + 'static,
    ) -> Self {
        self.credentials = Box::new(look_up);
        self
    }

    /// Sets the function that is called for each event.
    #[must_use]
    pub fn on_event(mut self, on_event: impl FnMut(Event<K>) + 'static) -> Self {
        self.on_event = Box::new(on_event);
        self
    }

    /// The client, to save what it has learned about a registry, or to give it what another one has.
    pub const fn client(&mut self) -> &mut Client<K> {
        &mut self.client
    }

    /// Runs operations to their end, and returns their results in the same order. The cleanup that follows takes at
    /// most [`Options::grace`], and the request that is sent at that time.
    ///
    /// A push that was left [open](longshore_core::Push::open) is cancelled as soon as everything that it has is sent,
    /// because nobody can add to it.
    pub fn run(
        &mut self,
        operations: impl IntoIterator<Item: Into<Operation<K>>>,
    ) -> Vec<Result<Receipt<K>, Box<Failure>>> {
        let started: Vec<OperationId> = operations.into_iter().map(|it| self.client.start(it)).collect();
        let (mut results, mut end) = (BTreeMap::new(), None);
        loop {
            let now = Instant::ZERO + self.began.elapsed();
            let is_done = results.len() == started.len();
            if is_done && now >= *end.get_or_insert(now + self.grace) {
                break;
            }
            match self.client.poll(now) {
                Output::Send { id, request, keep, limits } => {
                    let input = self.exchange(id, request, keep, limits);
                    self.client.handle(input.unwrap_or_else(|why| Input::Failed { id, why }));
                }
                Output::Read { operation, blob, from, up_to } => {
                    self.client.handle(self.sources.answer_read(operation, blob, from, up_to));
                }
                Output::Ask { id, registry, repository, stale } => {
                    let answer = (self.credentials)(&registry, repository.as_ref(), stale);
                    self.client.handle(Input::Credentials { id, answer });
                }
                Output::Event(event) => (self.on_event)(event),
                Output::Done { operation, result } => drop(results.insert(operation, result)),
                // Nothing is in flight between two requests.
                Output::Abort { .. } => {}
                Output::Wait(Some(deadline)) => {
                    let moment = end.map_or(deadline.at, |end| deadline.at.min(end));
                    thread::sleep(moment.since(now));
                }
                Output::Wait(None) if is_done => break,
                Output::Wait(None) => started.iter().for_each(|id| self.client.cancel(*id)),
            }
        }
        started.iter().filter_map(|id| results.remove(id)).collect()
    }

    /// Sends one request, and returns the input for the core.
    fn exchange(
        &mut self,
        id: RequestId,
        request: Request<Body<K>>,
        keep: Keep<K>,
        limits: Limits,
    ) -> Result<Input<K>, NoAnswer> {
        let (head, body) = request.into_parts();
        let is_head = head.method == Method::HEAD;
        let reader = self.sources.body(&body)?;
        let failure = reader.failure_handle();
        let answer = (self.send)(Request::from_parts(head, reader), limits);
        if let Some(error) = failure.get() {
            return Err(error.clone().into());
        }
        // The core must know the end of a blob before it takes the answer.
        if let Some(ended) = self.sources.rest_ended(&body) {
            self.client.handle(ended);
        }
        let (head, incoming) = answer?.into_parts();
        let head = Response::from_parts(head, ());
        let len = if is_head { Some(0) } else { length(&head)? };
        let answer = IncomingAnswer::new(id, head, keep, limits, |key| self.sinks.get(key).cloned())?;
        answer.read(incoming, len)
    }
}

/// How long the body of an answer is (RFC 9112, section 6.3); `None` if only its end shows it.
fn length(head: &Response<()>) -> Result<Option<u64>, NoAnswer> {
    if matches!(head.status().as_u16(), 204 | 304) {
        return Ok(Some(0));
    }
    match head.headers().get(header::CONTENT_LENGTH) {
        Some(len) if !head.headers().contains_key(header::TRANSFER_ENCODING) => {
            let len = len.to_str().ok().and_then(|len| len.parse().ok());
            len.map(Some).ok_or_else(|| NoAnswer::Lost("the length of the answer is not a number".to_owned()))
        }
        _ => Ok(None),
    }
}

impl<K: fmt::Debug, S> fmt::Debug for SerialDriver<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SerialDriver").field("sources", &self.sources).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
