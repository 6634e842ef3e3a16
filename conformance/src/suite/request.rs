//! Requests of checks.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use http::{HeaderMap, Method, Response};
use longshore_core::auth::{Scope, Scopes};
use longshore_core::driver::NoAnswer;
use longshore_core::target::{MAX_REDIRECTS, Source, admit, check_redirect, is_redirect};
use longshore_core::{Repository, Target};

use super::client::{RawBody, RawRequest};
use super::received::Received;
use super::recorded::recorded;
use super::signer::Courier;
use super::stop::{Finding, Stop};
use super::tested::TestedRegistry;

/// The largest number of bytes of an answer's body. It is more than the largest blob and manifest that the suite sends.
const BODY_LIMIT: usize = 16 << 20;

/// The types of manifests for `Accept`.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                         application/vnd.docker.distribution.manifest.v2+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json";

/// A request that is not yet sent.
#[must_use]
pub(super) struct RequestBuilder<'c, 'a> {
    pub(super) tested: &'c TestedRegistry<'a>,
    pub(super) method: Method,
    pub(super) target: Result<Target, Stop>,
    pub(super) headers: HeaderMap,
    pub(super) body: RawBody,
    pub(super) announced: Option<u64>,
    pub(super) scopes: Scopes,
    pub(super) is_signed: bool,
    pub(super) is_followed: bool,
}

impl<'a> TestedRegistry<'a> {
    /// A request to a path below `/v2/<name>/`.
    pub(super) fn request(&self, method: Method, repository: &Repository, path: &str) -> RequestBuilder<'_, 'a> {
        self.request_path(method, repository, &format!("/v2/{repository}/{path}"))
    }

    /// A request to any path, with rights in a repository.
    pub(super) fn request_path(&self, method: Method, repository: &Repository, path: &str) -> RequestBuilder<'_, 'a> {
        let target = Target::new(self.around.signer.registry().clone(), path);
        let target = target.map_err(|error| Stop::NotPrepared(format!("{path} is no path: {error}")));
        self.request_to(method, repository, target)
    }

    /// A request to a URL that the registry gave.
    pub(super) fn request_to(
        &self,
        method: Method,
        repository: &Repository,
        target: Result<Target, Stop>,
    ) -> RequestBuilder<'_, 'a> {
        let scope = match method {
            Method::GET | Method::HEAD => Scope::pull(repository.clone()),
            Method::DELETE => Scope::delete(repository.clone()),
            _ => Scope::push(repository.clone()),
        };
        let scopes = Scopes::one(scope);
        RequestBuilder {
            tested: self,
            method,
            target,
            headers: HeaderMap::new(),
            body: RawBody::Sized(bytes::Bytes::new()),
            announced: None,
            scopes,
            is_signed: true,
            is_followed: true,
        }
    }

    /// GET of a path below `/v2/<name>/` of the first repository.
    pub(super) fn get(&self, path: &str) -> RequestBuilder<'_, 'a> {
        self.request(Method::GET, self.repository(), path)
    }

    /// HEAD of such a path.
    pub(super) fn head(&self, path: &str) -> RequestBuilder<'_, 'a> {
        self.request(Method::HEAD, self.repository(), path)
    }

    /// POST to such a path.
    pub(super) fn post(&self, path: &str) -> RequestBuilder<'_, 'a> {
        self.request(Method::POST, self.repository(), path)
    }

    /// PUT to such a path.
    pub(super) fn put(&self, path: &str) -> RequestBuilder<'_, 'a> {
        self.request(Method::PUT, self.repository(), path)
    }

    /// DELETE of such a path.
    pub(super) fn delete(&self, path: &str) -> RequestBuilder<'_, 'a> {
        self.request(Method::DELETE, self.repository(), path)
    }
}

impl<'c, 'a> RequestBuilder<'c, 'a> {
    /// Adds a header.
    pub(super) fn header(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        let value = HeaderValue::from_str(value.as_ref()).expect("the suite sends what a header can hold");
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    /// Adds a parameter to the query, encoded.
    pub(super) fn query(mut self, key: &'static str, value: impl AsRef<str>) -> Self {
        self.target = self.target.map(|target| target.with_query(key, value.as_ref()));
        self
    }

    /// Sets a body with an announced length.
    pub(super) fn body(mut self, content_type: &str, bytes: impl Into<Bytes>) -> Self {
        self.body = RawBody::Sized(bytes.into());
        self.of_type(content_type)
    }

    /// Sets a body of type `application/octet-stream`.
    pub(super) fn bytes(self, bytes: impl Into<Bytes>) -> Self {
        self.body("application/octet-stream", bytes)
    }

    /// Sets a body without an announced length.
    pub(super) fn streamed(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body = RawBody::Chunked(bytes.into());
        self.of_type("application/octet-stream")
    }

    /// Sets a body that is cut after these bytes, with another announced length.
    pub(super) fn broken_off(mut self, bytes: impl Into<Bytes>, announced: u64) -> Self {
        self.body = RawBody::Cut(bytes.into());
        self.announced = Some(announced);
        self.of_type("application/octet-stream")
    }

    fn of_type(mut self, content_type: &str) -> Self {
        let value = HeaderValue::from_str(content_type).expect("the suite sends what a header can hold");
        self.headers.insert(CONTENT_TYPE, value);
        self
    }

    /// Sends it without credentials.
    pub(super) const fn anonymously(mut self) -> Self {
        self.is_signed = false;
        self
    }

    /// Does not follow redirects.
    pub(super) const fn unfollowed(mut self) -> Self {
        self.is_followed = false;
        self
    }

    /// Sets the rights that it needs.
    pub(super) fn with_scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// Adds the right to read another repository.
    pub(super) fn reading(mut self, other: &Repository) -> Self {
        self.scopes = self.scopes.and(Scope::pull(other.clone()));
        self
    }

    /// Sends it, follows redirects, and returns the answer.
    pub(super) fn send(self) -> Result<Received<'c, 'a>, Stop> {
        let tested = self.tested;
        let (outcome, from) = self.exchange()?;
        let at = tested.exchanges.borrow().len().saturating_sub(1);
        match outcome {
            Ok(response) => Ok(Received::new(tested, at, from, response)),
            Err(why) => Err(stopped(tested, at, why)),
        }
    }

    /// Sends it, and ignores the answer, as if it were lost.
    pub(super) fn send_and_forget(self) -> Result<(), Stop> {
        self.exchange().map(drop)
    }

    /// The request before credentials are added.
    pub(super) fn complete(&self) -> Result<RawRequest, Stop> {
        let mut headers = self.headers.clone();
        let len = self.announced.unwrap_or(self.body.bytes().len() as u64);
        // Like other clients, because some registries answer 404 if `Accept` does not name the type.
        let reads = matches!(self.method, Method::GET | Method::HEAD);
        if reads
            && !headers.contains_key(ACCEPT)
            && self.target.as_ref().is_ok_and(|to| to.path().contains("/manifests/"))
        {
            headers.insert(ACCEPT, HeaderValue::from_static(MANIFESTS));
        }
        let sends_body = !matches!(self.method, Method::GET | Method::HEAD | Method::DELETE) || len > 0;
        if sends_body && !matches!(self.body, RawBody::Chunked(_)) && !headers.contains_key(CONTENT_LENGTH) {
            headers.insert(CONTENT_LENGTH, len.into());
        }
        Ok(RawRequest {
            method: self.method.clone(),
            target: self.target.clone()?,
            headers,
            body: self.body.clone(),
            time_limit: self.tested.time_left()?,
            body_limit: BODY_LIMIT,
        })
    }

    /// The request with the credentials that the registry is known to require.
    fn signed(&self) -> Result<RawRequest, Stop> {
        let mut request = self.complete()?;
        let tested = self.tested;
        let mut record = |exchange| tested.exchanges.borrow_mut().push(exchange);
        let around = tested.around;
        let mut courier = Courier { client: around.client, signer: around.signer, record: &mut record };
        if self.is_signed {
            courier.sign(&mut request, &self.scopes, &[], false);
        }
        Ok(request)
    }

    fn exchange(self) -> Result<(Result<Response<Bytes>, NoAnswer>, Target), Stop> {
        let mut request = self.complete()?;
        let tested = self.tested;
        let around = tested.around;
        let mut record = |exchange| tested.exchanges.borrow_mut().push(exchange);
        let mut courier = Courier { client: around.client, signer: around.signer, record: &mut record };
        let mut may_sign = self.is_signed;
        for followed in 0..=MAX_REDIRECTS {
            let outcome = match may_sign {
                true => courier.send_signed(&request, &self.scopes),
                false => courier.send(&request, false),
            };
            let next = match &outcome {
                Ok(response) if self.is_followed && is_redirect(response.status()) => {
                    tested.redirect(&request, response, followed)
                }
                _ => None,
            };
            let Some((target, credentials_may_follow)) = next else { return Ok((outcome, request.target)) };
            may_sign &= credentials_may_follow;
            request.target = target;
            request.time_limit = tested.time_left()?;
        }
        Err(Stop::failed(format!("at most {MAX_REDIRECTS} redirects"), "one more"))
    }
}

impl<'a> TestedRegistry<'a> {
    /// Sends several requests at the same time. Redirects are not followed, and refusals because of credentials are not
    /// handled: the credentials that the registry requires are known from earlier requests.
    pub(super) fn send_at_once<'c>(
        &'c self,
        requests: impl IntoIterator<Item = RequestBuilder<'c, 'a>>,
    ) -> Result<Vec<Received<'c, 'a>>, Stop> {
        let mut signed = Vec::new();
        for request in requests {
            signed.push(request.signed()?);
        }
        let begun = self.around.client.now();
        let outcomes = self.around.client.send_at_once(signed.clone());
        let took = self.around.client.now().since(begun);
        let mut all = Vec::new();
        for (request, outcome) in signed.into_iter().zip(outcomes) {
            self.exchanges.borrow_mut().push(recorded(&request, outcome.as_ref(), took, false));
            let at = self.exchanges.borrow().len() - 1;
            let response = outcome.map_err(|why| stopped(self, at, why))?;
            all.push(Received::new(self, at, request.target, response));
        }
        Ok(all)
    }
}

impl TestedRegistry<'_> {
    /// The remaining time of this check.
    pub(super) fn time_left(&self) -> Result<Duration, Stop> {
        match self.deadline.since(self.around.client.now()) {
            Duration::ZERO => Err(Stop::NotPrepared("its time is over".to_owned())),
            left => Ok(left),
        }
    }

    /// The target of a redirect, if it may be followed, and whether the credentials may be sent there.
    fn redirect(&self, request: &RawRequest, response: &Response<Bytes>, followed: usize) -> Option<(Target, bool)> {
        check_redirect(&request.method, response.status(), followed, MAX_REDIRECTS).ok()?;
        let location = response.headers().get(LOCATION)?.to_str().ok()?;
        let target = request.target.resolve(location).ok()?;
        let signer = self.around.signer;
        let admitted = admit(signer.policy(), signer.registry(), &request.target, target, Source::Redirect).ok()?;
        Some((admitted.target, admitted.credentials_may_follow))
    }
}

/// The end of a check after a request without an answer. A request that did not reach the registry is no failure of the
/// registry.
pub(super) fn stopped(tested: &TestedRegistry<'_>, at: usize, why: NoAnswer) -> Stop {
    match why {
        NoAnswer::Lost(why) if tested.time_left().is_ok() => Stop::Failed(Finding {
            expected: "an answer".to_owned(),
            found: format!("none: {why}"),
            exchange: Some(at),
        }),
        NoAnswer::Lost(_) => Stop::NotPrepared("its time is over".to_owned()),
        other => Stop::NotPrepared(other.to_string()),
    }
}
