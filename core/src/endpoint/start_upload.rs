//! [`end-4a`] and [`end-4c`]: `POST /v2/<name>/blobs/uploads/`.
//!
//! [`end-4a`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints
//! [`end-4c`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::upload::opened;
use super::wire::{Head, in_repository, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, OpenUpload, Row};
use crate::target::TargetError;
use crate::{Algorithm, Origin, Repository, Target};

/// Starts an upload (`end-4a`, or `end-4c` with an algorithm).
#[derive(Debug, Clone, Copy)]
pub struct StartUpload<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository.
    pub repository: &'a Repository,
    /// The algorithm of the blob's digest, if it is not SHA-256, which every registry assumes.
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

    /// `Range` in the answer is ignored: a new upload is empty ([quirk](crate::quirks) `post-range-header-variants`).
    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<OpenUpload, AnswerError> {
        succeeded(self.row(), from, response)?;
        match response.status() {
            StatusCode::ACCEPTED => opened(self.row(), from, response),
            _ => Err(malformed(self.row(), response, Flaw::Status)),
        }
    }
}

/// `/v2/<name>/blobs/uploads/`, always with the slash at its end ([quirk](crate::quirks) `post-trailing-slash`).
pub(super) fn uploads(origin: &Origin, repository: &Repository) -> Target {
    in_repository(origin, repository, "blobs/uploads/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::transcript::{answer, origin, parse, play, repository, target};
    use crate::header::LocationError;
    use crate::target::TargetError;

    #[test]
    fn end_4a() {
        let (origin, repository) = (origin(), repository());
        let upload = play(
            "end-4a",
            &StartUpload { origin: &origin, repository: &repository, algorithm: None },
            "C: POST /v2/library/ubuntu/blobs/uploads/ HTTP/1.1
             C: Host: registry.example.org
             C: Content-Length: 0
             C:
             S: HTTP/1.1 202 Accepted
             S: Location: /v2/library/ubuntu/blobs/uploads/5f2c8a9e-4f0c-4a6e-9d51-1b6f0e7d2c33
             S: OCI-Chunk-Min-Length: 1024
             S:",
        )
        .unwrap();
        let location = "/v2/library/ubuntu/blobs/uploads/5f2c8a9e-4f0c-4a6e-9d51-1b6f0e7d2c33";
        assert_eq!(upload.target(), &target(location));
        assert_eq!((upload.chunk_min_length(), upload.chunk_max_length()), (Some(1024), None));
    }

    #[test]
    fn end_4c() {
        let (origin, repository) = (origin(), repository());
        let upload = play(
            "end-4c",
            &StartUpload { origin: &origin, repository: &repository, algorithm: Some(Algorithm::Sha512) },
            "C: POST /v2/library/ubuntu/blobs/uploads/?digest-algorithm=sha512 HTTP/1.1
             C: Host: registry.example.org
             C: Content-Length: 0
             C:
             S: HTTP/1.1 202 Accepted
             S: Location: https://uploads.example.org/5f2c8a9e-4f0c-4a6e-9d51-1b6f0e7d2c33?_state=a%2Fb%3D&x
             S:",
        );
        // The location is another server's, and absolute; its query stays as it is.
        let location = "https://uploads.example.org/5f2c8a9e-4f0c-4a6e-9d51-1b6f0e7d2c33?_state=a%2Fb%3D&x";
        assert_eq!(upload.unwrap().target(), &Target::parse(location).unwrap());
    }

    #[test]
    fn what_is_no_upload() {
        let (origin, repository) = (origin(), repository());
        let start = StartUpload { origin: &origin, repository: &repository, algorithm: None };
        let malformed = |status: StatusCode, why| Err(AnswerError::Malformed { row: Row::StartUpload, status, why });
        let accepted = StatusCode::ACCEPTED;
        // Quirk `post-location-missing`.
        assert_eq!(parse(&start, &answer(202, &[], "")), malformed(accepted, Flaw::NoLocation));
        // Quirk `post-200-healthcheck`: a load balancer's page.
        assert_eq!(parse(&start, &answer(200, &[], "OK")), malformed(StatusCode::OK, Flaw::Status));
        for (location, why) in [("/a/../b", TargetError::DotSegment), ("ftp://a/", TargetError::Scheme)] {
            let error = parse(&start, &answer(202, &[("location", location)], ""));
            assert_eq!(error, malformed(accepted, Flaw::Location(LocationError::Target(why))));
        }
        let twice = answer(202, &[("location", "/a"), ("location", "/b")], "");
        assert_eq!(parse(&start, &twice), malformed(accepted, Flaw::Location(LocationError::Several)));
    }

    #[test]
    fn a_location_is_resolved_against_whoever_answered() {
        let (origin, repository) = (origin(), repository());
        let start = StartUpload { origin: &origin, repository: &repository, algorithm: None };
        let from = Target::parse("https://mirror.example/v2/library/ubuntu/blobs/uploads/").unwrap();
        let upload = start.parse(&from, &answer(202, &[("location", "1?a=b"), ("range", "bytes=0--1")], "")).unwrap();
        assert_eq!(
            upload.target(),
            &Target::parse("https://mirror.example/v2/library/ubuntu/blobs/uploads/1?a=b").unwrap()
        );
    }
}
