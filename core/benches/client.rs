//! What the client itself costs in a push, without a network: `cargo bench -p longshore-core --bench client`.
//!
//! Each push goes to a registry that has nothing and takes everything, and answers at once. Divan's items are blobs, so what
//! it prints per second must stay level from row to row: the cost of a blob does not grow with the number of blobs.

use bytes::Bytes;
use divan::Bencher;
use divan::counter::ItemsCount;
use http::{Method, Request, Response};
use longshore_core::driver::{Body, End, Input, Output};
use longshore_core::{Algorithm, Blob, Client, Digest, Instant, Manifest, Options, Push, Receipt};

fn main() {
    divan::main();
}

/// A push of so many blobs of 1 KiB.
#[divan::bench(args = [1, 10, 100, 1_000, 4_000])]
fn push(bencher: Bencher<'_, '_>, blobs: usize) {
    let image = image(blobs);
    bencher.counter(ItemsCount::new(blobs)).bench(|| drive(&image, 0));
}

/// The same where each answer comes only after this many others were awaited: many requests are in flight.
#[divan::bench(args = [10, 100, 1_000])]
fn push_64_in_flight(bencher: Bencher<'_, '_>, blobs: usize) {
    let image = image(blobs);
    bencher.counter(ItemsCount::new(blobs)).bench(|| drive(&image, 64));
}

/// A manifest and the digests of its blobs.
fn image(blobs: usize) -> (Manifest, Vec<Digest>) {
    let digests: Vec<_> = (0..blobs).map(|n| Digest::of(Algorithm::Sha256, n.to_string().as_bytes())).collect();
    let descriptor = |d: &Digest| format!(r#"{{"mediaType":"application/octet-stream","digest":"{d}","size":1024}}"#);
    let layers: Vec<_> = digests.iter().skip(1).map(descriptor).collect();
    let config = digests.first().map(descriptor).expect("there is a config");
    let manifest = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{}]}}"#, layers.join(","));
    (Manifest::parse(manifest).expect("an image"), digests)
}

fn drive((manifest, digests): &(Manifest, Vec<Digest>), in_flight: usize) -> u64 {
    let mut options = Options::default();
    options.in_flight = in_flight.max(1);
    let mut client = Client::new(options);
    let push = Push::new("registry.example".parse().expect("a constant"), "a/b".parse().expect("a constant"));
    let push = digests.iter().enumerate().fold(push, |push, (n, digest)| push.blob(Blob::known(n, *digest, 1024)));
    client.start(push.root(manifest.clone()).tag("v1".parse().expect("a constant")));
    let mut waiting = Vec::new();
    let mut now = Instant::ZERO;
    loop {
        match client.poll(now) {
            Output::Send { id, request, .. } => waiting.push((id, answer(&request))),
            Output::Wait(deadline) if waiting.is_empty() => {
                now = deadline.expect("nothing is in flight, so nothing can be waited for").at;
            }
            Output::Wait(_) => {
                let (id, response) = waiting.swap_remove(waiting.len() / 2);
                client.handle(Input::Answered { id, response, end: End::Complete });
            }
            Output::Done { result: Ok(Receipt::Pushed(pushed)), .. } => return pushed.requests,
            Output::Done { result, .. } => panic!("{result:?}"),
            Output::Ask { id, .. } => client.handle(Input::Credentials { id, answer: Ok(None) }),
            Output::Read { .. } => unreachable!("no blob here is of unknown digest"),
            Output::Abort { .. } | Output::Event(_) => {}
        }
    }
}

fn answer(request: &Request<Body<usize>>) -> Response<Bytes> {
    let answer = match *request.method() {
        Method::POST => Response::builder().status(202).header("location", "/uploads/1?state=opaque"),
        Method::PUT => Response::builder().status(201),
        _ => Response::builder().status(404),
    };
    answer.body(Bytes::new()).expect("a constant")
}
