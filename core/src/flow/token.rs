//! Requests a token from a registry's token service.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::{Context, Exchange, Flow, IfLost, Next, Outcome, ended};
use crate::Secret;
use crate::auth::{Attempt, Credentials, Scopes, Token, TokenError, TokenKey, TokenRequest};
use crate::config::Options;
use crate::driver::{Body, Keep, Key};
use crate::endpoint::Row;
use crate::outcome::{Failure, FailureKind};

/// Requests a token, with credentials or anonymously.
pub(crate) struct FetchToken {
    key: TokenKey,
    credentials: Option<Arc<Credentials>>,
    refresh: Option<Arc<Secret>>,
    attempt: Attempt,
    /// Whether the service refused the credentials: 401, and 400 as OAuth has it (RFC 6749, section 5.2).
    was_refused: bool,
    ended: Option<Result<Token, Failure>>,
}

impl FetchToken {
    pub(crate) fn new(key: &TokenKey, credentials: Option<Arc<Credentials>>, refresh: Option<Arc<Secret>>) -> Self {
        let attempt = request(key, credentials.as_deref(), refresh.as_deref()).first();
        Self { key: key.clone(), credentials, refresh, attempt, was_refused: false, ended: None }
    }

    /// Whether it failed because the service refused the credentials.
    pub(crate) const fn was_refused(&self) -> bool {
        self.was_refused
    }

    fn request(&self) -> TokenRequest<'_> {
        request(&self.key, self.credentials.as_deref(), self.refresh.as_deref())
    }

    fn exchange<K>(&self, options: &Options) -> Result<Exchange<K>, Failure> {
        let call = self.request().call(self.attempt).map_err(|error| self.denied(&error))?;
        let keep = Keep::UpTo(options.token_body);
        let request = call.request.map(|body| if body.is_empty() { Body::Empty } else { Body::Bytes(body) });
        let scopes = Scopes::none();
        Ok(Exchange {
            row: Row::FetchToken,
            target: call.target,
            request,
            keep,
            scopes,
            if_lost: IfLost::Repeat,
            named_by: None,
        })
    }

    fn denied(&self, error: &TokenError) -> Failure {
        Failure::new(FailureKind::Denied(error.to_string())).at(Row::FetchToken, self.key.service().realm().clone())
    }

    fn answered(&mut self, response: &Response<Bytes>) {
        if let Some(attempt) = self.request().after(self.attempt, response.status()) {
            self.attempt = attempt;
            return;
        }
        self.was_refused = matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST);
        let result = self.request().answer(response);
        self.ended = Some(result.map_err(|error| self.denied(&error)));
    }
}

fn request<'a>(
    key: &'a TokenKey,
    credentials: Option<&'a Credentials>,
    refresh: Option<&'a Secret>,
) -> TokenRequest<'a> {
    TokenRequest::new(key.service(), key.scopes(), credentials)
        .with_challenged(key.challenged())
        .with_refresh_token(refresh)
}

impl<K: Key> Flow<K> for FetchToken {
    type Output = Token;

    fn next(&self, options: &Options) -> Next<K> {
        if self.ended.is_some() { Next::Done } else { Next::send(self.exchange(options)) }
    }

    fn outcome(&mut self, outcome: Outcome, _: &mut Context<'_, K>) {
        match outcome {
            Outcome::Answer { response, .. } => self.answered(&response),
            other => self.ended = Some(Err(other.into_failure().unwrap_or_else(Failure::lost))),
        }
    }

    fn cancel(&mut self) {
        self.ended = Some(Err(Failure::cancelled()));
    }

    fn finish(self) -> Result<Self::Output, Failure> {
        ended(self.ended)
    }
}

/// `GET /v2/`, for the challenge in its answer: some registries send one only there (quirk
/// `challenge-missing-www-authenticate`). The client reads the challenge; the flow has no other result.
pub(crate) struct Ping {
    origin: crate::Origin,
    is_over: bool,
}

impl Ping {
    pub(crate) const fn new(origin: crate::Origin) -> Self {
        Self { origin, is_over: false }
    }
}

impl<K: Key> Flow<K> for Ping {
    type Output = ();

    fn next(&self, options: &Options) -> Next<K> {
        if self.is_over {
            return Next::Done;
        }
        let call = crate::endpoint::Ping { origin: &self.origin };
        Next::send(Exchange::new(&call, Body::Empty, Scopes::none(), Keep::UpTo(options.error_body)))
    }

    fn outcome(&mut self, _: Outcome, _: &mut Context<'_, K>) {
        self.is_over = true;
    }

    fn cancel(&mut self) {
        self.is_over = true;
    }

    fn finish(self) -> Result<(), Failure> {
        Ok(())
    }
}
