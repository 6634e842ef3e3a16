//! Reading blobs and manifests.

use serde::{Deserialize, Serialize};

/// How blobs and manifests are read (`end-2`, `end-3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Reading {
    /// The status of `HEAD` for a manifest that is not there: 404. Seen: 403 (`manifest-head-403-means-missing`), 401
    /// (`head-needs-push-scope`), 500 (`manifest-head-500-when-repo-missing`).
    pub missing_manifest: u16,
    /// The status of `HEAD` for a manifest in a repository that is not there; that of other missing manifests where nothing
    /// is set. Seen: 403 (`manifest-head-403-means-missing`), 500 (`manifest-head-500-when-repo-missing`).
    pub missing_repository: Option<u16>,
    /// Whether the answer to a malformed tag or digest is 404 with words instead of an error code
    /// (`bad-reference-routing`).
    pub bad_reference_as_text: bool,
    /// The status of `HEAD` for a blob that is not there: 404. Seen: 401 (`blob-head-401-means-missing`), 403
    /// (`ghcr-head-403-without-write`).
    pub missing_blob: u16,
    /// Whether `HEAD` of a manifest is answered. Where not, the status is 405 (`manifest-head-405`).
    pub manifest_head: bool,
    /// Whether `HEAD` of a manifest says one byte more than there is (`manifest-head-length-differs`).
    pub manifest_head_length_differs: bool,
    /// Whether `HEAD` of a blob has `Content-Length: 0` (`blob-head-content-length-zero`).
    pub blob_head_length_zero: bool,
    /// Whether a blob has a `Content-Type` (`blob-head-no-content-type`).
    pub blob_content_type: bool,
    /// `Docker-Content-Digest` of blobs (`blob-head-redirect`).
    pub blob_digest: DigestHeader,
    /// `Docker-Content-Digest` of manifests (`manifest-digest-header-unreliable`).
    pub manifest_digest: DigestHeader,
    /// Whether a manifest is 404 for a client whose `Accept` does not name its type (`manifest-get-404-accept-filter`).
    pub accept_filters: bool,
    /// Whether `Range` is heeded for blobs. The spec says SHOULD.
    pub ranges: bool,
    /// Whether blobs are served by the storage's own origin, behind a 307 with a signed URL (`blob-head-redirect`,
    /// `redirect-strip-authorization`). Needs [`RegistryOptions::storage`](crate::RegistryOptions::storage).
    pub blob_redirect: bool,
    /// Whether that is so for `HEAD` too (`blob-head-redirect`).
    pub blob_head_redirect: bool,
    /// Whether the storage's origin refuses requests that carry `Authorization`, with 400
    /// (`redirect-s3-rejects-authorization`).
    pub storage_refuses_authorization: bool,
    /// Which answers say `Docker-Distribution-API-Version: registry/2.0`. Old clients look for it in the answer to `/v2/`.
    pub api_version: ApiVersion,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            missing_manifest: 404,
            missing_repository: None,
            bad_reference_as_text: false,
            missing_blob: 404,
            manifest_head: true,
            manifest_head_length_differs: false,
            blob_head_length_zero: false,
            blob_content_type: true,
            blob_digest: DigestHeader::Sent,
            manifest_digest: DigestHeader::Sent,
            accept_filters: false,
            ranges: true,
            blob_redirect: false,
            blob_head_redirect: true,
            storage_refuses_authorization: false,
            api_version: ApiVersion::Always,
        }
    }
}

/// What becomes of a `Docker-Content-Digest` header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DigestHeader {
    /// It is sent.
    #[default]
    Sent,
    /// It is left out.
    Absent,
    /// It names other content (`manifest-digest-header-unreliable`).
    Wrong,
}

/// Which answers say `Docker-Distribution-API-Version: registry/2.0`: a header that the spec leaves to registries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ApiVersion {
    /// All but those of the token service.
    #[default]
    Always,
    /// Those to `/v2/` (`end-1`).
    BaseOnly,
    /// None.
    Absent,
}
