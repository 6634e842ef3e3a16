//! The caller of a request.

use longshore_core::{Instant, Repository};

use super::{Action, Rights};

/// The caller of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    /// The caller's rights; all rights if the registry has no authentication.
    pub(super) rights: Option<Rights>,
    /// When the caller's token expires.
    pub(crate) good_until: Option<Instant>,
}

impl Caller {
    /// Whether the caller may read a repository.
    pub(crate) fn may_read(&self, repository: &Repository) -> bool {
        self.may(repository, Action::Pull)
    }

    pub(super) fn may(&self, repository: &Repository, action: Action) -> bool {
        self.rights.as_ref().is_none_or(|rights| rights.allow(repository, action))
    }
}
