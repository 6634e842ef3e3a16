//! `end-4b`: `POST /v2/<name>/blobs/uploads/?digest=<digest>`.

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::start_upload::uploads;
use super::wire::{Head, check_digest, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, OpenUpload, Row};
use crate::target::TargetError;
use crate::{Digest, Origin, Repository, Target};

/// Uploads a whole blob in one request (`end-4b`): its body is the blob.
#[derive(Debug, Clone, Copy)]
pub struct PostBlob<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository.
    pub repository: &'a Repository,
    /// The blob.
    pub digest: &'a Digest,
    /// The blob's size in bytes.
    pub size: u64,
}

/// What became of a blob that was sent in one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostedBlob {
    /// 201: it is stored.
    Stored,
    /// 202: the registry does not do that and took nothing of the body; it has begun an upload instead
    /// (quirk `post-digest-single-unsupported-202`).
    Opened(OpenUpload),
}

impl Endpoint for PostBlob<'_> {
    type Output = PostedBlob;

    fn row(&self) -> Row {
        Row::PostBlob
    }

    fn target(&self) -> Target {
        uploads(self.origin, self.repository).with_query("digest", &self.digest.to_string())
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        Ok(Head::new(self.row(), &self.target())?.content_length(self.size).octet_stream().done())
    }

    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<PostedBlob, AnswerError> {
        succeeded(self.row(), from, response)?;
        match response.status() {
            StatusCode::CREATED => {
                check_digest(self.row(), response, self.digest)?;
                Ok(PostedBlob::Stored)
            }
            StatusCode::ACCEPTED => Ok(PostedBlob::Opened(OpenUpload::opened(self.row(), from, response)?)),
            _ => Err(malformed(self.row(), response, Flaw::Status)),
        }
    }
}
