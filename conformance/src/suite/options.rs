//! How the suite is run.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use longshore_core::auth::Credentials;
use longshore_core::target::Policy;
use longshore_core::{Origin, Repository};
use longshore_mock_registry::report::Level;

use super::known::KnownFailures;
use super::version::Version;

/// How the suite is run.
#[derive(Debug)]
#[non_exhaustive]
pub struct SuiteOptions {
    /// The registry.
    pub registry: Origin,
    /// The repository that it works in. It need not be there if the registry makes repositories when they are pushed to.
    pub repository: Repository,
    /// A second repository, for mounts.
    pub second: Repository,
    /// What all content is made from: two runs with the same seed send the same.
    pub seed: u64,
    /// What it shows to be let in.
    pub credentials: Option<Arc<Credentials>>,
    /// Where the registry may send it.
    pub policy: Policy,
    /// The version of the specification: what is newer is not checked.
    pub version: Version,
    /// What is weaker is not checked.
    pub level: Level,
    /// Requirements whose id holds one of these texts are checked; all, where there is none.
    pub filters: Vec<String>,
    /// How many requirements are checked at once, from 1.
    pub parallel: usize,
    /// How long the check of one requirement may take.
    pub time_limit: Duration,
    /// What is known to fail, and why.
    pub known: KnownFailures,
    /// A blob that is there and that the credentials may not read, to find out whether a mount gives it away.
    pub private: Option<PrivateBlob>,
    /// Once this is set, no further requirement is checked; what was stored is removed.
    pub stop: Arc<AtomicBool>,
}

/// A blob that is there and that the credentials may not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateBlob {
    /// Its repository.
    pub repository: Repository,
    /// Its digest.
    pub digest: longshore_core::Digest,
}

impl SuiteOptions {
    /// Everything of version 1.1 is checked, eight requirements at once, each in at most a minute; nobody's credentials.
    ///
    /// `repository` is worked in, and one beside it whose name ends in `-second`.
    #[must_use]
    pub fn new(registry: Origin, repository: Repository) -> Self {
        let second = format!("{repository}-second").parse().unwrap_or_else(|_| repository.clone());
        Self {
            registry,
            repository,
            second,
            seed: 0,
            credentials: None,
            policy: Policy::default(),
            version: Version::V1_1,
            level: Level::May,
            filters: Vec::new(),
            parallel: 8,
            time_limit: Duration::from_secs(60),
            known: KnownFailures::default(),
            private: None,
            stop: Arc::default(),
        }
    }
}
