//! How one registry lets us in: its credentials, its tokens, and what a request must wait for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::auth::{Access, Credentials, Identity, Scopes, Sent, Token, TokenService};
use crate::driver::AskId;
use crate::{Authorization, Instant, Origin};

/// A token that is about to end is not used: the request must arrive before it does.
const MARGIN: Duration = Duration::from_secs(10);

/// What a client keeps to be let in by one registry.
pub(super) struct Door {
    pub(super) access: Access,
    credentials: Asked,
    /// How often the driver has answered: no two answers share a number, and so no token.
    answers: u64,
    tokens: BTreeMap<TokenKey, Issued>,
    /// The newest token that came with a refresh token.
    refresh: Option<Arc<Token>>,
}

enum Asked {
    /// Nobody needed them yet; or those that were had before were refused.
    Not { stale: bool },
    /// The driver looks them up.
    Asking(AskId),
    /// As the driver answered: `None` is nobody.
    Known(Option<Arc<Credentials>>),
}

/// What a token is good for, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TokenKey {
    pub(super) service: TokenService,
    pub(super) scopes: Scopes,
    /// Scopes that the registry's challenge handed out beside ours.
    pub(super) challenged: Vec<String>,
    identity: Identity,
}

struct Issued {
    token: Arc<Token>,
    /// When its request was sent: its age counts from there.
    since: Instant,
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Carried {
    Nothing,
    Basic,
    /// The token of this key that was asked for at this moment.
    Token(TokenKey, Instant),
    /// A registry token as the caller gave it.
    Given,
}

impl Carried {
    pub(super) fn as_sent(&self) -> Sent<'_> {
        match self {
            Self::Nothing => Sent::Nothing,
            Self::Basic => Sent::Basic,
            Self::Token(key, _) => Sent::Token { challenged: &key.challenged },
            Self::Given => Sent::Given,
        }
    }
}

/// Whether a request may go.
pub(super) enum Pass {
    /// It may, with this.
    Go(Carried),
    /// The driver must be asked for credentials, and has not been.
    Ask { stale: bool },
    /// The driver has been asked.
    Wait(AskId),
    /// A token must be had.
    Token(TokenKey),
}

impl Door {
    pub(super) const fn new(registry: Origin) -> Self {
        Self {
            access: Access::new(registry),
            credentials: Asked::Not { stale: false },
            answers: 0,
            tokens: BTreeMap::new(),
            refresh: None,
        }
    }

    /// What a request with these rights carries, or waits for. A long one wants a token that outlives it.
    pub(super) fn pass(&self, scopes: &Scopes, challenged: &[String], is_long: bool, now: Instant) -> Pass {
        let service = self.access.token_service();
        if service.is_none() && !self.access.wants_basic() {
            return Pass::Go(Carried::Nothing);
        }
        let credentials = match &self.credentials {
            Asked::Not { stale } => return Pass::Ask { stale: *stale },
            Asked::Asking(id) => return Pass::Wait(*id),
            Asked::Known(credentials) => credentials,
        };
        match (service, credentials.as_deref()) {
            (_, Some(Credentials::RegistryToken(_))) => Pass::Go(Carried::Given),
            (None, Some(_)) => Pass::Go(Carried::Basic),
            (None, None) => Pass::Go(Carried::Nothing),
            (Some(service), credentials) => {
                let identity = if credentials.is_some() { Identity::Known(self.answers) } else { Identity::Anonymous };
                let key = TokenKey {
                    service: service.clone(),
                    scopes: scopes.clone(),
                    challenged: challenged.to_vec(),
                    identity,
                };
                match self.tokens.get(&key).filter(|issued| issued.outlives(is_long, now)) {
                    Some(issued) => Pass::Go(Carried::Token(key, issued.since)),
                    None => Pass::Token(key),
                }
            }
        }
    }

    /// What stands for `carried` in a request's `Authorization`, if anything does.
    pub(super) fn authorization(&self, carried: &Carried) -> Option<Result<Signature<'_>, String>> {
        match carried {
            Carried::Nothing => None,
            Carried::Token(key, _) => {
                let issued = self.tokens.get(key)?;
                Some(Ok(Signature::Token(issued.token.authorization())))
            }
            Carried::Basic | Carried::Given => match self.known()?.direct(self.access.registry()) {
                Ok(authorization) => Some(Ok(Signature::Direct(authorization?))),
                Err(error) => Some(Err(error.to_string())),
            },
        }
    }

    pub(super) fn known(&self) -> Option<&Arc<Credentials>> {
        if let Asked::Known(Some(credentials)) = &self.credentials { Some(credentials) } else { None }
    }

    pub(super) const fn refresh(&self) -> Option<&Arc<Token>> {
        self.refresh.as_ref()
    }

    pub(super) fn asked(&mut self, id: AskId) {
        self.credentials = Asked::Asking(id);
    }

    pub(super) fn is_asking(&self, id: AskId) -> bool {
        matches!(self.credentials, Asked::Asking(asked) if asked == id)
    }

    pub(super) fn answered(&mut self, credentials: Option<Credentials>) {
        self.answers = self.answers.saturating_add(1);
        self.refresh = None;
        self.credentials = Asked::Known(credentials.map(Arc::new));
    }

    /// The credentials could not be looked up, or were refused as too old: they are asked for afresh.
    pub(super) fn forget_credentials(&mut self, stale: bool) {
        self.credentials = Asked::Not { stale };
    }

    pub(super) fn keep(&mut self, key: TokenKey, token: Arc<Token>, since: Instant) {
        if token.refresh_token().is_some() {
            self.refresh = Some(token.clone());
        }
        self.tokens.insert(key, Issued { token, since });
    }

    /// A token was refused. One that came after it is kept.
    pub(super) fn drop_token(&mut self, key: &TokenKey, since: Instant) {
        if self.tokens.get(key).is_some_and(|issued| issued.since == since) {
            self.tokens.remove(key);
        }
    }
}

/// An authorization, kept or made.
pub(super) enum Signature<'a> {
    Token(&'a Authorization),
    Direct(Authorization),
}

impl Signature<'_> {
    pub(super) const fn authorization(&self) -> &Authorization {
        match self {
            Self::Token(authorization) => authorization,
            Self::Direct(authorization) => authorization,
        }
    }
}

impl Issued {
    /// A token that has just been had is always used, however short its life; a long body wants half of it left.
    fn outlives(&self, is_long: bool, now: Instant) -> bool {
        let (age, lifetime) = (now.since(self.since), self.token.lifetime());
        let left = lifetime.saturating_sub(age);
        let half = lifetime.checked_div(2).unwrap_or_default();
        let wanted = if is_long { half } else { MARGIN.min(half) };
        left >= wanted
    }
}
