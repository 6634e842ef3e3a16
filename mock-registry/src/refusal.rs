//! Refusals: a status, and a body with the spec's error codes.

use bytes::Bytes;
use http::StatusCode;
use http::header::HeaderName;
use serde_json::{Value, json};

use crate::answer::{Answer, Body, Row};
use crate::storage::StorageError;

/// The spec's error codes, and the ones that the spec lacks and registries share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    SizeInvalid,
    Unsupported,
    TooManyRequests,
    Unknown,
}

impl Code {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::BlobUnknown => "BLOB_UNKNOWN",
            Self::BlobUploadInvalid => "BLOB_UPLOAD_INVALID",
            Self::BlobUploadUnknown => "BLOB_UPLOAD_UNKNOWN",
            Self::DigestInvalid => "DIGEST_INVALID",
            Self::ManifestBlobUnknown => "MANIFEST_BLOB_UNKNOWN",
            Self::ManifestInvalid => "MANIFEST_INVALID",
            Self::ManifestUnknown => "MANIFEST_UNKNOWN",
            Self::NameInvalid => "NAME_INVALID",
            Self::NameUnknown => "NAME_UNKNOWN",
            Self::SizeInvalid => "SIZE_INVALID",
            Self::Unsupported => "UNSUPPORTED",
            Self::TooManyRequests => "TOOMANYREQUESTS",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// A refusal: what goes wrong with a request.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    errors: Vec<(Code, String, Option<Value>)>,
    headers: Vec<(HeaderName, String)>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self { status, errors: vec![(code, message.into(), None)], headers: Vec::new() }
    }

    pub(crate) fn bad_request(code: Code, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn not_found(code: Code, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// One more error in the same body.
    pub(crate) fn and(mut self, code: Code, message: impl Into<String>) -> Self {
        self.errors.push((code, message.into(), None));
        self
    }

    /// What the last error is about.
    pub(crate) fn detail(mut self, detail: Value) -> Self {
        if let Some(last) = self.errors.last_mut() {
            last.2 = Some(detail);
        }
        self
    }

    pub(crate) fn header(mut self, name: impl Into<HeaderName>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn into_answer(self, row: Row) -> Answer {
        let errors: Vec<Value> = self
            .errors
            .into_iter()
            .map(|(code, message, detail)| match detail {
                Some(detail) => json!({ "code": code.as_str(), "message": message, "detail": detail }),
                None => json!({ "code": code.as_str(), "message": message }),
            })
            .collect();
        let body = Bytes::from(json!({ "errors": errors }).to_string());
        let answer = Answer::new(row, self.status).body("application/json", Body::Bytes(body));
        self.headers.into_iter().fold(answer, |answer, (name, value)| answer.header(name, value))
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        let status = match error {
            StorageError::Full => StatusCode::INSUFFICIENT_STORAGE,
            StorageError::Missing(_) | StorageError::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, Code::Unknown, error.to_string())
    }
}
