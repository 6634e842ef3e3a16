//! How a registry differs from the usual reading of the spec: typed switches, each with the quirk that it reproduces.
//!
//! ```
//! use longshore_mock_registry::RegistryOptions;
//! use longshore_mock_registry::behaviour::{AnswerChange, Behaviour, MountPolicy};
//!
//! let behaviour = Behaviour::with(|is| {
//!     is.mount.policy = MountPolicy::Never;
//!     is.answers.push(AnswerChange::to("end-6 201".parse().unwrap_or_default()).header("x-cache", "MISS"));
//! });
//! let options = RegistryOptions::default().with_behaviour(behaviour);
//! # assert_eq!(options.behaviour.answers.len(), 1);
//! ```
//!
//! The default of every switch is the behaviour of the spec. The structures are `non_exhaustive`, so a new switch
//! breaks no program. The names in code style, such as `mount-always-202`, are the ids of observed quirks of real
//! registries.

mod answers;
mod auth;
mod chunks;
mod commit;
mod errors;
mod listing;
mod manifest;
mod mount;
mod read;
mod referrers;
mod start;
mod status;

use serde::{Deserialize, Serialize};

pub use answers::{AnswerChange, AnswerFilter};
pub use auth::{Authentication, ChallengeForm, ChallengeScope, Grants, Realm, TokenField};
pub use chunks::{BodyMax, Chunks, ContentRange, CutBody, EmptyRange, MaxOf, OutOfOrderRange, Patch, PatchRange};
pub use commit::{BlobLocation, Commit, FinalChunk, StatusRange, UploadStatus};
pub use errors::{ErrorBody, Errors};
pub use listing::{LinkForm, ListName, Listing};
pub use manifest::{
    BadDigest, DuplicatePut, Echo, EtagForm, ImmutableTags, ManifestLocation, Manifests, MissingReference, RefusedTypes,
};
pub use mount::{MountPolicy, Mounting, WithoutFrom};
pub use read::{ApiVersion, DigestHeader, Reading};
pub use referrers::{Referrers, ReferrersApi, SubjectHeader};
pub use start::{
    ChunkMin, Creation, IdForm, LocationForm, PostRange, SinglePost, Start, StateQuery, TrailingSlash, UploadPath,
};

/// How a registry behaves. The default follows the spec.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Behaviour {
    /// Challenges and tokens.
    pub auth: Authentication,
    /// Reading blobs and manifests.
    pub read: Reading,
    /// Mounting blobs.
    pub mount: Mounting,
    /// Starting uploads.
    pub start: Start,
    /// Chunks of uploads.
    pub chunks: Chunks,
    /// The state of uploads, and cancelling them.
    pub status: UploadStatus,
    /// Closing uploads.
    pub commit: Commit,
    /// Storing manifests.
    pub manifests: Manifests,
    /// Referrers.
    pub referrers: Referrers,
    /// Listing tags, and deletion.
    pub listing: Listing,
    /// Error bodies and warnings.
    pub errors: Errors,
    /// Changes to answers, made last and in this order.
    pub answers: Vec<AnswerChange>,
}

impl Behaviour {
    /// The behaviour of the spec with this change.
    #[must_use]
    pub fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut behaviour = Self::default();
        change(&mut behaviour);
        behaviour
    }
}
