//! How a registry lets one in, as far as it has shown, and what to do when it does not.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use thiserror::Error;

use super::exchange::covers;
use super::{Challenges, ForeignChallenge, NoTokenService, Scopes, TokenService};
use crate::header::ErrorBody;
use crate::target::Policy;
use crate::text::shown;
use crate::{Origin, Target};

/// How often one request is repeated with other credentials, unless told otherwise.
pub const MAX_TRIES: u32 = 2;

/// What one registry has shown of how it lets one in.
#[derive(Debug, Clone)]
pub struct Access {
    registry: Origin,
    service: Option<TokenService>,
    basic: bool,
}

/// What stood in the `Authorization` of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent<'a> {
    /// Nothing.
    Nothing,
    /// User name and password.
    Basic,
    /// A token of the token service, which was asked for these scopes of a challenge beside our own.
    Token {
        /// Those scopes.
        challenged: &'a [String],
    },
    /// A registry token as the caller gave it.
    Given,
}

/// An answer that may be a refusal, and what it answers.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// Who answered.
    pub from: &'a Target,
    /// The answer.
    pub response: &'a Response<Bytes>,
    /// The rights that the request needs.
    pub scopes: &'a Scopes,
    /// What it carried.
    pub sent: Sent<'a>,
    /// How often it has been repeated with other credentials.
    pub tries: u32,
    /// How often it may be: [`MAX_TRIES`].
    pub limit: u32,
}

/// What to do next about a request that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Ask the token service for a new token, for these scopes beside our own. Then repeat the request.
    Token {
        /// The token service.
        service: TokenService,
        /// The scopes that the challenge hands out.
        challenged: Vec<String>,
    },
    /// Repeat the request with user name and password.
    Basic,
    /// What was sent has expired: have the credentials looked up afresh, and repeat the request with them.
    Renew(Denied),
    /// The answer names no way in: ask `/v2/` for it (quirk `challenge-missing-www-authenticate`), and repeat the request.
    Ping,
    /// Nothing helps.
    Denied(Denied),
}

impl Access {
    /// Nothing is known yet.
    #[must_use]
    pub const fn new(registry: Origin) -> Self {
        Self { registry, service: None, basic: false }
    }

    /// The registry.
    #[must_use]
    pub const fn registry(&self) -> &Origin {
        &self.registry
    }

    /// The token service, where the registry wants a token.
    #[must_use]
    pub const fn token_service(&self) -> Option<&TokenService> {
        self.service.as_ref()
    }

    /// Whether the registry wants user name and password on every request.
    #[must_use]
    pub const fn wants_basic(&self) -> bool {
        self.basic && self.service.is_none()
    }

    /// Learns from the challenges of any answer, whatever its status (quirk `ping-200-with-challenge`).
    ///
    /// A token service that is known stays so when a request that carried something is answered with a challenge for Basic
    /// only (quirk `challenge-scheme-flips-to-basic`), or with none.
    ///
    /// # Errors
    /// Where another origin asks for credentials, or the only way in is a token service that cannot be used.
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

    /// What to do about an answer; `None` where it is no refusal to let us in.
    ///
    /// That it is one says the status 401, and 403 with a challenge (quirk `insufficient-scope-as-403`) or with a text that
    /// says that credentials have expired (quirk `expired-basic-403-plain-text`).
    ///
    /// # Errors
    /// Those of [`Access::learn`]; 401 from another origin is one even without a challenge.
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
            (_, Sent::Basic) if expired && tries == 0 => Next::Renew(Denied::new(answered, &challenges)),
            // A fresh token was refused: a second one is no better, unless the registry has named what was missing.
            (Some(_), Sent::Token { challenged }) if tries > 0 && !asks_more(scopes, challenged, answered.scopes) => {
                denied()
            }
            (Some(service), _) => Next::Token { service: service.clone(), challenged: scopes.to_vec() },
            (None, Sent::Basic) => denied(),
            // There was nothing to send.
            (None, _) if self.basic && tries > 0 => denied(),
            (None, _) if self.basic => Next::Basic,
            (None, _) if tries == 0 && challenges.is_empty() => Next::Ping,
            (None, _) => denied(),
        };
        Ok(Some(next))
    }
}

/// Whether a challenge names a scope that was not asked for.
fn asks_more(scopes: &[String], asked: &[String], ours: &Scopes) -> bool {
    scopes.iter().any(|scope| !asked.contains(scope) && !ours.iter().any(|our| covers(our, scope)))
}

/// Amazon's way to say that a password is older than twelve hours.
fn says_expired(body: &[u8]) -> bool {
    let body = body.get(..64 * 1024).unwrap_or(body);
    String::from_utf8_lossy(body).to_ascii_lowercase().contains("authorization token has expired")
}

/// Why there is no way in.
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

/// The registry does not let us in, and nothing that we can do changes that.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the registry answered {status}{}{reason}; {advice}", if reason.is_empty() { "" } else { ": " })]
#[non_exhaustive]
pub struct Denied {
    /// The status of the answer.
    pub status: u16,
    /// What the registry said, fit to be shown; may be empty.
    pub reason: String,
    /// Whether it said that the credentials are good, and their rights too small.
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
            // A token service lets everybody in, and gives some no rights (quirk `anonymous-token-then-401-on-push`).
            Sent::Token { .. } => "log in with an account that has the right to do this",
            Sent::Given => "the token that was given has expired or has not the right to do this",
        };
        let reason = shown(&ErrorBody::read(response.body()).to_string());
        Self { status: response.status().as_u16(), reason, insufficient_scope, advice }
    }
}

#[cfg(test)]
mod tests;
