//! Referrers.

use serde::{Deserialize, Serialize};

/// How referrers are listed (`end-12a`, `end-12b`) and announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Referrers {
    /// Whether there is a referrers API.
    pub api: ReferrersApi,
    /// Whether `OCI-Subject` is sent.
    pub subject: SubjectHeader,
    /// Whether a list can be filtered by `artifactType` (`referrers-filter-client-side`). The spec says SHOULD.
    pub filter: bool,
    /// The status if the subject does not exist: 200. Seen: 400 (`referrers-empty-vs-missing-subject`).
    #[serde(deserialize_with = "super::status::read")]
    pub unknown_subject: u16,
    /// Whether the descriptors in a list have an `artifactType` (`referrers-descriptor-shape`).
    pub artifact_types: bool,
}

impl Default for Referrers {
    fn default() -> Self {
        Self {
            api: ReferrersApi::On,
            subject: SubjectHeader::Truthful,
            filter: true,
            unknown_subject: 200,
            artifact_types: true,
        }
    }
}

/// Whether there is a referrers API, and what is answered if there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReferrersApi {
    /// There is one.
    #[default]
    On,
    /// 404 with `MANIFEST_UNKNOWN` (`referrers-404-fallback`).
    NotFound,
    /// 404 as plain text, because there is no such route: distribution (`referrers-404-fallback`).
    NoRoute,
    /// 303 to an HTML page at another origin (`referrers-303-to-html`).
    SeeOther,
    /// 200 with an HTML page (`referrers-odd-status-means-unsupported`).
    Html,
    /// 200 with JSON that is not an index (`referrers-odd-status-means-unsupported`).
    OtherJson,
    /// This status: 400, 403, 405, 406, 415 (`referrers-odd-status-means-unsupported`).
    Refused(#[serde(deserialize_with = "super::status::read")] u16),
}

/// Whether `OCI-Subject` is sent for a manifest with a subject.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SubjectHeader {
    /// If there is a referrers API.
    #[default]
    Truthful,
    /// Always (`oci-subject-lies`).
    Always,
    /// Never (`oci-subject-missing-but-supported`).
    Never,
}
