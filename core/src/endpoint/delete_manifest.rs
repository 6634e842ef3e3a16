//! `end-9`: `DELETE /v2/<name>/manifests/<tag-or-digest>`.

use bytes::Bytes;
use http::{Request, Response};

use super::manifest::{TagOrDigest, manifest};
use super::wire::{Head, succeeded};
use super::{AnswerError, Endpoint, Row};
use crate::target::TargetError;
use crate::{Origin, Repository, Target};

/// Deletes a manifest, or a tag alone (`end-9`).
///
/// Many registries refuse it with 400 or 405, above all for tags (quirk `tag-delete-unsupported`).
#[derive(Debug, Clone, Copy)]
pub struct DeleteManifest<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository.
    pub repository: &'a Repository,
    /// Which one.
    pub reference: TagOrDigest<'a>,
}

impl Endpoint for DeleteManifest<'_> {
    type Output = ();

    fn row(&self) -> Row {
        Row::DeleteManifest
    }

    fn target(&self) -> Target {
        manifest(self.origin, self.repository, self.reference)
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        Ok(Head::new(self.row(), &self.target())?.done())
    }

    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<(), AnswerError> {
        succeeded(self.row(), from, response)
    }
}
