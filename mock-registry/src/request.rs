//! A request's head, read; and what it is handed to.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use longshore_core::{Digest, DigestError};

use crate::answer::{Answer, Body, Row};
use crate::refusal::{Code, Refusal};
use crate::registry::{Registry, Step};
use crate::route::{Query, Route};

/// What a head asks for.
pub(crate) struct Asked {
    pub(crate) row: Row,
    pub(crate) method: Method,
    pub(crate) route: Route,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
}

impl Asked {
    pub(crate) fn read(head: Parts) -> Result<Self, Refusal> {
        let route = Route::of(head.uri.path())?;
        let query = Query::of(head.uri.query());
        let row = row(&head.method, &route, &query);
        Ok(Self { row, method: head.method, route, query, headers: head.headers })
    }

    /// A header's value, where it is there once and is visible ASCII.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn content_length(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH.as_str())?.parse().ok()
    }

    pub(crate) fn content_type(&self) -> Option<&str> {
        self.header(CONTENT_TYPE.as_str())
    }

    /// The answer as it is sent: to `HEAD`, without its body.
    pub(crate) fn finish(&self, answer: Answer) -> Answer {
        if self.method == Method::HEAD { answer.without_body() } else { answer }
    }
}

fn row(method: &Method, route: &Route, query: &Query) -> Row {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    match route {
        Route::Base if reads => Row::End1,
        Route::Blob(..) if reads => Row::End2,
        Route::Blob(..) if method == Method::DELETE => Row::End10,
        Route::Manifest(..) if reads => Row::End3,
        Route::Manifest(..) if method == Method::DELETE => Row::End9,
        Route::Manifest(..) if method == Method::PUT && query.first("tag").is_some() => Row::End7b,
        Route::Manifest(..) if method == Method::PUT => Row::End7a,
        Route::Uploads(_) if method == Method::POST => match () {
            () if query.first("mount").is_some() => Row::End11,
            () if query.first("digest").is_some() => Row::End4b,
            () if query.first("digest-algorithm").is_some() => Row::End4c,
            () => Row::End4a,
        },
        Route::Upload(..) if method == Method::PATCH => Row::End5,
        Route::Upload(..) if method == Method::PUT => Row::End6,
        Route::Upload(..) if method == Method::GET => Row::End13,
        Route::Upload(..) if method == Method::DELETE => Row::End14,
        Route::Tags(_) if reads && query.first("n").or(query.first("last")).is_some() => Row::End8b,
        Route::Tags(_) if reads => Row::End8a,
        Route::Referrers(..) if reads && query.first("artifactType").is_some() => Row::End12b,
        Route::Referrers(..) if reads => Row::End12a,
        _ => Row::Other,
    }
}

impl Registry {
    pub(crate) fn dispatch(&mut self, asked: &Asked) -> Result<Step, Refusal> {
        let answer = match (asked.row, &asked.route) {
            (Row::End1, _) => Answer::new(Row::End1, StatusCode::OK).body("application/json", Body::Bytes("{}".into())),
            (Row::End2, Route::Blob(repository, digest)) => self.blob(asked, repository, digest)?,
            (Row::End10, Route::Blob(repository, digest)) => self.delete_blob(repository, digest)?,
            (Row::End3, Route::Manifest(repository, reference)) => self.manifest(asked, repository, reference)?,
            (Row::End9, Route::Manifest(repository, reference)) => self.delete_manifest(repository, reference)?,
            (Row::End7a | Row::End7b, Route::Manifest(repository, reference)) => {
                return self.put_manifest(asked, repository, reference);
            }
            (Row::End4a | Row::End4b | Row::End4c, Route::Uploads(repository)) => {
                return self.start_upload(asked, repository);
            }
            (Row::End11, Route::Uploads(repository)) => self.mount(asked, repository)?,
            (Row::End5 | Row::End6, Route::Upload(repository, id)) => return self.write_upload(asked, repository, id),
            (Row::End13, Route::Upload(repository, id)) => self.upload_status(repository, id)?,
            (Row::End14, Route::Upload(repository, id)) => self.cancel_upload(repository, id)?,
            (Row::End8a | Row::End8b, Route::Tags(repository)) => self.tags(asked, repository)?,
            (Row::End12a | Row::End12b, Route::Referrers(repository, digest)) => {
                self.referrers(asked, repository, digest)?
            }
            _ => {
                let message = format!("{} is not allowed here", asked.method);
                return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, Code::Unsupported, message));
            }
        };
        Ok(Step::Answer(answer))
    }
}

/// Reads a digest that a request named.
pub(crate) fn digest(text: &str) -> Result<Digest, Refusal> {
    text.parse().map_err(|error: DigestError| Refusal::bad_request(Code::DigestInvalid, error.to_string()))
}

/// Reads the digest of content that is asked for: of an algorithm that nothing here can have, it is merely not there.
pub(crate) fn sought_digest(text: &str, unknown: Code) -> Result<Digest, Refusal> {
    text.parse().map_err(|error: DigestError| match error {
        DigestError::Unsupported { .. } => Refusal::not_found(unknown, error.to_string()),
        error => Refusal::bad_request(Code::DigestInvalid, error.to_string()),
    })
}
