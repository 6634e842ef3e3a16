//! `end-10`: `DELETE /v2/<name>/blobs/<digest>`.

use bytes::Bytes;
use http::{Request, Response};

use super::blob::blob;
use super::wire::{Head, succeeded};
use super::{AnswerError, Endpoint, Row};
use crate::target::TargetError;
use crate::{Digest, Origin, Repository, Target};

/// Deletes a blob (`end-10`). Many registries refuse it (quirk `blob-delete-405`).
#[derive(Debug, Clone, Copy)]
pub struct DeleteBlob<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository.
    pub repository: &'a Repository,
    /// The blob.
    pub digest: &'a Digest,
}

impl Endpoint for DeleteBlob<'_> {
    type Output = ();

    fn row(&self) -> Row {
        Row::DeleteBlob
    }

    fn target(&self) -> Target {
        blob(self.origin, self.repository, self.digest)
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        Ok(Head::new(self.row(), &self.target())?.done())
    }

    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<(), AnswerError> {
        succeeded(self.row(), from, response)
    }
}
