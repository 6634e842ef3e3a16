//! The options of the suite.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use longshore_core::auth::Credentials;
use longshore_core::target::Policy;
use longshore_core::{Origin, Repository};
use longshore_mock_registry::report::Level;

use super::known::KnownFailures;
use super::version::Version;

/// The options of the suite.
#[derive(Debug)]
#[non_exhaustive]
pub struct SuiteOptions {
    /// The registry.
    pub registry: Origin,
    /// The repository that the suite uses. It may be missing if the registry creates repositories on a push.
    pub repository: Repository,
    /// A second repository, for mounts.
    pub second: Repository,
    /// The seed of all content: two runs with the same seed send the same content.
    pub seed: u64,
    /// The credentials for the registry.
    pub credentials: Option<Arc<Credentials>>,
    /// The policy for the origins to which the registry may refer.
    pub policy: Policy,
    /// The version of the specification. Newer requirements are not checked.
    pub version: Version,
    /// The weakest level that is checked.
    pub level: Level,
    /// Only requirements whose id contains one of these texts are checked; all requirements if this is empty.
    pub filters: Vec<String>,
    /// The number of requirements that are checked at the same time, at least 1.
    pub parallel: usize,
    /// The time limit for the check of one requirement.
    pub time_limit: Duration,
    /// The known failures, with their reasons.
    pub known: KnownFailures,
    /// An existing blob that the credentials may not read, to check that a mount does not give access to it.
    pub private: Option<PrivateBlob>,
    /// If this is set during a run, no further requirement is checked, and the stored content is removed.
    pub stop: Arc<AtomicBool>,
}

/// An existing blob that the credentials may not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateBlob {
    /// Its repository.
    pub repository: Repository,
    /// Its digest.
    pub digest: longshore_core::Digest,
}

impl SuiteOptions {
    /// The default options: all requirements of version 1.1, eight at the same time, each for at most one minute,
    /// without credentials.
    ///
    /// The suite uses `repository`, and a second repository with the same name and `-second` at its end.
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
