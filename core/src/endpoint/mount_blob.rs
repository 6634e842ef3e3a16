//! `end-11`: `POST /v2/<name>/blobs/uploads/?mount=<digest>&from=<other_name>`.

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::start_upload::uploads;
use super::wire::{Head, check_digest, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, OpenUpload, Row};
use crate::target::TargetError;
use crate::{Digest, Origin, Repository, Target};

/// Asks the registry to take a blob from another of its repositories (`end-11`).
///
/// No answer to it is the end of a push: after any refusal the blob can be uploaded (the quirks of `mount-*`).
#[derive(Debug, Clone, Copy)]
pub struct MountBlob<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository that the blob is for.
    pub repository: &'a Repository,
    /// The blob.
    pub digest: &'a Digest,
    /// The repository that has it. Without one the registry may look in all of them; some refuse that
    /// (quirk `mount-without-from-rejected`).
    pub from: Option<&'a Repository>,
}

/// What became of a mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountedBlob {
    /// 201: the blob is there.
    Mounted,
    /// 202: it is not, and an upload has begun, as after [`StartUpload`](super::StartUpload).
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
            StatusCode::ACCEPTED => Ok(MountedBlob::Opened(OpenUpload::opened(self.row(), from, response)?)),
            _ => Err(malformed(self.row(), response, Flaw::Status)),
        }
    }
}
