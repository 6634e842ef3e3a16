//! [`end-10`]: `DELETE /v2/<name>/blobs/<digest>`.
//!
//! [`end-10`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints

use bytes::Bytes;
use http::{Request, Response};

use super::blob::blob;
use super::wire::{Head, succeeded};
use super::{AnswerError, Endpoint, Row};
use crate::target::TargetError;
use crate::{Digest, Origin, Repository, Target};

/// Deletes a blob (`end-10`). Many registries refuse it ([quirk](crate::quirks) `blob-delete-405`).
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::transcript::{answer, blob_digest, origin, parse, play, repository};

    #[test]
    fn end_10() {
        let (origin, repository, digest) = (origin(), repository(), blob_digest());
        let delete = DeleteBlob { origin: &origin, repository: &repository, digest: &digest };
        let deleted = play(
            "end-10",
            &delete,
            "C: DELETE /v2/library/ubuntu/blobs/sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 HTTP/1.1
             C: Host: registry.example.org
             C:
             S: HTTP/1.1 202 Accepted
             S:",
        );
        assert_eq!(deleted, Ok(()));
        // Quirk `invalid-response-header`: a length that is none.
        assert_eq!(parse(&delete, &answer(202, &[("content-length", "None")], "")), Ok(()));
        for status in [400, 404, 405] {
            assert!(matches!(parse(&delete, &answer(status, &[], "")), Err(AnswerError::Refused(_))));
        }
    }
}
