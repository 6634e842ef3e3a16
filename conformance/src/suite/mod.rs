//! A registry held to the specification: requirements, each with its clause and its check.
//!
//! A check sends raw requests, also those that no good client sends, through a [`RawClient`]: the command brings one for
//! HTTP, [`InMemory`] is one for the mock registry in virtual time. [`Suite`] checks requirements side by side and gives a
//! [`Report`](longshore_mock_registry::report::Report).
//!
//! Nothing here uses the core's endpoints or flows: what the suite knows of the protocol it has from the specification.

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
