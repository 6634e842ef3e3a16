//! Refusals: answers with a status and error codes.

use std::borrow::Cow;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, HeaderName};
use serde_json::{Value, json};

use crate::answer::{Answer, Body, Delivery};
use crate::behaviour::ErrorBody;
use crate::storage::StorageError;
use longshore_core::Row;

/// The spec's error codes that this registry sends, and `UNKNOWN`, which many registries send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    Denied,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    SizeInvalid,
    Unauthorized,
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
            Self::Denied => "DENIED",
            Self::DigestInvalid => "DIGEST_INVALID",
            Self::ManifestBlobUnknown => "MANIFEST_BLOB_UNKNOWN",
            Self::ManifestInvalid => "MANIFEST_INVALID",
            Self::ManifestUnknown => "MANIFEST_UNKNOWN",
            Self::NameInvalid => "NAME_INVALID",
            Self::NameUnknown => "NAME_UNKNOWN",
            Self::SizeInvalid => "SIZE_INVALID",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Unsupported => "UNSUPPORTED",
            Self::TooManyRequests => "TOOMANYREQUESTS",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl From<Code> for Cow<'static, str> {
    fn from(code: Code) -> Self {
        Self::Borrowed(code.as_str())
    }
}

/// The refusal of a request.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    errors: Vec<(Cow<'static, str>, String, Option<Value>)>,
    headers: Vec<(HeaderName, String)>,
    /// The type and content of a body that is sent in place of the usual form of errors.
    page: Option<(&'static str, &'static str)>,
    delivery: Delivery,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let errors = vec![(code.into(), message.into(), None)];
        Self { status, errors, headers: Vec::new(), page: None, delivery: Delivery::Whole }
    }

    pub(crate) fn bad_request(code: Code, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// The refusal because of a limit of the mock registry: what it limits, the largest value, and the flag that sets
    /// it.
    pub(crate) fn limit(what: &str, most: impl std::fmt::Display, flag: &str) -> Self {
        let message = format!("{what}: {most} is the limit ({flag})");
        Self::new(StatusCode::INSUFFICIENT_STORAGE, Code::Unknown, message)
    }

    pub(crate) fn not_found(code: Code, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// The message of its first error.
    pub(crate) fn message(&self) -> &str {
        self.errors.first().map_or("", |(_, message, _)| message)
    }

    /// Sets the status.
    pub(crate) fn with_status(mut self, given: u16) -> Self {
        self.status = status(given);
        self
    }

    /// Adds an error.
    pub(crate) fn and(mut self, code: Code, message: impl Into<String>) -> Self {
        self.errors.push((code.into(), message.into(), None));
        self
    }

    /// Sets the detail of the last error.
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

    /// Sets a body of this type and content. If the type is empty, there is no body.
    pub(crate) fn page(mut self, content_type: &'static str, content: &'static str) -> Self {
        self.page = Some((content_type, content));
        self
    }

    /// Closes the connection in place of an answer.
    pub(crate) fn unanswered(mut self) -> Self {
        self.delivery = Delivery::Lost;
        self
    }

    pub(crate) fn into_answer(self, row: impl Into<Option<Row>>, form: ErrorBody) -> Answer {
        let mut answer = Answer::new(row, self.status);
        answer.delivery = self.delivery;
        answer = match self.page {
            Some((content_type, content)) => filled(answer, content_type, content.to_owned()),
            None => {
                let (content_type, content) = body(self.status, &self.errors, form);
                filled(answer, content_type, content)
            }
        };
        self.headers.into_iter().fold(answer, |answer, (name, value)| answer.header(name, value))
    }
}

fn filled(answer: Answer, content_type: &str, content: String) -> Answer {
    if content_type.is_empty() {
        return answer.header(CONTENT_LENGTH, 0);
    }
    answer.body(content_type, Body::Bytes(Bytes::from(content)))
}

fn body(
    status: StatusCode,
    errors: &[(Cow<'static, str>, String, Option<Value>)],
    form: ErrorBody,
) -> (&'static str, String) {
    const JSON: &str = "application/json";
    let message = errors.first().map_or("", |(_, message, _)| message.as_str());
    let each = |entry: fn(&str, &str) -> Value| {
        let errors: Vec<Value> = errors
            .iter()
            .map(|(code, message, detail)| {
                let mut entry = entry(code, message);
                if let Some(detail) = detail {
                    entry["detail"] = detail.clone();
                }
                entry
            })
            .collect();
        (JSON, json!({ "errors": errors }).to_string())
    };
    match form {
        ErrorBody::Spec => each(|code, message| json!({ "code": code, "message": message })),
        ErrorBody::MessageObject => {
            each(|code, message| json!({ "code": code, "message": { "non_field_errors": [message] } }))
        }
        ErrorBody::OtherCodes => {
            each(|code, message| json!({ "code": code.replace('_', " "), "message": message, "is_readonly": false }))
        }
        ErrorBody::Empty => ("", String::new()),
        ErrorBody::Html => (
            "text/html",
            format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\r\n"),
        ),
        ErrorBody::Text => ("text/plain; charset=utf-8", format!("{message}\n")),
        ErrorBody::Details => (JSON, json!({ "details": message }).to_string()),
        ErrorBody::WithoutCode => {
            let body = json!({ "errors": [{ "status": status.as_u16(), "message": message }] });
            ("application/json;charset=ISO-8859-1", body.to_string())
        }
    }
}

/// The status of a behaviour; 500 if the number is not a status.
pub(crate) fn status(given: u16) -> StatusCode {
    StatusCode::from_u16(given).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
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
