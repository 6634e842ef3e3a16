//! What a registry was seen to do: kept for the next blob, and to save for the next client.

use serde::{Deserialize, Serialize};

/// What was learned of one registry. It holds no secret and no URL, so it can be saved as it is.
///
/// `None` means that it was not seen yet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Learned {
    /// Whether one POST with the whole body stores a blob (end-4b).
    pub single_post: Option<bool>,
    /// Whether a PUT with the whole body does (end-6).
    pub whole_put: Option<bool>,
    /// Whether one PATCH with the whole body does.
    pub streamed_patch: Option<bool>,
    /// Whether PATCHes with `Content-Range` do (end-5).
    pub chunks: Option<bool>,
    /// The largest request body that it takes, in bytes: less than one it refused.
    pub body_limit: Option<u64>,
    /// The largest chunk that it takes, in bytes, where whole blobs may be larger (quirk `patch-max-4mib-416`).
    pub chunk_limit: Option<u64>,
    /// Whether a POST that mounts a blob from its own repository answers 201 when the blob is there.
    pub self_mount: Option<bool>,
    /// Whether it takes `tag` parameters when a manifest is pushed (end-7b).
    pub tag_parameter: Option<bool>,
    /// Whether it keeps the lists of referrers itself (end-12).
    pub referrers: Option<bool>,
}
