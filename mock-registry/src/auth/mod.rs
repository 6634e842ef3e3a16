//! Who may do what.

use longshore_core::Repository;

use crate::registry::Registry;
use crate::request::Asked;

impl Registry {
    /// Whether the client of a request may read this repository.
    pub(crate) fn may_read(&self, _asked: &Asked, _repository: &Repository) -> bool {
        true
    }
}
