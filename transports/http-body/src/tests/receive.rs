//! Answers whose bodies arrive in odd ways.

use std::collections::VecDeque;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use longshore_core::driver::{End, Input, Keep, Limits, Output, RequestId};
use longshore_core::http::{HeaderMap, Response};
use longshore_core::{Algorithm, Client, Digest, Instant, Operation, Options};
use longshore_sources::{IncomingAnswer, Sink};

use crate::{OutgoingBody, receive};

const SECOND: Duration = Duration::from_secs(1);

/// What arrives of a body, after which nothing more comes.
struct Arriving(VecDeque<Option<Result<Frame<Bytes>, &'static str>>>);

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        self.0.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// A body that begins to arrive later.
struct Later(Pin<Box<tokio::time::Sleep>>, Arriving);

impl http_body::Body for Later {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        if !self.0.is_elapsed() {
            ready!(self.0.as_mut().poll(context));
        }
        Pin::new(&mut self.1).poll_frame(context)
    }
}

fn bytes(text: &'static str) -> Option<Result<Frame<Bytes>, &'static str>> {
    Some(Ok(Frame::data(text.into())))
}

/// What the core would be told of an answer with status 200 and this body.
async fn received<const N: usize>(
    keep: Keep<u32>,
    sink: &Sink,
    body: [Option<Result<Frame<Bytes>, &'static str>>; N],
) -> (Bytes, End) {
    let mut limits = Limits::default();
    limits.silence = SECOND;
    let head = Response::new(());
    let answer = IncomingAnswer::new(request(), head, keep, limits, |_| Some(sink.clone())).unwrap();
    let (_, transfer) = OutgoingBody::whole(Bytes::new(), |_| {});
    match receive(answer, Arriving(body.into()), transfer, limits.silence).await {
        Ok(Input::Answered { response, end, .. }) => (response.into_body(), end),
        other => panic!("{other:?}"),
    }
}

/// Some request of a client.
fn request() -> RequestId {
    let mut client = Client::<u32>::new(Options::default());
    let (registry, repository) = ("registry.example".parse().unwrap(), "a".parse().unwrap());
    client.start(Operation::ListTags { registry, repository });
    loop {
        match client.poll(Instant::ZERO) {
            Output::Send { id, .. } => return id,
            Output::Wait(_) => panic!("it asks for nothing"),
            _ => {}
        }
    }
}

fn poured() -> Keep<u32> {
    Keep::Into { key: 1, algorithm: Algorithm::Sha256, size: None, if_error: 100 }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_whole_only_if_its_end_came() {
    let keep = || Keep::UpTo(100);
    let whole = received(keep(), &Sink::null(), [bytes("he"), bytes("llo"), None]).await;
    assert_eq!(whole, (Bytes::from("hello"), End::Complete));
    let lost = received(keep(), &Sink::null(), [bytes("he"), Some(Err("the connection was closed"))]).await;
    assert_eq!(lost, (Bytes::from("he"), End::Cut));
    let start = tokio::time::Instant::now();
    let silent = received(keep(), &Sink::null(), [bytes("he")]).await;
    assert_eq!((silent, start.elapsed()), ((Bytes::from("he"), End::Cut), SECOND));
}

#[tokio::test(start_paused = true)]
async fn silence_before_a_body_is_counted_from_its_head() {
    let (_, transfer) = OutgoingBody::whole(Bytes::new(), |_| {});
    // The head took nearly as long as the limit, and so does the body after it.
    tokio::time::sleep(SECOND * 9 / 10).await;
    let later = tokio::time::sleep(SECOND * 9 / 10);
    let body = Later(Box::pin(later), Arriving([bytes("hello"), None].into()));
    let answer = IncomingAnswer::new(request(), Response::new(()), Keep::UpTo(100), Limits::default(), |_: &u32| None);
    match receive(answer.unwrap(), body, transfer, SECOND).await {
        Ok(Input::Answered { response, end: End::Complete, .. }) => assert_eq!(response.body(), "hello"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_read_no_further_than_the_core_wants() {
    // The rest never comes, and is not waited for.
    let start = tokio::time::Instant::now();
    let long = received(Keep::UpTo(4), &Sink::null(), [bytes("he"), bytes("llo")]).await;
    assert_eq!((long, start.elapsed()), ((Bytes::from("hell"), End::OverLimit), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn trailers_are_neither_bytes_nor_an_end() {
    let trailers = || Some(Ok(Frame::trailers(HeaderMap::new())));
    let whole = received(Keep::UpTo(100), &Sink::null(), [bytes("hello"), trailers(), None]).await;
    assert_eq!(whole, (Bytes::from("hello"), End::Complete));
}

#[tokio::test]
async fn a_blob_is_written_into_its_sink_and_hashed_by_another_thread() {
    let (sink, memory) = Sink::memory(100);
    let whole = received(poured(), &sink, [bytes("he"), bytes("llo"), None]).await;
    let digest = Digest::of(Algorithm::Sha256, b"hello");
    assert_eq!((whole, memory.take()), ((Bytes::new(), End::Poured { len: 5, digest }), b"hello".to_vec()));
    let (_, end) = received(poured(), &sink, [bytes("he"), Some(Err("the connection was closed"))]).await;
    assert_eq!(end, End::Cut);

    /// Panics if it is written by the thread that opened the test.
    struct Elsewhere(thread::ThreadId);
    impl Write for Elsewhere {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            assert_ne!(thread::current().id(), self.0);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let here = thread::current().id();
    let sink = Sink::opened_by(move || Ok(Box::new(Elsewhere(here)) as Box<dyn Write + Send>));
    let (_, end) = received(poured(), &sink, [bytes("hello"), None]).await;
    assert!(matches!(end, End::Poured { len: 5, .. }), "{end:?}");
}
