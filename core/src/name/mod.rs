//! Names of registries, repositories and tags, and references, as values that are always well formed.

mod reference;
mod registry;
mod repository;
mod tag;

pub use reference::{Reference, ReferenceError};
pub use registry::{Registry, RegistryError};
pub use repository::{Repository, RepositoryError};
pub use tag::{Tag, TagError};
