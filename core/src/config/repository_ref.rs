//! Where a flow works.

use crate::{Origin, Repository};

/// One repository of one registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RepositoryRef {
    /// The registry's origin.
    pub(crate) origin: Origin,
    /// The repository's name there.
    pub(crate) repository: Repository,
}
