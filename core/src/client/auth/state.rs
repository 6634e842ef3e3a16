//! What a client knows of being let in by one registry: its token services, our credentials, and the tokens in hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Redactor;
use crate::auth::{Access, Credentials, Identity, Scopes, Sent, Token, TokenCache, TokenKey, TokenService};
use crate::driver::AskId;
use crate::flow::FetchToken;
use crate::outcome::Failure;
use crate::{Authorization, Instant, Origin};

/// A token that ends sooner is not used: the request must arrive before it does.
const MARGIN: Duration = Duration::from_secs(10);
/// The same for a request with a body: half of the shortest life that a token can have.
const BODY_MARGIN: Duration = Duration::from_secs(30);
/// Bodies of more bytes than this may take long: for them a token must have half of its life before it.
const LONG_BODY: u64 = 64 * 1024;
/// Credentials that were refused are not asked for afresh more often than this.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// The most rights for which it is kept which token service a challenge named, and what it added to them.
const MAX_CHALLENGES: usize = 1024;

/// For how long a token must be good yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequiredLifetime {
    /// It must be good now: it was fetched for this request, and there is no better one.
    Now,
    /// It must outlive a question.
    Question,
    /// It must outlive a short body.
    ShortBody,
    /// It must outlive a body that may take long.
    LongBody,
}

impl RequiredLifetime {
    /// What a body of this length requires.
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

/// What a request carries to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::client) enum SentCredential {
    Nothing,
    /// User name and password of this generation.
    Basic(u64),
    /// The token of this key that was asked for at the first moment and ends at the second.
    Token(TokenKey, Instant, Instant),
    /// A registry token as the caller gave it, of this generation.
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

    /// Whether it is a token that has come to its end by now.
    pub(super) fn has_ended(&self, now: Instant) -> bool {
        matches!(self, Self::Token(_, _, expires) if *expires <= now)
    }
}

/// Whether a request may be sent.
pub(super) enum AuthDecision {
    /// It may, with this.
    Send(SentCredential),
    /// The driver must be asked for credentials, and has not been.
    Ask { stale: bool },
    /// The driver has been asked, and has not answered.
    Wait(AskId),
    /// A token must be fetched.
    Fetch(TokenKey),
    /// The credentials were refused, and there are no others.
    Denied(Box<Failure>),
}

/// What a refusal of credentials changes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// The driver is asked for others, or has been, or has given them: the request waits for those.
    Other,
    /// The driver was asked a moment ago: there are none.
    None,
}

/// What a client knows of being let in by one registry.
pub(in crate::client) struct RegistryAuth {
    pub(super) access: Access,
    credentials: Known,
    /// How often the driver has given other credentials than before. A refusal counts for the generation it answers.
    generation: u64,
    /// When credentials that were refused were asked for afresh.
    asked_again: Option<Instant>,
    tokens: TokenCache,
    /// What may not be shown if it comes back.
    pub(in crate::client) redactor: Redactor,
    /// What challenges said to requests that need these rights: token services belong to the challenge, not to the registry.
    challenges: BTreeMap<Scopes, Challenged>,
}

/// The token service that a challenge named, and the scopes that it handed out.
struct Challenged {
    service: TokenService,
    scopes: Vec<String>,
}

enum Known {
    /// Nobody has needed them yet, or they could not be looked up.
    Unasked,
    /// The driver looks them up.
    Asking { id: AskId, refused: Option<Refused> },
    /// As the driver gave them: `None` is nobody.
    Given(Option<Arc<Credentials>>),
    /// They were refused; others must be asked for.
    Refused(Refused),
}

/// Credentials that were refused, and the words in which they were.
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
        }
    }

    /// The same where we are nobody, and nobody is asked who we are.
    pub(in crate::client) fn guest(origin: Origin) -> Self {
        Self { credentials: Known::Given(None), ..Self::new(origin) }
    }

    /// What a request with these rights carries, or waits for.
    pub(super) fn decide(&self, scopes: &Scopes, required: RequiredLifetime, now: Instant) -> AuthDecision {
        let challenged = self.challenges.get(scopes);
        let service = challenged.map(|challenged| &challenged.service).or(self.access.token_service());
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

    /// What stands for `sent` in a request's `Authorization`, if anything does.
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

    /// The exchange that gives a token.
    pub(super) fn fetch(&self, key: &TokenKey) -> FetchToken {
        let refresh = self.tokens.refresh_token(key.service(), self.identity()).cloned();
        FetchToken::new(key, self.given().cloned(), refresh)
    }

    fn given(&self) -> Option<&Arc<Credentials>> {
        if let Known::Given(Some(credentials)) = &self.credentials { Some(credentials) } else { None }
    }

    fn identity(&self) -> Identity {
        if self.given().is_some() { Identity::Known(self.generation) } else { Identity::Anonymous }
    }

    /// Which credentials a token is fetched with now.
    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether those in hand are nobody's.
    pub(super) const fn is_anonymous(&self) -> bool {
        matches!(self.credentials, Known::Given(None))
    }

    /// A challenge named a token service for these rights, and scopes beside them.
    pub(super) fn challenged(&mut self, for_scopes: &Scopes, service: TokenService, scopes: Vec<String>) {
        if self.challenges.len() >= MAX_CHALLENGES && !self.challenges.contains_key(for_scopes) {
            // It is learned again from the next challenge.
            self.challenges.pop_first();
        }
        self.challenges.insert(for_scopes.clone(), Challenged { service, scopes });
    }

    /// The driver is asked.
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

    /// The driver has answered. Where it gives what was refused before, that refusal is the answer to all who wait.
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

    /// The credentials could not be looked up: whoever needs them next asks again.
    pub(super) fn not_found_out(&mut self) {
        let before = std::mem::replace(&mut self.credentials, Known::Unasked);
        if let Known::Asking { refused: Some(refused), .. } = before {
            self.credentials = Known::Refused(refused);
            self.asked_again = None;
        }
    }

    /// Credentials of this generation were refused, in these words. A refusal of older ones changes nothing.
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

    pub(super) fn keep(&mut self, key: TokenKey, token: Token, asked: Instant) {
        self.redactor.token(&token);
        self.tokens.keep(key, token, asked);
    }

    /// Whether the token of this key would serve now.
    pub(super) fn has_token(&self, key: &TokenKey, now: Instant) -> bool {
        self.tokens.find(key, now, Duration::ZERO).is_some()
    }

    /// A token was refused. One that was asked for later is kept; says whether there is one.
    pub(super) fn forget_token(&mut self, key: &TokenKey, asked: Instant) -> bool {
        self.tokens.forget(key, asked);
        self.tokens.asked(key).is_some()
    }
}
