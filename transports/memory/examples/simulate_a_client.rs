//! A push in virtual time, over a way that loses things: the same seed gives the same transcript.
//! `cargo run -p longshore-memory --example simulate_a_client -- 7`

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use longshore_core::{Algorithm, Blob, Client, Digest, Instant, Options, Push};
use longshore_memory::{Schedule, Simulation, Source, Whole};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(7), |seed| seed.parse())?;
    print!("{}", simulate(seed)?);
    Ok(())
}

/// What was said, and how it ended.
pub(crate) fn simulate(seed: u64) -> Result<String, Box<dyn std::error::Error>> {
    let registry = Whole::new(|_: Instant, request: Request<Bytes>| {
        let (status, location) = match *request.method() {
            Method::GET | Method::HEAD => (StatusCode::NOT_FOUND, None),
            Method::POST => (StatusCode::ACCEPTED, Some("/v2/library/hello/blobs/uploads/1")),
            _ => (StatusCode::CREATED, None),
        };
        let answer = Response::builder().status(status);
        let answer = if let Some(location) = location { answer.header("location", location) } else { answer };
        answer.body(Bytes::new()).expect("it is an answer")
    });
    let digest = Digest::of(Algorithm::Sha256, b"hello");
    let push = Push::new("registry.example".parse()?, "library/hello".parse()?).blob(Blob::known("hello", digest, 5));
    let mut client = Client::new(Options::default());
    let mut simulation =
        Simulation::new(seed, registry).source("hello", Source::bytes("hello")).faults(Schedule::random(seed, 300, 5));
    let operation = client.start(push);
    let result = simulation.run(&mut client, operation);
    Ok(format!("{}\n{result:?} at {:?}\n", simulation.transcript(), simulation.now()))
}
