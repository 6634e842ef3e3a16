//! The OCI distribution protocol as values and state machines. No I/O.
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
pub mod content;
mod digest;
pub mod driver;
pub mod endpoint;
mod flow;
pub mod header;
mod name;
pub mod secret;
pub mod target;
pub mod text;
mod time;

pub use client::{
    Blob, Client, Deletion, Event, Failure, Learned, Name, Operation, Options, Push, Pushed, Receipt, Referrers,
    Stored, Supply, Why,
};
pub use content::{Descriptor, Document, Index, Manifest, MediaType, Platform};
pub use digest::{Algorithm, Digest, DigestError, Digester};
pub use name::{Reference, ReferenceError, Registry, RegistryError, Repository, RepositoryError, Tag, TagError};
pub use secret::{Authorization, Secret};
pub use target::{Host, Origin, Scheme, Target};
pub use time::Instant;
