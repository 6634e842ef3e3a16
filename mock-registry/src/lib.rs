//! An OCI registry as a pure state machine, with public state and virtual time, and without sockets and threads.
//!
//! It does what the [distribution
//! spec](https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md)
//! says. It receives a request's head first and then its body in pieces, and may answer before the body ends. The body
//! of an answer only names a blob, so that a large one is sent from the storage without being in memory.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, StatusCode};
//! use longshore_mock_registry::{Instant, RegistryOptions, Registry};
//!
//! let mut registry = Registry::new(RegistryOptions::default());
//! let now = Instant::from_micros(0);
//! let blob = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
//!
//! let post = Request::post("/v2/library/hello/blobs/uploads/").body(Bytes::new())?;
//! let opened = registry.answer(now, post)?;
//! assert_eq!(opened.status(), StatusCode::ACCEPTED);
//!
//! let location = opened.headers()["location"].to_str()?;
//! let put = Request::put(format!("{location}?digest={blob}")).body(Bytes::from("hello"))?;
//! assert_eq!(registry.answer(now, put)?.status(), StatusCode::CREATED);
//!
//! let get = Request::get(format!("/v2/library/hello/blobs/{blob}")).body(Bytes::new())?;
//! assert_eq!(registry.answer(now, get)?.body(), "hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Registry::add_blob`] and [`Registry::add_manifest`] add content before clients come.
//!
//! [`behaviour`] has switches for the quirks of real registries, [`fault`] the faults of chosen requests, [`judge`]
//! what its clients did wrong, [`auth`] users and their rights, and [`storage`] where bytes are stored. The feature
//! `server` adds a server on a port, in the module of that name.

#![cfg_attr(docsrs, feature(doc_cfg))] // what needs a feature says so
#![forbid(unsafe_code)]

mod answer;
pub mod auth;
pub mod behaviour;
mod blobs;
mod catalog;
mod changes;
mod content;
mod dispatch;
pub mod fault;
pub mod judge;
mod location;
mod manifests;
mod methods;
mod mount;
mod nearest;
mod options;
pub mod profile;
mod progress;
mod random;
mod referrers;
mod refusal;
mod registry;
pub mod report;
mod request;
mod restore;
mod route;
mod row;
#[cfg(feature = "server")]
pub mod server;
pub mod state;
mod steps;
pub mod storage;
mod tags;
mod uploads;

pub use longshore_core::{Instant, Row};

pub use answer::{Answer, Body, Delivery, Pace};
pub use behaviour::Behaviour;
pub use content::ContentError;
pub use options::{Limits, RegistryOptions};
pub use progress::{BodyEnd, Opened, Progress, RequestId};
pub use registry::Registry;
pub use row::{row_id, row_ids};
pub use state::UploadId;
pub use steps::Undelivered;
