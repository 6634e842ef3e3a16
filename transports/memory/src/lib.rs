//! Drives Longshore's core against anything that answers requests, in one thread, in virtual time and without sockets.
//!
//! A [`Simulation`] is a complete driver. Latency, order and faults come from a seed, hours pass at once, and all
//! requests and answers are in a [`Transcript`]. If a client hangs, does not end or breaks its contract with a driver,
//! the simulation panics with the seed and the transcript.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Method, Request, Response, StatusCode};
//! use longshore_core::{Algorithm, Blob, Client, Digest, Instant, Manifest, Options, Push, Receipt};
//! use longshore_memory::{Simulation, Source, Whole};
//!
//! // The other side: a registry that takes everything, and has nothing.
//! let registry = Whole::new(|_: Instant, request: Request<Bytes>| {
//!     let (status, location) = match *request.method() {
//!         Method::GET | Method::HEAD => (StatusCode::NOT_FOUND, ""),
//!         Method::POST => (StatusCode::ACCEPTED, "/v2/library/hello/blobs/uploads/1"),
//!         _ => (StatusCode::CREATED, ""),
//!     };
//!     let mut answer = Response::builder().status(status);
//!     if !location.is_empty() {
//!         answer = answer.header("location", location);
//!     }
//!     answer.body(Bytes::new()).unwrap()
//! });
//!
//! let config = Digest::of(Algorithm::Sha256, b"{}");
//! let manifest = format!(
//!     r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
//!     "config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2}},"layers":[]}}"#
//! );
//! let push = Push::new("registry.example".parse()?, "library/hello".parse()?)
//!     .blob(Blob::known("config", config, 2))
//!     .root(Manifest::parse(manifest)?)
//!     .tag("v1".parse()?);
//!
//! let mut client = Client::new(Options::default());
//! let mut simulation = Simulation::new(7, registry).source("config", Source::bytes("{}"));
//! let operation = client.start(push);
//! let receipt = simulation.run(&mut client, operation)?;
//!
//! assert!(matches!(receipt, Receipt::Pushed(pushed) if pushed.uploaded == 1));
//! println!("{}", simulation.transcript());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod driven;
mod fault;
mod handler;
mod order;
mod random;
mod simulation;
mod source;
mod transcript;
mod wire;

pub use driven::Driven;
pub use fault::{Fault, Schedule};
pub use handler::{BodyEnd, ExchangeId, Handler, Reply, Whole};
pub use order::{Choice, Order, every_order};
pub use simulation::{Simulation, Step};
pub use source::Source;
pub use transcript::{Entry, Said, Transcript};
