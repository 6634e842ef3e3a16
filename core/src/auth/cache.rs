//! The tokens in hand. One is used again only for exactly what it was asked for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Identity, Scopes, Token, TokenService};
use crate::{Authorization, Instant, Secret};

/// The most tokens that are kept. Then the one that expires first makes room.
pub const MAX_TOKENS: usize = 1024;

/// What a token was asked for, and as whom: registry, token service, rights, credentials.
///
/// The order of the rights counts: some services give a token for the first of them only
/// (quirk `token-scope-order-first-wins`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenKey {
    service: TokenService,
    scopes: Scopes,
    challenged: Vec<String>,
    identity: Identity,
}

impl TokenKey {
    /// The key of such a token.
    #[must_use]
    pub const fn new(service: TokenService, scopes: Scopes, identity: Identity) -> Self {
        Self { service, scopes, challenged: Vec::new(), identity }
    }

    /// The same, asked for with these scopes of a challenge too.
    #[must_use]
    pub fn with_challenged(mut self, scopes: Vec<String>) -> Self {
        self.challenged = scopes;
        self
    }

    /// The token service.
    #[must_use]
    pub const fn service(&self) -> &TokenService {
        &self.service
    }

    /// The rights.
    #[must_use]
    pub const fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The scopes of a challenge.
    #[must_use]
    pub fn challenged(&self) -> &[String] {
        &self.challenged
    }
}

/// The tokens in hand. Dropping it wipes them.
#[derive(Debug, Default)]
pub struct TokenCache {
    tokens: BTreeMap<TokenKey, Kept>,
    refresh_tokens: BTreeMap<(TokenService, Identity), Arc<Secret>>,
}

#[derive(Debug)]
struct Kept {
    authorization: Arc<Authorization>,
    asked: Instant,
    expires: Instant,
}

impl TokenCache {
    /// Keeps a token that was asked for at `asked`: its life counts from there, whatever the service's clock says.
    pub fn keep(&mut self, key: TokenKey, token: Token, asked: Instant) {
        let expires = asked.after(token.lifetime());
        let (authorization, refresh_token) = token.into_parts();
        if let Some(refresh_token) = refresh_token {
            self.refresh_tokens.insert((key.service.clone(), key.identity), Arc::new(refresh_token));
        }
        self.tokens.insert(key, Kept { authorization: Arc::new(authorization), asked, expires });
        if self.tokens.len() > MAX_TOKENS
            && let Some(first) = self.tokens.iter().min_by_key(|(_, kept)| kept.expires).map(|(key, _)| key.clone())
        {
            self.tokens.remove(&first);
        }
    }

    /// The token for exactly this, if there is one and it lives for longer than `lasts` from now.
    #[must_use]
    pub fn find(&self, key: &TokenKey, now: Instant, lasts: Duration) -> Option<&Arc<Authorization>> {
        let kept = self.tokens.get(key)?;
        (kept.expires.since(now) > lasts).then_some(&kept.authorization)
    }

    /// When the token for exactly this was asked for, if there is one.
    #[must_use]
    pub fn asked(&self, key: &TokenKey) -> Option<Instant> {
        self.tokens.get(key).map(|kept| kept.asked)
    }

    /// When the token for exactly this ends, if there is one.
    #[must_use]
    pub fn expires(&self, key: &TokenKey) -> Option<Instant> {
        self.tokens.get(key).map(|kept| kept.expires)
    }

    /// The newest refresh token that a service gave out for these credentials.
    #[must_use]
    pub fn refresh_token(&self, service: &TokenService, identity: Identity) -> Option<&Arc<Secret>> {
        self.refresh_tokens.get(&(service.clone(), identity))
    }

    /// Drops a token that the registry refused; one that was asked for later is kept.
    pub fn forget(&mut self, key: &TokenKey, asked: Instant) {
        if self.asked(key).is_some_and(|newest| newest <= asked) {
            self.tokens.remove(key);
        }
    }

    /// Drops all that was had with these credentials.
    pub fn forget_identity(&mut self, identity: Identity) {
        self.tokens.retain(|key, _| key.identity != identity);
        self.refresh_tokens.retain(|(_, whose), _| *whose != identity);
    }
}

#[cfg(test)]
mod tests;
