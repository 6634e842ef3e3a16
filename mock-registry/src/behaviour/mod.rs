//! What a registry does otherwise than the spec's usual reading: typed switches, each with the quirk that it plays.
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
//! The default of every switch is what the spec says. Switches that come later break no program: the
//! structures are not exhaustive. The names in code style, such as `mount-always-202`, are the ids of
//! observed quirks of real registries.

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

use serde::{Deserialize, Serialize};

pub use answers::{AnswerChange, AnswerFilter};
pub use auth::{Authentication, ChallengeForm, ChallengeScope, Grants, Realm, TokenField};
pub use chunks::{BodyMax, Chunks, ContentRange, CutBody, EmptyRange, MaxOf, OutOfOrderRange, Patch, PatchRange};
pub use commit::{BlobLocation, Commit, FinalChunk, StatusRange, UploadStatus};
pub use errors::{ErrorBody, Errors};
pub use listing::{LinkForm, ListName, Listing};
pub use manifest::{
    DuplicatePut, Echo, EtagForm, ImmutableTags, ManifestLocation, Manifests, MissingReference, RefusedTypes,
};
pub use mount::{MountPolicy, Mounting, WithoutFrom};
pub use read::{ApiVersion, DigestHeader, Reading};
pub use referrers::{Referrers, ReferrersApi, SubjectHeader};
pub use start::{
    ChunkMin, Creation, IdForm, LocationForm, PostRange, SinglePost, Start, StateQuery, TrailingSlash, UploadPath,
};

/// How a registry behaves. The default is spec-true.
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
    /// Beginning uploads.
    pub start: Start,
    /// Chunks of uploads.
    pub chunks: Chunks,
    /// The state of uploads, and cancelling them.
    pub status: UploadStatus,
    /// The end of uploads.
    pub commit: Commit,
    /// Storing manifests.
    pub manifests: Manifests,
    /// Referrers.
    pub referrers: Referrers,
    /// Listing tags, and deletion.
    pub listing: Listing,
    /// Error bodies and warnings.
    pub errors: Errors,
    /// Changes to answers, after all else; in this order.
    pub answers: Vec<AnswerChange>,
}

impl Behaviour {
    /// What the spec says, but for this change.
    #[must_use]
    pub fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut behaviour = Self::default();
        change(&mut behaviour);
        behaviour
    }
}
