//! [`end-2`]: `GET` and `HEAD /v2/<name>/blobs/<digest>`.
//!
//! [`end-2`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints

use bytes::Bytes;
use http::header::RANGE;
use http::{HeaderValue, Request, Response, StatusCode};

use super::wire::{Head, check_content, check_digest, content_length, in_repository, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, Row};
use crate::header::PartRange;
use crate::target::TargetError;
use crate::{Digest, Origin, Repository, Target};

/// Pulls a blob, or its end from some byte on (`end-2`, GET).
///
/// [`Endpoint::parse`] reads the head of the answer only, because a caller may have streamed the body elsewhere. The
/// caller must compare the digest of the whole blob: [`PullBlob::verify`] does so for a blob in memory.
#[derive(Debug, Clone, Copy)]
pub struct PullBlob<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository.
    pub repository: &'a Repository,
    /// The blob.
    pub digest: &'a Digest,
    /// The position of the first byte to pull. 0 pulls the whole blob; a higher number sends `Range`, which a registry
    /// may ignore.
    pub offset: u64,
}

/// The head of an answer that has a blob, or its end, as the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlobContent {
    /// The position in the blob of the body's first byte: the requested offset, or 0 if the registry ignored `Range`
    /// and sends the whole blob.
    pub offset: u64,
    /// The size of the whole blob in bytes, if the answer states it. The registry chooses the number, so allocate
    /// nothing by it.
    pub size: Option<u64>,
}

impl PullBlob<'_> {
    /// Checks the digest of a whole blob.
    ///
    /// # Errors
    /// If `content` does not have the digest that was requested.
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
/// This is only an optimisation: after a refusal other than 404 it is not known whether the blob exists
/// ([quirks](crate::quirks) `head-needs-push-scope`, `ghcr-head-403-without-write`).
#[derive(Debug, Clone, Copy)]
pub struct CheckBlob<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository.
    pub repository: &'a Repository,
    /// The blob.
    pub digest: &'a Digest,
}

/// Whether the repository has the blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobPresence {
    /// It has the blob.
    Present {
        /// The blob's size in bytes, if the answer states it. Some registries state 0 for every blob
        /// ([quirk](crate::quirks) `blob-head-content-length-zero`).
        size: Option<u64>,
    },
    /// It does not have the blob: 404.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Algorithm;
    use crate::endpoint::Digests;
    use crate::endpoint::transcript::{BLOB, answer, blob_digest, origin, parse, play, repository};

    #[test]
    fn end_2_get() {
        let (origin, repository, digest) = (origin(), repository(), blob_digest());
        let pull = PullBlob { origin: &origin, repository: &repository, digest: &digest, offset: 0 };
        let content = play(
            "end-2",
            &pull,
            "C: GET /v2/library/ubuntu/blobs/sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 HTTP/1.1
             C: Host: registry.example.org
             C:
             S: HTTP/1.1 200 OK
             S: Content-Length: 5
             S: Docker-Content-Digest: sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
             S:
             S: hello",
        );
        assert_eq!(content, Ok(BlobContent { offset: 0, size: Some(5) }));
        assert_eq!(pull.verify(BLOB), Ok(()));
        let digests = Box::new(Digests { expected: digest, found: Digest::of(Algorithm::Sha256, b"hellO") });
        assert_eq!(pull.verify(b"hellO"), Err(AnswerError::WrongContent { row: Row::PullBlob, digests }));
    }

    #[test]
    fn end_2_get_the_rest() {
        let (origin, repository, digest) = (origin(), repository(), blob_digest());
        let content = play(
            "end-2",
            &PullBlob { origin: &origin, repository: &repository, digest: &digest, offset: 2 },
            "C: GET /v2/library/ubuntu/blobs/sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 HTTP/1.1
             C: Host: registry.example.org
             C: Range: bytes=2-
             C:
             S: HTTP/1.1 206 Partial Content
             S: Content-Length: 3
             S: Content-Range: bytes 2-4/5
             S:
             S: llo",
        );
        assert_eq!(content, Ok(BlobContent { offset: 2, size: Some(5) }));
    }

    #[test]
    fn end_2_head() {
        let (origin, repository, digest) = (origin(), repository(), blob_digest());
        let check = CheckBlob { origin: &origin, repository: &repository, digest: &digest };
        let present = play(
            "end-2",
            &check,
            "C: HEAD /v2/library/ubuntu/blobs/sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 HTTP/1.1
             C: Host: registry.example.org
             C:
             S: HTTP/1.1 200 OK
             S: Docker-Content-Digest: sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
             S: Content-Length: 5
             S:",
        );
        assert_eq!(present, Ok(BlobPresence::Present { size: Some(5) }));
        assert_eq!(parse(&check, &answer(404, &[], "")), Ok(BlobPresence::Absent));
    }

    #[test]
    fn a_part_is_the_one_that_was_asked_for() {
        let (origin, repository, digest) = (origin(), repository(), blob_digest());
        let pull = PullBlob { origin: &origin, repository: &repository, digest: &digest, offset: 2 };
        let from_one = PullBlob { offset: 1, ..pull }.request().unwrap();
        assert_eq!(from_one.headers().get(RANGE), Some(&HeaderValue::from_static("bytes=1-")));
        // A registry may ignore the range.
        let whole = parse(&pull, &answer(200, &[("content-length", "5")], "hello"));
        assert_eq!(whole, Ok(BlobContent { offset: 0, size: Some(5) }));
        let size_unknown = parse(&pull, &answer(206, &[("content-range", "bytes 2-4/*")], "llo"));
        assert_eq!(size_unknown, Ok(BlobContent { offset: 2, size: None }));
        for range in ["bytes 1-4/5", "bytes 3-4/5", "2-4", ""] {
            let error = parse(&pull, &answer(206, &[("content-range", range)], "llo")).unwrap_err();
            let status = StatusCode::PARTIAL_CONTENT;
            assert_eq!(error, AnswerError::Malformed { row: Row::PullBlob, status, why: Flaw::Part }, "{range}");
        }
        assert!(parse(&pull, &answer(206, &[], "llo")).is_err());
        assert!(parse(&pull, &answer(416, &[], "")).is_err());
    }

    #[test]
    fn i12_i14_reported_digests() {
        let (origin, repository, digest) = (origin(), repository(), blob_digest());
        let pull = PullBlob { origin: &origin, repository: &repository, digest: &digest, offset: 0 };
        let check = CheckBlob { origin: &origin, repository: &repository, digest: &digest };
        let other = Digest::of(Algorithm::Sha256, b"other").to_string();
        let wrong = answer(200, &[("docker-content-digest", &other)], "");
        assert!(matches!(parse(&pull, &wrong), Err(AnswerError::WrongDigest { row: Row::PullBlob, .. })));
        assert!(matches!(parse(&check, &wrong), Err(AnswerError::WrongDigest { row: Row::CheckBlob, .. })));
        let long = Digest::of(Algorithm::Sha512, b"other").to_string();
        for headers in [&[("docker-content-digest", &*long)][..], &[("etag", "\"d41d8cd98f00b204\"")], &[]] {
            // Without a length: quirk `blob-head-redirect`.
            assert_eq!(parse(&check, &answer(200, headers, "")), Ok(BlobPresence::Present { size: None }));
        }
        for length in ["-5", "+5", "five", "99999999999999999999"] {
            let presence = parse(&check, &answer(200, &[("content-length", length)], ""));
            assert_eq!(presence, Ok(BlobPresence::Present { size: None }), "{length}");
        }
    }

    #[test]
    fn what_is_no_answer() {
        let (origin, repository, digest) = (origin(), repository(), blob_digest());
        let check = CheckBlob { origin: &origin, repository: &repository, digest: &digest };
        for status in [401, 403, 405, 500] {
            let error = parse(&check, &answer(status, &[], "")).unwrap_err();
            assert_eq!(error.refused().map(|refused| refused.status.as_u16()), Some(status));
        }
        for status in [201, 202, 204, 206] {
            assert!(matches!(parse(&check, &answer(status, &[], "")), Err(AnswerError::Malformed { .. })), "{status}");
        }
        let to = Target::parse("https://storage.example/x?sig=1").unwrap();
        let error = parse(&check, &answer(307, &[("location", "https://storage.example/x?sig=1")], "")).unwrap_err();
        let status = StatusCode::TEMPORARY_REDIRECT;
        assert_eq!(error, AnswerError::Redirected { row: Row::CheckBlob, status, to: Some(to) });
        assert!(!error.to_string().contains("sig=1"));
    }
}
