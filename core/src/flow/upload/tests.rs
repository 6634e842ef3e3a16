use bytes::Bytes;
use http::{Method, Response};

use crate::driver::{End, Input, Output};
use crate::outcome::{FailureKind, NoAnswer};
use crate::{Algorithm, Blob, Client, Digest, Instant, Options, Push, Receipt};

/// Pushes 25 bytes in chunks of 10 to a registry that says this `Range` after each, and counts the uploads that are begun.
fn uploads_begun(range: &str) -> usize {
    let mut options = Options::default();
    (options.chunk, options.chunk_above, options.single_post) = (10, 0, 0);
    let mut client = Client::new(options);
    let push = Push::new("localhost:5000".parse().unwrap(), "a".parse().unwrap());
    client.start(push.blob(Blob::known(1, Digest::of(Algorithm::Sha256, b"content"), 25)));
    let (mut now, mut begun) = (Instant::ZERO, 0);
    loop {
        match client.poll(now) {
            Output::Send { id, request, .. } => {
                begun += usize::from(request.method() == Method::POST);
                let answer = match *request.method() {
                    Method::POST => Response::builder().status(202),
                    Method::PATCH => Response::builder().status(202).header("Range", range),
                    Method::PUT => Response::builder().status(201),
                    Method::DELETE => Response::builder().status(204),
                    _ => Response::builder().status(404),
                };
                let response = answer.header("Location", "/v2/uploads/1").body(Bytes::new()).unwrap();
                client.handle(Input::Answered { id, response, end: End::Complete });
            }
            Output::Wait(deadline) => now = deadline.expect("it hangs").at,
            Output::Done { result: Ok(Receipt::Pushed(_)), .. } => return begun,
            Output::Done { result, .. } => panic!("{result:?}"),
            _ => {}
        }
    }
}

/// `Range` is a hint: one that says more than was ever sent is reason to begin again, and only once.
#[test]
fn a_range_that_says_too_much_is_believed_once() {
    assert_eq!(uploads_begun("0-9"), 1);
    // One too far, as Artifactory counts.
    assert_eq!(uploads_begun("0-10"), 1);
    assert_eq!(uploads_begun("0-19"), 2);
    assert_eq!(uploads_begun("0-18446744073709551615"), 2);
}

/// Pushes a blob that can be read only once, in chunks, to a registry that answers chunks by `patch` (given its number and
/// `Content-Range`) and knows no state of an upload. How many chunks were sent, and why the push failed.
fn chunks_of_a_pipe(patch: impl Fn(usize, &str) -> Option<Response<Bytes>>) -> (usize, Option<FailureKind>) {
    const LEN: u64 = 2000;
    let mut options = Options::default();
    (options.chunk, options.single_post) = (10, 0);
    let mut client = Client::new(options);
    let push = Push::new("localhost:5000".parse().unwrap(), "a".parse().unwrap());
    client.start(push.blob(Blob::unknown(1, Algorithm::Sha256)));
    let (mut now, mut chunks) = (Instant::ZERO, 0);
    loop {
        match client.poll(now) {
            Output::Read { operation, blob, up_to, .. } if up_to < LEN => {
                client.handle(Input::Filled { operation, blob, len: up_to });
            }
            Output::Read { operation, blob, .. } => {
                client.handle(Input::Ended { operation, blob, len: LEN, digest: Digest::of(Algorithm::Sha256, b"it") });
            }
            Output::Send { id, request, .. } => {
                let status = |status: u16| Response::builder().status(status).header("Location", "/v2/uploads/1");
                let answer = match *request.method() {
                    Method::POST => status(202).body(Bytes::new()).ok(),
                    Method::PATCH => {
                        chunks += 1;
                        patch(chunks, request.headers()["content-range"].to_str().unwrap())
                    }
                    Method::PUT => status(201).body(Bytes::new()).ok(),
                    Method::DELETE => status(204).body(Bytes::new()).ok(),
                    _ => status(404).body(Bytes::new()).ok(),
                };
                client.handle(match answer {
                    Some(response) => Input::Answered { id, response, end: End::Complete },
                    None => Input::Failed { id, why: NoAnswer::Lost("it is gone".to_owned()) },
                });
            }
            Output::Wait(deadline) => now = deadline.expect("it hangs").at,
            Output::Done { result, .. } => return (chunks, result.err().map(|failure| failure.kind)),
            _ => {}
        }
    }
}

fn chunk_answer(status: u16, range: &str) -> Option<Response<Bytes>> {
    let answer = Response::builder().status(status).header("Location", "/v2/uploads/1").header("Range", range);
    answer.body(Bytes::new()).ok()
}

/// A fuzzer's find: each chunk was sent twice and then taken for stored, to the end of the source.
#[test]
fn a_pipe_is_not_sent_to_its_end_where_no_chunk_is_taken() {
    let stays_at_ten = |chunk: usize, _: &str| chunk_answer(if chunk == 1 { 202 } else { 416 }, "0-9");
    let (chunks, failure) = chunks_of_a_pipe(stays_at_ten);
    assert_eq!(failure, Some(FailureKind::NotReplayable));
    assert!(chunks < 10, "{chunks} chunks");
}

/// Quirk `status-get-404-live-session`: a chunk that arrived, though its answer did not, is refused when it is sent again.
#[test]
fn a_pipe_goes_on_where_chunks_arrive_and_their_answers_do_not() {
    let is_lost = |range: &str| range.starts_with("10-") || range.starts_with("20-") || range.starts_with("40-");
    let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let (chunks, failure) = chunks_of_a_pipe(|_, range| {
        let is_new = seen.borrow_mut().insert(range.to_owned());
        match (is_new, is_lost(range)) {
            (true, true) => None,
            (true, false) => chunk_answer(202, &format!("0-{}", range.split_once('-').unwrap().1)),
            (false, _) => chunk_answer(416, "0-1"),
        }
    });
    assert_eq!((chunks, failure), (199 + 3, None));
}
