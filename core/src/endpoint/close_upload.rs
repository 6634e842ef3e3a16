//! [`end-6`]: `PUT <blob-push-location>?digest=<digest>`.
//!
//! [`end-6`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints

use bytes::Bytes;
use http::header::CONTENT_RANGE;
use http::{Request, Response, StatusCode};

use super::send_chunk::content_range;
use super::upload::with_progress;
use super::wire::{Head, check_digest, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, OpenUpload, Row};
use crate::header::ChunkRange;
use crate::target::TargetError;
use crate::{Digest, Target};

/// Closes an upload (`end-6`), after which the registry stores the blob under its digest.
#[derive(Debug, Clone, Copy)]
pub struct CloseUpload<'a> {
    /// The upload, at its newest location.
    pub upload: &'a OpenUpload,
    /// The digest of the whole blob.
    pub digest: &'a Digest,
    /// The body of the request.
    pub body: ClosingBody,
}

/// The body of the request that closes an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosingBody {
    /// No body: the whole blob was sent before.
    Empty,
    /// The whole blob, which may be empty. It is sent without `Content-Range`, which would make it a chunk
    /// ([quirk](crate::quirks) `content-range-on-monolithic-put`).
    Whole {
        /// Its size in bytes.
        size: u64,
    },
    /// The last chunk. It is sent with `Content-Range` ([quirk](crate::quirks) `put-final-chunk-needs-content-range`).
    LastChunk(ChunkRange),
}

/// The registry has stored a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlobStored {
    /// Whether the status was 201, as the spec requires. After 200, 202 or 204, make sure with
    /// [`CheckBlob`](super::CheckBlob) ([quirk](crate::quirks) `put-commit-status-variants`).
    pub confirmed: bool,
}

impl Endpoint for CloseUpload<'_> {
    type Output = BlobStored;

    fn row(&self) -> Row {
        Row::CloseUpload
    }

    fn target(&self) -> Target {
        self.upload.target().with_query("digest", &self.digest.to_string())
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        let head = Head::new(self.row(), &self.target())?;
        Ok(match self.body {
            ClosingBody::Empty => head.content_length(0).done(),
            ClosingBody::Whole { size } => head.content_length(size).octet_stream().done(),
            ClosingBody::LastChunk(range) => {
                let head = head.content_length(range.size()).octet_stream();
                head.header(CONTENT_RANGE, content_range(range)?).done()
            }
        })
    }

    /// `Location` is ignored.
    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<BlobStored, AnswerError> {
        let row = self.row();
        succeeded(row, from, response).map_err(|error| with_progress(error, self.upload, from, response))?;
        check_digest(row, response, self.digest)?;
        match response.status() {
            StatusCode::CREATED => Ok(BlobStored { confirmed: true }),
            StatusCode::OK | StatusCode::ACCEPTED | StatusCode::NO_CONTENT => Ok(BlobStored { confirmed: false }),
            _ => Err(malformed(row, response, Flaw::Status)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Algorithm;
    use crate::endpoint::transcript::{answer, blob_digest, parse, play, target};

    fn upload() -> OpenUpload {
        OpenUpload::at(target("/v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=a%2Fb%3D"))
    }

    #[test]
    fn end_6_after_a_post() {
        let stored = play(
            "end-6",
            &CloseUpload { upload: &upload(), digest: &blob_digest(), body: ClosingBody::Whole { size: 5 } },
            "C: PUT /v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=a%2Fb%3D&digest=sha256%3A2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 HTTP/1.1
             C: Host: registry.example.org
             C: Content-Length: 5
             C: Content-Type: application/octet-stream
             C:
             C: hello
             S: HTTP/1.1 201 Created
             S: Location: /v2/library/ubuntu/blobs/sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
             S:",
        );
        assert_eq!(stored, Ok(BlobStored { confirmed: true }));
    }

    #[test]
    fn end_6_after_chunks() {
        let upload = OpenUpload::at(target("/v2/library/ubuntu/blobs/uploads/5f2c8a9e"));
        let stored = play(
            "end-6",
            &CloseUpload { upload: &upload, digest: &blob_digest(), body: ClosingBody::Empty },
            "C: PUT /v2/library/ubuntu/blobs/uploads/5f2c8a9e?digest=sha256%3A2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 HTTP/1.1
             C: Host: registry.example.org
             C: Content-Length: 0
             C:
             S: HTTP/1.1 201 Created
             S: Location: /v2/library/ubuntu/blobs/sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
             S: Docker-Content-Digest: sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
             S:",
        );
        assert_eq!(stored, Ok(BlobStored { confirmed: true }));
    }

    #[test]
    fn end_6_with_the_last_chunk() {
        let last = ClosingBody::LastChunk(ChunkRange::new(3, 2).unwrap());
        let stored = play(
            "end-6",
            &CloseUpload { upload: &upload(), digest: &blob_digest(), body: last },
            "C: PUT /v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=a%2Fb%3D&digest=sha256%3A2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 HTTP/1.1
             C: Host: registry.example.org
             C: Content-Length: 2
             C: Content-Range: 3-4
             C: Content-Type: application/octet-stream
             C:
             C: lo
             S: HTTP/1.1 201 Created
             S: Location: /v2/library/ubuntu/blobs/sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
             S:",
        );
        assert_eq!(stored, Ok(BlobStored { confirmed: true }));
    }

    #[test]
    fn end_6_with_a_last_chunk_out_of_order() {
        let last = ClosingBody::LastChunk(ChunkRange::new(3, 2).unwrap());
        let error = play(
            "end-6",
            &CloseUpload { upload: &upload(), digest: &blob_digest(), body: last },
            "C: PUT /v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=a%2Fb%3D&digest=sha256%3A2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 HTTP/1.1
             C: Host: registry.example.org
             C: Content-Length: 2
             C: Content-Range: 3-4
             C: Content-Type: application/octet-stream
             C:
             C: lo
             S: HTTP/1.1 416 Requested Range Not Satisfiable
             S: Range: 0-1
             S:",
        )
        .unwrap_err();
        assert!(error.refused().is_some_and(|refused| refused.progress.is_some()));
    }

    #[test]
    fn an_empty_blob_has_a_length_and_no_range() {
        let empty = Digest::of(Algorithm::Sha256, b"");
        let stored = play(
            "end-6",
            &CloseUpload { upload: &upload(), digest: &empty, body: ClosingBody::Whole { size: 0 } },
            "C: PUT /v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=a%2Fb%3D&digest=sha256%3Ae3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 HTTP/1.1
             C: Host: registry.example.org
             C: Content-Length: 0
             C: Content-Type: application/octet-stream
             C:
             S: HTTP/1.1 201 Created
             S:",
        );
        assert_eq!(stored, Ok(BlobStored { confirmed: true }));
    }

    #[test]
    fn successes_that_must_be_made_sure_of() {
        let (upload, digest) = (upload(), blob_digest());
        let close = CloseUpload { upload: &upload, digest: &digest, body: ClosingBody::Empty };
        for (status, expected) in
            [(201, Some(true)), (200, Some(false)), (202, Some(false)), (204, Some(false)), (206, None)]
        {
            let stored = parse(&close, &answer(status, &[], ""));
            assert_eq!(stored.ok().map(|stored| stored.confirmed), expected, "{status}");
        }
        // A Location is not needed, and a bad one does no harm.
        let stored = parse(&close, &answer(201, &[("location", "/../x")], ""));
        assert_eq!(stored, Ok(BlobStored { confirmed: true }));
    }

    #[test]
    fn i12_i14_a_digest_that_differs_is_an_error() {
        let (upload, digest) = (upload(), blob_digest());
        let close = CloseUpload { upload: &upload, digest: &digest, body: ClosingBody::Empty };
        let other = Digest::of(Algorithm::Sha256, b"other").to_string();
        let wrong = parse(&close, &answer(201, &[("docker-content-digest", &other)], "")).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            format!(
                "end-6: the registry reports the digest {other} for content that is sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
            )
        );
        let long = Digest::of(Algorithm::Sha512, b"other").to_string();
        assert!(parse(&close, &answer(201, &[("docker-content-digest", &long)], "")).is_ok());
    }
}
