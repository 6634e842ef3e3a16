//! How one registry lets us in: its credentials, its tokens, and what a request must wait for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::redactor::Redactor;
use crate::auth::{Access, Credentials, Identity, Scopes, Sent, Token, TokenCache, TokenKey};
use crate::driver::AskId;
use crate::flow::FetchToken;
use crate::{Authorization, Instant, Origin};

/// A token that ends sooner is not used: the request must arrive before it does.
const MARGIN: Duration = Duration::from_secs(10);
/// The same for a request with a body: half of the shortest life that a token can have.
const BODY_MARGIN: Duration = Duration::from_secs(30);
/// Bodies of more bytes than this may take long: for them a token must have half of its life before it.
const LONG_BODY: u64 = 64 * 1024;

/// For how long a token must be good yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequiredLifetime {
    /// At all.
    Now,
    /// For as long as it takes to ask a question.
    Question,
    /// For as long as it takes to send a little.
    Body,
    /// For as long as can be had, because nobody knows how long the body takes.
    LongBody,
}

impl RequiredLifetime {
    /// What a body of this length takes.
    pub(super) const fn for_body(len: Option<u64>) -> Self {
        match len {
            Some(0) => Self::Question,
            Some(..=LONG_BODY) => Self::Body,
            _ => Self::LongBody,
        }
    }

    fn margin(self, life: Duration) -> Duration {
        match self {
            Self::Now => Duration::ZERO,
            Self::Question => MARGIN,
            Self::Body => BODY_MARGIN,
            Self::LongBody => BODY_MARGIN.max(life.checked_div(2).unwrap_or(life)),
        }
    }
}

/// What a client keeps to be let in by one registry.
pub(super) struct RegistryAuth {
    pub(super) access: Access,
    credentials: Asked,
    /// Whether what they were shown for was refused.
    is_refused: bool,
    /// How often the driver has answered: no two answers share a number, and so no token.
    answers: u64,
    tokens: TokenCache,
    /// What may not be shown if it comes back.
    pub(super) told: Redactor,
    /// Scopes that the registry's challenges handed out beside ours, by ours.
    challenged: BTreeMap<Scopes, Vec<String>>,
}

enum Asked {
    /// Nobody needed them yet; or those that were had before were refused.
    Not { stale: bool },
    /// The driver looks them up.
    Asking(AskId),
    /// As the driver answered: `None` is nobody.
    Known(Option<Arc<Credentials>>),
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SentCredential {
    Nothing,
    /// User name and password; which of the driver's answers they were, counted from 1.
    Basic(u64),
    /// The token of this key that was asked for at the first moment and ends at the second.
    Token(TokenKey, Instant, Instant),
    /// A registry token as the caller gave it.
    Given,
}

impl SentCredential {
    pub(super) fn as_sent(&self) -> Sent<'_> {
        match self {
            Self::Nothing => Sent::Nothing,
            Self::Basic(_) => Sent::Basic,
            Self::Token(key, ..) => Sent::Token { challenged: key.challenged() },
            Self::Given => Sent::Given,
        }
    }

    /// Whether it is a token that has come to its end by now.
    pub(super) fn has_ended(&self, now: Instant) -> bool {
        matches!(self, Self::Token(_, _, expires) if *expires <= now)
    }
}

/// Whether a request may go.
pub(super) enum AuthDecision {
    /// It may, with this.
    Go(SentCredential),
    /// The driver must be asked for credentials, and has not been.
    Ask { stale: bool },
    /// The driver has been asked.
    Wait(AskId),
    /// A token must be had.
    Fetch(TokenKey),
}

impl RegistryAuth {
    pub(super) fn new(registry: Origin) -> Self {
        Self {
            access: Access::new(registry),
            credentials: Asked::Not { stale: false },
            is_refused: false,
            answers: 0,
            tokens: TokenCache::default(),
            told: Redactor::default(),
            challenged: BTreeMap::new(),
        }
    }

    /// The same where we are nobody, and nobody is asked who we are.
    pub(super) fn guest(origin: Origin) -> Self {
        Self { credentials: Asked::Known(None), ..Self::new(origin) }
    }

    /// What a request with these rights carries, or waits for.
    pub(super) fn pass(&self, scopes: &Scopes, lasting: RequiredLifetime, now: Instant) -> AuthDecision {
        let service = self.access.token_service();
        if service.is_none() && !self.access.wants_basic() {
            return AuthDecision::Go(SentCredential::Nothing);
        }
        let credentials = match &self.credentials {
            Asked::Not { stale } => return AuthDecision::Ask { stale: *stale },
            Asked::Asking(id) => return AuthDecision::Wait(*id),
            Asked::Known(credentials) => credentials.as_deref(),
        };
        match (service, credentials) {
            (_, Some(Credentials::RegistryToken(_))) => AuthDecision::Go(SentCredential::Given),
            (None, Some(_)) => AuthDecision::Go(SentCredential::Basic(self.answers)),
            (None, None) => AuthDecision::Go(SentCredential::Nothing),
            (Some(service), _) => {
                let challenged = self.challenged.get(scopes).cloned().unwrap_or_default();
                let key = TokenKey::new(service.clone(), scopes.clone(), self.identity()).with_challenged(challenged);
                let known = self.tokens.asked(&key).zip(self.tokens.expires(&key));
                let lasts = |(asked, expires): &(Instant, Instant)| {
                    self.tokens.find(&key, now, lasting.margin(expires.since(*asked))).is_some()
                };
                match known.filter(lasts) {
                    Some((asked, expires)) => AuthDecision::Go(SentCredential::Token(key, asked, expires)),
                    None => AuthDecision::Fetch(key),
                }
            }
        }
    }

    /// What stands for `carried` in a request's `Authorization`, if anything does.
    pub(super) fn signature(&self, carried: &SentCredential) -> Option<Result<Arc<Authorization>, String>> {
        match carried {
            SentCredential::Nothing => None,
            SentCredential::Token(key, ..) => {
                let token = self.tokens.find(key, Instant::ZERO, Duration::ZERO)?;
                Some(Ok(token.clone()))
            }
            SentCredential::Basic(_) | SentCredential::Given => match self.known()?.direct(self.access.registry()) {
                Ok(authorization) => Some(Ok(Arc::new(authorization?))),
                Err(error) => Some(Err(error.to_string())),
            },
        }
    }

    /// The exchange that gives a token.
    pub(super) fn fetch(&self, key: &TokenKey) -> FetchToken {
        let refresh = self.tokens.refresh_token(key.service(), self.identity()).cloned();
        FetchToken::new(key, self.known().cloned(), refresh)
    }

    fn known(&self) -> Option<&Arc<Credentials>> {
        if let Asked::Known(Some(credentials)) = &self.credentials { Some(credentials) } else { None }
    }

    fn identity(&self) -> Identity {
        if self.known().is_some() { Identity::Known(self.answers) } else { Identity::Anonymous }
    }

    /// The registry wants these scopes beside ours.
    pub(super) fn wants(&mut self, scopes: &Scopes, challenged: Vec<String>) {
        self.challenged.insert(scopes.clone(), challenged);
    }

    pub(super) fn asked(&mut self, id: AskId) {
        self.credentials = Asked::Asking(id);
    }

    pub(super) fn is_asking(&self, id: AskId) -> bool {
        matches!(self.credentials, Asked::Asking(asked) if asked == id)
    }

    pub(super) fn answered(&mut self, credentials: Option<Credentials>) {
        self.answers = self.answers.saturating_add(1);
        if let Some(credentials) = &credentials {
            self.told.credentials(credentials, self.access.registry());
        }
        self.credentials = Asked::Known(credentials.map(Arc::new));
    }

    /// The credentials could not be looked up, or were refused as too old: they are asked for afresh.
    pub(super) fn forget_credentials(&mut self, stale: bool) {
        self.tokens.forget_identity(self.identity());
        self.credentials = Asked::Not { stale };
    }

    /// What a request carried was too old. Where newer credentials are here, or are being looked up, they will do.
    pub(super) fn renew(&mut self, carried: &SentCredential) {
        if matches!(self.credentials, Asked::Known(_)) && *carried == SentCredential::Basic(self.answers) {
            self.forget_credentials(true);
        }
    }

    /// We were refused for who we are. Those that are under way are refused too.
    pub(super) const fn refused(&mut self) {
        self.is_refused = true;
    }

    /// Something new begins: somebody may have logged in since we were refused.
    pub(super) fn ask_again_if_refused(&mut self) {
        if std::mem::take(&mut self.is_refused) && matches!(self.credentials, Asked::Known(_)) {
            self.forget_credentials(true);
        }
    }

    pub(super) fn keep(&mut self, key: TokenKey, token: Token, asked: Instant) {
        self.told.token(&token);
        self.tokens.keep(key, token, asked);
    }

    /// A token was refused. One that was asked for later is kept.
    pub(super) fn forget_token(&mut self, key: &TokenKey, asked: Instant) {
        self.tokens.forget(key, asked);
    }
}
