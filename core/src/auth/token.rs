//! Reads the answer of a token service: a token, or the reason why there is none.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

use super::TokenService;
use crate::header::ErrorBody;
use crate::secret::UnusableSecret;
use crate::target::TargetError;
use crate::{Authorization, Secret};

/// The longest answer of a token service that is read, in bytes.
pub const MAX_TOKEN_BODY_LEN: usize = 256 * 1024;

/// The shortest lifetime that a token is given, and the lifetime of a token whose answer states none: 60 seconds, as
/// the token specification says.
pub const MIN_TOKEN_LIFETIME: Duration = Duration::from_secs(60);

/// The longest lifetime that a token is given: a day.
pub const MAX_TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// A token from a token service, bound to its registry.
pub struct Token {
    authorization: Authorization,
    lifetime: Duration,
    refresh_token: Option<Secret>,
}

/// The body of a token service's answer. `issued_at` is ignored, because clocks differ ([quirk](crate::quirks)
/// `token-clock-skew`).
#[derive(Deserialize)]
struct Wire {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<serde_json::Value>,
    refresh_token: Option<String>,
}

impl Token {
    /// The token, as an `Authorization` for requests to the registry.
    #[must_use]
    pub const fn authorization(&self) -> &Authorization {
        &self.authorization
    }

    /// How long it is valid, counted from when the token was requested: [`MIN_TOKEN_LIFETIME`] to
    /// [`MAX_TOKEN_LIFETIME`], inclusive.
    #[must_use]
    pub const fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// A refresh token for the next request, if the service issued one.
    #[must_use]
    pub const fn refresh_token(&self) -> Option<&Secret> {
        self.refresh_token.as_ref()
    }

    pub(super) fn into_parts(self) -> (Authorization, Option<Secret>) {
        (self.authorization, self.refresh_token)
    }

    pub(super) fn parse(service: &TokenService, body: &[u8]) -> Result<Self, TokenError> {
        // The parser's error is dropped, because it would quote the body.
        let wire: Wire = serde_json::from_slice(body).map_err(|_| TokenError::Malformed)?;
        // All of them become secrets at once, so that the memory of each is overwritten on drop.
        let [token, access_token, refresh_token] = [wire.token, wire.access_token, wire.refresh_token]
            .map(|text| text.map(Secret::new).filter(|secret| !secret.is_empty()));
        let token = token.or(access_token).ok_or(TokenError::Malformed)?;
        let authorization =
            Authorization::bearer(service.registry().clone(), &token).map_err(|_| TokenError::Malformed)?;
        Ok(Self { authorization, lifetime: lifetime(wire.expires_in.as_ref()), refresh_token })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(… for {}, {} s)", self.authorization.origin(), self.lifetime.as_secs())
    }
}

/// Reads seconds, as a number or, from some services, as a text.
fn lifetime(expires_in: Option<&serde_json::Value>) -> Duration {
    let seconds = expires_in.and_then(|value| match value {
        serde_json::Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    });
    Duration::from_secs(seconds.unwrap_or(0)).clamp(MIN_TOKEN_LIFETIME, MAX_TOKEN_LIFETIME)
}

/// The reason in the body of an error: in OAuth2's form, or in a registry's form ([quirk](crate::quirks)
/// `token-endpoint-403-hides-quota`).
pub(super) fn reason(body: &str) -> String {
    #[derive(Deserialize)]
    struct OAuth {
        error: String,
        error_description: String,
    }
    match serde_json::from_str::<OAuth>(body) {
        Ok(said) => format!("{}: {}", said.error, said.error_description),
        Err(_) => ErrorBody::read(body.as_bytes()).to_string(),
    }
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The service refused.
    #[error("the token service answered {status}{}{reason}", if reason.is_empty() { "" } else { ": " })]
    Refused {
        /// The status.
        status: u16,
        /// What the service said, escaped for display; may be empty.
        reason: String,
    },
    /// The service redirects. The credentials that are meant for it are not sent to another target.
    #[error(
        "the token service answered {status}, and its redirects are not followed; log in where it points to instead"
    )]
    Redirected {
        /// The status.
        status: u16,
    },
    /// More than [`MAX_TOKEN_BODY_LEN`] bytes.
    #[error("the token service answered with more than {MAX_TOKEN_BODY_LEN} bytes; that is no token")]
    TooLong,
    /// The answer is not JSON, or has no token of visible ASCII.
    #[error("the token service answered with no token that can be used; check that the registry's address is right")]
    Malformed,
    /// User name or password cannot be sent in a header.
    #[error(transparent)]
    Secret(#[from] UnusableSecret),
    /// The URL cannot be given to an HTTP stack.
    #[error("no token can be requested from the token service: {0}")]
    Target(#[from] TargetError),
}
