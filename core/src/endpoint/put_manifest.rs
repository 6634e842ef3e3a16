//! [`end-7a`] and [`end-7b`]: `PUT /v2/<name>/manifests/<tag-or-digest>`.
//!
//! [`end-7a`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints
//! [`end-7b`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints

use bytes::Bytes;
use http::header::{CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderValue, Request, Response, StatusCode};

use super::manifest::{TagOrDigest, manifest};
use super::wire::{Head, check_digest, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, Row};
use crate::header::{ETag, accepted_tags, subject};
use crate::target::TargetError;
use crate::{Digest, Manifest, Origin, Repository, Tag, Target};

/// Pushes a manifest (`end-7a`, or `end-7b` by digest with tags). The request's body is [`Manifest::bytes`].
#[derive(Debug, Clone, Copy)]
pub struct PutManifest<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository.
    pub repository: &'a Repository,
    /// The manifest.
    pub manifest: &'a Manifest,
    /// What it is pushed under.
    pub name: PutName<'a>,
    /// When it may be stored.
    pub condition: Condition<'a>,
}

/// What a manifest is pushed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutName<'a> {
    /// A tag, which is created, or moved to this manifest.
    Tag(&'a Tag),
    /// Its own digest.
    Digest {
        /// Tags to create, or to move to this manifest, in the same request. Not every registry supports that: see
        /// [`ManifestStored::tags`]. The spec asks registries to accept at least ten.
        tags: &'a [Tag],
    },
}

/// The condition under which a registry stores a manifest. Most registries ignore it ([quirk](crate::quirks)
/// `conditional-put-unsupported`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Condition<'a> {
    /// Always.
    #[default]
    None,
    /// Only if the current state has this validator (`If-Match`).
    IfMatch(&'a ETag),
    /// Only if there is no manifest yet (`If-None-Match: *`).
    IfAbsent,
}

/// The registry has stored a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManifestStored {
    /// Whether the status was 201, as the spec requires, or the registry reported the right digest. If not, make sure
    /// with [`CheckManifest`](super::CheckManifest) ([quirk](crate::quirks) `manifest-put-status-variants`).
    pub confirmed: bool,
    /// The subject that the registry says it has processed (`OCI-Subject`). If the manifest has a subject and this is
    /// `None`, the client must update the referrers tag.
    pub subject: Option<Digest>,
    /// The tags of the request that the registry says it has set, in the request's order.
    pub tags: Vec<Tag>,
}

impl Endpoint for PutManifest<'_> {
    type Output = ManifestStored;

    fn row(&self) -> Row {
        if self.tags().is_empty() { Row::PutManifest } else { Row::PutTaggedManifest }
    }

    fn target(&self) -> Target {
        let digest = self.manifest.digest();
        let reference = match self.name {
            PutName::Tag(tag) => TagOrDigest::Tag(tag),
            PutName::Digest { .. } => TagOrDigest::Digest(&digest),
        };
        let target = manifest(self.origin, self.repository, reference);
        self.tags().iter().fold(target, |target, tag| target.with_query("tag", tag.as_str()))
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        let media_type = HeaderValue::try_from(self.manifest.media_type().as_str());
        let head = Head::new(self.row(), &self.target())?
            .content_length(self.manifest.bytes().len() as u64)
            .header(CONTENT_TYPE, media_type.map_err(|_| TargetError::Unrepresentable)?);
        Ok(match self.condition {
            Condition::None => head.done(),
            Condition::IfMatch(etag) => head.header(IF_MATCH, etag.value().clone()).done(),
            Condition::IfAbsent => head.header(IF_NONE_MATCH, HeaderValue::from_static("*")).done(),
        })
    }

    /// `Location` ([quirk](crate::quirks) `manifest-location-bogus`) and the body ([quirk](crate::quirks)
    /// `manifest-201-with-body`) are ignored.
    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<ManifestStored, AnswerError> {
        let row = self.row();
        succeeded(row, from, response)?;
        let digest = self.manifest.digest();
        check_digest(row, response, &digest)?;
        let reported = crate::header::reported_digest(response.headers(), &digest);
        match response.status() {
            StatusCode::CREATED | StatusCode::OK | StatusCode::ACCEPTED | StatusCode::NO_CONTENT => {}
            _ => return Err(malformed(row, response, Flaw::Status)),
        }
        let accepted = accepted_tags(response.headers());
        Ok(ManifestStored {
            confirmed: response.status() == StatusCode::CREATED || reported == crate::header::ReportedDigest::Same,
            subject: subject(response.headers()),
            tags: self.tags().iter().filter(|tag| accepted.contains(tag)).cloned().collect(),
        })
    }
}

impl PutManifest<'_> {
    const fn tags(&self) -> &[Tag] {
        match self.name {
            PutName::Tag(_) => &[],
            PutName::Digest { tags } => tags,
        }
    }
}

#[cfg(test)]
mod tests;
