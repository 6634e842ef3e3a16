//! How uploads begin.

use serde::{Deserialize, Serialize};

/// How uploads begin (`end-4a`, `end-4b`, `end-4c`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Start {
    /// A whole blob in one `POST`.
    pub single_post: SinglePost,
    /// How the URL of an upload is written, wherever one is.
    pub location: LocationForm,
    /// Whether the 202 lacks its `Location` (`post-location-missing`).
    pub location_missing: bool,
    /// The path of an upload.
    pub path: UploadPath,
    /// What the query of an upload's URL holds.
    pub state: StateQuery,
    /// The name of the parameter that holds the state; `_state` where nothing is set (`post-location-opaque-query`).
    pub state_name: Option<String>,
    /// What stands before it in the query, as it is (`post-location-opaque-query`).
    pub query: Option<String>,
    /// The `Range` header of the 202.
    pub range: PostRange,
    /// The form of an upload's id, and the header that names it (`upload-id-not-uuid`).
    pub id: IdForm,
    /// The shortest chunk but for the last.
    pub chunk_min: Option<ChunkMin>,
    /// The longest chunk that is announced in `OCI-Chunk-Max-Length`, which the spec does not know, in bytes
    /// (`oci-chunk-min-length`). Longer ones are refused with 413.
    pub chunk_max: Option<u64>,
    /// Whether a `POST` without `Content-Length` is refused with 411 and an HTML page
    /// (`post-411-without-content-length`).
    pub needs_content_length: bool,
    /// Whether the 202 has a JSON body and a stray `Content-Range` (`post-202-with-json-body`).
    pub json_body: bool,
    /// What becomes of a path without its last slash.
    pub trailing_slash: TrailingSlash,
    /// What becomes of a push into a repository that is not there.
    pub creation: Creation,
}

/// A whole blob in one `POST` (`end-4b`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SinglePost {
    /// It is taken (`post-digest-single-supported-201`).
    #[default]
    Supported,
    /// It begins an upload, with 202, and the body is thrown away (`post-digest-single-unsupported-202`).
    Ignored,
    /// It is taken with `application/octet-stream`, else 415, and with `Content-Length`, else 400: zot
    /// (`post-digest-single-supported-201`).
    Strict,
    /// It is taken, but the 201 has the URL of an upload and no digest: Cloudsmith (`post-digest-single-supported-201`).
    UploadLocation,
}

/// How a URL in a `Location` is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LocationForm {
    /// A path (`post-location-relative`).
    #[default]
    Path,
    /// In full (`post-location-absolute`). Needs [`RegistryOptions::origin`](crate::RegistryOptions::origin), as all that follow do.
    Absolute,
    /// In full, with `http` though the registry has `https` (`post-location-http-behind-tls`).
    Downgraded,
    /// In full, without the port (`post-location-drops-port-443`).
    WithoutPort,
    /// In full but for the scheme: `host/path` (`post-location-schemeless-host`).
    WithoutScheme,
    /// At the storage's own origin, signed (`post-location-other-host`). Needs
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
    /// `/upload/part?id=<id>`: nothing of the API's form (`post-location-path-unusual`).
    IdInQuery,
}

/// What `_state` in the query of an upload's URL means (`post-location-opaque-query`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StateQuery {
    /// There is none.
    #[default]
    Absent,
    /// It is there, and not looked at.
    Ignored,
    /// Writing needs the newest, else 416; `GET` takes any: distribution 3, ACR (`patch-location-changes`).
    Newest,
    /// All but deletion needs the newest, else 404 and the upload is gone: distribution 2 (`patch-location-changes`,
    /// `status-get-needs-state`).
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

/// The shortest chunk but for the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct ChunkMin {
    /// How long, in bytes.
    pub bytes: u64,
    /// Whether `OCI-Chunk-Min-Length` says so (`oci-chunk-min-length`), or nothing does (`chunk-min-5mib-undeclared`).
    pub announced: bool,
}

impl ChunkMin {
    /// A shortest length, and whether the registry says it.
    #[must_use]
    pub const fn new(bytes: u64, announced: bool) -> Self {
        Self { bytes, announced }
    }
}

/// What becomes of `POST /v2/<name>/blobs/uploads` (`post-trailing-slash`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TrailingSlash {
    /// It is no endpoint: 404.
    #[default]
    Required,
    /// 301 to the path with the slash.
    Redirected,
    /// It is as good.
    Optional,
}

/// What becomes of a push into a repository that is not there (`missing-repo-connection-closed`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Creation {
    /// It is made.
    #[default]
    OnPush,
    /// It is refused with 404 `NAME_UNKNOWN`.
    Refused,
    /// The connection is closed without an answer: ECR.
    ConnectionClosed,
}
