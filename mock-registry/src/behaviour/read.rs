//! Reading blobs and manifests.

use serde::{Deserialize, Serialize};

/// How blobs and manifests are read (`end-2`, `end-3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Reading {
    /// The status of `HEAD` of a manifest that does not exist: 404. Seen: 403 (`manifest-head-403-means-missing`), 401
    /// (`head-needs-push-scope`), 500 (`manifest-head-500-when-repo-missing`).
    #[serde(deserialize_with = "super::status::read")]
    pub missing_manifest: u16,
    /// The status of `HEAD` of a manifest in a repository that does not exist; the same as for other missing manifests
    /// if it is not set. Seen: 403 (`manifest-head-403-means-missing`), 500 (`manifest-head-500-when-repo-missing`).
    #[serde(deserialize_with = "super::status::read_optional")]
    pub missing_repository: Option<u16>,
    /// Whether the answer to a malformed tag or digest is 404 with plain text instead of an error code
    /// (`bad-reference-routing`).
    pub bad_reference_as_text: bool,
    /// The status of `HEAD` of a blob that does not exist: 404. Seen: 401 (`blob-head-401-means-missing`), 403
    /// (`ghcr-head-403-without-write`).
    #[serde(deserialize_with = "super::status::read")]
    pub missing_blob: u16,
    /// Whether `HEAD` of a manifest is supported. If it is not, the status is 405 (`manifest-head-405`).
    pub manifest_head: bool,
    /// Whether the `Content-Length` of `HEAD` of a manifest is one byte too large (`manifest-head-length-differs`).
    pub manifest_head_length_differs: bool,
    /// Whether `HEAD` of a blob has `Content-Length: 0` (`blob-head-content-length-zero`).
    pub blob_head_length_zero: bool,
    /// Whether the answer with a blob has a `Content-Type` (`blob-head-no-content-type`).
    pub blob_content_type: bool,
    /// The `Docker-Content-Digest` header of blobs (`blob-head-redirect`).
    pub blob_digest: DigestHeader,
    /// The `Docker-Content-Digest` header of manifests (`manifest-digest-header-unreliable`).
    pub manifest_digest: DigestHeader,
    /// Whether a request whose `Accept` does not name the type of the manifest is answered with 404
    /// (`manifest-get-404-accept-filter`).
    pub accept_filters: bool,
    /// Whether `Range` is supported for blobs. The spec says SHOULD.
    pub ranges: bool,
    /// Whether `GET` of a blob is redirected with 307 to a signed URL at the storage's own origin
    /// (`blob-head-redirect`, `redirect-strip-authorization`). Needs
    /// [`RegistryOptions::storage`](crate::RegistryOptions::storage).
    pub blob_redirect: bool,
    /// Whether `HEAD` of a blob is redirected too (`blob-head-redirect`).
    pub blob_head_redirect: bool,
    /// Whether the storage's origin refuses requests with `Authorization`, with 400
    /// (`redirect-s3-rejects-authorization`).
    pub storage_refuses_authorization: bool,
    /// The answers with `Docker-Distribution-API-Version: registry/2.0`. Old clients look for it in the answer to
    /// `/v2/`.
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

/// Whether a `Docker-Content-Digest` header is sent, and with which value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DigestHeader {
    /// It is sent.
    #[default]
    Sent,
    /// It is left out.
    Absent,
    /// It has the digest of other content (`manifest-digest-header-unreliable`).
    Wrong,
}

/// The answers with `Docker-Distribution-API-Version: registry/2.0`, a header that the spec leaves to registries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ApiVersion {
    /// All answers except those of the token server.
    #[default]
    Always,
    /// Answers to `/v2/` (`end-1`).
    BaseOnly,
    /// None.
    Absent,
}
