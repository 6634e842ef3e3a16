//! Starting uploads.

use serde::{Deserialize, Serialize};

/// How uploads are started (`end-4a`, `end-4b`, `end-4c`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Start {
    /// How a `POST` with a whole blob is answered.
    pub single_post: SinglePost,
    /// The form of the URL of an upload in all answers.
    pub location: LocationForm,
    /// Whether the 202 has no `Location` (`post-location-missing`).
    pub location_missing: bool,
    /// The path of an upload.
    pub path: UploadPath,
    /// The state in the query of an upload's URL.
    pub state: StateQuery,
    /// The name of the parameter with the state; `_state` if it is not set (`post-location-opaque-query`).
    pub state_name: Option<String>,
    /// Text in the query before that parameter, copied without a change (`post-location-opaque-query`).
    pub query: Option<String>,
    /// The `Range` header of the 202.
    pub range: PostRange,
    /// The form of an upload's id, and the header that contains it (`upload-id-not-uuid`).
    pub id: IdForm,
    /// The shortest allowed chunk. The last chunk may be shorter.
    pub chunk_min: Option<ChunkMin>,
    /// The length in bytes of the longest allowed chunk, which is announced in `OCI-Chunk-Max-Length`, a header that is
    /// not in the spec (`oci-chunk-min-length`). A longer chunk is refused with 413.
    pub chunk_max: Option<u64>,
    /// Whether a `POST` without `Content-Length` is refused with 411 and an HTML page
    /// (`post-411-without-content-length`).
    pub needs_content_length: bool,
    /// Whether the 202 has a JSON body and a `Content-Range` header that has no meaning there
    /// (`post-202-with-json-body`).
    pub json_body: bool,
    /// How a path without the final slash is answered.
    pub trailing_slash: TrailingSlash,
    /// How a push to a repository that does not exist is answered.
    pub creation: Creation,
}

/// How a `POST` with a whole blob is answered (`end-4b`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SinglePost {
    /// The blob is stored (`post-digest-single-supported-201`).
    #[default]
    Supported,
    /// The `POST` starts an upload, with 202, and the body is discarded (`post-digest-single-unsupported-202`).
    Ignored,
    /// The blob is stored. A type other than `application/octet-stream` is refused with 415, a missing `Content-Length`
    /// with 400: zot (`post-digest-single-supported-201`).
    Strict,
    /// The blob is stored, but the 201 has the URL of an upload and no digest: Cloudsmith
    /// (`post-digest-single-supported-201`).
    UploadLocation,
}

/// The form of a URL in a `Location`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LocationForm {
    /// A path (`post-location-relative`).
    #[default]
    Path,
    /// A whole URL (`post-location-absolute`). This form and those that follow need
    /// [`RegistryOptions::origin`](crate::RegistryOptions::origin).
    Absolute,
    /// A whole URL, with `http` though the registry has `https` (`post-location-http-behind-tls`).
    Downgraded,
    /// A whole URL without the port (`post-location-drops-port-443`).
    WithoutPort,
    /// A URL without the scheme: `host/path` (`post-location-schemeless-host`).
    WithoutScheme,
    /// A signed URL at the storage's own origin (`post-location-other-host`). Needs
    /// [`RegistryOptions::storage`](crate::RegistryOptions::storage).
    Storage,
}

/// The path of an upload's URL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum UploadPath {
    /// `/v2/<name>/blobs/uploads/<id>`
    #[default]
    Usual,
    /// `/v2/<name>/blobs/upload/<id>`: GHCR (`post-location-path-unusual`).
    Singular,
    /// `/v2/<name>/blobs/uploads/<id>.patch`: Artifactory (`post-location-path-unusual`).
    Suffixed,
    /// `/upload/part?id=<id>`, a path outside `/v2/` (`post-location-path-unusual`).
    IdInQuery,
}

/// Whether the URL of an upload has `_state` in its query, and how it is checked (`post-location-opaque-query`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StateQuery {
    /// There is none.
    #[default]
    Absent,
    /// It is sent, and not checked.
    Ignored,
    /// A write with another state than the newest is refused with 416; `GET` accepts any state: distribution 3, ACR
    /// (`patch-location-changes`).
    Newest,
    /// Any request except deletion with another state than the newest is answered with 404 `BLOB_UPLOAD_INVALID`, and the
    /// upload no longer exists. So is any request without a state, whether there is such an upload or not, which changes
    /// nothing: distribution 2 (`patch-location-changes`, `status-get-needs-state`).
    NewestOrGone,
}

/// The `Range` header of the 202 to a `POST` (`post-range-header-variants`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PostRange {
    /// `0-0`
    #[default]
    Zero,
    /// `bytes=0--1`: Quay.
    Unit,
    /// None: Artifactory.
    Absent,
}

/// The form of upload ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum IdForm {
    /// A UUID, also in `Docker-Upload-UUID`.
    #[default]
    Uuid,
    /// A UUID, in `Blob-Upload-UUID`: zot.
    BlobUploadUuid,
    /// Twelve characters: Cloudsmith.
    Short,
    /// Twenty-five characters: Gitea.
    Base36,
    /// Twenty-two characters: olareg.
    Base64,
    /// A UUID and `.patch`: Artifactory.
    PatchSuffix,
}

/// The shortest allowed chunk. The last chunk may be shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct ChunkMin {
    /// The length in bytes.
    pub bytes: u64,
    /// Whether `OCI-Chunk-Min-Length` announces it (`oci-chunk-min-length`) or no header does
    /// (`chunk-min-5mib-undeclared`).
    pub announced: bool,
}

impl ChunkMin {
    /// The shortest length in bytes, and whether the registry announces it.
    #[must_use]
    pub const fn new(bytes: u64, announced: bool) -> Self {
        Self { bytes, announced }
    }
}

/// How `POST /v2/<name>/blobs/uploads` is answered (`post-trailing-slash`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TrailingSlash {
    /// With 404, because it is not an endpoint.
    #[default]
    Required,
    /// With 301 to the path with the slash.
    Redirected,
    /// Like the path with the slash.
    Optional,
}

/// How a push to a repository that does not exist is answered (`missing-repo-connection-closed`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Creation {
    /// The repository is created.
    #[default]
    OnPush,
    /// The push is refused with 404 `NAME_UNKNOWN`.
    Refused,
    /// The connection is closed without an answer: ECR.
    ConnectionClosed,
}
