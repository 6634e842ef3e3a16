//! An upload that a registry has opened, and how far it is.

use bytes::Bytes;
use http::Response;

use super::wire::malformed;
use super::{AnswerError, Flaw, Refused, Row};
use crate::Target;
use crate::header::{RangeHint, chunk_max_length, chunk_min_length, location};

/// An upload that a registry has opened: the spec's `<blob-push-location>`. Only an answer makes one.
///
/// Its target is the newest `Location`, byte for byte. It may be at another origin than the registry: whoever sends
/// credentials there must look at [`Target::origin`] first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUpload {
    target: Target,
    /// Whose answer named the target: only what the registry itself points to may be trusted with its credentials.
    named_by: Target,
    chunk_min_length: Option<u64>,
    chunk_max_length: Option<u64>,
}

impl OpenUpload {
    /// An upload known by its location alone, as one that was saved.
    pub(crate) fn at(target: Target) -> Self {
        let named_by = Target::root(target.origin().clone());
        Self { target, named_by, chunk_min_length: None, chunk_max_length: None }
    }

    /// The target whose answer named this one.
    pub(crate) const fn named_by(&self) -> &Target {
        &self.named_by
    }

    /// Where its next request goes.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// The fewest bytes that every chunk but the last should have, where the registry said so (`OCI-Chunk-Min-Length`).
    /// A peer's number: allocate nothing by it.
    #[must_use]
    pub const fn chunk_min_length(&self) -> Option<u64> {
        self.chunk_min_length
    }

    /// The most bytes that a chunk may have, where the registry said so (`OCI-Chunk-Max-Length`).
    #[must_use]
    pub const fn chunk_max_length(&self) -> Option<u64> {
        self.chunk_max_length
    }

    /// The upload that the answer to a POST opened.
    pub(super) fn opened(row: Row, from: &Target, response: &Response<Bytes>) -> Result<Self, AnswerError> {
        match location(response.headers(), from) {
            Ok(Some(target)) => {
                let named_by = from.clone();
                Ok(Self { target, named_by, chunk_min_length: None, chunk_max_length: None }.with_bounds(response))
            }
            Ok(None) => Err(malformed(row, response, Flaw::NoLocation)),
            Err(why) => Err(malformed(row, response, why)),
        }
    }

    /// The same upload after an answer: at the answer's `Location`, if it has one.
    fn moved(&self, row: Row, from: &Target, response: &Response<Bytes>) -> Result<Self, AnswerError> {
        let mut upload = self.clone();
        if let Some(target) = location(response.headers(), from).map_err(|why| malformed(row, response, why))? {
            upload.target = target;
            upload.named_by = from.clone();
        }
        Ok(upload.with_bounds(response))
    }

    fn with_bounds(mut self, response: &Response<Bytes>) -> Self {
        self.chunk_min_length = chunk_min_length(response.headers()).or(self.chunk_min_length);
        self.chunk_max_length = chunk_max_length(response.headers()).or(self.chunk_max_length);
        self
    }
}

/// An upload as it stands after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadProgress {
    /// The upload, at its newest location: the next request goes there.
    pub upload: OpenUpload,
    /// How much of it the registry says it has.
    pub range: RangeHint,
}

impl UploadProgress {
    /// What an answer about `upload` says; where it has no `Location`, the old one stays (quirk
    /// `patch-location-missing`).
    pub(super) fn read(
        row: Row,
        upload: &OpenUpload,
        from: &Target,
        response: &Response<Bytes>,
    ) -> Result<Self, AnswerError> {
        Ok(Self { upload: upload.moved(row, from, response)?, range: RangeHint::read(response.headers()) })
    }
}

/// Adds to a 416 where the registry says the upload stands, where it says so.
pub(super) fn with_progress(
    error: AnswerError,
    upload: &OpenUpload,
    from: &Target,
    response: &Response<Bytes>,
) -> AnswerError {
    let AnswerError::Refused(refused) = error else { return error };
    let mut refused: Refused = *refused;
    if refused.status == http::StatusCode::RANGE_NOT_SATISFIABLE {
        let progress = UploadProgress::read(refused.row, upload, from, response).ok();
        refused.progress = progress.filter(|progress| says_something(progress, response));
    }
    refused.into()
}

/// Whether an answer says where an upload stands at all.
pub(super) fn says_something(progress: &UploadProgress, response: &Response<Bytes>) -> bool {
    progress.range != RangeHint::Unknown || response.headers().contains_key(http::header::LOCATION)
}
