//! An upload that a registry has opened, and its progress.

use http::HeaderMap;
use http::header::LOCATION;

use super::{LocationError, RangeHint, chunk_max_length, chunk_min_length, location};
use crate::Target;

/// An upload that a registry has opened: the spec's `<blob-push-location>`. It can only be made from a registry's
/// answer.
///
/// Its target is the newest `Location`, byte for byte. It may be at another origin than the registry, so check
/// [`Target::origin`] before you send credentials there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUpload {
    target: Target,
    /// The target whose answer named `target`. Credentials are sent only to a target that the registry itself named.
    named_by: Target,
    chunk_min_length: Option<u64>,
    chunk_max_length: Option<u64>,
}

impl OpenUpload {
    /// An upload of which only the location is known, for example from a checkpoint.
    pub(crate) fn at(target: Target) -> Self {
        let named_by = Target::root(target.origin().clone());
        Self { target, named_by, chunk_min_length: None, chunk_max_length: None }
    }

    /// The target whose answer named this one.
    pub(crate) const fn named_by(&self) -> &Target {
        &self.named_by
    }

    /// The target of its next request.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// The smallest size in bytes, inclusive, that every chunk but the last should have, if the registry stated one
    /// (`OCI-Chunk-Min-Length`). The registry chooses the number, so allocate nothing by it.
    #[must_use]
    pub const fn chunk_min_length(&self) -> Option<u64> {
        self.chunk_min_length
    }

    /// The largest size in bytes, inclusive, that a chunk may have, if the registry stated one
    /// (`OCI-Chunk-Max-Length`).
    #[must_use]
    pub const fn chunk_max_length(&self) -> Option<u64> {
        self.chunk_max_length
    }

    /// The upload that the answer to a POST opened; `None` if it has no `Location`.
    pub(crate) fn opened(from: &Target, headers: &HeaderMap) -> Result<Option<Self>, LocationError> {
        let Some(target) = location(headers, from)? else { return Ok(None) };
        let named_by = from.clone();
        let upload = Self { target, named_by, chunk_min_length: None, chunk_max_length: None };
        Ok(Some(upload.with_bounds(headers)))
    }

    /// The same upload, at the `Location` of an answer if it has one.
    fn moved(&self, from: &Target, headers: &HeaderMap) -> Result<Self, LocationError> {
        let mut upload = self.clone();
        if let Some(target) = location(headers, from)? {
            upload.target = target;
            upload.named_by = from.clone();
        }
        Ok(upload.with_bounds(headers))
    }

    fn with_bounds(mut self, headers: &HeaderMap) -> Self {
        self.chunk_min_length = chunk_min_length(headers).or(self.chunk_min_length);
        self.chunk_max_length = chunk_max_length(headers).or(self.chunk_max_length);
        self
    }
}

/// The state of an upload after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadProgress {
    /// The upload, at its newest location.
    pub upload: OpenUpload,
    /// How many bytes the registry says it has.
    pub range: RangeHint,
}

impl UploadProgress {
    /// Reads an answer about `upload`. If it has no `Location`, the old one stays valid ([quirk](crate::quirks)
    /// `patch-location-missing`).
    pub(crate) fn read(upload: &OpenUpload, from: &Target, headers: &HeaderMap) -> Result<Self, LocationError> {
        Ok(Self { upload: upload.moved(from, headers)?, range: RangeHint::read(headers) })
    }

    /// Whether the answer that this was read from has a `Location` or a readable `Range`.
    pub(crate) fn is_stated(&self, headers: &HeaderMap) -> bool {
        self.range != RangeHint::Unknown || headers.contains_key(LOCATION)
    }
}
