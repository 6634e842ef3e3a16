//! Authentication and authorisation: users, rights, challenges and tokens.

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

/// How a registry authenticates its users, and what each of them may do.
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
    /// How clients authenticate.
    pub scheme: AuthScheme,
    /// The users, by name.
    pub users: BTreeMap<String, User>,
    /// The rights of clients that do not authenticate.
    pub anonymous: Rights,
    /// The origin of the token server. `None`: the registry itself is the token server. The path is `/token`.
    pub tokens: Option<Origin>,
    /// The `service` in challenges: the name of this registry at a token server that several registries share.
    pub service: String,
    /// How long a token is valid. The default is five minutes.
    pub lifetime: Duration,
}

/// How clients authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthScheme {
    /// With user name and password in each request.
    Basic,
    /// With a token in each request. The token server gives it for user name and password.
    Bearer,
}

/// A user.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct User {
    /// The user's password.
    pub password: Password,
    /// The user's rights.
    pub rights: Rights,
}

/// A password, as the registry stores it.
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
    /// No users, and authentication with tokens.
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

    /// No users, and authentication with user name and password.
    #[must_use]
    pub fn basic() -> Self {
        Self { scheme: AuthScheme::Basic, ..Self::bearer() }
    }

    /// Sets how clients authenticate.
    #[must_use]
    pub const fn with_scheme(mut self, scheme: AuthScheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// Sets how long a token is valid.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Sets the origin of the token server.
    #[must_use]
    pub fn with_tokens(mut self, origin: Origin) -> Self {
        self.tokens = Some(origin);
        self
    }

    /// Adds a user.
    #[must_use]
    pub fn user(mut self, name: impl Into<String>, password: Password, rights: Rights) -> Self {
        self.users.insert(name.into(), User { password, rights });
        self
    }

    /// Sets the rights of clients that do not authenticate.
    #[must_use]
    pub fn anonymous(mut self, rights: Rights) -> Self {
        self.anonymous = rights;
        self
    }
}

impl Password {
    /// A password that is stored unhashed, for tests.
    #[must_use]
    pub fn plain(password: impl Into<String>) -> Self {
        Self(Kept::Plain(password.into()))
    }
}

/// A repository's name without its first component, if it has several.
pub(crate) fn short_name(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, rest)| rest)
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
