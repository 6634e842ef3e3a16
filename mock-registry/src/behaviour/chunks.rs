//! Chunks.

use serde::{Deserialize, Serialize};

/// How chunks are accepted (`end-5`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Chunks {
    /// Whether chunks are accepted.
    pub patch: Patch,
    /// The status of success: 202. Seen: 201 (`patch-status-201`), 204 (`patch-status-204`).
    #[serde(deserialize_with = "super::status::read")]
    pub status: u16,
    /// The `Range` header of success.
    pub range: PatchRange,
    /// The `Range` header of an empty upload.
    pub empty_range: EmptyRange,
    /// Whether success has no `Location` (`patch-location-missing`).
    pub location_missing: bool,
    /// How `Content-Range` is used.
    pub content_range: ContentRange,
    /// The status of a malformed `Content-Range`: 400. Seen: 500 (`patch-content-range-format`, `500-for-client-mistake`).
    #[serde(deserialize_with = "super::status::read")]
    pub malformed: u16,
    /// The status of a chunk that is not the next one: 416. Seen: 500 (`patch-out-of-order-500`).
    #[serde(deserialize_with = "super::status::read")]
    pub out_of_order: u16,
    /// The headers of that answer.
    pub out_of_order_range: OutOfOrderRange,
    /// The error code of that answer, if it is not the spec's. If it is empty, the answer has no body
    /// (`out-of-order-416-body-varies`).
    pub out_of_order_code: Option<String>,
    /// The status of an empty chunk, if it is refused. Seen: 416 (`patch-zero-length`).
    #[serde(deserialize_with = "super::status::read_optional")]
    pub empty_refused: Option<u16>,
    /// The longest body.
    pub max: Option<BodyMax>,
    /// How many requests may write to uploads at the same time. The connection of a further one is reset
    /// (`parallel-upload-resets`).
    pub at_once: Option<usize>,
    /// The status with which a proxy redirects a write to an upload to the same URL with `via=proxy`; nothing if it
    /// does not. Seen: 301 (`redirect-changes-method`).
    #[serde(deserialize_with = "super::status::read_optional")]
    pub redirected: Option<u16>,
    /// Whether a second chunk without `Content-Range` is refused with 400 (`patch-second-stream-400`).
    pub one_stream: bool,
    /// Whether a `Content-Type` other than `application/octet-stream` is refused with 500 (`patch-content-type-strict`).
    pub strict_type: bool,
    /// How much of a chunk is kept if its body is cut.
    pub cut: CutBody,
}

impl Default for Chunks {
    fn default() -> Self {
        Self {
            patch: Patch::Supported,
            status: 202,
            range: PatchRange::Correct,
            empty_range: EmptyRange::Zero,
            location_missing: false,
            content_range: ContentRange::Checked,
            malformed: 400,
            out_of_order: 416,
            out_of_order_range: OutOfOrderRange::Sent,
            out_of_order_code: None,
            empty_refused: None,
            max: None,
            at_once: None,
            redirected: None,
            one_stream: false,
            strict_type: false,
            cut: CutBody::Kept,
        }
    }
}

/// Whether `PATCH` is accepted (`patch-unsupported`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Patch {
    /// It is accepted.
    #[default]
    Supported,
    /// The first in an upload is accepted, a second is refused with this status: GAR.
    Once(#[serde(deserialize_with = "super::status::read")] u16),
    /// It is refused with this status.
    Refused(#[serde(deserialize_with = "super::status::read")] u16),
}

/// The `Range` header after a chunk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PatchRange {
    /// `0-<last byte>`
    #[default]
    Correct,
    /// The range of the first chunk, also after later ones: ECR (`patch-range-header-stale`).
    FirstChunk,
    /// One byte too many: `0-<length>`.
    OffByOne,
    /// One byte too many after a chunk without `Content-Range`, otherwise the first and last byte of the chunk itself:
    /// Artifactory (`patch-range-off-by-one-streamed`).
    OffByOneStreamed,
    /// Always `0-0` (`patch-range-constant`).
    Constant,
    /// The last byte, counted from the first byte of the chunk (`patch-range-relative-to-chunk`).
    OfChunk,
    /// None (`patch-range-0--1-breaks-docker`).
    Absent,
}

/// The `Range` header of an empty upload, for which the spec has no form (`status-zero-bytes-ambiguous`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EmptyRange {
    /// `0-0`
    #[default]
    Zero,
    /// `0--1` (`patch-range-0--1-breaks-docker`)
    MinusOne,
    /// No `Range` header.
    Absent,
}

/// How the `Content-Range` of a chunk is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ContentRange {
    /// A chunk that is not the next one is refused.
    #[default]
    Checked,
    /// It is ignored: all chunks are appended (`patch-content-range-ignored`, `put-ignores-content-range`).
    Ignored,
    /// A chunk that leaves a gap is refused. Of a chunk that overlaps, the part that the upload already has is dropped.
    /// A chunk that begins at 0 is appended: Quay (`patch-overlap-accepted`).
    Overlapping,
}

/// The headers of the refusal of a chunk that tell the URL and the state of the upload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OutOfOrderRange {
    /// `Location` and `Range`.
    #[default]
    Sent,
    /// Neither (`out-of-order-416-body-varies`).
    Absent,
    /// Both, `Range` with one byte too many: Quay (`quay-416-range-off-by-one`).
    OffByOne,
    /// Both, without a body, if the upload has bytes; neither, with a body, if it has none: ACR
    /// (`out-of-order-416-body-varies`).
    WithBytes,
}

/// The longest body of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct BodyMax {
    /// The length in bytes.
    pub bytes: u64,
    /// The status of a longer one: 413 (`patch-body-too-large-413`) or 416 (`patch-max-4mib-416`), 408 or 499
    /// (`proxy-499-408-on-large-body`).
    #[serde(deserialize_with = "super::status::read")]
    pub status: u16,
    /// The bodies that the limit applies to.
    pub of: MaxOf,
}

impl BodyMax {
    /// The longest length, the status of a longer body, and the bodies that the limit applies to.
    #[must_use]
    pub const fn new(bytes: u64, status: u16, of: MaxOf) -> Self {
        Self { bytes, status, of }
    }
}

/// The bodies that the longest length applies to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MaxOf {
    /// Chunks with a `Content-Length`, and a `PUT` with a `Content-Range`: GHCR (`patch-max-4mib-416`,
    /// `content-range-on-monolithic-put`).
    #[default]
    SizedChunks,
    /// All bodies that are written to an upload (`patch-body-too-large-413`).
    AllBodies,
}

/// What an upload contains after the body of a request was cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CutBody {
    /// All bytes that were received.
    #[default]
    Kept,
    /// The bytes that it had before the request (`cut-body-dropped`).
    Dropped,
    /// Nothing: the upload no longer exists (`session-gone-404`).
    Gone,
}
