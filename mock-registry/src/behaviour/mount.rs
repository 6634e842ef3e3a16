//! Mounting blobs.

use serde::{Deserialize, Serialize};

/// How a mount is answered (`end-11`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Mounting {
    /// Where the blob is looked for if the mount names a source.
    pub policy: MountPolicy,
    /// The status if the source does not have the blob, or the client may not read the source: 202, with an upload.
    /// Seen: 401 (`mount-unauthorised-401`), 403 (`mount-forbidden-403`), 404 (`mount-missing-404`), 405, 500.
    #[serde(deserialize_with = "super::status::read")]
    pub missing: u16,
    /// The status if the source does not exist, or the client may not read it; the value of `missing` if it is not set.
    /// Seen: 401 (`mount-unauthorised-401`).
    #[serde(deserialize_with = "super::status::read_optional")]
    pub absent_source: Option<u16>,
    /// The status if no repository has the first part of the source's name, which is its project, or the client may not
    /// read the source; the value of `absent_source` if it is not set. Seen: 401 (Harbor, `mount-unauthorised-401`).
    #[serde(deserialize_with = "super::status::read_optional")]
    pub absent_project: Option<u16>,
    /// How a mount without `from` is answered.
    pub without_from: WithoutFrom,
    /// The status of a `POST` with `from` and without `mount`: 202, with an upload. Seen: 405
    /// (`mount-from-without-mount-405`).
    #[serde(deserialize_with = "super::status::read")]
    pub from_alone: u16,
    /// Whether a mount with the parameter `origin`, which is not in the spec, is refused with 401
    /// (`mount-origin-param-breaks-hub`).
    pub refuses_origin: bool,
}

impl Default for Mounting {
    fn default() -> Self {
        Self {
            policy: MountPolicy::Source,
            missing: 202,
            absent_source: None,
            absent_project: None,
            without_from: WithoutFrom::Anywhere,
            from_alone: 202,
            refuses_origin: false,
        }
    }
}

/// Where a blob to mount is looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MountPolicy {
    /// In the repository that is named.
    #[default]
    Source,
    /// In all repositories that the client may read, whatever source is named (`mount-ignores-from`).
    AnyRepository,
    /// In the repository that is named, and only among the blobs that a manifest there refers to
    /// (`mount-only-if-manifest-references-blob`).
    Referenced,
    /// Nowhere: the answer is always 202, with an upload (`mount-always-202`, `mount-202-session-lost-blob`; ECR with
    /// blob mounting disabled).
    Never,
    /// Nowhere: the answer always has this status (`mount-401-nexus`).
    Refused(#[serde(deserialize_with = "super::status::read")] u16),
}

/// How a mount that names no source is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WithoutFrom {
    /// The blob is looked for in all repositories that the client may read.
    #[default]
    Anywhere,
    /// The blob is looked for in the target repository (`mount-existence-check`).
    Target,
    /// It starts an upload, with 202 (`mount-without-from-ok-202`).
    Upload,
    /// It is refused with this status: 400 (`mount-without-from-rejected`).
    Refused(#[serde(deserialize_with = "super::status::read")] u16),
}
