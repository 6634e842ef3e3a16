//! The registry as a fixture of one's own client's test: nothing listens, nothing sleeps, and what went wrong is told.
//!
//! `cargo run -p longshore-mock-registry --example fixture`. The same over a port is the example `serve`, and in other languages
//! `push.py` and its like.

use std::error::Error;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use longshore_core::{Algorithm, Digest};
use longshore_mock_registry::fault::Faults;
use longshore_mock_registry::profile::Profile;
use longshore_mock_registry::report::Level;
use longshore_mock_registry::{Instant, Registry};

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    // GitHub's registry, as far as is known, whose second answer is an error.
    let mut options = Profile::named("ghcr")?.options();
    options.faults = Faults::nth(2).status(503);
    let mut registry = Registry::new(options);

    let stored = client_under_test(|request| Ok(registry.answer(Instant::from_micros(0), request)?))?;
    println!("stored as {stored}");

    let digest = Digest::of(Algorithm::Sha256, b"hello");
    let get = Request::get(format!("/v2/library/hello/blobs/{digest}")).body(Bytes::new())?;
    let there = registry.answer(Instant::from_micros(0), get)?;
    assert_eq!((there.status(), &there.body()[..]), (StatusCode::OK, &b"hello"[..]));
    // The judge saw every request: a client that breaks a MUST fails its test.
    let broken: Vec<String> = registry.judge.at_least(Level::Must).map(ToString::to_string).collect();
    assert!(broken.is_empty(), "{broken:?}");
    Ok(())
}

/// One's own client would stand here: this one uploads a blob, and begins again when the registry is busy.
fn client_under_test(
    mut send: impl FnMut(Request<Bytes>) -> Result<Response<Bytes>, Box<dyn Error>>,
) -> Result<String, Box<dyn Error>> {
    let digest = Digest::of(Algorithm::Sha256, b"hello");
    for _ in 0..3 {
        let post = Request::post("/v2/library/hello/blobs/uploads/").header("content-length", "0").body(Bytes::new())?;
        let opened = send(post)?;
        let location = opened.headers().get("location").ok_or("no upload was opened")?.to_str()?;
        let path = location.split_once("://").map_or(location, |(_, rest)| &rest[rest.find('/').unwrap_or(0)..]);
        let mark = if path.contains('?') { '&' } else { '?' };
        let put = Request::put(format!("{path}{mark}digest={digest}"))
            .header("content-length", "5")
            .header("content-type", "application/octet-stream")
            .body(Bytes::from("hello"))?;
        let stored = send(put)?;
        if stored.status() == StatusCode::CREATED {
            return Ok(digest.to_string());
        }
    }
    Err("the registry stayed busy".into())
}
