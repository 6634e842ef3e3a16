//! Names: registries, repositories, tags and references, as values that cannot be wrong.

mod reference;
mod registry;
mod repository;
mod tag;

pub use reference::{Reference, ReferenceError};
pub use registry::{Registry, RegistryError};
pub use repository::{Repository, RepositoryError};
pub use tag::{Tag, TagError};
