//! Tests of a registry against the specification: requirements, each with its clause and its check.
//!
//! A check sends raw requests, including those that no correct client sends, through a [`RawClient`]. The command has
//! one for HTTP, and [`InMemory`] is one for the mock registry in virtual time. [`Suite`] checks several requirements
//! at the same time and returns a [`Report`](longshore_mock_registry::report::Report).
//!
//! The suite does not use the core's endpoints or flows: it follows the specification independently of the client.

mod cleanup;
mod client;
mod content;
mod curl;
mod fixtures;
mod known;
mod known_file;
mod memory;
mod options;
mod ping;
mod prepare;
mod probe;
mod received;
mod recorded;
mod request;
mod requirement;
mod requirements;
mod run;
mod signer;
mod stop;
mod tested;
mod upload;
mod version;

pub use client::{RawBody, RawClient, RawRequest};
pub use known::KnownFailures;
pub use known_file::KnownFailuresError;
pub use memory::InMemory;
pub use options::{PrivateBlob, SuiteOptions};
pub use ping::ping;
pub use probe::{Observation, Probed, Unobserved, probe, unobserved};
pub use requirement::{Group, Requirement};
pub use requirements::{GROUPS, all as requirements};
pub use run::Suite;
pub use version::Version;
