//! The state of uploads, and how they are closed.

use serde::{Deserialize, Serialize};

use super::DigestHeader;

/// How the state of uploads is answered (`end-13`), and how uploads are cancelled (`end-14`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct UploadStatus {
    /// The status of `GET` for an open upload: 204. Seen: 404 (`status-get-404-live-session`).
    #[serde(deserialize_with = "super::status::read")]
    pub status: u16,
    /// Whether `HEAD` is answered as `GET` is, without a body. The spec has only `GET`, so otherwise it is refused with 405
    /// (`upload-head-answered`).
    pub head: bool,
    /// The `Range` header.
    pub range: StatusRange,
    /// Whether there is a `Location` (`status-range-exclusive-with-prefix`).
    pub location: bool,
    /// The status of `DELETE`: 204. If it is not a success, the upload stays open (`upload-cancel-status`,
    /// `mount-cancel-needs-delete`).
    #[serde(deserialize_with = "super::status::read")]
    pub cancel: u16,
}

impl Default for UploadStatus {
    fn default() -> Self {
        Self { status: 204, head: false, range: StatusRange::Inclusive, location: true, cancel: 204 }
    }
}

/// The `Range` header of the state of an upload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StatusRange {
    /// `0-<last byte>`
    #[default]
    Inclusive,
    /// `bytes=0-<length>`: Quay (`status-range-exclusive-with-prefix`).
    Exclusive,
    /// None (`status-without-range`).
    Absent,
}

/// How uploads are closed (`end-6`, and `end-4b` after its body).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Commit {
    /// The status of success: 201. Seen: 200, 202, 204 (`put-commit-status-variants`).
    #[serde(deserialize_with = "super::status::read")]
    pub status: u16,
    /// The status of a `PUT` with the whole blob, if it is refused. Seen: 404 (`put-monolithic-unsupported`).
    #[serde(deserialize_with = "super::status::read_optional")]
    pub monolithic_refused: Option<u16>,
    /// How a `PUT` with the last chunk and without `Content-Range` is handled.
    pub final_chunk: FinalChunk,
    /// Whether a `PUT` without a body after chunks fails with 500 (`put-empty-body-after-patch-500`).
    pub empty_put_fails: bool,
    /// Whether a `PUT` without `Content-Length` is refused with 411 and an HTML page (`put-empty-needs-content-length-0`).
    pub needs_content_length: bool,
    /// Whether the `Content-Range` of a `PUT` is ignored and its body appended (`put-ignores-content-range`).
    pub ignores_content_range: bool,
    /// The length in bytes above which a blob is lost when its upload is closed: the upload no longer exists, and the
    /// answer is 404 `BLOB_UPLOAD_UNKNOWN` (`large-layer-upload-unknown`).
    pub lost_above: Option<u64>,
    /// The status of an empty blob, if it is refused. Seen: 500 (`empty-blob-500`,
    /// `empty-blob-unsupported-cloudflare`).
    #[serde(deserialize_with = "super::status::read_optional")]
    pub empty_blob_refused: Option<u16>,
    /// The status if the digest is not that of the content: 400. Seen: 500 (`digest-mismatch-500`).
    #[serde(deserialize_with = "super::status::read")]
    pub mismatch: u16,
    /// The error code if the digest is not that of the content: `DIGEST_INVALID` (`digest-mismatch-code-varies`).
    pub mismatch_code: String,
    /// Whether the upload stays open after such a refusal (`digest-mismatch-keeps-session`). With
    /// `digest-mismatch-kills-session` it does not.
    pub mismatch_keeps_upload: bool,
    /// Whether the digest is not verified, so that wrong bytes are stored (`blob-digest-not-verified`).
    pub unverified: bool,
    /// Whether the digest of a blob that was sent in one request is not verified, so that wrong bytes are stored. The
    /// digest of a blob that was sent in chunks is verified (`blob-digest-not-verified`, Pulp).
    pub whole_unverified: bool,
    /// Whether only the last chunk of a blob is stored, whatever its digest is (`artifactory-chunks-last-kept`).
    pub last_chunk_only: bool,
    /// `Docker-Content-Digest` of success (`blob-digest-header-absent`, `blob-digest-header-wrong`).
    pub digest: DigestHeader,
    /// `Location` of success.
    pub location: BlobLocation,
    /// How long after its upload a blob becomes visible to clients, in microseconds (`blob-visible-after-delay`).
    pub visible_after: u64,
}

impl Default for Commit {
    fn default() -> Self {
        Self {
            status: 201,
            monolithic_refused: None,
            final_chunk: FinalChunk::Appended,
            empty_put_fails: false,
            needs_content_length: false,
            ignores_content_range: false,
            lost_above: None,
            empty_blob_refused: None,
            mismatch: 400,
            mismatch_code: "DIGEST_INVALID".to_owned(),
            mismatch_keeps_upload: false,
            unverified: false,
            whole_unverified: false,
            last_chunk_only: false,
            digest: DigestHeader::Sent,
            location: BlobLocation::Blob,
            visible_after: 0,
        }
    }
}

/// How a `PUT` with the last chunk and without `Content-Range` is handled (`put-final-chunk-needs-content-range`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FinalChunk {
    /// The chunk is appended.
    #[default]
    Appended,
    /// The chunk is treated as one that begins at 0, and is refused with 416: zot.
    AtZero,
    /// It is refused with 500: old Cloudflare.
    Fails,
}

/// The `Location` in the answer to a blob that was stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BlobLocation {
    /// The URL of the blob.
    #[default]
    Blob,
    /// The URL of the upload, which no longer exists (`blob-location-of-upload`).
    Upload,
    /// None (`blob-location-absent`).
    Absent,
}
