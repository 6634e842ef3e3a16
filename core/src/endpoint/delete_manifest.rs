//! [`end-9`]: `DELETE /v2/<name>/manifests/<tag-or-digest>`.
//!
//! [`end-9`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints

use bytes::Bytes;
use http::{Request, Response};

use super::manifest::{TagOrDigest, manifest};
use super::wire::{Head, succeeded};
use super::{AnswerError, Endpoint, Row};
use crate::target::TargetError;
use crate::{Origin, Repository, Target};

/// Deletes a manifest by its digest, or only a tag (`end-9`).
///
/// Many registries refuse it with 400 or 405, above all for tags ([quirk](crate::quirks) `tag-delete-unsupported`).
#[derive(Debug, Clone, Copy)]
pub struct DeleteManifest<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository.
    pub repository: &'a Repository,
    /// The tag or digest to delete.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::transcript::{answer, manifest, origin, parse, play, repository};

    #[test]
    fn end_9_tag() {
        let (origin, repository) = (origin(), repository());
        let tag = "latest".parse().unwrap();
        let deleted = play(
            "end-9",
            &DeleteManifest { origin: &origin, repository: &repository, reference: TagOrDigest::Tag(&tag) },
            "C: DELETE /v2/library/ubuntu/manifests/latest HTTP/1.1
             C: Host: registry.example.org
             C:
             S: HTTP/1.1 202 Accepted
             S:",
        );
        assert_eq!(deleted, Ok(()));
    }

    #[test]
    fn end_9_digest() {
        let (origin, repository, digest) = (origin(), repository(), manifest().digest());
        let delete = DeleteManifest { origin: &origin, repository: &repository, reference: (&digest).into() };
        let refused = play(
            "end-9",
            &delete,
            r#"C: DELETE /v2/library/ubuntu/manifests/sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9 HTTP/1.1
               C: Host: registry.example.org
               C:
               S: HTTP/1.1 405 Method Not Allowed
               S:
               S: {"errors":[{"code":"UNSUPPORTED","message":"A manifest can only be deleted by tag."}]}"#,
        );
        assert_eq!(
            refused.unwrap_err().to_string(),
            "end-9: the registry refused to delete a manifest: 405 Method Not Allowed: \
             UNSUPPORTED: A manifest can only be deleted by tag."
        );
        assert_eq!(parse(&delete, &answer(204, &[], "")), Ok(()));
        assert!(parse(&delete, &answer(404, &[], "")).unwrap_err().is_not_found());
        assert_eq!(parse(&delete, &answer(200, &[], "")), Ok(()));
    }

    #[test]
    fn a_server_that_answers_anything_with_a_page_deleted_nothing() {
        let (origin, repository, digest) = (origin(), repository(), manifest().digest());
        let delete = DeleteManifest { origin: &origin, repository: &repository, reference: (&digest).into() };
        for content_type in ["text/html", "Text/HTML; charset=utf-8"] {
            let error = parse(&delete, &answer(200, &[("content-type", content_type)], "<html>")).unwrap_err();
            assert_eq!(
                error.to_string(),
                "end-9: the registry's answer to a request to delete a manifest (200 OK) is malformed: \
                 it is a web page; check that the address is that of a registry"
            );
        }
    }
}
