//! `end-4a` and `end-4c`: `POST /v2/<name>/blobs/uploads/`.

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::wire::{Head, in_repository, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, OpenUpload, Row};
use crate::target::TargetError;
use crate::{Algorithm, Origin, Repository, Target};

/// Begins an upload (`end-4a`, or `end-4c` with an algorithm).
#[derive(Debug, Clone, Copy)]
pub struct StartUpload<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository.
    pub repository: &'a Repository,
    /// The algorithm of the blob's digest: to be said where it is not SHA-256, which every registry assumes.
    pub algorithm: Option<Algorithm>,
}

impl Endpoint for StartUpload<'_> {
    type Output = OpenUpload;

    fn row(&self) -> Row {
        if self.algorithm.is_some() { Row::StartUploadFor } else { Row::StartUpload }
    }

    fn target(&self) -> Target {
        let target = uploads(self.origin, self.repository);
        match self.algorithm {
            Some(algorithm) => target.with_query("digest-algorithm", algorithm.as_str()),
            None => target,
        }
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        Ok(Head::new(self.row(), &self.target())?.content_length(0).done())
    }

    /// A `Range` in the answer is not looked at: the upload is empty, whatever it says (quirk `post-range-header-variants`).
    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<OpenUpload, AnswerError> {
        succeeded(self.row(), from, response)?;
        match response.status() {
            StatusCode::ACCEPTED => OpenUpload::opened(self.row(), from, response),
            _ => Err(malformed(self.row(), response, Flaw::Status)),
        }
    }
}

/// `/v2/<name>/blobs/uploads/`, always with the last slash (quirk `post-trailing-slash`).
pub(super) fn uploads(origin: &Origin, repository: &Repository) -> Target {
    in_repository(origin, repository, "blobs/uploads/")
}
