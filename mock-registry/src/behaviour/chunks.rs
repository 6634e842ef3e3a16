//! Chunks.

use serde::{Deserialize, Serialize};

/// How chunks are taken (`end-5`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Chunks {
    /// Whether there are any.
    pub patch: Patch,
    /// The status of success: 202. Seen: 201 (`patch-status-201`), 204 (`patch-status-204`).
    pub status: u16,
    /// The `Range` header of success.
    pub range: PatchRange,
    /// What `Range` says of an upload without a byte.
    pub empty_range: EmptyRange,
    /// Whether success lacks its `Location` (`patch-location-missing`).
    pub location_missing: bool,
    /// What `Content-Range` is good for.
    pub content_range: ContentRange,
    /// The status of a malformed `Content-Range`: 400. Seen: 500 (`patch-content-range-format`, `500-for-client-mistake`).
    pub malformed: u16,
    /// The status of a chunk that is not the next one: 416. Seen: 500 (`patch-out-of-order-500`).
    pub out_of_order: u16,
    /// The headers of that answer.
    pub out_of_order_range: OutOfOrderRange,
    /// Its error code, where it is not the spec's, or none where that is empty: then so is the body
    /// (`out-of-order-416-body-varies`).
    pub out_of_order_code: Option<String>,
    /// The status of a chunk without a byte, where it is refused. Seen: 416 (`patch-zero-length`).
    pub empty_refused: Option<u16>,
    /// The longest body.
    pub max: Option<BodyMax>,
    /// How many bodies may be on their way into uploads at once: with one more, its connection is reset
    /// (`parallel-upload-resets`).
    pub at_once: Option<usize>,
    /// The status with which somebody on the way sends a write to an upload elsewhere: to the same URL with `via=proxy`.
    /// Seen: 301 (`redirect-changes-method`).
    pub redirected: Option<u16>,
    /// Whether a second chunk without `Content-Range` is refused with 400 (`patch-second-stream-400`).
    pub one_stream: bool,
    /// Whether a `Content-Type` other than `application/octet-stream` is refused with 500 (`patch-content-type-strict`).
    pub strict_type: bool,
    /// What stays of a chunk whose body is cut.
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

/// Whether `PATCH` is taken (`patch-unsupported`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Patch {
    /// It is.
    #[default]
    Supported,
    /// One in an upload is, a second is refused with this status: GAR.
    Once(u16),
    /// It is refused with this status.
    Refused(u16),
}

/// The `Range` header after a chunk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PatchRange {
    /// `0-<last byte>`
    #[default]
    Correct,
    /// That of the first chunk, also after later ones: ECR (`patch-range-header-stale`).
    FirstChunk,
    /// One byte too far: `0-<length>`.
    OffByOne,
    /// One byte too far after a chunk without `Content-Range`, and else the chunk's own first and last byte: Artifactory
    /// (`patch-range-off-by-one-streamed`).
    OffByOneStreamed,
    /// `0-0`, whatever came (`patch-range-constant`).
    Constant,
    /// The last byte as counted from the chunk's own first (`patch-range-relative-to-chunk`).
    OfChunk,
    /// None (`patch-range-0--1-breaks-docker`).
    Absent,
}

/// What `Range` says of an upload without a byte, which the spec cannot say (`status-zero-bytes-ambiguous`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EmptyRange {
    /// `0-0`
    #[default]
    Zero,
    /// `0--1` (`patch-range-0--1-breaks-docker`)
    MinusOne,
    /// Nothing.
    Absent,
}

/// What the `Content-Range` of a chunk is good for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ContentRange {
    /// A chunk that is not the next one is refused.
    #[default]
    Checked,
    /// Nothing: all chunks are put behind one another (`patch-content-range-ignored`, `put-ignores-content-range`).
    Ignored,
    /// A chunk that leaves a gap is refused; of one that overlaps, the part that is there already is dropped; one that
    /// begins at 0 is put behind the others: Quay (`patch-overlap-accepted`).
    Overlapping,
}

/// Whether a refused chunk says where the upload is and how far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OutOfOrderRange {
    /// `Location` and `Range`.
    #[default]
    Sent,
    /// Neither (`out-of-order-416-body-varies`).
    Absent,
    /// Both, `Range` one byte too far: Quay (`quay-416-range-off-by-one`).
    OffByOne,
    /// Both and no body where the upload has bytes; else neither, with the body: ACR (`out-of-order-416-body-varies`).
    WithBytes,
}

/// The longest body of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct BodyMax {
    /// How long, in bytes.
    pub bytes: u64,
    /// The status of a longer one: 413 (`patch-body-too-large-413`) or 416 (`patch-max-4mib-416`), 408 or 499
    /// (`proxy-499-408-on-large-body`).
    pub status: u16,
    /// Which bodies.
    pub of: MaxOf,
}

impl BodyMax {
    /// A longest length, the status of a longer body, and which bodies have it.
    #[must_use]
    pub const fn new(bytes: u64, status: u16, of: MaxOf) -> Self {
        Self { bytes, status, of }
    }
}

/// Which bodies have a longest length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MaxOf {
    /// Chunks with a `Content-Length`, and a `PUT` with a `Content-Range`: GHCR (`patch-max-4mib-416`,
    /// `content-range-on-monolithic-put`).
    #[default]
    SizedChunks,
    /// All that goes into an upload (`patch-body-too-large-413`).
    AllBodies,
}

/// What stays of an upload when the body of a request is cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CutBody {
    /// What came.
    #[default]
    Kept,
    /// What was there before the request (`cut-body-dropped`).
    Dropped,
    /// Nothing: the upload is gone (`session-gone-404`).
    Gone,
}
