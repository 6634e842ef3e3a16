//! Storing manifests.

use serde::{Deserialize, Serialize};

use super::DigestHeader;

/// How manifests are stored (`end-7a`, `end-7b`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Manifests {
    /// The status of success: 201. Seen: 200, 202, 204 (`manifest-put-status-variants`).
    pub status: u16,
    /// The `Location` of success.
    pub location: ManifestLocation,
    /// `Docker-Content-Digest` of success (`manifest-digest-header-unreliable`).
    pub digest: DigestHeader,
    /// The body of success.
    pub echo: Echo,
    /// The form of `ETag`, here and where manifests are read.
    pub etag: EtagForm,
    /// What a reference to content that is not there leads to.
    pub missing_reference: MissingReference,
    /// Whether a subject must be there: else 400 `MANIFEST_BLOB_UNKNOWN` (`subject-must-exist`).
    pub subject_must_exist: bool,
    /// Whether a manifest without `mediaType` is refused with 405 (`manifest-mediatype-required`).
    pub media_type_required: bool,
    /// The status of a manifest with `artifactType` or `subject`, where it is refused. Seen: 405
    /// (`manifest-artifacttype-rejected-405`).
    pub artifacts_refused: Option<u16>,
    /// The status of a manifest whose `Content-Type` is that of no manifest: 400. Seen: 405
    /// (`manifest-gitea-unsupported-405`), 415 (`manifest-content-type-415`).
    pub unknown_type: u16,
    /// Types of manifests that are refused.
    pub refused_types: RefusedTypes,
    /// Whether a tag may not go from one type of manifest to another: else 400 (`manifest-type-change-on-tag-400`).
    pub type_change_refused: bool,
    /// Whether a config of the type `application/vnd.oci.empty.v1+json` is refused with 400
    /// (`manifest-empty-config-rejected`).
    pub empty_config_refused: bool,
    /// Whether an image without layers is refused with 400 (`manifest-empty-config-rejected`, Cloudsmith).
    pub no_layers_refused: bool,
    /// Whether an image whose config or layers are of the other family, Docker's or the OCI's, is refused with 400
    /// (`manifest-mixed-types-rejected`).
    pub mixed_types_refused: bool,
    /// Whether a list of Docker's whose entries have annotations is refused with 400 (`manifest-annotations-rejected`).
    pub annotations_refused: bool,
    /// After how many microseconds a manifest is gone that no tag names, no index lists and that has no subject
    /// (`push-by-digest-temporary`).
    pub untagged_lifetime: Option<u64>,
    /// Whether the digest in the path is not compared with the content (`manifest-digest-not-verified`).
    pub unverified: bool,
    /// What becomes of a manifest that was sent just before.
    pub duplicate: DuplicatePut,
    /// Whether tags that exist may not be moved.
    pub immutable_tags: Option<ImmutableTags>,
    /// Whether `If-Match` and `If-None-Match` are heeded (`conditional-put-unsupported`, `referrers-without-conditions`: no
    /// known registry does).
    pub conditions: bool,
    /// Whether tags in the query are stored. The spec says MAY (`tag-parameter-unsupported`).
    pub tag_parameters: bool,
    /// The status of a manifest over the limit: 413. Seen: 400 (`manifest-size-limit`).
    pub over_limit: u16,
    /// The status of a name that is neither tag nor digest: 400. Seen: 404 (`bad-reference-routing`).
    pub bad_reference: u16,
    /// The status of all that would write anything, where it is refused: 403 or 405 `DENIED`
    /// (`quota-readonly-status-zoo`, `proxy-project-push-denied`).
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
            read_only: None,
        }
    }
}

/// The `Location` of a manifest that was stored (`manifest-location-bogus`, `location-private-host`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ManifestLocation {
    /// By digest.
    #[default]
    Digest,
    /// By what the client called it: Gitea.
    Reference,
    /// That of an upload which never was: Artifactory.
    Upload,
    /// At a private address, with `http`: MetaHub (`location-private-host`).
    PrivateHost,
    /// At some storage: OpenRegistry (`location-private-host`).
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

/// What a reference to content that is not there leads to (`missing-blob-status-zoo`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MissingReference {
    /// 400 and one `MANIFEST_BLOB_UNKNOWN` for each: distribution.
    #[default]
    ManifestBlobUnknown,
    /// 404 and one `MANIFEST_BLOB_UNKNOWN` for each: the status of the spec's table.
    ManifestBlobUnknownNotFound,
    /// 400 `BLOB_UNKNOWN`: zot, Cloudflare.
    BlobUnknown,
    /// 404 `BLOB_UNKNOWN`: Gitea.
    BlobUnknownNotFound,
    /// 400 `MANIFEST_INVALID`: Quay.
    ManifestInvalid,
    /// Nothing is checked: 201 (`missing-blob-not-checked`).
    Accepted,
}

/// Types of manifests that are refused (`manifest-content-type-415`, `manifest-docker-types-rejected`,
/// `manifest-oci-index-rejected`, `manifest-gitea-unsupported-405`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct RefusedTypes {
    /// The types, in lower case.
    pub types: Vec<String>,
    /// The status: 415, 400, 405 or 500.
    pub status: u16,
}

impl RefusedTypes {
    /// These types, in lower case, and the status of a manifest of one of them.
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

/// What becomes of the same manifest under the same name, sent again (`manifest-duplicate-put-409`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DuplicatePut {
    /// It is taken again.
    #[default]
    Taken,
    /// 409 for so many microseconds after the first: OCIR.
    ConflictWithin(u64),
}

/// Tags that may not be moved (`tag-immutable-status-zoo`, `fallback-tag-immutable`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct ImmutableTags {
    /// The status: 409 (Quay), 412 (Harbor), 403 (Artifactory), 400 (ECR).
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
