//! [`end-11`]: `POST /v2/<name>/blobs/uploads/?mount=<digest>&from=<other_name>`.
//!
//! [`end-11`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::start_upload::uploads;
use super::upload::opened;
use super::wire::{Head, check_digest, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, OpenUpload, Row};
use crate::target::TargetError;
use crate::{Digest, Origin, Repository, Target};

/// Asks the registry to mount a blob from another of its repositories (`end-11`).
///
/// No push needs its success: after any refusal the blob can be uploaded ([quirks](crate::quirks)
/// `mount-forbidden-403`, `mount-missing-404`).
#[derive(Debug, Clone, Copy)]
pub struct MountBlob<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository that the blob is for.
    pub repository: &'a Repository,
    /// The blob.
    pub digest: &'a Digest,
    /// The repository that has the blob. Without it, the registry may search all repositories; some refuse that
    /// ([quirk](crate::quirks) `mount-without-from-rejected`).
    pub from: Option<&'a Repository>,
}

/// The result of a mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountedBlob {
    /// 201: the blob is in the repository.
    Mounted,
    /// 202: it is not, and the registry has opened an upload, as after [`StartUpload`](super::StartUpload).
    Opened(OpenUpload),
}

impl Endpoint for MountBlob<'_> {
    type Output = MountedBlob;

    fn row(&self) -> Row {
        Row::MountBlob
    }

    fn target(&self) -> Target {
        let target = uploads(self.origin, self.repository).with_query("mount", &self.digest.to_string());
        match self.from {
            Some(from) => target.with_query("from", from.as_str()),
            None => target,
        }
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        Ok(Head::new(self.row(), &self.target())?.content_length(0).done())
    }

    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<MountedBlob, AnswerError> {
        succeeded(self.row(), from, response)?;
        match response.status() {
            StatusCode::CREATED => {
                check_digest(self.row(), response, self.digest)?;
                Ok(MountedBlob::Mounted)
            }
            StatusCode::ACCEPTED => Ok(MountedBlob::Opened(opened(self.row(), from, response)?)),
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
    fn end_11() {
        let (origin, repository, digest) = (origin(), repository(), blob_digest());
        let from = "library/debian".parse().unwrap();
        let mounted = play(
            "end-11",
            &MountBlob { origin: &origin, repository: &repository, digest: &digest, from: Some(&from) },
            "C: POST /v2/library/ubuntu/blobs/uploads/?mount=sha256%3A2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824&from=library%2Fdebian HTTP/1.1
             C: Host: registry.example.org
             C: Content-Length: 0
             C:
             S: HTTP/1.1 201 Created
             S: Location: /v2/library/ubuntu/blobs/sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
             S: Docker-Content-Digest: sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
             S:",
        );
        assert_eq!(mounted, Ok(MountedBlob::Mounted));
    }

    #[test]
    fn end_11_without_from_and_not_mounted() {
        let (origin, repository, digest) = (origin(), repository(), blob_digest());
        let mounted = play(
            "end-11",
            &MountBlob { origin: &origin, repository: &repository, digest: &digest, from: None },
            "C: POST /v2/library/ubuntu/blobs/uploads/?mount=sha256%3A2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 HTTP/1.1
             C: Host: registry.example.org
             C: Content-Length: 0
             C:
             S: HTTP/1.1 202 Accepted
             S: Location: /v2/library/ubuntu/blobs/uploads/5f2c8a9e-4f0c-4a6e-9d51-1b6f0e7d2c33
             S:",
        );
        let Ok(MountedBlob::Opened(upload)) = mounted else { panic!("{mounted:?}") };
        let location = "/v2/library/ubuntu/blobs/uploads/5f2c8a9e-4f0c-4a6e-9d51-1b6f0e7d2c33";
        assert_eq!(upload.target(), &target(location));
    }

    #[test]
    fn i38_only_201_is_mounted() {
        let (origin, repository, digest) = (origin(), repository(), blob_digest());
        let mount = MountBlob { origin: &origin, repository: &repository, digest: &digest, from: None };
        assert_eq!(parse(&mount, &answer(201, &[], "")), Ok(MountedBlob::Mounted));
        for status in [200, 202, 203, 204] {
            assert!(matches!(parse(&mount, &answer(status, &[], "")), Err(AnswerError::Malformed { .. })), "{status}");
        }
        for status in [400, 401, 403, 404, 405, 500] {
            assert!(matches!(parse(&mount, &answer(status, &[], "")), Err(AnswerError::Refused(_))), "{status}");
        }
        let other = Digest::of(Algorithm::Sha256, b"other").to_string();
        let wrong = answer(201, &[("docker-content-digest", &other)], "");
        assert!(matches!(parse(&mount, &wrong), Err(AnswerError::WrongDigest { .. })));
        let long = Digest::of(Algorithm::Sha512, b"hello").to_string();
        let other_algorithm = answer(201, &[("docker-content-digest", &long)], "");
        assert_eq!(parse(&mount, &other_algorithm), Ok(MountedBlob::Mounted));
    }
}
