//! The parsed head of a request.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, Method};
use longshore_core::{Digest, DigestError, Origin, Repository, Row, Tag};

use crate::auth::Caller;
use crate::refusal::{Code, Refusal};
use crate::route::{Query, Route};

/// The parsed head of a request and its caller.
pub(crate) struct ParsedRequest {
    /// Its row in the spec's table.
    pub(crate) row: Option<Row>,
    pub(crate) method: Method,
    pub(crate) route: Route,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    /// The bytes of path and query, as they were received.
    pub(crate) path_and_query: String,
    /// The origin of the registry that the request names.
    pub(crate) asked_at: Option<Origin>,
    /// Whether the request is to the storage's origin.
    pub(crate) at_storage: bool,
    /// Whether the request is to the token server's origin.
    pub(crate) at_tokens: bool,
    /// The caller.
    pub(crate) caller: Caller,
}

impl ParsedRequest {
    /// The value of a header, if it is visible ASCII.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn content_length(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH.as_str())?.parse().ok()
    }

    pub(crate) fn content_type(&self) -> Option<&str> {
        self.header(CONTENT_TYPE.as_str())
    }

    /// Whether the head announces a body.
    pub(crate) fn has_body(&self) -> bool {
        self.content_length().map_or(self.headers.contains_key(TRANSFER_ENCODING), |len| len > 0)
    }

    pub(crate) fn reads(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

/// The row of a request in the spec's endpoint table.
pub(crate) fn row(method: &Method, route: &Route, query: &Query) -> Option<Row> {
    let has = |key| query.first(key).is_some();
    Some(match (route, method.as_str()) {
        (Route::Token, _) => Row::FetchToken,
        (Route::Base, "GET" | "HEAD") => Row::Ping,
        (Route::Blob(..), "GET") => Row::PullBlob,
        (Route::Blob(..), "HEAD") => Row::CheckBlob,
        (Route::Blob(..), "DELETE") => Row::DeleteBlob,
        (Route::Manifest(..), "GET") => Row::PullManifest,
        (Route::Manifest(..), "HEAD") => Row::CheckManifest,
        (Route::Manifest(..), "DELETE") => Row::DeleteManifest,
        (Route::Manifest(..), "PUT") if has("tag") => Row::PutTaggedManifest,
        (Route::Manifest(..), "PUT") => Row::PutManifest,
        (Route::Uploads(_), "POST") if has("mount") => Row::MountBlob,
        (Route::Uploads(_), "POST") if has("digest") => Row::PostBlob,
        (Route::Uploads(_), "POST") if has("digest-algorithm") => Row::StartUploadFor,
        (Route::Uploads(_), "POST") => Row::StartUpload,
        (Route::Upload(..), "PATCH") => Row::SendChunk,
        (Route::Upload(..), "PUT") => Row::CloseUpload,
        (Route::Upload(..), "GET" | "HEAD") => Row::CheckUpload,
        (Route::Upload(..), "DELETE") => Row::CancelUpload,
        (Route::Tags(_), "GET" | "HEAD") if has("n") || has("last") => Row::ListSomeTags,
        (Route::Tags(_), "GET" | "HEAD") => Row::ListTags,
        (Route::Referrers(..), "GET" | "HEAD") if has("artifactType") => Row::ListSomeReferrers,
        (Route::Referrers(..), "GET" | "HEAD") => Row::ListReferrers,
        _ => return None,
    })
}

/// Reads a digest from a request.
pub(crate) fn digest(text: &str) -> Result<Digest, Refusal> {
    text.parse().map_err(|error: DigestError| Refusal::bad_request(Code::DigestInvalid, error.to_string()))
}

/// Reads the digest of content that a client requests. Content with a digest of an unsupported algorithm does not
/// exist, so that is not a malformed digest.
pub(crate) fn sought_digest(text: &str, unknown: Code) -> Result<Digest, Refusal> {
    text.parse().map_err(|error: DigestError| match error {
        DigestError::Unsupported { .. } => Refusal::not_found(unknown, error.to_string()),
        error => Refusal::bad_request(Code::DigestInvalid, error.to_string()),
    })
}

/// The tag under which the referrers of a subject are listed if there is no referrers API.
pub(crate) fn fallback_tag(subject: &str) -> Option<Tag> {
    subject.split_once(':').map(|(algorithm, encoded)| Tag::of_referrers_to(algorithm, encoded))
}

/// The refusal of a request for a repository that does not exist.
pub(crate) fn unknown_repository(repository: &Repository) -> Refusal {
    Refusal::not_found(Code::NameUnknown, "there is no such repository")
        .detail(serde_json::json!({ "name": repository.as_str() }))
}
