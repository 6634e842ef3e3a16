//! Requests a token from a token service ([token
//! authentication](https://distribution.github.io/distribution/spec/auth/token/),
//! [OAuth2](https://distribution.github.io/distribution/spec/auth/oauth/)).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use zeroize::Zeroizing;

use super::token::{MAX_TOKEN_BODY_LEN, reason};
use super::{Credentials, Scope, Scopes, Token, TokenError, TokenService};
use crate::target::{is_redirect, percent_encode};
use crate::text::shown;
use crate::{Authorization, Secret, Target};

/// A request for a token: from which service, for which scopes, with which credentials.
///
/// ```
/// use http::{HeaderMap, HeaderValue, Response, header};
/// use longshore_core::auth::{Challenges, Scope, Scopes, TokenRequest, TokenService};
/// use longshore_core::target::Policy;
/// use longshore_core::{Repository, Target};
///
/// let asked = Target::parse("https://registry.example/v2/a/blobs/uploads/")?;
/// let mut headers = HeaderMap::new();
/// headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer realm="/token",service="r""#));
///
/// let challenges = Challenges::of(asked.origin(), &asked, &headers)?;
/// let service = TokenService::of(&Policy::default(), asked.origin(), &asked, challenges.bearer().unwrap())?;
/// let scopes = Scopes::one(Scope::push("a".parse()?));
/// let exchange = TokenRequest::new(&service, &scopes, None);
///
/// let call = exchange.call(exchange.first())?;
/// assert_eq!(call.target.path_and_query(), "/token?service=r&scope=repository%3Aa%3Apull%2Cpush");
/// let token = exchange.answer(&Response::new(r#"{"token":"t0ken"}"#.into()))?;
/// token.authorization().authorize(&asked, &mut headers)?;
/// assert_eq!(headers[header::AUTHORIZATION], "Bearer t0ken");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    service: &'a TokenService,
    scopes: &'a Scopes,
    credentials: Option<&'a Credentials>,
    challenged: &'a [String],
    refresh_token: Option<&'a Secret>,
}

/// One way to request a token. Services differ, so a second and a third way may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    form: Form,
    /// Whether the action `delete` is requested if the scopes have it.
    delete: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `GET` with user name and password, or anonymously.
    Get,
    /// The OAuth2 form, with a refresh token.
    Post,
}

/// A request to a token service, ready to be sent. Its headers or its body may contain a secret, so `Debug` prints
/// neither.
#[non_exhaustive]
pub struct TokenCall {
    /// The target of the request.
    pub target: Target,
    /// The whole request.
    pub request: Request<Bytes>,
}

impl fmt::Debug for TokenCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenCall({} {})", self.request.method(), self.target)
    }
}

impl<'a> TokenRequest<'a> {
    /// A request to this service for a token with these scopes. Without credentials the token is anonymous.
    #[must_use]
    pub const fn new(service: &'a TokenService, scopes: &'a Scopes, credentials: Option<&'a Credentials>) -> Self {
        Self { service, scopes, credentials, challenged: &[], refresh_token: None }
    }

    /// Adds the scopes of a challenge, unchanged and after the client's own: some registries name a repository
    /// differently there ([quirk](crate::quirks) `challenge-scope-name-differs`), or use scopes of another form
    /// ([quirk](crate::quirks) `challenge-scope-star`).
    #[must_use]
    pub const fn with_challenged(mut self, scopes: &'a [String]) -> Self {
        self.challenged = scopes;
        self
    }

    /// Uses this refresh token, the newest that the service issued for these credentials ([`Token::refresh_token`]).
    #[must_use]
    pub const fn with_refresh_token(mut self, token: Option<&'a Secret>) -> Self {
        self.refresh_token = token;
        self
    }

    /// The first way to try: OAuth2 if the credentials have a refresh token or identity token, and otherwise GET.
    #[must_use]
    pub fn first(&self) -> Attempt {
        let refreshes = self.credentials.is_some_and(|credentials| credentials.refresh_token().is_some());
        Attempt { form: if refreshes { Form::Post } else { Form::Get }, delete: true }
    }

    /// The next way to try after an answer with this status, if there is one: GET if the service does not support
    /// OAuth2 (400, 401, 404 or 405; [quirk](crate::quirks) `token-post-oauth-unsupported`), and without the action
    /// `delete` if the service never grants it (400; [quirk](crate::quirks) `token-scope-delete-action`).
    #[must_use]
    pub fn after(&self, attempt: Attempt, status: StatusCode) -> Option<Attempt> {
        match (attempt.form, status.as_u16()) {
            (Form::Post, 400 | 401 | 404 | 405) => Some(Attempt { form: Form::Get, ..attempt }),
            (_, 400) if attempt.delete && self.wanted(true) != self.wanted(false) => {
                Some(Attempt { delete: false, ..attempt })
            }
            _ => None,
        }
    }

    /// Builds the request.
    ///
    /// # Errors
    /// If user name or password cannot be sent in a header, or the URL is too long.
    pub fn call(&self, attempt: Attempt) -> Result<TokenCall, TokenError> {
        match attempt.form {
            Form::Get => self.get(&self.wanted(attempt.delete)),
            Form::Post => self.post(&self.wanted(attempt.delete)),
        }
    }

    /// Reads the answer. If the token service refuses, the error has the reason that it states.
    ///
    /// # Errors
    /// If the answer has no token that can be used.
    pub fn answer(&self, response: &Response<Bytes>) -> Result<Token, TokenError> {
        let status = response.status();
        let body = response.body();
        if is_redirect(status) {
            return Err(TokenError::Redirected { status: status.as_u16() });
        }
        if body.len() > MAX_TOKEN_BODY_LEN {
            return Err(TokenError::TooLong);
        }
        if !status.is_success() {
            // Secrets are removed before the text is cut, and again after it is decoded.
            let body = self.scrubbed(String::from_utf8_lossy(body).into_owned());
            return Err(TokenError::Refused { status: status.as_u16(), reason: shown(&self.scrubbed(reason(&body))) });
        }
        Token::parse(self.service, body)
    }

    /// The scopes to request: the client's own first, because some services read only the first ([quirk](crate::quirks)
    /// `token-scope-order-first-wins`).
    fn wanted(&self, delete: bool) -> Vec<String> {
        let ours = || self.scopes.iter().map(|scope| if delete { scope.clone() } else { scope.without_delete() });
        let mut wanted: Vec<String> = Vec::new();
        for scope in ours().map(|scope| scope.to_string()) {
            if !wanted.contains(&scope) {
                wanted.push(scope);
            }
        }
        for scope in self.challenged {
            let deletes = || scope.rsplit(':').next().is_some_and(|actions| actions.split(',').any(|a| a == "delete"));
            if !ours().any(|our| covers(&our, scope)) && (delete || !deletes()) {
                wanted.push(scope.clone());
            }
        }
        wanted
    }

    fn get(&self, scopes: &[String]) -> Result<TokenCall, TokenError> {
        let mut target = self.service.realm().clone();
        if let Some(name) = self.service.name() {
            target = target.with_query("service", name);
        }
        for scope in scopes {
            target = target.with_query("scope", scope);
        }
        let mut request = request(Method::GET, &target, Bytes::new())?;
        if let Some((user, password)) = self.credentials.and_then(Credentials::user_and_password) {
            let authorization = Authorization::basic(target.origin().clone(), user, password)?;
            // This cannot fail: the authorization was made for this target's origin.
            let _ = authorization.authorize(&target, request.headers_mut());
        }
        Ok(TokenCall { target, request })
    }

    fn post(&self, scopes: &[String]) -> Result<TokenCall, TokenError> {
        let target = self.service.realm().clone();
        let mut form = vec!["grant_type=refresh_token&client_id=longshore".to_owned()];
        if let Some(name) = self.service.name() {
            form.push(format!("&service={}", percent_encode(name)));
        }
        if !scopes.is_empty() {
            form.push(format!("&scope={}", percent_encode(&scopes.join(" "))));
        }
        let form = form.concat();
        let refresh_token = self.refresh_token.or_else(|| self.credentials.and_then(Credentials::refresh_token));
        let encoded = Zeroizing::new(percent_encode(refresh_token.map_or("", Secret::expose)));
        let body = Zeroizing::new([&*form, "&refresh_token=", encoded.as_str()].concat().into_bytes());
        let len = HeaderValue::from(body.len());
        let mut request = request(Method::POST, &target, Bytes::from_owner(body))?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(CONTENT_LENGTH, len);
        Ok(TokenCall { target, request })
    }

    /// Removes the secrets that were sent from a text of the service: some services repeat a token that they refuse.
    fn scrubbed(&self, mut text: String) -> String {
        let mut secrets: Vec<Zeroizing<String>> = Vec::new();
        if let Some((user, password)) = self.credentials.and_then(Credentials::user_and_password) {
            let pair = Zeroizing::new([user, ":", password.expose()].concat());
            secrets.push(Zeroizing::new(STANDARD.encode(pair.as_bytes())));
            secrets.push(Zeroizing::new(password.expose().to_owned()));
        }
        secrets.extend(self.refresh_token.map(|token| Zeroizing::new(token.expose().to_owned())));
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            let encoded = Zeroizing::new(percent_encode(secret));
            text = text.replace(secret.as_str(), "…").replace(encoded.as_str(), "…");
        }
        text
    }
}

fn request(method: Method, target: &Target, body: Bytes) -> Result<Request<Bytes>, TokenError> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = target.uri()?;
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    Ok(request)
}

/// Whether one of the client's scopes includes every action of a scope that is given as text.
pub(super) fn covers(ours: &Scope, text: &str) -> bool {
    let actions = text.strip_prefix(&format!("repository:{}:", ours.repository()));
    actions.is_some_and(|actions| actions.split(',').all(|a| ours.actions().iter().any(|our| our.as_str() == a)))
}

#[cfg(test)]
mod tests;
