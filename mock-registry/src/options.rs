//! How a registry is set up.

use std::time::Duration;

use longshore_core::Origin;

use crate::auth::Auth;
use crate::behaviour::Behaviour;
use crate::fault::Faults;

/// How a [`Registry`](crate::Registry) is set up. The default is a registry that does what the spec says.
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
    /// What upload ids, signatures and tokens are made from: the same seed gives the same ones. A server takes it from the
    /// system's randomness, because tokens must not be guessed.
    pub seed: [u8; 32],
    /// Where clients reach it, for the URLs that it writes in full. They are never made from a request's `Host`.
    pub origin: Option<Origin>,
    /// A second origin at which it serves as the storage behind: signed URLs for blobs and uploads, no credentials.
    pub storage: Option<Origin>,
    /// What it does otherwise than the spec's usual reading.
    pub behaviour: Behaviour,
    /// Who may do what; anybody anything, where nothing is said.
    pub auth: Option<Auth>,
    /// What goes wrong.
    pub faults: Faults,
    /// Bounds.
    pub limits: Limits,
}

impl RegistryOptions {
    /// The same with this seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: [u8; 32]) -> Self {
        self.seed = seed;
        self
    }

    /// The same with this origin, where clients reach it.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// The same with this origin as the storage behind.
    #[must_use]
    pub fn with_storage(mut self, storage: Origin) -> Self {
        self.storage = Some(storage);
        self
    }

    /// The same with this behaviour.
    #[must_use]
    pub fn with_behaviour(mut self, behaviour: Behaviour) -> Self {
        self.behaviour = behaviour;
        self
    }

    /// The same with these users.
    #[must_use]
    pub fn with_auth(mut self, auth: Auth) -> Self {
        self.auth = Some(auth);
        self
    }

    /// The same with these faults.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// The same with these bounds.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

/// What bounds the registry. All are above what the spec asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest manifest, in bytes: 4 MiB. Longer ones are refused with 413.
    pub manifest: usize,
    /// The longest blob, in bytes: 2^40. A longer upload is refused with 413.
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
    /// How many requests may be on their way in: 10,000. More are refused with 503.
    pub pending: usize,
    /// How many connections a server has at once: 1,000. More wait.
    pub connections: usize,
    /// How long an upload may lie untouched before it is gone: an hour.
    pub upload_lifetime: Duration,
    /// The most entries in a page of tags or referrers (`referrers-pagination`): 1,000.
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
