//! [`end-3`]: `GET` and `HEAD /v2/<name>/manifests/<tag-or-digest>`.
//!
//! [`end-3`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints

use std::fmt;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Request, Response, StatusCode};

use super::wire::{
    Head, check_content, check_digest, content_length, content_type, in_repository, malformed, succeeded,
};
use super::{AnswerError, Endpoint, Flaw, Row};
use crate::config::ManifestReference;
use crate::header::{CONTENT_DIGEST, ETag};
use crate::target::TargetError;
use crate::{Digest, Manifest, MediaType, Origin, Repository, Tag, Target};

/// The `Accept` of every request for a manifest. If a manifest's type is not in the list, a registry answers 404 or
/// converts the manifest ([quirks](crate::quirks) `manifest-get-404-accept-filter`, `manifest-converted-to-schema1`).
/// `*/*` accepts manifests of other types, which are kept as bytes.
const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                        application/vnd.docker.distribution.manifest.v2+json, \
                        application/vnd.docker.distribution.manifest.list.v2+json, */*";

/// The spec's `<tag-or-digest>`, which names a manifest in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagOrDigest<'a> {
    /// The manifest that a tag names.
    Tag(&'a Tag),
    /// The manifest with a digest.
    Digest(&'a Digest),
}

impl fmt::Display for TagOrDigest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => fmt::Display::fmt(tag, f),
            Self::Digest(digest) => fmt::Display::fmt(digest, f),
        }
    }
}

impl<'a> From<&'a ManifestReference> for TagOrDigest<'a> {
    fn from(reference: &'a ManifestReference) -> Self {
        match reference {
            ManifestReference::Tag(tag) => Self::Tag(tag),
            ManifestReference::Digest(digest) => Self::Digest(digest),
        }
    }
}

impl<'a> From<&'a Tag> for TagOrDigest<'a> {
    fn from(tag: &'a Tag) -> Self {
        Self::Tag(tag)
    }
}

impl<'a> From<&'a Digest> for TagOrDigest<'a> {
    fn from(digest: &'a Digest) -> Self {
        Self::Digest(digest)
    }
}

/// Pulls a manifest (`end-3`, GET).
#[derive(Debug, Clone, Copy)]
pub struct PullManifest<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository.
    pub repository: &'a Repository,
    /// Which one.
    pub reference: TagOrDigest<'a>,
}

/// A manifest that was pulled, with its validator.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PulledManifest {
    /// The manifest. If it was requested by digest, it has that digest.
    pub manifest: Manifest,
    /// The validator of this state of the tag or manifest, if the answer has one.
    pub etag: Option<ETag>,
}

impl Endpoint for PullManifest<'_> {
    type Output = PulledManifest;

    fn row(&self) -> Row {
        Row::PullManifest
    }

    fn target(&self) -> Target {
        manifest(self.origin, self.repository, self.reference)
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        Ok(Head::new(self.row(), &self.target())?.header(ACCEPT, HeaderValue::from_static(ACCEPTED)).done())
    }

    /// The type is that of `Content-Type`; without that header it is read from the manifest itself.
    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<PulledManifest, AnswerError> {
        let row = self.row();
        succeeded(row, from, response)?;
        if response.status() != StatusCode::OK {
            return Err(malformed(row, response, Flaw::Status));
        }
        let mut manifest = read(response).map_err(|why| malformed(row, response, why))?;
        if let TagOrDigest::Digest(digest) = self.reference {
            manifest = manifest.with_algorithm(digest.algorithm());
            check_content(row, manifest.digest(), digest)?;
        } else {
            manifest = as_reported(manifest, response);
        }
        check_digest(row, response, &manifest.digest())?;
        Ok(PulledManifest { manifest, etag: ETag::read(response.headers()) })
    }
}

/// The manifest by the digest that the registry reports, if its bytes have that digest: a registry that stores it by another
/// algorithm than SHA-256 knows it by no other name.
fn as_reported(manifest: Manifest, response: &Response<Bytes>) -> Manifest {
    let reported =
        response.headers().get(CONTENT_DIGEST).and_then(|value| value.to_str().ok()?.trim().parse::<Digest>().ok());
    let named = reported.map(|reported| manifest.clone().with_algorithm(reported.algorithm()));
    named.filter(|named| Some(named.digest()) == reported).unwrap_or(manifest)
}

fn read(response: &Response<Bytes>) -> Result<Manifest, Flaw> {
    let content_type = content_type(response);
    if content_type.is_empty() {
        return Ok(Manifest::parse(response.body().clone())?);
    }
    match content_type.parse::<MediaType>() {
        // A web page, although the status is 200.
        Ok(media_type) if media_type.as_str().starts_with("text/") => Err(Flaw::ContentType(content_type)),
        Ok(media_type) => Ok(Manifest::parse_as(media_type, response.body().clone())?),
        Err(_) => Err(Flaw::ContentType(content_type)),
    }
}

/// Asks whether a repository has a manifest (`end-3`, HEAD).
///
/// As with a blob, after a refusal other than 404 it is not known whether the manifest exists ([quirks](crate::quirks)
/// `manifest-head-403-means-missing`, `manifest-head-405`, `manifest-head-500-when-repo-missing`).
#[derive(Debug, Clone, Copy)]
pub struct CheckManifest<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository.
    pub repository: &'a Repository,
    /// Which one.
    pub reference: TagOrDigest<'a>,
}

/// Whether the repository has the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestPresence {
    /// It has the manifest; the registry says this about it.
    Present(ManifestHead),
    /// It does not have the manifest: 404.
    Absent,
}

/// What a registry says about a manifest without sending it. Every part may be missing, and none is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManifestHead {
    /// The digest that the registry reports. Compare it with a digest that you know, and never use it in place of one.
    pub reported_digest: Option<Digest>,
    /// Its media type.
    pub media_type: Option<MediaType>,
    /// Its size in bytes. It is wrong if a proxy compresses answers ([quirk](crate::quirks)
    /// `manifest-head-length-differs`).
    pub size: Option<u64>,
    /// The validator of this state of the tag or manifest, if the answer has one.
    pub etag: Option<ETag>,
}

impl Endpoint for CheckManifest<'_> {
    type Output = ManifestPresence;

    fn row(&self) -> Row {
        Row::CheckManifest
    }

    fn target(&self) -> Target {
        manifest(self.origin, self.repository, self.reference)
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        Ok(Head::new(self.row(), &self.target())?.header(ACCEPT, HeaderValue::from_static(ACCEPTED)).done())
    }

    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<ManifestPresence, AnswerError> {
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(ManifestPresence::Absent);
        }
        succeeded(self.row(), from, response)?;
        if response.status() != StatusCode::OK {
            return Err(malformed(self.row(), response, Flaw::Status));
        }
        if let TagOrDigest::Digest(digest) = self.reference {
            check_digest(self.row(), response, digest)?;
        }
        let mut digests = response.headers().get_all(CONTENT_DIGEST).iter();
        let reported_digest = digests.next().and_then(|value| value.to_str().ok()?.parse().ok());
        Ok(ManifestPresence::Present(ManifestHead {
            reported_digest: reported_digest.filter(|_| digests.next().is_none()),
            media_type: content_type(response).parse().ok(),
            size: content_length(response),
            etag: ETag::read(response.headers()),
        }))
    }
}

/// `/v2/<name>/manifests/<tag-or-digest>`.
pub(super) fn manifest(origin: &Origin, repository: &Repository, reference: TagOrDigest<'_>) -> Target {
    in_repository(origin, repository, &format!("manifests/{reference}"))
}

#[cfg(test)]
mod tests;
