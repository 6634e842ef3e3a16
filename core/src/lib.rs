//! The OCI distribution protocol as values and state machines: push and pull container images and artifacts, without I/O.
//!
//! This crate emits request descriptions and consumes responses. It opens no socket, reads no clock, draws no randomness,
//! starts no thread and awaits nothing: the HTTP stack is yours. There are three ways to use it.
//!
//! * **[`Client`]** pushes whole images to any registry. It decides which request is sent next, authenticates, follows
//!   redirects, retries, and copes with what real registries do beyond the specification. You write a [driver] once; the
//!   smallest example of the transport kit has 114 lines.
//! * **[`endpoint`]** is the specification's endpoint table, one file for each row: build a request, send it, parse the
//!   answer. It needs no other layer.
//! * **The values** ([`Reference`], [`Digest`], [`Manifest`], [`Target`], ...) are checked when they are made, so a
//!   value that exists is valid.
//!
//! # A whole driver
//!
//! Poll until [`Output::Wait`](driver::Output::Wait) and do what each output says; only then block. Inputs may come at
//! any time and in any order. In this example the network is a function, and nothing fails:
//!
//! ```
//! use bytes::Bytes;
//! use http::{Method, Request, Response};
//! use longshore_core::driver::{Body, End, Input, Output};
//! use longshore_core::{Algorithm, Blob, Client, Digest, Instant, Manifest, Options, Push, Receipt};
//!
//! /// A registry that has nothing and takes everything.
//! fn registry(request: &Request<Body<&str>>) -> Response<Bytes> {
//!     let (status, location) = match *request.method() {
//!         Method::POST => (202, Some("/uploads/1?state=opaque")),
//!         Method::PUT => (201, None),
//!         _ => (404, None),
//!     };
//!     let answer = Response::builder().status(status);
//!     let answer = if let Some(location) = location { answer.header("location", location) } else { answer };
//!     answer.body(Bytes::new()).unwrap()
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = b"{}";
//! let digest = Digest::of(Algorithm::Sha256, config);
//! let manifest = Manifest::parse(format!(
//!     r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{digest}","size":2}},"layers":[]}}"#
//! ))?;
//!
//! let mut client = Client::new(Options::default());
//! let push = Push::new("registry.example".parse()?, "a/b".parse()?)
//!     .blob(Blob::known("config", digest, 2))
//!     .root(manifest)
//!     .tag("v1".parse()?);
//! client.start(push);
//!
//! let mut now = Instant::ZERO; // a real driver reads its clock before each poll
//! let receipt = loop {
//!     match client.poll(now) {
//!         Output::Send { id, request, .. } => {
//!             let response = registry(&request);
//!             client.handle(Input::Answered { id, response, end: End::Complete });
//!         }
//!         Output::Wait(Some(deadline)) => now = deadline.at, // or sooner, when an input comes
//!         Output::Wait(None) => unreachable!("nothing is in flight, so nothing can be waited for"),
//!         Output::Done { result, .. } => break result?,
//!         Output::Ask { id, .. } => client.handle(Input::Credentials { id, answer: Ok(None) }),
//!         Output::Read { .. } => unreachable!("no blob here is of unknown digest"),
//!         Output::Abort { .. } | Output::Event(_) => {}
//!     }
//! };
//! let Receipt::Pushed(pushed) = receipt else { unreachable!() };
//! assert_eq!((pushed.requests, pushed.uploaded), (4, 1));
//! # Ok(())
//! # }
//! ```
//!
//! [Writing a driver](guide) explains the rest. Ready-made drivers are in `longshore-reqwest`, `longshore-ureq` and
//! `longshore-memory`. [Quirks](quirks) lists what real registries do beyond the specification, by the ids that this
//! documentation uses.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unwrap_used
    )
)]

pub mod auth;
mod client;
mod config;
pub mod content;
mod digest;
pub mod driver;
pub mod endpoint;
mod flow;
pub mod guide;
pub mod header;
mod name;
mod outcome;
pub mod quirks;
pub mod secret;
pub mod target;
pub mod text;
mod time;

/// The crate `bytes`, in the version that this crate's interface uses.
pub use bytes;
pub use client::Client;
pub use config::{
    Blob, Checkpoint, CheckpointError, Deletion, Learned, ManifestReference, Operation, OperationId, Options, Push,
    Referrers, Supply,
};
pub use content::{Descriptor, Document, Index, Manifest, ManifestBuilder, MediaType, Platform};
pub use digest::{Algorithm, Digest, DigestError, Digester};
/// The crate `http`, in the version that this crate's interface uses.
pub use http;
pub use name::{Reference, ReferenceError, Registry, RegistryError, Repository, RepositoryError, Tag, TagError};
pub use outcome::{Event, Failure, FailureKind, Pushed, Receipt, Row, Stored};
pub use secret::{Authorization, Secret};
pub use target::{Host, Origin, Scheme, Target};
pub use time::Instant;
