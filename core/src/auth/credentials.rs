//! What proves to a registry who its client is.

use std::fmt;

use crate::secret::UnusableSecret;
use crate::{Authorization, Origin, Secret};

/// The user name whose password is a refresh token: how Azure Container Registry gives one out
/// (quirk `acr-refresh-token-is-not-access-token`).
const ZERO_GUID: &str = "00000000-0000-0000-0000-000000000000";

/// The user name that Docker's tools give to an identity token where there must be one.
const TOKEN_USER: &str = "<token>";

/// What proves to a registry who its client is. It prints its kind and nothing else.
pub enum Credentials {
    /// A user name and a password.
    ///
    /// With the user name `00000000-0000-0000-0000-000000000000` the password is a refresh token, and is used as one.
    Basic {
        /// The user name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A token that the registry's token service exchanges for others: `identitytoken` in Docker's configuration.
    IdentityToken(Secret),
    /// A token that the registry itself takes: it is sent as it is, and no other is ever asked for.
    RegistryToken(Secret),
}

impl Credentials {
    /// What one can send to the registry without asking a token service, if anything.
    ///
    /// # Errors
    /// Where the secret cannot stand in a header.
    pub fn direct(&self, registry: &Origin) -> Result<Option<Authorization>, UnusableSecret> {
        match self {
            Self::RegistryToken(token) => Authorization::bearer(registry.clone(), token).map(Some),
            Self::Basic { user, password } if user != ZERO_GUID => {
                Authorization::basic(registry.clone(), user, password).map(Some)
            }
            Self::Basic { .. } | Self::IdentityToken(_) => Ok(None),
        }
    }

    /// Whether these are the same.
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

    /// What a token service takes as `refresh_token`, if anything.
    pub(crate) fn refresh_token(&self) -> Option<&Secret> {
        match self {
            Self::IdentityToken(token) => Some(token),
            Self::Basic { user, password } if user == ZERO_GUID => Some(password),
            Self::Basic { .. } | Self::RegistryToken(_) => None,
        }
    }

    /// User name and password for a token service. An identity token has none of its own: it goes by Docker's word for it.
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

/// Whose credentials a token was had with.
///
/// Whoever is answered with credentials numbers the answers; a number is never given to two of them, also not to the old
/// and the new password of one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// Nobody's.
    Anonymous,
    /// Those of this number.
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
    fn i29_credentials_do_not_print() {
        let all = [
            basic("CANARY"),
            Credentials::IdentityToken(Secret::new("CANARY".to_owned())),
            Credentials::RegistryToken(Secret::new("CANARY".to_owned())),
        ];
        assert_eq!(format!("{all:?}"), "[Basic(…), IdentityToken(…), RegistryToken(…)]");
    }
}
