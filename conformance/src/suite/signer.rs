//! Adds credentials to requests, as the registry requires them, and only for its origin.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use longshore_core::auth::access::MAX_TRIES;
use longshore_core::auth::{
    Access, Answered, Credentials, Identity, Next, Scopes, Sent, TokenCache, TokenKey, TokenRequest, TokenService,
};
use longshore_core::driver::NoAnswer;
use longshore_core::target::Policy;
use longshore_core::{Origin, Target};
use longshore_mock_registry::report::RecordedExchange;

use super::client::{RawBody, RawClient, RawRequest};
use super::options::SuiteOptions;
use super::recorded::recorded;

/// How long a token must still be valid when a request is sent.
const LASTS: Duration = Duration::from_secs(10);

/// Adds credentials to requests. All checks of a run share it.
pub(super) struct Signer {
    registry: Origin,
    policy: Policy,
    credentials: Option<Arc<Credentials>>,
    known: Mutex<Known>,
}

struct Known {
    access: Access,
    tokens: TokenCache,
}

/// A request that is being sent, and its records.
pub(super) struct Courier<'a> {
    pub(super) client: &'a dyn RawClient,
    pub(super) signer: &'a Signer,
    pub(super) record: &'a mut dyn FnMut(RecordedExchange),
}

impl Signer {
    pub(super) fn new(options: &SuiteOptions) -> Self {
        let known = Known { access: Access::new(options.registry.clone()), tokens: TokenCache::default() };
        Self {
            registry: options.registry.clone(),
            policy: options.policy.clone(),
            credentials: options.credentials.clone(),
            known: Mutex::new(known),
        }
    }

    pub(super) const fn registry(&self) -> &Origin {
        &self.registry
    }

    pub(super) const fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(super) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_deref()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    const fn identity(&self) -> Identity {
        if self.credentials.is_some() { Identity::Known(1) } else { Identity::Anonymous }
    }

    fn key(&self, service: TokenService, scopes: &Scopes, challenged: &[String]) -> TokenKey {
        TokenKey::new(service, scopes.clone(), self.identity()).with_challenged(challenged.to_vec())
    }

    /// Adds the credentials that are already known.
    fn authorize(&self, target: &Target, headers: &mut HeaderMap) -> Sent<'static> {
        match self.credentials.as_ref().and_then(|credentials| credentials.direct(&self.registry).ok().flatten()) {
            Some(direct) if direct.authorize(target, headers).is_ok() => {
                if matches!(self.credentials(), Some(Credentials::RegistryToken(_))) {
                    Sent::Given
                } else {
                    Sent::Basic
                }
            }
            _ => Sent::Nothing,
        }
    }
}

impl Courier<'_> {
    /// Sends a request with credentials, and repeats it if the registry requires other ones.
    pub(super) fn send_signed(&mut self, request: &RawRequest, scopes: &Scopes) -> Result<Response<Bytes>, NoAnswer> {
        let mut challenged: Vec<String> = Vec::new();
        let mut tries = 0;
        let mut wants_basic = false;
        loop {
            let mut signed = request.clone();
            let sent = self.sign(&mut signed, scopes, &challenged, wants_basic);
            let response = self.send(&signed, false)?;
            let (policy, from) = (&self.signer.policy, &request.target);
            let sent = match sent {
                Sent::Token { .. } => Sent::Token { challenged: &challenged },
                other => other,
            };
            let answered = Answered { from, response: &response, scopes, sent, tries, limit: MAX_TRIES };
            let next = self.signer.lock().access.after(policy, &answered);
            match next {
                Ok(Some(Next::Token { service, challenged: asked })) => {
                    self.signer.lock().tokens.forget(&self.signer.key(service, scopes, &challenged), self.client.now());
                    challenged = asked;
                }
                Ok(Some(Next::Basic)) => wants_basic = true,
                Ok(Some(Next::Ping)) => self.ping(request)?,
                // The refusal is the final answer.
                Ok(Some(Next::Renew(_) | Next::Denied(_)) | None) | Err(_) => return Ok(response),
            }
            tries += 1;
        }
    }

    /// Adds the credentials that the registry is known to require.
    pub(super) fn sign(
        &mut self,
        request: &mut RawRequest,
        scopes: &Scopes,
        challenged: &[String],
        wants_basic: bool,
    ) -> Sent<'static> {
        if *request.target.origin() != self.signer.registry {
            return Sent::Nothing;
        }
        if matches!(self.signer.credentials(), Some(Credentials::RegistryToken(_))) {
            return self.signer.authorize(&request.target, &mut request.headers);
        }
        let (service, basic) = {
            let known = self.signer.lock();
            (known.access.token_service().cloned(), known.access.wants_basic())
        };
        match service {
            Some(service) => self.sign_with_token(request, service, scopes, challenged),
            None if basic || wants_basic => self.signer.authorize(&request.target, &mut request.headers),
            None => Sent::Nothing,
        }
    }

    fn sign_with_token(
        &mut self,
        request: &mut RawRequest,
        service: TokenService,
        scopes: &Scopes,
        challenged: &[String],
    ) -> Sent<'static> {
        let key = self.signer.key(service, scopes, challenged);
        let found = self.signer.lock().tokens.find(&key, self.client.now(), LASTS).cloned();
        let token = match found {
            Some(token) => Some(token),
            None => {
                self.ask_token(&key, request.time_limit);
                self.signer.lock().tokens.find(&key, self.client.now(), Duration::ZERO).cloned()
            }
        };
        match token {
            Some(token) if token.authorize(&request.target, &mut request.headers).is_ok() => {
                Sent::Token { challenged: &[] }
            }
            _ => Sent::Nothing,
        }
    }

    /// Requests a token from the token service. If it gives none, the request is sent without a token.
    fn ask_token(&mut self, key: &TokenKey, time_limit: Duration) {
        let signer = self.signer;
        let asked =
            TokenRequest::new(key.service(), key.scopes(), signer.credentials()).with_challenged(key.challenged());
        let mut attempt = Some(asked.first());
        while let Some(now) = attempt {
            let Ok(call) = asked.call(now) else { return };
            let (head, body) = call.request.into_parts();
            let request = RawRequest {
                method: head.method,
                target: call.target,
                headers: head.headers,
                body: RawBody::Sized(body),
                time_limit,
                body_limit: longshore_core::auth::token::MAX_TOKEN_BODY_LEN,
            };
            let at = self.client.now();
            let Ok(response) = self.send(&request, true) else { return };
            match asked.answer(&response) {
                Ok(token) => return signer.lock().tokens.keep(key.clone(), token, at),
                Err(_) => attempt = asked.after(now, response.status()),
            }
        }
    }

    /// Sends `GET /v2/` to get a challenge.
    fn ping(&mut self, request: &RawRequest) -> Result<(), NoAnswer> {
        let target = Target::new(self.signer.registry.clone(), "/v2/").expect("it is a path");
        let ping = RawRequest {
            method: Method::GET,
            target,
            headers: HeaderMap::new(),
            body: RawBody::Sized(Bytes::new()),
            ..request.clone()
        };
        let response = self.send(&ping, false)?;
        // An unusable challenge changes nothing.
        drop(self.signer.lock().access.learn(&self.signer.policy, &ping.target, response.headers(), Sent::Nothing));
        Ok(())
    }

    /// Sends a request unchanged, and records it.
    pub(super) fn send(&mut self, request: &RawRequest, is_token: bool) -> Result<Response<Bytes>, NoAnswer> {
        let begun = self.client.now();
        let answer = self.client.send(request.clone());
        let took = self.client.now().since(begun);
        (self.record)(recorded(request, answer.as_ref(), took, is_token));
        answer
    }
}
