//! Who sends a request.

use longshore_core::{Instant, Repository};

use super::{Action, Rights};

/// Who sends a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    /// What it may do; all, where nobody is asked who they are.
    pub(super) rights: Option<Rights>,
    /// When its token ends.
    pub(crate) good_until: Option<Instant>,
}

impl Caller {
    /// Whether it may read a repository.
    pub(crate) fn may_read(&self, repository: &Repository) -> bool {
        self.may(repository, Action::Pull)
    }

    pub(super) fn may(&self, repository: &Repository, action: Action) -> bool {
        self.rights.as_ref().is_none_or(|rights| rights.allow(repository, action))
    }
}
