//! Decides how to authenticate to a registry, from the challenges in its answers.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use thiserror::Error;

use super::exchange::covers;
use super::{Challenges, ForeignChallenge, NoTokenService, Scopes, TokenService};
use crate::header::ErrorBody;
use crate::target::Policy;
use crate::text::shown;
use crate::{Origin, Target};

/// The default limit of how often one request is repeated with other credentials.
pub const MAX_TRIES: u32 = 2;

/// How one registry wants its clients to authenticate, as far as its answers have shown.
#[derive(Debug, Clone)]
pub struct Access {
    registry: Origin,
    service: Option<TokenService>,
    basic: bool,
}

/// What the `Authorization` header of a request was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent<'a> {
    /// The request had no `Authorization`.
    Nothing,
    /// User name and password.
    Basic,
    /// A token from the token service, which was requested with the client's own scopes and these scopes of a
    /// challenge.
    Token {
        /// The scopes of the challenge.
        challenged: &'a [String],
    },
    /// A registry token that the caller gave.
    Given,
}

/// An answer that may ask for authentication, and the request that it answers.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// The target that answered.
    pub from: &'a Target,
    /// The answer.
    pub response: &'a Response<Bytes>,
    /// The scopes that the request needs.
    pub scopes: &'a Scopes,
    /// What the request was authenticated with.
    pub sent: Sent<'a>,
    /// How often the request was repeated with other credentials.
    pub tries: u32,
    /// How often it may be repeated; the default is [`MAX_TRIES`].
    pub limit: u32,
}

/// What to do next about a request that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Request a new token from the token service, with the client's own scopes and these. Then repeat the request.
    Token {
        /// The token service.
        service: TokenService,
        /// The scopes that the challenge names.
        challenged: Vec<String>,
    },
    /// Repeat the request with user name and password.
    Basic,
    /// The credentials that were sent have expired: look them up again, and repeat the request with the new ones.
    Renew(Denied),
    /// The answer has no challenge: request `/v2/` to get one ([quirk](crate::quirks)
    /// `challenge-missing-www-authenticate`), then repeat the request.
    Ping,
    /// Fail: no other credentials are left to try.
    Denied(Denied),
}

impl Access {
    /// Starts without any knowledge about the registry.
    #[must_use]
    pub const fn new(registry: Origin) -> Self {
        Self { registry, service: None, basic: false }
    }

    /// The registry.
    #[must_use]
    pub const fn registry(&self) -> &Origin {
        &self.registry
    }

    /// The token service, if the registry wants a token.
    #[must_use]
    pub const fn token_service(&self) -> Option<&TokenService> {
        self.service.as_ref()
    }

    /// Whether the registry wants user name and password on every request.
    #[must_use]
    pub const fn wants_basic(&self) -> bool {
        self.basic && self.service.is_none()
    }

    /// Learns from the challenges of any answer, whatever its status ([quirk](crate::quirks)
    /// `ping-200-with-challenge`).
    ///
    /// A known token service stays known if the answer to an authenticated request has a challenge for Basic only
    /// ([quirk](crate::quirks) `challenge-scheme-flips-to-basic`), or no challenge.
    ///
    /// # Errors
    /// If another origin asks for credentials, or if the only scheme is a token service that cannot be used.
    pub fn learn(
        &mut self,
        policy: &Policy,
        from: &Target,
        headers: &HeaderMap,
        sent: Sent<'_>,
    ) -> Result<Challenges, AccessError> {
        let challenges = Challenges::of(&self.registry, from, headers)?;
        if let Some(bearer) = challenges.bearer() {
            match TokenService::of(policy, &self.registry, from, bearer) {
                Ok(service) => self.service = Some(service),
                Err(_) if challenges.basic() => self.service = None,
                Err(error) => return Err(error.into()),
            }
            self.basic = challenges.basic();
        } else if challenges.basic() {
            self.basic = true;
            if sent == Sent::Nothing {
                self.service = None;
            }
        }
        Ok(challenges)
    }

    /// Decides what to do about an answer. `None` means that the answer does not ask for authentication.
    ///
    /// An answer asks for authentication if its status is 401, or if it is 403 with a challenge ([quirk](crate::quirks)
    /// `insufficient-scope-as-403`) or with a text which says that the credentials have expired ([quirk](crate::quirks)
    /// `expired-basic-403-plain-text`).
    ///
    /// # Errors
    /// Those of [`Access::learn`]. A 401 from another origin is an error even without a challenge.
    pub fn after(&mut self, policy: &Policy, answered: &Answered<'_>) -> Result<Option<Next>, AccessError> {
        let Answered { from, response, sent, tries, limit, .. } = *answered;
        if *from.origin() != self.registry {
            let foreign = || ForeignChallenge { registry: self.registry.clone(), from: from.origin().clone() };
            return if response.status() == StatusCode::UNAUTHORIZED { Err(foreign().into()) } else { Ok(None) };
        }
        let challenges = self.learn(policy, from, response.headers(), sent)?;
        let expired = says_expired(response.body());
        let challenged = challenges.bearer().is_some() || challenges.basic();
        match response.status() {
            StatusCode::UNAUTHORIZED => {}
            StatusCode::FORBIDDEN if challenged || expired => {}
            _ => return Ok(None),
        }
        let denied = || Next::Denied(Denied::new(answered, &challenges));
        if sent == Sent::Given || tries >= limit {
            return Ok(Some(denied()));
        }
        let scopes = challenges.bearer().map_or(&[][..], |bearer| bearer.scopes());
        let next = match (&self.service, sent) {
            (_, Sent::Basic) if expired => Next::Renew(Denied::new(answered, &challenges)),
            // A new token was refused. Another one helps only if the registry has named a scope that was not requested.
            (Some(_), Sent::Token { challenged }) if tries > 0 && !asks_more(scopes, challenged, answered.scopes) => {
                denied()
            }
            (Some(service), _) => Next::Token { service: service.clone(), challenged: scopes.to_vec() },
            (None, Sent::Basic) => denied(),
            // The caller has no credentials to send.
            (None, _) if self.basic && tries > 0 => denied(),
            (None, _) if self.basic => Next::Basic,
            (None, _) if tries == 0 && challenges.is_empty() => Next::Ping,
            (None, _) => denied(),
        };
        Ok(Some(next))
    }
}

/// Whether a challenge names a scope that was not requested.
fn asks_more(scopes: &[String], asked: &[String], ours: &Scopes) -> bool {
    scopes.iter().any(|scope| !asked.contains(scope) && !ours.iter().any(|our| covers(our, scope)))
}

/// Whether a body has the text that Amazon ECR sends when a password is older than twelve hours.
fn says_expired(body: &[u8]) -> bool {
    let body = body.get(..64 * 1024).unwrap_or(body);
    String::from_utf8_lossy(body).to_ascii_lowercase().contains("authorization token has expired")
}

/// Why a registry cannot be authenticated to.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AccessError {
    /// Another origin asks for credentials.
    #[error(transparent)]
    Foreign(#[from] ForeignChallenge),
    /// The token service cannot be used.
    #[error(transparent)]
    TokenService(#[from] NoTokenService),
}

/// The registry refused access, and the client has no other credentials to try.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the registry answered {status}{}{reason}; {advice}", if reason.is_empty() { "" } else { ": " })]
#[non_exhaustive]
pub struct Denied {
    /// The status of the answer.
    pub status: u16,
    /// What the registry said, escaped for display; may be empty.
    pub reason: String,
    /// Whether the registry said that the credentials are valid but lack a right.
    pub insufficient_scope: bool,
    advice: &'static str,
}

impl Denied {
    fn new(answered: &Answered<'_>, challenges: &Challenges) -> Self {
        let response = answered.response;
        let insufficient_scope = challenges.bearer().is_some_and(super::Bearer::insufficient_scope);
        let advice = match answered.sent {
            Sent::Nothing => "log in to it first",
            Sent::Basic => "check user name and password",
            // A token service may give a token without rights to anybody (quirk `anonymous-token-then-401-on-push`).
            Sent::Token { .. } => "log in with an account that has the right to do this",
            Sent::Given => "the token that was given has expired or lacks the right to do this",
        };
        let reason = shown(&ErrorBody::read(response.body()).to_string());
        Self { status: response.status().as_u16(), reason, insufficient_scope, advice }
    }
}

#[cfg(test)]
mod tests;
