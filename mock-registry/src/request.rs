//! A request's head, read; and what it is handed to.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use longshore_core::{Digest, DigestError, Origin, Repository, Tag};

use crate::answer::{Answer, Body, Row};
use crate::auth::Caller;
use crate::behaviour::{ApiVersion, LocationForm, TrailingSlash};
use crate::changes::changed;
use crate::fault::FaultEffect;
use crate::progress::Step;
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;
use crate::route::{Query, Route};
use crate::uploads::gone;

const API_VERSION: &str = "docker-distribution-api-version";

/// What a head asks for.
pub(crate) struct ParsedRequest {
    pub(crate) row: Row,
    pub(crate) method: Method,
    pub(crate) route: Route,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    /// The bytes of path and query, as they came.
    pub(crate) path_and_query: String,
    /// The one of the registry's own names that it came to.
    pub(crate) asked_at: Option<Origin>,
    /// Whether it came to the storage's origin.
    pub(crate) at_storage: bool,
    /// Whether it came to the origin of the token server.
    at_tokens: bool,
    /// Who sends it.
    pub(crate) caller: Caller,
}

impl ParsedRequest {
    /// A header's value, where it is visible ASCII.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn content_length(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH.as_str())?.parse().ok()
    }

    pub(crate) fn content_type(&self) -> Option<&str> {
        self.header(CONTENT_TYPE.as_str())
    }

    /// Whether its head says that a body comes.
    pub(crate) fn has_body(&self) -> bool {
        self.content_length().map_or(self.headers.contains_key(TRANSFER_ENCODING), |len| len > 0)
    }

    pub(crate) fn reads(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

impl Registry {
    /// Reads a head.
    pub(crate) fn parse(&self, head: Parts) -> Result<ParsedRequest, Refusal> {
        let query = Query::of(head.uri.query());
        let mut route = Route::of(head.uri.path(), self.options.behaviour.start.path)?;
        if route == Route::Part {
            let upload = query.first("id").map(crate::UploadId::from).and_then(|id| {
                let upload = self.state.uploads.get(&id)?;
                Some(Route::Upload(upload.repository.clone(), id))
            });
            route = upload.ok_or_else(gone)?;
        }
        if let Route::Bare(repository) = &route
            && self.options.behaviour.start.trailing_slash == TrailingSlash::Optional
        {
            route = Route::Uploads(repository.clone());
        }
        let path_and_query = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
        let authority = head.uri.authority().map(http::uri::Authority::as_str).or(host);
        let is_at =
            |origin: Option<&Origin>| authority.is_some() && authority == origin.map(Origin::authority).as_deref();
        let at_storage = is_at(self.options.storage.as_ref());
        let at_tokens = is_at(self.tokens_elsewhere());
        let named = |origin: &&Origin| authority.is_some_and(|given| origin.authority().eq_ignore_ascii_case(given));
        let asked_at = self.own_origins.iter().find(named).cloned();
        let row = row(&head.method, &route, &query);
        let caller = Caller::default();
        let (method, headers) = (head.method, head.headers);
        Ok(ParsedRequest {
            row,
            method,
            route,
            query,
            headers,
            path_and_query,
            asked_at,
            at_storage,
            at_tokens,
            caller,
        })
    }

    /// The answer as it is sent: with what every answer has, and to `HEAD` without its body.
    pub(crate) fn sent(&self, method: &Method, answer: Answer) -> Answer {
        let warnings = &self.options.behaviour.errors.warnings;
        let answer = warnings.iter().fold(answer, |answer, text| {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            answer.header("warning", format_args!("299 - \"{text}\""))
        });
        let says_version = match self.options.behaviour.read.api_version {
            ApiVersion::Always => answer.row != Row::Token,
            ApiVersion::BaseOnly => answer.row == Row::End1,
            ApiVersion::Absent => false,
        };
        let answer = if says_version { answer.header(API_VERSION, "registry/2.0") } else { answer };
        let sets_cookies = self.options.auth.is_some() && self.options.behaviour.auth.cookies;
        let answer = if sets_cookies { answer.header("set-cookie", "sid=1; Path=/; HttpOnly") } else { answer };
        let answer = changed(answer, method, &self.options.behaviour.answers);
        if method == Method::HEAD { answer.without_body() } else { answer }
    }

    pub(crate) fn refused(&self, row: Row, refusal: Refusal) -> Answer {
        refusal.into_answer(row, self.options.behaviour.errors.body)
    }

    pub(crate) fn dispatch(&mut self, request: &ParsedRequest, effect: &FaultEffect) -> Result<Step, Refusal> {
        self.check_writable(request)?;
        let answer = match (request.row, &request.route) {
            (Row::End1, _) => {
                let answer = Answer::new(Row::End1, StatusCode::OK);
                self.with_open_challenge(answer.body("application/json", Body::Bytes("{}".into())))
            }
            (Row::Token, _) => return self.token(request),
            (Row::End2, Route::Blob(repository, digest)) => {
                self.blob(request, repository, digest, effect.blobs_hidden)?
            }
            (Row::End10, Route::Blob(repository, digest)) => self.delete_blob(repository, digest)?,
            (Row::End3, Route::Manifest(repository, reference)) => self.manifest(request, repository, reference)?,
            (Row::End9, Route::Manifest(repository, reference)) => self.delete_manifest(repository, reference)?,
            (Row::End7a | Row::End7b, Route::Manifest(repository, reference)) => {
                return self.put_manifest(request, repository, reference);
            }
            (Row::End4a | Row::End4b | Row::End4c, Route::Uploads(repository)) => {
                return self.start_upload(request, repository);
            }
            (Row::End11, Route::Uploads(repository)) => self.mount(request, repository)?,
            (Row::End5 | Row::End6, Route::Upload(repository, id)) => {
                return self.write_upload(request, repository, id);
            }
            (Row::End13, Route::Upload(repository, id)) => self.upload_status(request, repository, id)?,
            (Row::End14, Route::Upload(repository, id)) => self.cancel_upload(repository, id)?,
            (_, Route::Catalog) if request.reads() => self.catalog(request)?,
            (Row::End8a | Row::End8b, Route::Tags(repository)) => self.tags(request, repository)?,
            (Row::End12a | Row::End12b, Route::Referrers(repository, digest)) => {
                self.referrers(request, repository, digest)?
            }
            (_, Route::Bare(repository))
                if self.options.behaviour.start.trailing_slash == TrailingSlash::Redirected =>
            {
                let query = request.path_and_query.split_once('?').map(|(_, query)| format!("?{query}"));
                Answer::new(request.row, StatusCode::MOVED_PERMANENTLY).header(
                    http::header::LOCATION,
                    format_args!("/v2/{repository}/blobs/uploads/{}", query.unwrap_or_default()),
                )
            }
            (_, Route::Bare(_)) => return Err(Refusal::not_found(Code::Unsupported, "the path lacks its last slash")),
            _ => {
                let message = format!("{} is not allowed here", request.method);
                return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, Code::Unsupported, message));
            }
        };
        Ok(Step::Answer(answer))
    }

    /// At the storage's origin there is only what the registry signed; and uploads that are there are nowhere else.
    pub(crate) fn check_origin(&self, request: &ParsedRequest) -> Result<(), Refusal> {
        let behaviour = &self.options.behaviour;
        let is_upload = matches!(request.route, Route::Upload(..));
        let tokens_elsewhere = self.tokens_elsewhere().is_some();
        if request.at_tokens != (request.route == Route::Token) && (request.at_tokens || tokens_elsewhere) {
            return Err(Refusal::not_found(Code::Unsupported, "there is nothing of that here"));
        }
        if !request.at_storage {
            let elsewhere = behaviour.start.location == LocationForm::Storage && self.options.storage.is_some();
            return if is_upload && elsewhere { Err(gone()) } else { Ok(()) };
        }
        if behaviour.read.storage_refuses_authorization && request.headers.contains_key(http::header::AUTHORIZATION) {
            let message = "only one auth mechanism allowed: leave out the Authorization header";
            return Err(Refusal::bad_request(Code::Unknown, message));
        }
        let is_blob = matches!(request.route, Route::Blob(..)) && request.reads();
        if !(is_upload || is_blob) || !self.is_signed(&request.path_and_query) {
            return Err(Refusal::new(StatusCode::FORBIDDEN, Code::Denied, "the URL is not signed"));
        }
        Ok(())
    }

    /// The token server's origin, where it is another than the registry's.
    fn tokens_elsewhere(&self) -> Option<&Origin> {
        let tokens = self.options.auth.as_ref()?.tokens.as_ref();
        tokens.filter(|tokens| Some(*tokens) != self.options.origin.as_ref())
    }

    /// What would write, where nothing may be written, or not there.
    fn check_writable(&self, request: &ParsedRequest) -> Result<(), Refusal> {
        let writes = !request.reads() && request.route != Route::Token;
        if let Some(given) = self.options.behaviour.manifests.read_only.filter(|_| writes) {
            return Err(Refusal::new(status(given), Code::Denied, "this registry is read-only for now"));
        }
        Ok(())
    }
}

fn row(method: &Method, route: &Route, query: &Query) -> Row {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    match route {
        Route::Base if reads => Row::End1,
        Route::Token => Row::Token,
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

/// The tag under which the referrers of a subject are listed where there is no API for them.
pub(crate) fn fallback_tag(subject: &str) -> Option<Tag> {
    subject.split_once(':').map(|(algorithm, encoded)| Tag::of_referrers_to(algorithm, encoded))
}

/// The refusal of what is asked of a repository that is not there.
pub(crate) fn unknown_repository(repository: &Repository) -> Refusal {
    Refusal::not_found(Code::NameUnknown, "there is no such repository")
        .detail(serde_json::json!({ "name": repository.as_str() }))
}
