use bytes::Bytes;
use http::Response;

use crate::driver::{Body, End, Input, Output, RequestId};
use crate::outcome::NoAnswer;
use crate::{Algorithm, Blob, Client, Digest, Event, Instant, Options, Push};

/// A push of two blobs, and what its progress says.
struct Run {
    client: Client<u8>,
    now: Instant,
    told: Vec<(u64, Option<u64>)>,
}

impl Run {
    /// Polls until a request with a body is to be sent; every other one is answered with an open upload.
    fn next_body(&mut self) -> RequestId {
        loop {
            match self.client.poll(self.now) {
                Output::Send { id, request, .. } if matches!(request.body(), Body::Blob { .. }) => return id,
                Output::Send { id, request, .. } => {
                    let is_post = request.method() == http::Method::POST;
                    let answer = Response::builder().status(if is_post { 202 } else { 404 });
                    let response = answer.header("Location", "/v2/a/blobs/uploads/1").body(Bytes::new()).unwrap();
                    self.client.handle(Input::Answered { id, response, end: End::Complete });
                }
                Output::Event(Event::Progress { done, total, .. }) => self.told.push((done, total)),
                Output::Wait(Some(deadline)) => self.now = deadline.at,
                Output::Wait(None) | Output::Done { .. } => panic!("nothing more is sent"),
                _ => {}
            }
        }
    }

    /// So many bytes of a body are on their way.
    fn sent(&mut self, id: RequestId, total: u64) -> Option<(u64, Option<u64>)> {
        self.told.clear();
        self.client.handle(Input::Sent { id, total });
        loop {
            match self.client.poll(self.now) {
                Output::Event(Event::Progress { done, total, .. }) => self.told.push((done, total)),
                Output::Wait(_) => return self.told.last().copied(),
                _ => {}
            }
        }
    }
}

#[test]
fn progress_moves_while_a_blob_is_on_its_way_and_never_falls() {
    let digest = |content: &[u8]| Digest::of(Algorithm::Sha256, content);
    let mut options = Options::default();
    (options.single_post, options.in_flight) = (0, 1);
    let mut client = Client::new(options);
    let push = Push::new("localhost:5000".parse().unwrap(), "a".parse().unwrap());
    let push = push.blob(Blob::known(1, digest(b"large"), 80_000_000)).blob(Blob::known(2, digest(b"small"), 20));
    client.start(push);
    let mut run = Run { client, now: Instant::ZERO, told: Vec::new() };
    let small = run.next_body();
    assert_eq!(run.sent(small, 5), Some((5, Some(80_000_020))));
    assert_eq!(run.sent(small, 20), Some((20, Some(80_000_020))));
    // The attempt fails: the next one begins anew, and what is shown stays.
    run.client.handle(Input::Failed { id: small, why: NoAnswer::NotSent("the line is cut".to_owned()) });
    let again = run.next_body();
    assert_eq!(run.sent(again, 5), None, "it is no news");
    let response = Response::builder().status(201).header("Location", "/v2/a/blobs/x").body(Bytes::new()).unwrap();
    run.client.handle(Input::Answered { id: again, response, end: End::Complete });
    let large = run.next_body();
    assert_eq!(run.sent(large, 1_000), Some((1_020, Some(80_000_020))));
}

#[test]
fn the_total_is_unknown_until_a_blob_of_unknown_length_is_stored() {
    let mut client = Client::new(Options::default());
    client.start(
        Push::new("localhost:5000".parse().unwrap(), "a".parse().unwrap()).blob(Blob::unknown(1, Algorithm::Sha256)),
    );
    let mut run = Run { client, now: Instant::ZERO, told: Vec::new() };
    let id = loop {
        match run.client.poll(run.now) {
            Output::Read { operation, blob, up_to, .. } => {
                run.client.handle(Input::Filled { operation, blob, len: up_to });
            }
            Output::Send { id, request, .. } if request.body().len() != Some(0) => break id,
            Output::Send { id, .. } => {
                let answer = Response::builder().status(202).header("Location", "/v2/a/blobs/uploads/1");
                run.client.handle(Input::Answered {
                    id,
                    response: answer.body(Bytes::new()).unwrap(),
                    end: End::Complete,
                });
            }
            Output::Wait(_) | Output::Done { .. } => panic!("nothing is sent"),
            _ => {}
        }
    };
    assert_eq!(run.sent(id, 1_000), Some((1_000, None)));
    assert_eq!(run.sent(id, 5_000), Some((5_000, None)));
}
