use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response};

use crate::driver::{End, Input, Output, RequestId};
use crate::{Algorithm, Blob, Client, Digest, Instant, Learned, Options, Push};

/// A client with one request for each of two blobs in flight.
fn two_in_flight() -> (Client<u8>, Vec<RequestId>) {
    let mut client = Client::new(Options::default());
    let mut learned = Learned::default();
    learned.single_post = Some(false);
    client.teach(&"localhost:5000".parse().unwrap(), learned);
    let push = Push::new("localhost:5000".parse().unwrap(), "a".parse().unwrap()).tag("v1".parse().unwrap());
    let blob = |key, content: &[u8]| Blob::known(key, Digest::of(Algorithm::Sha256, content), content.len() as u64);
    client.start(push.blob(blob(1, b"one")).blob(blob(2, b"the other")));
    let mut waiting = Vec::new();
    loop {
        match client.poll(Instant::ZERO) {
            Output::Send { id, request, .. } if request.method() == Method::POST => waiting.push(id),
            Output::Send { id, .. } => client.handle(answer(id, 404, None)),
            Output::Wait(_) => return (client, waiting),
            _ => {}
        }
    }
}

fn answer(id: RequestId, status: u16, retry_after: Option<&str>) -> Input<u8> {
    let response = Response::builder().status(status);
    let response = retry_after.into_iter().fold(response, |response, wait| response.header("Retry-After", wait));
    Input::Answered { id, response: response.body(Bytes::new()).unwrap(), end: End::Complete }
}

/// I26: of several waits that a registry asks for, the longest holds for all, whichever comes last.
#[test]
fn i26_a_shorter_wait_does_not_cut_a_longer_one_short() {
    for waits in [["10", "1"], ["1", "10"]] {
        let (mut client, waiting) = two_in_flight();
        assert_eq!(waiting.len(), 2);
        for (id, wait) in waiting.into_iter().zip(waits) {
            client.handle(answer(id, 429, Some(wait)));
        }
        let mut now = Instant::ZERO;
        loop {
            match client.poll(now) {
                Output::Send { .. } => break,
                Output::Wait(deadline) => now = deadline.expect("it hangs").at,
                _ => {}
            }
        }
        assert!(now >= Instant::ZERO.after(Duration::from_secs(10)), "{waits:?}: {now:?}");
    }
}
