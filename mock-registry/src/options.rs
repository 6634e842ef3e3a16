//! The options of a registry.

use std::time::Duration;

use longshore_core::Origin;

use crate::auth::Auth;
use crate::behaviour::Behaviour;
use crate::fault::Faults;

/// The options of a [`Registry`](crate::Registry). The default is a registry that follows the spec.
///
/// ```
/// use longshore_mock_registry::RegistryOptions;
/// use longshore_mock_registry::behaviour::{Behaviour, LocationForm};
///
/// let mut behaviour = Behaviour::default();
/// behaviour.start.location = LocationForm::Absolute;
/// let mut options = RegistryOptions::default().with_behaviour(behaviour).with_faults("PATCH#2: answer-lost".parse()?);
/// options.limits.uploads = 3;
/// # Ok::<(), longshore_mock_registry::fault::FaultError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RegistryOptions {
    /// The seed of upload ids, signatures and tokens: the same seed gives the same ones. A server uses the system's
    /// randomness, because tokens must not be guessable.
    pub seed: [u8; 32],
    /// The origin where clients reach it, for absolute URLs in its answers. They are never made from a request's
    /// `Host`.
    pub origin: Option<Origin>,
    /// A second origin at which it serves as a storage host: signed URLs for blobs and uploads, without credentials.
    pub storage: Option<Origin>,
    /// How it differs from the spec's usual reading.
    pub behaviour: Behaviour,
    /// Users and their rights; `None` means that everybody may do everything.
    pub auth: Option<Auth>,
    /// The faults.
    pub faults: Faults,
    /// The limits.
    pub limits: Limits,
}

impl RegistryOptions {
    /// Sets the seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: [u8; 32]) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the origin where clients reach it.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Sets the origin of the storage host.
    #[must_use]
    pub fn with_storage(mut self, storage: Origin) -> Self {
        self.storage = Some(storage);
        self
    }

    /// Sets the behaviour.
    #[must_use]
    pub fn with_behaviour(mut self, behaviour: Behaviour) -> Self {
        self.behaviour = behaviour;
        self
    }

    /// Sets the users and their rights.
    #[must_use]
    pub fn with_auth(mut self, auth: Auth) -> Self {
        self.auth = Some(auth);
        self
    }

    /// Sets the faults.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

/// The limits of the registry. All are above what the spec requires.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest manifest, in bytes: 4 MiB. Larger ones are refused with 413.
    pub manifest: usize,
    /// The largest blob, in bytes: 2^40. A larger upload is refused with 413.
    pub blob: u64,
    /// How many manifests a repository may have: 100,000.
    pub manifests: usize,
    /// How many blobs a repository may have: 1,000,000.
    pub blobs: usize,
    /// How many tags a repository may have: 100,000.
    pub tags: usize,
    /// How many repositories there may be: 10,000.
    pub repositories: usize,
    /// How many bytes all manifests together may have: 1 GiB.
    pub manifest_bytes: u64,
    /// How many uploads may be open: 10,000. More are refused with 429.
    pub uploads: usize,
    /// How many requests may be in progress: 10,000. More are refused with 503.
    pub pending: usize,
    /// How many connections a server has at once: 1,000. More wait.
    pub connections: usize,
    /// How long an upload may be unused before it is removed: an hour.
    pub upload_lifetime: Duration,
    /// How many entries a page of tags or referrers has at most (`referrers-pagination`): 1,000.
    pub page: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest: 4 << 20,
            blob: 1 << 40,
            manifests: 100_000,
            blobs: 1_000_000,
            tags: 100_000,
            repositories: 10_000,
            manifest_bytes: 1 << 30,
            uploads: 10_000,
            pending: 10_000,
            connections: 1000,
            upload_lifetime: Duration::from_secs(3600),
            page: 1000,
        }
    }
}
