//! The credentials of a registry's client.

use std::fmt;

use crate::secret::UnusableSecret;
use crate::{Authorization, Origin, Secret};

/// The user name with which Azure Container Registry issues a refresh token as the password ([quirk](crate::quirks)
/// `acr-refresh-token-is-not-access-token`).
const ZERO_GUID: &str = "00000000-0000-0000-0000-000000000000";

/// The user name that Docker's tools send with an identity token if a user name is needed.
const TOKEN_USER: &str = "<token>";

/// The credentials of a registry's client. `Debug` prints their kind and nothing else.
#[non_exhaustive]
pub enum Credentials {
    /// A user name and a password.
    ///
    /// If the user name is `00000000-0000-0000-0000-000000000000`, the password is used as a refresh token.
    Basic {
        /// The user name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A refresh token for the registry's token service: `identitytoken` in Docker's configuration.
    IdentityToken(Secret),
    /// A bearer token for the registry itself, `registrytoken` in Docker's configuration. It is sent unchanged, and no
    /// other token is requested.
    RegistryToken(Secret),
}

impl Credentials {
    /// The `Authorization` that can be sent to the registry without a token service; `None` if these credentials need
    /// one.
    ///
    /// # Errors
    /// If user name, password or token cannot be sent in a header.
    pub fn direct(&self, registry: &Origin) -> Result<Option<Authorization>, UnusableSecret> {
        match self {
            Self::RegistryToken(token) => Authorization::bearer(registry.clone(), token).map(Some),
            Self::Basic { user, password } if user != ZERO_GUID => {
                Authorization::basic(registry.clone(), user, password).map(Some)
            }
            Self::Basic { .. } | Self::IdentityToken(_) => Ok(None),
        }
    }

    /// Whether both are of the same kind and have the same values.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Basic { user, password }, Self::Basic { user: their_user, password: their_password }) => {
                user == their_user && password.expose() == their_password.expose()
            }
            (Self::IdentityToken(token), Self::IdentityToken(theirs))
            | (Self::RegistryToken(token), Self::RegistryToken(theirs)) => token.expose() == theirs.expose(),
            _ => false,
        }
    }

    /// The value of `refresh_token` in a request to a token service; `None` if these credentials have none.
    pub(crate) fn refresh_token(&self) -> Option<&Secret> {
        match self {
            Self::IdentityToken(token) => Some(token),
            Self::Basic { user, password } if user == ZERO_GUID => Some(password),
            Self::Basic { .. } | Self::RegistryToken(_) => None,
        }
    }

    /// User name and password for a token service. An identity token is sent as the password of the user name that
    /// Docker's tools use.
    pub(crate) fn user_and_password(&self) -> Option<(&str, &Secret)> {
        match self {
            Self::Basic { user, password } => Some((user, password)),
            Self::IdentityToken(token) => Some((TOKEN_USER, token)),
            Self::RegistryToken(_) => None,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic(…)",
            Self::IdentityToken(_) => "IdentityToken(…)",
            Self::RegistryToken(_) => "RegistryToken(…)",
        })
    }
}

/// Identifies the credentials that a token was obtained with.
///
/// The caller numbers the credentials. No number may be used for two of them, not even for the old and the new password
/// of one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// No credentials.
    Anonymous,
    /// The credentials with this number.
    Known(u64),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Target;

    fn sent(credentials: &Credentials) -> Option<String> {
        let target = Target::parse("https://reg.example/v2/").unwrap();
        let mut headers = http::HeaderMap::new();
        credentials.direct(target.origin()).unwrap()?.authorize(&target, &mut headers).unwrap();
        Some(headers[http::header::AUTHORIZATION].to_str().unwrap().to_owned())
    }

    fn basic(user: &str) -> Credentials {
        Credentials::Basic { user: user.to_owned(), password: Secret::new("CANARY".to_owned()) }
    }

    #[test]
    fn basic_only_registry() {
        assert_eq!(sent(&basic("AWS")).unwrap(), "Basic QVdTOkNBTkFSWQ==");
        assert!(basic("AWS").refresh_token().is_none());
    }

    #[test]
    fn acr_refresh_token_is_not_access_token() {
        for credentials in [basic(ZERO_GUID), Credentials::IdentityToken(Secret::new("CANARY".to_owned()))] {
            assert_eq!(sent(&credentials), None);
            assert_eq!(credentials.refresh_token().unwrap().expose(), "CANARY");
        }
    }

    #[test]
    fn a_registry_token_is_sent_as_it_is() {
        let credentials = Credentials::RegistryToken(Secret::new("t0ken".to_owned()));
        assert_eq!(sent(&credentials).unwrap(), "Bearer t0ken");
        assert!(credentials.refresh_token().is_none() && credentials.user_and_password().is_none());
    }

    #[test]
    fn credentials_are_the_same_where_kind_and_values_are() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let pair = |user: &str, text| Credentials::Basic { user: user.to_owned(), password: secret(text) };
        let all = || {
            let tokens = ["a", "b"].map(|text| Credentials::IdentityToken(secret(text)));
            let given = ["a", "b"].map(|text| Credentials::RegistryToken(secret(text)));
            [pair("a", "a"), pair("a", "b"), pair("b", "a")].into_iter().chain(tokens).chain(given)
        };
        for (number, one) in all().enumerate() {
            for (other_number, other) in all().enumerate() {
                assert_eq!(one.is_same(&other), number == other_number, "{number} {other_number}");
            }
        }
    }

    #[test]
    fn i29_credentials_do_not_print() {
        let all = [
            basic("CANARY"),
            Credentials::IdentityToken(Secret::new("CANARY".to_owned())),
            Credentials::RegistryToken(Secret::new("CANARY".to_owned())),
        ];
        assert_eq!(format!("{all:?}"), "[Basic(…), IdentityToken(…), RegistryToken(…)]");
    }
}
