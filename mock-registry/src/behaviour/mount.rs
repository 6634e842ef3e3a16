//! Mounting blobs.

use serde::{Deserialize, Serialize};

/// How a mount is answered (`end-11`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Mounting {
    /// What is looked at when a source is named.
    pub policy: MountPolicy,
    /// The status where the source does not have the blob, or the client may not read it: 202, with an upload. Seen: 401
    /// (`mount-unauthorised-401`), 403 (`mount-forbidden-403`), 404 (`mount-missing-404`), 405, 500.
    pub missing: u16,
    /// The status where there is no such source, or the client may not read it; `missing` where nothing is set. Seen: 401
    /// (`mount-unauthorised-401`).
    pub absent_source: Option<u16>,
    /// What becomes of a mount without `from`.
    pub without_from: WithoutFrom,
    /// The status of a `POST` with `from` and without `mount`: 202, with an upload. Seen: 405
    /// (`mount-from-without-mount-405`).
    pub from_alone: u16,
    /// Whether `origin`, which the spec does not know, makes a mount fail with 401 (`mount-origin-param-breaks-hub`).
    pub refuses_origin: bool,
}

impl Default for Mounting {
    fn default() -> Self {
        Self {
            policy: MountPolicy::Source,
            missing: 202,
            absent_source: None,
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
    /// In all repositories that the client may read, whatever is named (`mount-ignores-from`).
    AnyRepository,
    /// In the repository that is named, and only what a manifest there refers to (`mount-only-if-manifest-references-blob`).
    Referenced,
    /// Nowhere: always 202, with an upload (`mount-always-202`, `mount-202-session-lost-blob`;
    /// ECR with blob mounting switched off).
    Never,
    /// Nowhere: always this status (`mount-401-nexus`).
    Refused(u16),
}

/// What becomes of a mount that names no source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WithoutFrom {
    /// The blob is looked for in all repositories that the client may read.
    #[default]
    Anywhere,
    /// The blob is looked for in the target repository (`mount-existence-check`).
    Target,
    /// It begins an upload, with 202 (`mount-without-from-ok-202`).
    Upload,
    /// It is refused with this status: 400 (`mount-without-from-rejected`).
    Refused(u16),
}
