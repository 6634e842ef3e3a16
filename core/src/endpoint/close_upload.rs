//! `end-6`: `PUT <blob-push-location>?digest=<digest>`.

use bytes::Bytes;
use http::header::CONTENT_RANGE;
use http::{Request, Response, StatusCode};

use super::send_chunk::content_range;
use super::upload::with_progress;
use super::wire::{Head, check_digest, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, OpenUpload, Row};
use crate::header::ChunkRange;
use crate::target::TargetError;
use crate::{Digest, Target};

/// Ends an upload (`end-6`): after it the blob is stored under its digest.
#[derive(Debug, Clone, Copy)]
pub struct CloseUpload<'a> {
    /// The upload, at its newest location.
    pub upload: &'a OpenUpload,
    /// The digest of the whole blob.
    pub digest: &'a Digest,
    /// What the request's body is.
    pub body: ClosingBody,
}

/// What the request that ends an upload carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosingBody {
    /// Nothing: the whole blob has been sent.
    Empty,
    /// The whole blob, which may be empty. Without `Content-Range`, which would make it a chunk
    /// (quirk `content-range-on-monolithic-put`).
    Whole {
        /// Its size in bytes.
        size: u64,
    },
    /// The last chunk, with `Content-Range` (quirk `put-final-chunk-needs-content-range`).
    LastChunk(ChunkRange),
}

/// A blob is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlobStored {
    /// Whether the registry said so as the spec has it, with 201. Where it said 200, 202 or 204, a
    /// [`CheckBlob`](super::CheckBlob) makes sure (quirk `put-commit-status-variants`).
    pub confirmed: bool,
}

impl Endpoint for CloseUpload<'_> {
    type Output = BlobStored;

    fn row(&self) -> Row {
        Row::CloseUpload
    }

    fn target(&self) -> Target {
        self.upload.target().with_query("digest", &self.digest.to_string())
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        let head = Head::new(self.row(), &self.target())?;
        Ok(match self.body {
            ClosingBody::Empty => head.content_length(0).done(),
            ClosingBody::Whole { size } => head.content_length(size).octet_stream().done(),
            ClosingBody::LastChunk(range) => {
                let head = head.content_length(range.size()).octet_stream();
                head.header(CONTENT_RANGE, content_range(range)?).done()
            }
        })
    }

    /// A `Location` is neither needed nor looked at.
    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<BlobStored, AnswerError> {
        let row = self.row();
        succeeded(row, from, response).map_err(|error| with_progress(error, self.upload, from, response))?;
        check_digest(row, response, self.digest)?;
        match response.status() {
            StatusCode::CREATED => Ok(BlobStored { confirmed: true }),
            StatusCode::OK | StatusCode::ACCEPTED | StatusCode::NO_CONTENT => Ok(BlobStored { confirmed: false }),
            _ => Err(malformed(row, response, Flaw::Status)),
        }
    }
}
