//! The registry for the check of one requirement.

use std::cell::{Cell, RefCell};

use longshore_core::{Instant, Repository, Target};
use longshore_mock_registry::report::RecordedExchange;

use super::client::RawClient;
use super::fixtures::Fixtures;
use super::options::SuiteOptions;
use super::signer::Signer;

/// The state that all checks of a run share.
pub(super) struct Surroundings<'a> {
    pub(super) client: &'a dyn RawClient,
    pub(super) options: &'a SuiteOptions,
    pub(super) signer: &'a Signer,
    pub(super) fixtures: &'a Fixtures,
}

/// The registry during the check of one requirement.
///
/// It makes new content, records each exchange, and keeps a list of the content that it stored.
pub(super) struct TestedRegistry<'a> {
    pub(super) around: &'a Surroundings<'a>,
    pub(super) id: &'static str,
    pub(super) deadline: Instant,
    pub(super) exchanges: RefCell<Vec<RecordedExchange>>,
    pub(super) left: RefCell<Vec<Left>>,
    contents: Cell<u64>,
}

/// Content that a check stored in the registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Left {
    /// An open upload.
    Upload(Target, Repository),
    /// A manifest, by its digest.
    Manifest(Repository, String),
    /// A blob, by its digest.
    Blob(Repository, String),
}

impl<'a> TestedRegistry<'a> {
    pub(super) const fn new(around: &'a Surroundings<'a>, id: &'static str, deadline: Instant) -> Self {
        Self {
            around,
            id,
            deadline,
            exchanges: RefCell::new(Vec::new()),
            left: RefCell::new(Vec::new()),
            contents: Cell::new(0),
        }
    }

    /// The repository that most checks use.
    pub(super) const fn repository(&self) -> &'a Repository {
        &self.around.options.repository
    }

    /// The other repository, for mounts.
    pub(super) const fn second(&self) -> &'a Repository {
        &self.around.options.second
    }

    /// The name of a repository that does not exist.
    pub(super) fn absent(&self) -> Repository {
        let name = format!("{}/absent-{}", self.repository(), self.unique());
        name.parse().unwrap_or_else(|_| self.repository().clone())
    }

    /// A word that is unique to this check and run: lower-case letters, digits and hyphens.
    pub(super) fn unique(&self) -> String {
        let number = self.contents.get();
        self.contents.set(number + 1);
        let text = format!("{}/{}/{number}", self.around.options.seed, self.id);
        let digest = longshore_core::Digest::of(longshore_core::Algorithm::Sha256, text.as_bytes());
        digest.hex()[..16].to_owned()
    }

    /// A tag that is unique to this check and run.
    pub(super) fn tag(&self) -> String {
        format!("t-{}", self.unique())
    }

    /// Records that content was stored.
    pub(super) fn leaves(&self, left: Left) {
        self.left.borrow_mut().push(left);
    }

    /// Records that content no longer exists.
    pub(super) fn is_gone(&self, gone: &Left) {
        self.left.borrow_mut().retain(|left| left != gone);
    }
}
