//! Keeps tokens, and reuses each only for exactly what it was requested for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Identity, Scopes, Token, TokenService};
use crate::{Authorization, Instant, Secret};

/// How many tokens are kept at most. Beyond that, the one that expires first is dropped.
pub const MAX_TOKENS: usize = 1024;

/// What a token was requested for: registry, token service, scopes and credentials.
///
/// The order of the scopes matters: some services give a token for the first one only ([quirk](crate::quirks)
/// `token-scope-order-first-wins`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenKey {
    service: TokenService,
    scopes: Scopes,
    challenged: Vec<String>,
    identity: Identity,
}

impl TokenKey {
    /// The key of a token from this service, for these scopes, with these credentials.
    #[must_use]
    pub const fn new(service: TokenService, scopes: Scopes, identity: Identity) -> Self {
        Self { service, scopes, challenged: Vec::new(), identity }
    }

    /// The same key, for a token that was requested with these scopes of a challenge too.
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

    /// The client's own scopes.
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

/// Tokens and refresh tokens. Their memory is overwritten when they are dropped.
#[derive(Debug, Default)]
pub struct TokenCache {
    tokens: BTreeMap<TokenKey, Kept>,
    refresh_tokens: BTreeMap<(TokenService, Identity), KeptRefreshToken>,
}

#[derive(Debug)]
struct Kept {
    authorization: Arc<Authorization>,
    asked: Instant,
    expires: Instant,
}

#[derive(Debug)]
struct KeptRefreshToken {
    secret: Arc<Secret>,
    asked: Instant,
}

impl TokenCache {
    /// Keeps a token that was requested at `asked`. Its lifetime counts from that moment, whatever the service's clock
    /// says.
    pub fn keep(&mut self, key: TokenKey, token: Token, asked: Instant) {
        let expires = asked.after(token.lifetime());
        let (authorization, refresh_token) = token.into_parts();
        if let Some(refresh_token) = refresh_token {
            let kept = KeptRefreshToken { secret: Arc::new(refresh_token), asked };
            self.refresh_tokens.insert((key.service.clone(), key.identity), kept);
            drop_least(&mut self.refresh_tokens, |kept| kept.asked);
        }
        self.tokens.insert(key, Kept { authorization: Arc::new(authorization), asked, expires });
        drop_least(&mut self.tokens, |kept| kept.expires);
    }

    /// The token for exactly this key, if there is one and it is valid for longer than `lasts` from `now`.
    #[must_use]
    pub fn find(&self, key: &TokenKey, now: Instant, lasts: Duration) -> Option<&Arc<Authorization>> {
        let kept = self.tokens.get(key)?;
        (kept.expires.since(now) > lasts).then_some(&kept.authorization)
    }

    /// When the token for exactly this key was requested, if there is one.
    #[must_use]
    pub fn asked(&self, key: &TokenKey) -> Option<Instant> {
        self.tokens.get(key).map(|kept| kept.asked)
    }

    /// When the token for exactly this key expires, if there is one.
    #[must_use]
    pub fn expires(&self, key: &TokenKey) -> Option<Instant> {
        self.tokens.get(key).map(|kept| kept.expires)
    }

    /// The newest refresh token that a service issued for these credentials.
    #[must_use]
    pub fn refresh_token(&self, service: &TokenService, identity: Identity) -> Option<&Arc<Secret>> {
        self.refresh_tokens.get(&(service.clone(), identity)).map(|kept| &kept.secret)
    }

    /// Drops the token that the registry refused, which was requested at `asked`. A token that was requested later is
    /// kept.
    pub fn forget(&mut self, key: &TokenKey, asked: Instant) {
        if self.asked(key).is_some_and(|newest| newest <= asked) {
            self.tokens.remove(key);
        }
    }

    /// Drops all tokens that were obtained with these credentials.
    pub fn forget_identity(&mut self, identity: Identity) {
        self.tokens.retain(|key, _| key.identity != identity);
        self.refresh_tokens.retain(|(_, whose), _| *whose != identity);
    }
}

/// Drops the one with the least moment, if there are more than [`MAX_TOKENS`].
fn drop_least<Key: Ord + Clone, Kept>(all: &mut BTreeMap<Key, Kept>, moment: impl Fn(&Kept) -> Instant) {
    if all.len() > MAX_TOKENS
        && let Some(first) = all.iter().min_by_key(|(_, kept)| moment(kept)).map(|(key, _)| key.clone())
    {
        all.remove(&first);
    }
}

#[cfg(test)]
mod tests;
