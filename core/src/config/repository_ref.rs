//! Identifies a repository.

use crate::{Origin, Repository};

/// A repository at a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RepositoryRef {
    /// The registry's origin.
    pub(crate) origin: Origin,
    /// The repository's name there.
    pub(crate) repository: Repository,
}
