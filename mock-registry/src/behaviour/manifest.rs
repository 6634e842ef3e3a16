//! Storing manifests.

use serde::{Deserialize, Serialize};

use super::DigestHeader;

/// How manifests are stored (`end-7a`, `end-7b`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Manifests {
    /// The status of success: 201. Seen: 200, 202, 204 (`manifest-put-status-variants`).
    #[serde(deserialize_with = "super::status::read")]
    pub status: u16,
    /// The `Location` of success.
    pub location: ManifestLocation,
    /// `Docker-Content-Digest` of success (`manifest-digest-header-unreliable`).
    pub digest: DigestHeader,
    /// The body of success.
    pub echo: Echo,
    /// The form of `ETag`.
    pub etag: EtagForm,
    /// Whether the answer to a manifest that was stored has the `ETag` too, and not only those to `GET` and `HEAD`
    /// (`etag-format-varies`).
    pub etag_when_stored: bool,
    /// How a manifest that refers to missing content is answered.
    pub missing_reference: MissingReference,
    /// Whether a missing subject is refused with 400 `MANIFEST_BLOB_UNKNOWN` (`subject-must-exist`).
    pub subject_must_exist: bool,
    /// Whether a manifest without `mediaType` is refused with 405 (`manifest-mediatype-required`).
    pub media_type_required: bool,
    /// The status of a manifest with `artifactType` or `subject`, if it is refused. Seen: 405
    /// (`manifest-artifacttype-rejected-405`).
    #[serde(deserialize_with = "super::status::read_optional")]
    pub artifacts_refused: Option<u16>,
    /// The status of a manifest whose `Content-Type` is not the type of a manifest: 400. Seen: 405
    /// (`manifest-gitea-unsupported-405`), 415 (`manifest-content-type-415`).
    #[serde(deserialize_with = "super::status::read")]
    pub unknown_type: u16,
    /// The types of manifests that are refused.
    pub refused_types: RefusedTypes,
    /// Whether moving a tag to a manifest of another type is refused with 400 (`manifest-type-change-on-tag-400`).
    pub type_change_refused: bool,
    /// Whether a config of the type `application/vnd.oci.empty.v1+json` is refused with 400
    /// (`manifest-empty-config-rejected`).
    pub empty_config_refused: bool,
    /// Whether an image without layers is refused with 400 (`manifest-empty-config-rejected`, Cloudsmith).
    pub no_layers_refused: bool,
    /// Whether an image that mixes Docker's and the OCI's types is refused with 400: the type of its config or of a
    /// layer is of the other family (`manifest-mixed-types-rejected`).
    pub mixed_types_refused: bool,
    /// Whether a Docker manifest list whose entries have annotations is refused with 400
    /// (`manifest-annotations-rejected`).
    pub annotations_refused: bool,
    /// The time in microseconds after which a manifest is deleted if no tag names it, no index lists it and it has no
    /// subject (`push-by-digest-temporary`).
    pub untagged_lifetime: Option<u64>,
    /// Whether the digest in the path is not compared with the content (`manifest-digest-not-verified`).
    pub unverified: bool,
    /// How a manifest that was sent a moment ago is answered.
    pub duplicate: DuplicatePut,
    /// Whether moving an existing tag is refused, and how.
    pub immutable_tags: Option<ImmutableTags>,
    /// Whether `If-Match` and `If-None-Match` are evaluated. No known registry does that
    /// (`conditional-put-unsupported`, `referrers-without-conditions`).
    pub conditions: bool,
    /// Whether tags in the query are stored. The spec says MAY (`tag-parameter-unsupported`).
    pub tag_parameters: bool,
    /// The status of a manifest that is longer than the limit: 413. Seen: 400 (`manifest-size-limit`).
    #[serde(deserialize_with = "super::status::read")]
    pub over_limit: u16,
    /// The status of a reference that is neither a tag nor a digest: 400. Seen: 404 (`bad-reference-routing`).
    #[serde(deserialize_with = "super::status::read")]
    pub bad_reference: u16,
    /// How a reference is answered that has a colon, as digests have, and is no digest, when a manifest is stored or read.
    pub bad_digest: BadDigest,
    /// The status of all requests that write, if they are refused: 403 or 405 `DENIED` (`quota-readonly-status-zoo`,
    /// `proxy-project-push-denied`).
    #[serde(deserialize_with = "super::status::read_optional")]
    pub read_only: Option<u16>,
}

impl Default for Manifests {
    fn default() -> Self {
        Self {
            status: 201,
            location: ManifestLocation::Digest,
            digest: DigestHeader::Sent,
            echo: Echo::Nothing,
            etag: EtagForm::Digest,
            etag_when_stored: true,
            missing_reference: MissingReference::ManifestBlobUnknown,
            subject_must_exist: false,
            media_type_required: false,
            artifacts_refused: None,
            unknown_type: 400,
            refused_types: RefusedTypes::default(),
            type_change_refused: false,
            empty_config_refused: false,
            no_layers_refused: false,
            mixed_types_refused: false,
            annotations_refused: false,
            untagged_lifetime: None,
            unverified: false,
            duplicate: DuplicatePut::Taken,
            immutable_tags: None,
            conditions: true,
            tag_parameters: true,
            over_limit: 413,
            bad_reference: 400,
            bad_digest: BadDigest::AsTag,
            read_only: None,
        }
    }
}

/// The `Location` in the answer to a manifest that was stored (`manifest-location-bogus`, `location-private-host`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ManifestLocation {
    /// The URL of the manifest with its digest.
    #[default]
    Digest,
    /// The URL with the reference that the client sent: Gitea.
    Reference,
    /// The URL of an upload that never existed: Artifactory.
    Upload,
    /// A URL with a private address and `http`, with the reference that the client sent: MetaHub
    /// (`location-private-host`).
    PrivateHost,
    /// A URL at a storage host: OpenRegistry (`location-private-host`).
    OtherHost,
    /// None.
    Absent,
}

/// The body of the answer to a manifest that was stored (`manifest-201-with-body`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Echo {
    /// None.
    #[default]
    Nothing,
    /// The manifest: Cloudsmith.
    Manifest,
    /// `OK`, as HTML: Quay.
    Text,
}

/// The form of a manifest's `ETag` (`etag-format-varies`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EtagForm {
    /// The digest in quotes.
    #[default]
    Digest,
    /// Forty hex digits without quotes: Artifactory.
    Unquoted,
    /// None.
    Absent,
}

/// How a malformed digest in the path of a manifest is answered (`500-for-client-mistake`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BadDigest {
    /// As the other switches have a malformed reference: 400 `DIGEST_INVALID` by default.
    #[default]
    AsTag,
    /// With this status and `UNKNOWN`: 500 (distribution 2.8, which looks for a tag of that name in its storage).
    Refused(#[serde(deserialize_with = "super::status::read")] u16),
}

/// How a manifest that refers to missing content is answered (`missing-blob-status-zoo`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MissingReference {
    /// 400 and one `MANIFEST_BLOB_UNKNOWN` for each: distribution.
    #[default]
    ManifestBlobUnknown,
    /// 404, the status in the spec's table, and one `MANIFEST_BLOB_UNKNOWN` for each.
    ManifestBlobUnknownNotFound,
    /// 400 `BLOB_UNKNOWN`: zot, Cloudflare.
    BlobUnknown,
    /// 404 `BLOB_UNKNOWN`: Gitea.
    BlobUnknownNotFound,
    /// 400 `MANIFEST_INVALID`: Quay.
    ManifestInvalid,
    /// 201, because references are not checked (`missing-blob-not-checked`).
    Accepted,
}

/// The types of manifests that are refused (`manifest-content-type-415`, `manifest-docker-types-rejected`,
/// `manifest-oci-index-rejected`, `manifest-gitea-unsupported-405`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct RefusedTypes {
    /// The types, in lower case.
    pub types: Vec<String>,
    /// The status: 415, 400, 405 or 500.
    #[serde(deserialize_with = "super::status::read")]
    pub status: u16,
}

impl RefusedTypes {
    /// The refused types, in lower case, and the status of a manifest of one of them.
    #[must_use]
    pub const fn new(types: Vec<String>, status: u16) -> Self {
        Self { types, status }
    }
}

impl Default for RefusedTypes {
    fn default() -> Self {
        Self { types: Vec::new(), status: 415 }
    }
}

/// How a manifest that is sent again under the same reference is answered (`manifest-duplicate-put-409`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DuplicatePut {
    /// It is accepted.
    #[default]
    Taken,
    /// 409, until this many microseconds after the first: OCIR.
    ConflictWithin(u64),
}

/// The refusal to move a tag (`tag-immutable-status-zoo`, `fallback-tag-immutable`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct ImmutableTags {
    /// The status: 409 (Quay), 412 (Harbor), 403 (Artifactory), 400 (ECR).
    #[serde(deserialize_with = "super::status::read")]
    pub status: u16,
    /// The error code: `TAG_IMMUTABLE`, `PRECONDITION`, `DENIED`, `TAG_INVALID`.
    pub code: String,
    /// Whether the same manifest may be sent under its tag again. ECR refuses that too.
    pub same_is_fine: bool,
}

impl ImmutableTags {
    /// The status and the error code, and whether the same manifest may be sent under its tag again.
    #[must_use]
    pub fn new(status: u16, code: impl Into<String>, same_is_fine: bool) -> Self {
        Self { status, code: code.into(), same_is_fine }
    }
}
