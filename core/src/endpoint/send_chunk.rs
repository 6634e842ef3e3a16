//! `end-5`: `PATCH <blob-push-location>`.

use bytes::Bytes;
use http::header::CONTENT_RANGE;
use http::{HeaderValue, Request, Response, StatusCode};

use super::upload::{says_something, with_progress};
use super::wire::{Head, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, OpenUpload, Row, UploadProgress};
use crate::Target;
use crate::header::ChunkRange;
use crate::target::TargetError;

/// Sends some of a blob (`end-5`): its body is the chunk.
#[derive(Debug, Clone, Copy)]
pub struct SendChunk<'a> {
    /// The upload, at its newest location.
    pub upload: &'a OpenUpload,
    /// Which bytes.
    pub chunk: Chunk,
}

/// Which bytes of a blob a PATCH holds. None at all cannot be sent (quirk `patch-zero-length`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk {
    /// These, as the spec has it: with `Content-Range`.
    Range(ChunkRange),
    /// All of the blob in one go, without `Content-Range`: once in an upload, and as its first chunk only
    /// (quirk `patch-second-stream-400`).
    Stream {
        /// How many bytes, where that is known before they are sent; without it the request has no `Content-Length`.
        size: Option<u64>,
    },
}

impl Endpoint for SendChunk<'_> {
    type Output = UploadProgress;

    fn row(&self) -> Row {
        Row::SendChunk
    }

    fn target(&self) -> Target {
        self.upload.target().clone()
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        let head = Head::new(self.row(), self.upload.target())?.octet_stream();
        Ok(match self.chunk {
            Chunk::Range(range) => {
                head.header(CONTENT_RANGE, content_range(range)?).content_length(range.size()).done()
            }
            Chunk::Stream { size: Some(size) } => head.content_length(size).done(),
            Chunk::Stream { size: None } => head.done(),
        })
    }

    /// 201, 202 and 204 are successes, and so is any other 2xx with a `Location`
    /// (quirks `patch-status-201`, `patch-status-204`). A chunk that was taken was taken whole, whatever `Range` says.
    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<UploadProgress, AnswerError> {
        let row = self.row();
        succeeded(row, from, response).map_err(|error| with_progress(error, self.upload, from, response))?;
        let progress = UploadProgress::read(row, self.upload, from, response)?;
        let is_usual = matches!(response.status(), StatusCode::CREATED | StatusCode::ACCEPTED | StatusCode::NO_CONTENT);
        if is_usual || says_something(&progress, response) {
            Ok(progress)
        } else {
            Err(malformed(row, response, Flaw::Status))
        }
    }
}

pub(super) fn content_range(range: ChunkRange) -> Result<HeaderValue, TargetError> {
    HeaderValue::try_from(range.to_string()).map_err(|_| TargetError::Unrepresentable)
}
