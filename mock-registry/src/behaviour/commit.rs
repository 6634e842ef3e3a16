//! The state of uploads, and their end.

use serde::{Deserialize, Serialize};

use super::DigestHeader;

/// The state of uploads (`end-13`) and cancelling them (`end-14`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct UploadStatus {
    /// The status of `GET` for an open upload: 204. Seen: 404 (`status-get-404-live-session`).
    pub status: u16,
    /// The `Range` header.
    pub range: StatusRange,
    /// Whether there is a `Location` (`status-range-exclusive-with-prefix`).
    pub location: bool,
    /// The status of `DELETE`: 204. Where it is no success, the upload stays (`upload-cancel-status`,
    /// `mount-cancel-needs-delete`).
    pub cancel: u16,
}

impl Default for UploadStatus {
    fn default() -> Self {
        Self { status: 204, range: StatusRange::Inclusive, location: true, cancel: 204 }
    }
}

/// The `Range` header of an upload's state.
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

/// How uploads end (`end-6`, and `end-4b` at its end).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Commit {
    /// The status of success: 201. Seen: 200, 202, 204 (`put-commit-status-variants`).
    pub status: u16,
    /// The status of a whole blob in the `PUT`, where it is refused. Seen: 404 (`put-monolithic-unsupported`).
    pub monolithic_refused: Option<u16>,
    /// What becomes of a last chunk in the `PUT` without `Content-Range`.
    pub final_chunk: FinalChunk,
    /// Whether a `PUT` without a body after chunks fails with 500 (`put-empty-body-after-patch-500`).
    pub empty_put_fails: bool,
    /// Whether a `PUT` without `Content-Length` is refused with 411 and an HTML page (`put-empty-needs-content-length-0`).
    pub needs_content_length: bool,
    /// Whether the `Content-Range` of a `PUT` is not looked at: what comes is put behind the others
    /// (`put-ignores-content-range`).
    pub ignores_content_range: bool,
    /// Above how many bytes a blob is lost when its upload ends: the upload is gone, and the answer is 404
    /// `BLOB_UPLOAD_UNKNOWN` (`large-layer-upload-unknown`).
    pub lost_above: Option<u64>,
    /// The status of a blob without a byte, where it is refused. Seen: 500 (`empty-blob-500`,
    /// `empty-blob-unsupported-cloudflare`).
    pub empty_blob_refused: Option<u16>,
    /// The status where the digest is not that of the content: 400. Seen: 500 (`digest-mismatch-500`).
    pub mismatch: u16,
    /// The error code where the digest is not that of the content: `DIGEST_INVALID` (`digest-mismatch-code-varies`).
    pub mismatch_code: String,
    /// Whether the upload outlives such a refusal (`digest-mismatch-keeps-session`). It does not in
    /// `digest-mismatch-kills-session`.
    pub mismatch_keeps_upload: bool,
    /// Whether the digest is not looked at: wrong bytes are stored (`blob-digest-not-verified`).
    pub unverified: bool,
    /// Whether the digest is not looked at where the blob came in one request: wrong bytes are stored, of uploads in chunks
    /// they are not (`blob-digest-not-verified`, Pulp).
    pub whole_unverified: bool,
    /// Whether a blob has only its last chunk, whatever its digest says (`artifactory-chunks-last-kept`).
    pub last_chunk_only: bool,
    /// `Docker-Content-Digest` of success (`blob-digest-header-absent`, `blob-digest-header-wrong`).
    pub digest: DigestHeader,
    /// `Location` of success.
    pub location: BlobLocation,
    /// How long after its upload a blob begins to be there for those who ask, in microseconds (`blob-visible-after-delay`).
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

/// What becomes of a last chunk in the `PUT` that has no `Content-Range` (`put-final-chunk-needs-content-range`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FinalChunk {
    /// It goes behind the others.
    #[default]
    Appended,
    /// It is taken to begin at 0, which is refused with 416: zot.
    AtZero,
    /// 500: old Cloudflare.
    Fails,
}

/// The `Location` of a blob that was stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BlobLocation {
    /// The blob's.
    #[default]
    Blob,
    /// The upload's, which is over (`blob-location-of-upload`).
    Upload,
    /// None (`blob-location-absent`).
    Absent,
}
