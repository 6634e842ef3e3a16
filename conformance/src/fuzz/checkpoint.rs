//! A saved push, as it is read from a file that anybody may have written.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use longshore_core::{Blob, Checkpoint, Client, Instant, Options, Push};
use longshore_memory::{Simulation, Source, Whole};

use super::assert_harmless;
use super::script::image;
use crate::Case;

/// A checkpoint, resumed against a registry that has nothing: it ends, and what is read is what is written.
///
/// # Panics
/// Where that does not hold (security invariant I40).
pub fn checkpoint(bytes: &[u8]) {
    let checkpoint = match Checkpoint::from_json(bytes) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return assert_harmless(&error.to_string()),
    };
    assert_eq!(Checkpoint::from_json(&checkpoint.to_json()).as_ref(), Ok(&checkpoint));
    let image = image();
    let mut push = Push::new(Case::registry(), Case::repository()).root(image.root.clone());
    for (number, blob) in image.blobs.iter().enumerate() {
        push = push.blob(Blob::known(number, blob.digest, blob.bytes.len() as u64));
    }
    let push = match push.resume(checkpoint) {
        Ok(push) => push,
        Err(error) => return assert_harmless(&error.to_string()),
    };
    let mut simulation =
        Simulation::new(0, Whole::new(|_: Instant, request: Request<Bytes>| registry(&request))).step_limit(10_000);
    for (number, blob) in image.blobs.iter().enumerate() {
        simulation = simulation.source(number, Source::bytes(blob.bytes.clone()));
    }
    let mut client = Client::new(Options::default());
    let operation = client.start(push);
    if let Err(failure) = simulation.run(&mut client, operation) {
        assert_harmless(&failure.to_string());
    }
}

/// Whatever the checkpoint says is there, is not.
fn registry(request: &Request<Bytes>) -> Response<Bytes> {
    let is_open = request.uri().path().ends_with("/open");
    let (status, location) = match *request.method() {
        Method::POST => (StatusCode::ACCEPTED, Some("/v2/open")),
        Method::PUT if is_open || request.uri().path().contains("/manifests/") => (StatusCode::CREATED, None),
        _ => (StatusCode::NOT_FOUND, None),
    };
    let answer = Response::builder().status(status);
    let answer = location.into_iter().fold(answer, |answer, location| answer.header("location", location));
    answer.body(Bytes::new()).expect("what this registry says is well formed")
}
