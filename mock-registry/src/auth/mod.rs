//! Who may do what: users, rights, challenges and tokens.

mod authorize;
mod caller;
mod challenge;
mod credentials;
#[cfg(feature = "htpasswd")]
mod htpasswd;
mod rights;
mod token;
mod token_request;
mod tokens;
mod verify;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use longshore_core::Origin;
use serde::{Deserialize, Serialize};

#[cfg(feature = "htpasswd")]
pub use htpasswd::HtpasswdError;
pub use rights::{Action, Rights, RightsError};

pub(crate) use caller::Caller;
pub(crate) use token_request::TokenRequest;
pub(crate) use tokens::Tokens;
#[cfg(feature = "server")]
pub(crate) use verify::PasswordCheck;
pub(crate) use verify::VerifiedPasswords;

/// The users of a registry.
///
/// ```
/// use longshore_mock_registry::auth::{Auth, Password, Rights};
///
/// let auth = Auth::bearer()
///     .user("alice", Password::plain("wonderland"), "team/*=pull,push".parse()?)
///     .anonymous("public/*=pull".parse()?);
/// assert_eq!(auth.users.len(), 1);
/// # Ok::<(), longshore_mock_registry::auth::RightsError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Auth {
    /// How clients say who they are.
    pub scheme: AuthScheme,
    /// The users, by name.
    pub users: BTreeMap<String, User>,
    /// What one may do who says nothing.
    pub anonymous: Rights,
    /// Where tokens are had; at the registry's own origin where there is no other. The path is `/token`.
    pub tokens: Option<Origin>,
    /// The name of the registry among those that share a token server.
    pub service: String,
    /// How long a token is good: five minutes.
    pub lifetime: Duration,
}

/// How clients say who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthScheme {
    /// With name and password in each request.
    Basic,
    /// With a token, had for name and password.
    Bearer,
}

/// A user.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct User {
    /// How it is known.
    pub password: Password,
    /// What it may do.
    pub rights: Rights,
}

/// A password, as the registry keeps it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Password(Kept);

#[derive(Clone)]
enum Kept {
    Plain(String),
    #[cfg_attr(not(feature = "htpasswd"), expect(dead_code, reason = "only htpasswd files have hashes"))]
    Bcrypt(String),
}

impl Auth {
    /// Nobody yet, and tokens.
    #[must_use]
    pub fn bearer() -> Self {
        Self {
            scheme: AuthScheme::Bearer,
            users: BTreeMap::new(),
            anonymous: Rights::none(),
            tokens: None,
            service: "longshore-mock-registry".to_owned(),
            lifetime: Duration::from_secs(300),
        }
    }

    /// Nobody yet, and no tokens.
    #[must_use]
    pub fn basic() -> Self {
        Self { scheme: AuthScheme::Basic, ..Self::bearer() }
    }

    /// The same, where clients say in this way who they are.
    #[must_use]
    pub const fn with_scheme(mut self, scheme: AuthScheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// The same, with tokens that are good for so long.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// The same, where tokens are had at this origin.
    #[must_use]
    pub fn with_tokens(mut self, origin: Origin) -> Self {
        self.tokens = Some(origin);
        self
    }

    /// One more user.
    #[must_use]
    pub fn user(mut self, name: impl Into<String>, password: Password, rights: Rights) -> Self {
        self.users.insert(name.into(), User { password, rights });
        self
    }

    /// What one may do who says nothing.
    #[must_use]
    pub fn anonymous(mut self, rights: Rights) -> Self {
        self.anonymous = rights;
        self
    }
}

impl Password {
    /// A password kept as it is: for tests.
    #[must_use]
    pub fn plain(password: impl Into<String>) -> Self {
        Self(Kept::Plain(password.into()))
    }
}

/// A repository's name without its first part, where it has several.
pub(crate) fn short_name(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, rest)| rest)
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
