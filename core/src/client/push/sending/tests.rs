use bytes::Bytes;
use http::{Method, Response};

use crate::driver::{Body, End, Input, Output};
use crate::{
    Algorithm, Blob, Client, Digest, Event, Instant, Learned, Manifest, Options, Push, Receipt, Stored, Supply,
};

/// An image that stands under the tag refers to a blob. One that is supplied later, and is that blob, is not sent.
#[test]
fn a_blob_that_is_supplied_late_may_be_there_already() {
    let digest = Digest::of(Algorithm::Sha256, b"{}");
    let blob = format!(r#"{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":2}}"#);
    let image = |more| Manifest::parse(format!(r#"{{"schemaVersion":2,"config":{blob},"layers":[]{more}}}"#)).unwrap();
    let (standing, root) = (image(""), image(r#","annotations":{"a":"b"}"#));

    let mut client = Client::new(Options::default());
    let push = Push::new("localhost:5000".parse().unwrap(), "a".parse().unwrap()).tag("v1".parse().unwrap()).open();
    let operation = client.start(push);
    let (mut now, mut asked, mut stored, mut is_supplied) = (Instant::ZERO, Vec::new(), Vec::new(), false);
    loop {
        match client.poll(now) {
            Output::Send { id, request, .. } => {
                asked.push(request.method().clone());
                let response = match *request.method() {
                    Method::GET => Response::builder().status(200).body(standing.bytes().clone()),
                    _ => Response::builder().status(201).body(Bytes::new()),
                };
                client.handle(Input::Answered { id, response: response.unwrap(), end: End::Complete });
            }
            Output::Event(Event::BlobStored { how, .. }) => stored.push(how),
            Output::Wait(_) if !is_supplied => {
                is_supplied = true;
                client.supply(operation, Supply::Blob(Blob::known(1, digest, 2))).unwrap();
                client.supply(operation, Supply::Root(root.clone())).unwrap();
                client.supply(operation, Supply::End).unwrap();
            }
            Output::Wait(deadline) => now = deadline.expect("it hangs").at,
            Output::Done { result, .. } => {
                assert!(matches!(result.unwrap(), Receipt::Pushed(pushed) if pushed.existing == 1));
                break;
            }
            _ => {}
        }
    }
    assert_eq!((asked, stored), (vec![Method::GET, Method::PUT], vec![Stored::Existing]));
}

/// What takes longest goes first, also where there are more blobs than can be begun at once.
#[test]
fn the_largest_blob_goes_first() {
    let mut client = Client::new(Options { in_flight: 1, ..Options::default() });
    let mut learned = Learned::default();
    learned.single_post = Some(false);
    client.teach(&"localhost:5000".parse().unwrap(), learned);
    let push = Push::new("localhost:5000".parse().unwrap(), "a".parse().unwrap());
    let blob = |size: u64| Blob::known(size, Digest::of(Algorithm::Sha256, &size.to_be_bytes()), size);
    client.start((1..=40).fold(push, |push, size| push.blob(blob(size))));
    let (mut now, mut sent) = (Instant::ZERO, Vec::new());
    loop {
        match client.poll(now) {
            Output::Send { id, request, .. } => {
                if let Body::Blob { key, .. } = request.body() {
                    sent.push(*key);
                }
                let status = if *request.method() == Method::POST { 202 } else { 201 };
                let response = Response::builder().status(status).header("Location", "/v2/uploads/1");
                let response = response.body(Bytes::new()).unwrap();
                client.handle(Input::Answered { id, response, end: End::Complete });
            }
            Output::Wait(deadline) => now = deadline.expect("it hangs").at,
            Output::Done { result, .. } => break assert!(result.is_ok()),
            _ => {}
        }
    }
    assert_eq!(sent, (1..=40).rev().collect::<Vec<u64>>());
}
