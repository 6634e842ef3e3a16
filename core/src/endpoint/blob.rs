//! `end-2`: `GET` and `HEAD /v2/<name>/blobs/<digest>`.

use bytes::Bytes;
use http::header::RANGE;
use http::{HeaderValue, Request, Response, StatusCode};

use super::wire::{Head, check_content, check_digest, content_length, in_repository, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, Row};
use crate::header::PartRange;
use crate::target::TargetError;
use crate::{Digest, Origin, Repository, Target};

/// Asks for a blob's content, or for the rest of it (`end-2`, GET).
///
/// [`Endpoint::parse`] reads the head of the answer and leaves the body alone, because a body may have gone elsewhere
/// while it came. Whoever has all of it must compare its digest: [`PullBlob::verify`] does so for a blob in memory.
#[derive(Debug, Clone, Copy)]
pub struct PullBlob<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository.
    pub repository: &'a Repository,
    /// The blob.
    pub digest: &'a Digest,
    /// The position of the first byte wanted: 0 for the whole blob. More than that asks for a range, which a registry
    /// may ignore.
    pub offset: u64,
}

/// The head of an answer that holds a blob, or the rest of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlobContent {
    /// The position in the blob of the body's first byte: the offset that was asked for, or 0 where the registry sends the
    /// whole blob all the same.
    pub offset: u64,
    /// The size of the whole blob in bytes, where the answer says it. A peer's number: allocate nothing by it.
    pub size: Option<u64>,
}

impl PullBlob<'_> {
    /// Checks a blob that has come whole.
    ///
    /// # Errors
    /// Where it is not the blob that was asked for.
    pub fn verify(&self, content: &[u8]) -> Result<(), AnswerError> {
        check_content(self.row(), Digest::of(self.digest.algorithm(), content), self.digest)
    }
}

impl Endpoint for PullBlob<'_> {
    type Output = BlobContent;

    fn row(&self) -> Row {
        Row::PullBlob
    }

    fn target(&self) -> Target {
        blob(self.origin, self.repository, self.digest)
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        let head = Head::new(self.row(), &self.target())?;
        if self.offset == 0 {
            return Ok(head.done());
        }
        let range =
            HeaderValue::try_from(format!("bytes={}-", self.offset)).map_err(|_| TargetError::Unrepresentable)?;
        Ok(head.header(RANGE, range).done())
    }

    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<BlobContent, AnswerError> {
        succeeded(self.row(), from, response)?;
        check_digest(self.row(), response, self.digest)?;
        match response.status() {
            StatusCode::OK => Ok(BlobContent { offset: 0, size: content_length(response) }),
            StatusCode::PARTIAL_CONTENT => {
                let part = PartRange::read(response.headers()).filter(|part| part.start == self.offset);
                let part = part.ok_or_else(|| malformed(self.row(), response, Flaw::Part))?;
                Ok(BlobContent { offset: part.start, size: part.size })
            }
            _ => Err(malformed(self.row(), response, Flaw::Status)),
        }
    }
}

/// Asks whether a repository has a blob (`end-2`, HEAD).
///
/// It is an optimisation and no more: a refusal other than 404 means that one does not know
/// (quirks `head-needs-push-scope`, `ghcr-head-403-without-write`).
#[derive(Debug, Clone, Copy)]
pub struct CheckBlob<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository.
    pub repository: &'a Repository,
    /// The blob.
    pub digest: &'a Digest,
}

/// Whether a blob is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobPresence {
    /// It is.
    Present {
        /// Its size in bytes, where the answer says it. Some registries say 0 of any blob
        /// (quirk `blob-head-content-length-zero`).
        size: Option<u64>,
    },
    /// It is not: 404.
    Absent,
}

impl Endpoint for CheckBlob<'_> {
    type Output = BlobPresence;

    fn row(&self) -> Row {
        Row::CheckBlob
    }

    fn target(&self) -> Target {
        blob(self.origin, self.repository, self.digest)
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        Ok(Head::new(self.row(), &self.target())?.done())
    }

    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<BlobPresence, AnswerError> {
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(BlobPresence::Absent);
        }
        succeeded(self.row(), from, response)?;
        if response.status() != StatusCode::OK {
            return Err(malformed(self.row(), response, Flaw::Status));
        }
        check_digest(self.row(), response, self.digest)?;
        Ok(BlobPresence::Present { size: content_length(response) })
    }
}

/// `/v2/<name>/blobs/<digest>`.
pub(super) fn blob(origin: &Origin, repository: &Repository, digest: &Digest) -> Target {
    in_repository(origin, repository, &format!("blobs/{digest}"))
}
