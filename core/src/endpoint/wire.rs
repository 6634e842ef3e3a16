//! What every endpoint needs: building the head of a request, and telling a success from an error.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};

use super::{AnswerError, Digests, Flaw, Refused, Row};
use crate::header::{ReportedDigest, location, reported_digest};
use crate::target::TargetError;
use crate::{Digest, MediaType, Origin, Repository, Target};

/// `/v2/<name>/<rest>`. `rest` may consist only of path segments from the spec, digests and tags.
pub(super) fn in_repository(origin: &Origin, repository: &Repository, rest: &str) -> Target {
    Target::of_names(origin, format!("/v2/{repository}/{rest}"))
}

/// Builds the head of a request.
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

    /// Sets `Content-Length`. Every POST, PUT and PATCH without a body has 0, because strict proxies answer 411
    /// otherwise ([quirks](crate::quirks) `post-411-without-content-length`, `put-empty-needs-content-length-0`).
    pub(super) fn content_length(self, length: u64) -> Self {
        self.header(CONTENT_LENGTH, HeaderValue::from(length))
    }

    /// Sets the `Content-Type` of every blob and chunk: some registries refuse any other ([quirk](crate::quirks)
    /// `patch-content-type-strict`).
    pub(super) fn octet_stream(self) -> Self {
        self.header(CONTENT_TYPE, HeaderValue::from_static(MediaType::OCTET_STREAM))
    }

    pub(super) fn done(self) -> Request<()> {
        self.0
    }
}

/// Succeeds for a 2xx that is not a web page; every other answer becomes an error.
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

/// Whether the answer is probably a web page from a server that is not a registry: a captive portal, a proxy, or an
/// application that answers every path with a page.
///
/// A registry's 200 is never HTML. Its other 2xx may have the `Content-Type` of HTML, which web frameworks set, but
/// then no page as the body. Two rows are exempt: a blob may be an HTML page, and some registries answer `/v2/` with
/// any type.
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

/// Compares `Docker-Content-Digest`, if there is one, with the digest that the client knows.
pub(super) fn check_digest(row: Row, response: &Response<Bytes>, expected: &Digest) -> Result<(), AnswerError> {
    match reported_digest(response.headers(), expected) {
        ReportedDigest::Different(found) => {
            Err(AnswerError::WrongDigest { row, digests: Box::new(Digests { expected: *expected, found }) })
        }
        ReportedDigest::Absent | ReportedDigest::Same | ReportedDigest::NotComparable => Ok(()),
    }
}

/// Compares the digest of the content that came with the one that was requested.
pub(super) fn check_content(row: Row, found: Digest, expected: &Digest) -> Result<(), AnswerError> {
    if found == *expected {
        return Ok(());
    }
    Err(AnswerError::WrongContent { row, digests: Box::new(Digests { expected: *expected, found }) })
}

/// The `Content-Length` of an answer; `None` if it is absent, repeated or not a number.
pub(super) fn content_length(response: &Response<Bytes>) -> Option<u64> {
    let mut values = response.headers().get_all(CONTENT_LENGTH).iter();
    let value = values.next()?.to_str().ok()?;
    let is_number = values.next().is_none() && value.bytes().all(|b| b.is_ascii_digit());
    if is_number { value.parse().ok() } else { None }
}

/// The `Content-Type` of an answer, unchanged; empty if there is none.
pub(super) fn content_type(response: &Response<Bytes>) -> String {
    let value = response.headers().get(CONTENT_TYPE);
    value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}
