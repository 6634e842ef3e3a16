//! What every row needs: making the head of a request, and telling a refusal from an answer.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};

use super::{AnswerError, Digests, Flaw, Refused, Row};
use crate::header::{ReportedDigest, location, reported_digest};
use crate::target::TargetError;
use crate::{Digest, MediaType, Origin, Repository, Target};

/// `/v2/<name>/<rest>`. Whatever is put into `rest` is the spec's own word, a digest or a tag.
pub(super) fn in_repository(origin: &Origin, repository: &Repository, rest: &str) -> Target {
    Target::of_names(origin, format!("/v2/{repository}/{rest}"))
}

/// The head of a request, header by header.
pub(super) struct Head(Request<()>);

impl Head {
    pub(super) fn new(row: Row, target: &Target) -> Result<Self, TargetError> {
        let mut request = Request::new(());
        *request.method_mut() = row.method();
        *request.uri_mut() = target.uri()?;
        Ok(Self(request))
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().insert(name, value);
        self
    }

    /// `Content-Length`. Every POST, PUT and PATCH without a body says 0, because strict front ends answer 411
    /// otherwise (quirks `post-411-without-content-length`, `put-empty-needs-content-length-0`).
    pub(super) fn content_length(self, length: u64) -> Self {
        self.header(CONTENT_LENGTH, HeaderValue::from(length))
    }

    /// The `Content-Type` of every blob and chunk: some registries refuse any other (quirk
    /// `patch-content-type-strict`).
    pub(super) fn octet_stream(self) -> Self {
        self.header(CONTENT_TYPE, HeaderValue::from_static(MediaType::OCTET_STREAM))
    }

    pub(super) fn done(self) -> Request<()> {
        self.0
    }
}

/// Passes a success; anything else is an error that says what the registry said.
pub(super) fn succeeded(row: Row, from: &Target, response: &Response<Bytes>) -> Result<(), AnswerError> {
    let status = response.status();
    if is_web_page(row, response) {
        Err(malformed(row, response, Flaw::WebPage))
    } else if status.is_success() {
        Ok(())
    } else if status.is_redirection() {
        let to = location(response.headers(), from).ok().flatten();
        Err(AnswerError::Redirected { row, status, to })
    } else if status.is_informational() {
        Err(malformed(row, response, Flaw::Status))
    } else {
        Err(Refused::read(row, response).into())
    }
}

/// Whether a server that is no registry may have answered: a portal, a proxy, an application that answers any path with a page.
/// A registry says something else than 200 where it says nothing, and its lists and manifests are JSON; with another success it
/// may call nothing at all HTML, as web frameworks do. A blob may be a page of HTML, and `/v2/` itself is answered with any type
/// by some registries.
fn is_web_page(row: Row, response: &Response<Bytes>) -> bool {
    let is_html = |media_type: MediaType| media_type.as_str() == "text/html";
    let is_page = || response.body().trim_ascii_start().starts_with(b"<");
    response.status().is_success()
        && !matches!(row, Row::Ping | Row::PullBlob)
        && content_type(response).parse().is_ok_and(is_html)
        && (response.status() == StatusCode::OK || is_page())
}

pub(super) fn malformed(row: Row, response: &Response<Bytes>, why: impl Into<Flaw>) -> AnswerError {
    AnswerError::Malformed { row, status: response.status(), why: why.into() }
}

/// Holds `Docker-Content-Digest`, where it is there, against what this side knows.
pub(super) fn check_digest(row: Row, response: &Response<Bytes>, expected: &Digest) -> Result<(), AnswerError> {
    match reported_digest(response.headers(), expected) {
        ReportedDigest::Different(found) => {
            Err(AnswerError::WrongDigest { row, digests: Box::new(Digests { expected: *expected, found }) })
        }
        ReportedDigest::Absent | ReportedDigest::Same | ReportedDigest::NotComparable => Ok(()),
    }
}

/// Holds the digest of content that came against the one that was asked for.
pub(super) fn check_content(row: Row, found: Digest, expected: &Digest) -> Result<(), AnswerError> {
    if found == *expected {
        return Ok(());
    }
    Err(AnswerError::WrongContent { row, digests: Box::new(Digests { expected: *expected, found }) })
}

/// `Content-Length` of an answer, where it is one number.
pub(super) fn content_length(response: &Response<Bytes>) -> Option<u64> {
    let mut values = response.headers().get_all(CONTENT_LENGTH).iter();
    let value = values.next()?.to_str().ok()?;
    let is_number = values.next().is_none() && value.bytes().all(|b| b.is_ascii_digit());
    if is_number { value.parse().ok() } else { None }
}

/// `Content-Type` of an answer as it stands there; empty where there is none.
pub(super) fn content_type(response: &Response<Bytes>) -> String {
    let value = response.headers().get(CONTENT_TYPE);
    value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}
