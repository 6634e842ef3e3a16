//! The authentication state of one registry: its token services, the credentials, and the tokens.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Redactor;
use crate::auth::{Access, Credentials, Identity, Scopes, Sent, Token, TokenCache, TokenKey, TokenService};
use crate::driver::AskId;
use crate::flow::FetchToken;
use crate::outcome::Failure;
use crate::{Authorization, Instant, Origin};

/// A token that expires sooner than this is not used, because it could expire before the request arrives.
const MARGIN: Duration = Duration::from_secs(10);
/// The same for a request with a body: half of the shortest lifetime that a token can have.
const BODY_MARGIN: Duration = Duration::from_secs(30);
/// Bodies of more bytes than this may take long. For them a token must have half of its lifetime left.
const LONG_BODY: u64 = 64 * 1024;
/// After credentials were refused, the driver is asked for others at most once in this time.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// For how many sets of scopes the token service and the scopes of a challenge are kept.
const MAX_CHALLENGES: usize = 1024;

/// How long a token must remain valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequiredLifetime {
    /// It must be valid now: it was fetched for this request, and a new one would be no better.
    Now,
    /// It must outlast a request without a body.
    Question,
    /// It must outlast a short body.
    ShortBody,
    /// It must outlast a body that may take long.
    LongBody,
}

impl RequiredLifetime {
    /// The requirement for a body of this length.
    pub(super) const fn for_body(len: Option<u64>) -> Self {
        match len {
            Some(0) => Self::Question,
            Some(..=LONG_BODY) => Self::ShortBody,
            _ => Self::LongBody,
        }
    }

    fn margin(self, life: Duration) -> Duration {
        match self {
            Self::Now => Duration::ZERO,
            Self::Question => MARGIN,
            Self::ShortBody => BODY_MARGIN,
            Self::LongBody => BODY_MARGIN.max(life.checked_div(2).unwrap_or(life)),
        }
    }
}

/// What a request is authenticated with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::client) enum SentCredential {
    Nothing,
    /// The user name and password of this generation.
    Basic(u64),
    /// The token with this key, which was requested at the first moment and expires at the second.
    Token(TokenKey, Instant, Instant),
    /// The registry token of this generation, as the caller gave it.
    Given(u64),
}

impl SentCredential {
    pub(super) fn as_sent(&self) -> Sent<'_> {
        match self {
            Self::Nothing => Sent::Nothing,
            Self::Basic(_) => Sent::Basic,
            Self::Token(key, ..) => Sent::Token { challenged: key.challenged() },
            Self::Given(_) => Sent::Given,
        }
    }

    /// Whether it is a token that has expired.
    pub(super) fn has_ended(&self, now: Instant) -> bool {
        matches!(self, Self::Token(_, _, expires) if *expires <= now)
    }
}

/// Whether a request may be sent.
pub(super) enum AuthDecision {
    /// It may, authenticated with this.
    Send(SentCredential),
    /// The driver must be asked for credentials first.
    Ask { stale: bool },
    /// The driver was asked and has not answered yet.
    Wait(AskId),
    /// A token must be fetched first.
    Fetch(TokenKey),
    /// The credentials were refused and there are no others.
    Denied(Box<Failure>),
}

/// What a refusal of credentials changes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// The driver is being asked for other credentials or has given them: the request waits for them.
    Other,
    /// The driver was asked a short time ago and has no others.
    None,
}

/// The authentication state of one registry.
pub(in crate::client) struct RegistryAuth {
    pub(super) access: Access,
    credentials: Known,
    /// How often the driver has given other credentials than before. A refusal counts only for the generation that it
    /// answers.
    generation: u64,
    /// When the driver was last asked for other credentials after a refusal.
    asked_again: Option<Instant>,
    tokens: TokenCache,
    /// The secrets that must be removed from the registry's texts.
    pub(in crate::client) redactor: Redactor,
    /// The challenges to requests with these scopes. A token service belongs to a challenge, not to the registry.
    challenges: BTreeMap<Scopes, Challenged>,
    /// What the newest token service did when it was asked for a token.
    newest: Tried,
}

/// What the newest token service did when it was asked for a token. It is also asked for rights for which no challenge
/// has named it, until that fails once. Then the registry is asked which service gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tried {
    /// It was not asked yet.
    NotYet,
    /// It was asked, and has not answered.
    Asked,
    /// It gave one.
    Gave,
    /// It gave none for rights for which no challenge had named it.
    Failed,
}

/// The token service and the scopes that a challenge named.
struct Challenged {
    service: TokenService,
    scopes: Vec<String>,
}

enum Known {
    /// They were not needed yet, or could not be looked up.
    Unasked,
    /// The driver is looking them up.
    Asking { id: AskId, refused: Option<Refused> },
    /// The driver gave these. `None` means anonymous.
    Given(Option<Arc<Credentials>>),
    /// They were refused, and the driver must be asked for others.
    Refused(Refused),
}

/// Credentials that were refused, and the refusal.
struct Refused {
    credentials: Option<Arc<Credentials>>,
    denial: Box<Failure>,
}

impl RegistryAuth {
    pub(in crate::client) fn new(registry: Origin) -> Self {
        Self {
            access: Access::new(registry),
            credentials: Known::Unasked,
            generation: 0,
            asked_again: None,
            tokens: TokenCache::default(),
            redactor: Redactor::default(),
            challenges: BTreeMap::new(),
            newest: Tried::NotYet,
        }
    }

    /// The state of an origin that gets no credentials, only anonymous tokens.
    pub(in crate::client) fn guest(origin: Origin) -> Self {
        Self { credentials: Known::Given(None), ..Self::new(origin) }
    }

    /// Decides what a request with these scopes is authenticated with, or waits for.
    pub(super) fn decide(&self, scopes: &Scopes, required: RequiredLifetime, now: Instant) -> AuthDecision {
        let challenged = self.challenges.get(scopes);
        let newest = self.access.token_service().filter(|_| matches!(self.newest, Tried::NotYet | Tried::Gave));
        let service = challenged.map(|challenged| &challenged.service).or(newest);
        if service.is_none() && !self.access.wants_basic() {
            return AuthDecision::Send(SentCredential::Nothing);
        }
        let credentials = match &self.credentials {
            Known::Unasked => return AuthDecision::Ask { stale: false },
            Known::Asking { id, .. } => return AuthDecision::Wait(*id),
            Known::Refused(_) if self.may_ask_again(now) => return AuthDecision::Ask { stale: true },
            Known::Refused(refused) => return AuthDecision::Denied(refused.denial.clone()),
            Known::Given(credentials) => credentials.as_deref(),
        };
        match (service, credentials) {
            (_, Some(Credentials::RegistryToken(_))) => AuthDecision::Send(SentCredential::Given(self.generation)),
            (None, Some(_)) => AuthDecision::Send(SentCredential::Basic(self.generation)),
            (None, None) => AuthDecision::Send(SentCredential::Nothing),
            (Some(service), _) => {
                let more = challenged.map(|challenged| challenged.scopes.clone()).unwrap_or_default();
                let key = TokenKey::new(service.clone(), scopes.clone(), self.identity()).with_challenged(more);
                let known = self.tokens.asked(&key).zip(self.tokens.expires(&key));
                let lasts = |(asked, expires): &(Instant, Instant)| {
                    self.tokens.find(&key, now, required.margin(expires.since(*asked))).is_some()
                };
                match known.filter(lasts) {
                    Some((asked, expires)) => AuthDecision::Send(SentCredential::Token(key, asked, expires)),
                    None => AuthDecision::Fetch(key),
                }
            }
        }
    }

    /// The `Authorization` for `sent`, if it needs one.
    pub(super) fn signature(&self, sent: &SentCredential) -> Option<Result<Arc<Authorization>, String>> {
        match sent {
            SentCredential::Nothing => None,
            SentCredential::Token(key, ..) => {
                let token = self.tokens.find(key, Instant::ZERO, Duration::ZERO)?;
                Some(Ok(token.clone()))
            }
            SentCredential::Basic(_) | SentCredential::Given(_) => match self.given()?.direct(self.access.registry()) {
                Ok(authorization) => Some(Ok(Arc::new(authorization?))),
                Err(error) => Some(Err(error.to_string())),
            },
        }
    }

    /// The flow that fetches a token.
    pub(super) fn fetch(&mut self, key: &TokenKey) -> FetchToken {
        if self.newest == Tried::NotYet {
            self.newest = Tried::Asked;
        }
        let refresh = self.tokens.refresh_token(key.service(), self.identity()).cloned();
        FetchToken::new(key, self.given().cloned(), refresh)
    }

    fn given(&self) -> Option<&Arc<Credentials>> {
        if let Known::Given(Some(credentials)) = &self.credentials { Some(credentials) } else { None }
    }

    fn identity(&self) -> Identity {
        if self.given().is_some() { Identity::Known(self.generation) } else { Identity::Anonymous }
    }

    /// The generation of the current credentials.
    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the driver has said that there are no credentials.
    pub(super) const fn is_anonymous(&self) -> bool {
        matches!(self.credentials, Known::Given(None))
    }

    /// A challenge to a request with these scopes named a token service and scopes.
    pub(super) fn challenged(&mut self, for_scopes: &Scopes, service: TokenService, scopes: Vec<String>) {
        if self.newest == Tried::NotYet {
            self.newest = Tried::Asked;
        }
        if self.challenges.len() >= MAX_CHALLENGES && !self.challenges.contains_key(for_scopes) {
            // What is dropped here is learned again from the next challenge.
            self.challenges.pop_first();
        }
        self.challenges.insert(for_scopes.clone(), Challenged { service, scopes });
    }

    /// The driver is asked for credentials.
    pub(super) fn ask(&mut self, id: AskId, now: Instant) {
        let refused = match std::mem::replace(&mut self.credentials, Known::Unasked) {
            Known::Refused(refused) => {
                self.asked_again = Some(now);
                Some(refused)
            }
            Known::Asking { refused, .. } => refused,
            Known::Unasked | Known::Given(_) => None,
        };
        self.credentials = Known::Asking { id, refused };
    }

    pub(super) fn is_asking(&self, id: AskId) -> bool {
        matches!(self.credentials, Known::Asking { id: asked, .. } if asked == id)
    }

    /// The driver has answered. If it gives the credentials that were refused before, all requests that wait for them
    /// fail with that refusal.
    pub(super) fn answered(&mut self, credentials: Option<Credentials>) -> Result<(), Box<Failure>> {
        if let Some(credentials) = &credentials {
            self.redactor.credentials(credentials, self.access.registry());
        }
        let before = std::mem::replace(&mut self.credentials, Known::Unasked);
        if let Known::Asking { refused: Some(refused), .. } = before {
            let is_same = match (&refused.credentials, &credentials) {
                (None, None) => true,
                (Some(before), Some(now)) => before.is_same(now),
                _ => false,
            };
            if is_same {
                let denial = refused.denial.clone();
                self.credentials = Known::Refused(refused);
                return Err(denial);
            }
        }
        self.generation = self.generation.saturating_add(1);
        self.credentials = Known::Given(credentials.map(Arc::new));
        Ok(())
    }

    /// The credentials could not be looked up. The next request that needs them asks again.
    pub(super) fn not_found_out(&mut self) {
        let before = std::mem::replace(&mut self.credentials, Known::Unasked);
        if let Known::Asking { refused: Some(refused), .. } = before {
            self.credentials = Known::Refused(refused);
            self.asked_again = None;
        }
    }

    /// The credentials of this generation were refused. If they are not the current ones, nothing changes.
    pub(super) fn refused(&mut self, generation: u64, denial: &Failure, now: Instant) -> Renewal {
        match &self.credentials {
            Known::Given(credentials) if generation == self.generation => {
                let refused = Refused { credentials: credentials.clone(), denial: Box::new(denial.clone()) };
                self.tokens.forget_identity(self.identity());
                self.credentials = Known::Refused(refused);
                if self.may_ask_again(now) { Renewal::Other } else { Renewal::None }
            }
            Known::Refused(_) if !self.may_ask_again(now) => Renewal::None,
            _ => Renewal::Other,
        }
    }

    fn may_ask_again(&self, now: Instant) -> bool {
        self.asked_again.is_none_or(|asked| now.since(asked) >= ASK_AGAIN)
    }

    /// A token service gave no token. Returns whether no challenge had named it for these rights; then the registry is
    /// asked which service gives them.
    pub(super) fn doubt(&mut self, key: &TokenKey) -> bool {
        let is_guess = !self.challenges.contains_key(key.scopes());
        if is_guess {
            self.newest = Tried::Failed;
        }
        is_guess
    }

    pub(super) fn keep(&mut self, key: TokenKey, token: Token, asked: Instant) {
        self.newest = Tried::Gave;
        self.redactor.token(&token);
        self.tokens.keep(key, token, asked);
    }

    /// Whether the token with this key is valid now.
    pub(super) fn has_token(&self, key: &TokenKey, now: Instant) -> bool {
        self.tokens.find(key, now, Duration::ZERO).is_some()
    }

    /// A token was refused. One that was requested later is kept; returns whether there is one.
    pub(super) fn forget_token(&mut self, key: &TokenKey, asked: Instant) -> bool {
        self.tokens.forget(key, asked);
        self.tokens.asked(key).is_some()
    }
}

#[cfg(test)]
mod tests;
