//! The driver over functions that answer in memory.

use std::io::{self, Cursor, empty};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use longshore_core::{Algorithm, Blob, Digest, FailureKind, Push};

use super::*;
use crate::Source;

fn push() -> Push<u32> {
    Push::new("registry.example".parse().unwrap(), "a".parse().unwrap())
}

fn answer(status: u16, len: &str, body: &'static str) -> Result<Response<Cursor<&'static str>>, NoAnswer> {
    let head = Response::builder().status(status).header("location", "/v2/a/blobs/uploads/1");
    Ok(head.header("content-length", len).body(Cursor::new(body)).unwrap())
}

#[test]
fn a_source_that_fails_is_the_reason_whatever_the_stack_reports() {
    let send = |mut request: Request<BodyReader>, _: Limits| match io::copy(request.body_mut(), &mut io::sink()) {
        Ok(_) if request.method() == Method::POST => answer(202, "0", ""),
        Ok(_) => answer(404, "0", ""),
        Err(_) => Err(NoAnswer::Lost("the connection was closed".to_owned())),
    };
    let digest = Digest::of(Algorithm::Sha256, b"content");
    let source = Source::opened_by(7, |_| Err(io::Error::other("the disk is gone")));
    let mut driver = SerialDriver::new(Options::default(), send).sources([(1, source)]);
    let results = driver.run([push().blob(Blob::known(1, digest, 7))]);
    let failure = results[0].as_ref().unwrap_err();
    assert!(failure.to_string().contains("the disk is gone"), "{failure}");

    let damaged = Source::bytes("CONTENT").with_digest(digest);
    let mut driver = SerialDriver::new(Options::default(), send).sources([(1, damaged)]);
    let results = driver.run([push().blob(Blob::known(1, digest, 7))]);
    let failure = results[0].as_ref().unwrap_err();
    assert!(failure.to_string().contains("the blob is damaged"), "{failure}");
}

#[test]
fn a_push_that_was_left_open_is_cancelled_because_nobody_can_add_to_it() {
    let send = |_: Request<BodyReader>, _: Limits| Ok(Response::new(empty()));
    let results = SerialDriver::new(Options::default(), send).run([push().open()]);
    assert!(matches!(results[0].as_ref().unwrap_err().kind, FailureKind::Cancelled), "{results:?}");
}

/// Lists tags: the first answer has this body, and says that it has 14 bytes. Returns the tags, and how many requests were sent.
fn tags_after(first: &'static str) -> (Vec<String>, usize) {
    let mut bodies = vec![r#"{"tags":["w"]}"#, first];
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let send = move |_: Request<BodyReader>, _: Limits| {
        counted.fetch_add(1, Ordering::Relaxed);
        answer(200, "14", bodies.pop().unwrap())
    };
    let mut options = Options::default();
    options.backoff = Duration::from_millis(1);
    let list = Operation::ListTags { registry: "registry.example".parse().unwrap(), repository: "a".parse().unwrap() };
    match SerialDriver::<u32, _>::new(options, send).run([list]).pop() {
        Some(Ok(Receipt::Tags(tags))) => {
            (tags.iter().map(ToString::to_string).collect(), requests.load(Ordering::Relaxed))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_body_of_an_answer_ends_where_its_length_says() {
    assert_eq!(tags_after(r#"{"tags":["v"]}HTTP/1.1 200"#), (vec!["v".to_owned()], 1));
    assert_eq!(tags_after(r#"{"tags":["v"]"#), (vec!["w".to_owned()], 2), "it was cut, and is asked for again");
}
