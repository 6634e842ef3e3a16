//! Dispatches requests, and completes their answers.

use http::header::HOST;
use http::request::Parts;
use http::{Method, StatusCode};
use longshore_core::{Origin, Row};

use crate::answer::{Answer, Body};
use crate::auth::Caller;
use crate::behaviour::{ApiVersion, LocationForm, TrailingSlash};
use crate::changes::changed;
use crate::fault::FaultEffect;
use crate::progress::Step;
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;
use crate::request::{ParsedRequest, row};
use crate::route::{Query, Route};
use crate::state::UploadId;
use crate::uploads::gone;

const API_VERSION: &str = "docker-distribution-api-version";

impl Registry {
    /// Reads the head of a request.
    pub(crate) fn parse(&self, head: Parts) -> Result<ParsedRequest, Refusal> {
        let query = Query::of(head.uri.query());
        let mut route = Route::of(head.uri.path(), self.options.behaviour.start.path)?;
        if route == Route::Part {
            let upload = query.first("id").map(UploadId::from).and_then(|id| {
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

    /// The answer as it is sent: with the headers that every answer has, and for `HEAD` without the body.
    pub(crate) fn sent(&self, method: &Method, answer: Answer) -> Answer {
        let warnings = &self.options.behaviour.errors.warnings;
        let answer = warnings.iter().fold(answer, |answer, text| {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            answer.header("warning", format_args!("299 - \"{text}\""))
        });
        let says_version = match self.options.behaviour.read.api_version {
            ApiVersion::Always => answer.row != Some(Row::FetchToken),
            ApiVersion::BaseOnly => answer.row == Some(Row::Ping),
            ApiVersion::Absent => false,
        };
        let answer = if says_version { answer.header(API_VERSION, "registry/2.0") } else { answer };
        let sets_cookies = self.options.auth.is_some() && self.options.behaviour.auth.cookies;
        let answer = if sets_cookies { answer.header("set-cookie", "sid=1; Path=/; HttpOnly") } else { answer };
        let answer = changed(answer, method, &self.options.behaviour.answers);
        if method == Method::HEAD { answer.without_body() } else { answer }
    }

    pub(crate) fn refused(&self, row: Option<Row>, refusal: Refusal) -> Answer {
        refusal.into_answer(row, self.options.behaviour.errors.body)
    }

    pub(crate) fn dispatch(&mut self, request: &ParsedRequest, effect: &FaultEffect) -> Result<Step, Refusal> {
        self.check_writable(request)?;
        self.check_stated(request)?;
        let has_method = self.has_method(&request.method, &request.route, &request.query);
        let answer = match (request.row, &request.route) {
            (Some(Row::Ping), _) => {
                let answer = Answer::new(Row::Ping, StatusCode::OK);
                self.with_open_challenge(answer.body("application/json", Body::Bytes("{}".into())))
            }
            (Some(Row::FetchToken), _) => return self.token(request),
            (Some(Row::PullBlob | Row::CheckBlob), Route::Blob(repository, digest)) => {
                self.blob(request, repository, digest, effect.blobs_hidden)?
            }
            (Some(Row::DeleteBlob), Route::Blob(repository, digest)) => self.delete_blob(repository, digest)?,
            (Some(Row::PullManifest | Row::CheckManifest), Route::Manifest(repository, reference)) => {
                self.manifest(request, repository, reference)?
            }
            (Some(Row::DeleteManifest), Route::Manifest(repository, reference)) => {
                self.delete_manifest(repository, reference)?
            }
            (Some(Row::PutManifest | Row::PutTaggedManifest), Route::Manifest(repository, reference)) => {
                return self.put_manifest(request, repository, reference);
            }
            (Some(Row::StartUpload | Row::PostBlob | Row::StartUploadFor), Route::Uploads(repository)) => {
                return self.start_upload(request, repository);
            }
            (Some(Row::MountBlob), Route::Uploads(repository)) => self.mount(request, repository)?,
            (Some(Row::SendChunk | Row::CloseUpload), Route::Upload(repository, id)) => {
                return self.write_upload(request, repository, id);
            }
            (Some(Row::CheckUpload), Route::Upload(repository, id)) if has_method => {
                self.upload_status(request, repository, id)?
            }
            (Some(Row::CancelUpload), Route::Upload(repository, id)) => self.cancel_upload(repository, id)?,
            (_, Route::Catalog) if request.reads() => self.catalog(request)?,
            (Some(Row::ListTags | Row::ListSomeTags), Route::Tags(repository)) => self.tags(request, repository)?,
            (Some(Row::ListReferrers | Row::ListSomeReferrers), Route::Referrers(repository, digest)) => {
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
            _ => return Err(self.method_refused(request)),
        };
        Ok(Step::Answer(answer))
    }

    /// Checks the origin: the storage's origin accepts only signed URLs, and uploads at the storage's origin are at no
    /// other origin.
    pub(crate) fn check_origin(&self, request: &ParsedRequest) -> Result<(), Refusal> {
        let behaviour = &self.options.behaviour;
        let is_upload = matches!(request.route, Route::Upload(..));
        let tokens_elsewhere = self.tokens_elsewhere().is_some();
        if request.at_tokens != (request.route == Route::Token) && (request.at_tokens || tokens_elsewhere) {
            return Err(Refusal::not_found(Code::Unsupported, "there is no such path at this address"));
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

    /// The token server's origin, if it is not the registry's.
    fn tokens_elsewhere(&self) -> Option<&Origin> {
        let tokens = self.options.auth.as_ref()?.tokens.as_ref();
        tokens.filter(|tokens| Some(*tokens) != self.options.origin.as_ref())
    }

    /// Refuses a request that writes, if the registry or the repository is read-only.
    fn check_writable(&self, request: &ParsedRequest) -> Result<(), Refusal> {
        let writes = !request.reads() && request.route != Route::Token;
        if let Some(given) = self.options.behaviour.manifests.read_only.filter(|_| writes) {
            return Err(Refusal::new(status(given), Code::Denied, "this registry is read-only for now"));
        }
        Ok(())
    }
}
