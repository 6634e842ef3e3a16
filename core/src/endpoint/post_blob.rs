//! [`end-4b`]: `POST /v2/<name>/blobs/uploads/?digest=<digest>`.
//!
//! [`end-4b`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::start_upload::uploads;
use super::upload::opened;
use super::wire::{Head, check_digest, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, OpenUpload, Row};
use crate::target::TargetError;
use crate::{Digest, Origin, Repository, Target};

/// Uploads a whole blob in one request, whose body is the blob (`end-4b`).
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

/// The result of a single POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostedBlob {
    /// 201: the blob is stored.
    Stored,
    /// 202: the registry does not support single POST. It has discarded the body, and opened an upload
    /// ([quirk](crate::quirks) `post-digest-single-unsupported-202`).
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
            StatusCode::ACCEPTED => Ok(PostedBlob::Opened(opened(self.row(), from, response)?)),
            _ => Err(malformed(self.row(), response, Flaw::Status)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Algorithm;
    use crate::endpoint::transcript::{answer, blob_digest, origin, parse, play, repository, target};

    #[test]
    fn end_4b() {
        let (origin, repository, digest) = (origin(), repository(), blob_digest());
        let posted = play(
            "end-4b",
            &PostBlob { origin: &origin, repository: &repository, digest: &digest, size: 5 },
            "C: POST /v2/library/ubuntu/blobs/uploads/?digest=sha256%3A2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 HTTP/1.1
             C: Host: registry.example.org
             C: Content-Length: 5
             C: Content-Type: application/octet-stream
             C:
             C: hello
             S: HTTP/1.1 201 Created
             S: Location: /v2/library/ubuntu/blobs/sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
             S:",
        );
        assert_eq!(posted, Ok(PostedBlob::Stored));
    }

    #[test]
    fn end_4b_not_supported() {
        let (origin, repository, digest) = (origin(), repository(), blob_digest());
        let posted = play(
            "end-4b",
            &PostBlob { origin: &origin, repository: &repository, digest: &digest, size: 5 },
            "C: POST /v2/library/ubuntu/blobs/uploads/?digest=sha256%3A2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 HTTP/1.1
             C: Host: registry.example.org
             C: Content-Length: 5
             C: Content-Type: application/octet-stream
             C:
             C: hello
             S: HTTP/1.1 202 Accepted
             S: Location: /v2/library/ubuntu/blobs/uploads/5f2c8a9e-4f0c-4a6e-9d51-1b6f0e7d2c33
             S: Range: 0-0
             S:",
        );
        let Ok(PostedBlob::Opened(upload)) = posted else { panic!("{posted:?}") };
        let location = "/v2/library/ubuntu/blobs/uploads/5f2c8a9e-4f0c-4a6e-9d51-1b6f0e7d2c33";
        assert_eq!(upload.target(), &target(location));
    }

    #[test]
    fn only_201_is_stored() {
        let (origin, repository, digest) = (origin(), repository(), blob_digest());
        let post = PostBlob { origin: &origin, repository: &repository, digest: &digest, size: 5 };
        // Without a Location: it is not needed.
        assert_eq!(parse(&post, &answer(201, &[], "")), Ok(PostedBlob::Stored));
        let other = Digest::of(Algorithm::Sha256, b"other").to_string();
        let wrong = answer(201, &[("docker-content-digest", &other)], "");
        assert!(matches!(parse(&post, &wrong), Err(AnswerError::WrongDigest { .. })));
        for status in [200, 202, 204] {
            assert!(matches!(parse(&post, &answer(status, &[], "")), Err(AnswerError::Malformed { .. })), "{status}");
        }
        // Nothing was taken, so a digest in the answer is of nothing.
        let opened = answer(202, &[("docker-content-digest", &other), ("location", "/u")], "");
        assert!(matches!(parse(&post, &opened), Ok(PostedBlob::Opened(_))));
    }
}
