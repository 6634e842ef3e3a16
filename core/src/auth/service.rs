//! The token service that a registry's challenge names, once the policy has admitted it.

use thiserror::Error;

use super::Bearer;
use crate::target::{Policy, Refusal, Source, TargetError, admit};
use crate::text::shown;
use crate::{Origin, Target};

/// The token service of a registry. It can only be made from a challenge that the policy admits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenService {
    registry: Origin,
    realm: Target,
    name: Option<String>,
}

impl TokenService {
    /// The token service that a challenge in an answer from `from` names. Its URL may be relative to `from`
    /// ([quirk](crate::quirks) `challenge-realm-relative`).
    ///
    /// # Errors
    /// If the challenge names none, if its realm is not a URL, or if the policy refuses it.
    pub fn of(policy: &Policy, registry: &Origin, from: &Target, challenge: &Bearer) -> Result<Self, NoTokenService> {
        let realm = challenge.realm().ok_or(NoTokenService::Missing)?;
        // Free text such as `Registry Realm` (quirk `challenge-realm-not-a-uri`) would be resolved as a relative path.
        if !realm.contains('/') {
            return Err(NoTokenService::Text { realm: shown(realm) });
        }
        if realm.contains('#') {
            return Err(NoTokenService::Fragment);
        }
        let realm = from.resolve(realm).map_err(|why| NoTokenService::Url { realm: redacted(realm), why })?;
        let admitted = admit(policy, registry, from, realm, Source::Realm)?;
        let name = challenge.service().map(str::to_owned);
        Ok(Self { registry: registry.clone(), realm: admitted.target, name })
    }

    /// The registry that its tokens are for.
    #[must_use]
    pub const fn registry(&self) -> &Origin {
        &self.registry
    }

    /// The URL of the token service.
    #[must_use]
    pub const fn realm(&self) -> &Target {
        &self.realm
    }

    /// The name of the registry at the token service, if the challenge states one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// A realm that cannot be used as a URL, without the parts that may be secret.
fn redacted(realm: &str) -> String {
    let end = realm.find('?').unwrap_or(realm.len());
    let path = realm.get(..end).unwrap_or_default();
    // The part before an `@` may be a user name and a password.
    shown(path.rsplit('@').next().unwrap_or_default())
}

/// Why a challenge gives no [`TokenService`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoTokenService {
    /// The challenge has no realm.
    #[error("the registry wants a token and does not say where to get one; tell its operator")]
    Missing,
    /// The realm is a text and not a URL.
    #[error("the registry wants a token from \"{realm}\", which is not a URL; tell its operator")]
    Text {
        /// The text, escaped for display.
        realm: String,
    },
    /// The realm is a URL that does not match the strict grammar of [`Target`].
    #[error("the registry wants a token from \"{realm}\", which cannot be used: {why}")]
    Url {
        /// The URL without its query, escaped for display.
        realm: String,
        /// What is wrong with it.
        why: TargetError,
    },
    /// The realm is a URL with a fragment.
    #[error("the registry wants a token from a URL with a `#` in it; tell its operator")]
    Fragment,
    /// The policy refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

#[cfg(test)]
mod tests {
    use http::header::WWW_AUTHENTICATE;
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::auth::Challenges;

    const REGISTRY: &str = "https://reg.example/v2/a/blobs/uploads/";

    fn service(challenge: &str) -> Result<TokenService, NoTokenService> {
        let from = Target::parse(REGISTRY).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_str(challenge).unwrap());
        let challenges = Challenges::of(from.origin(), &from, &headers).unwrap();
        TokenService::of(&Policy::default(), from.origin(), &from, challenges.bearer().unwrap())
    }

    fn realm(text: &str) -> String {
        match service(&format!("Bearer realm=\"{text}\"")) {
            Ok(service) => format!("{}{}", service.realm().origin(), service.realm().path_and_query()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn challenge_realm_relative() {
        assert_eq!(realm("/token?x=1"), "https://reg.example/token?x=1");
        assert_eq!(realm("auth/token"), "https://reg.example/v2/a/blobs/uploads/auth/token");
        assert_eq!(realm("//auth.reg.example/token"), "https://auth.reg.example/token");
    }

    #[test]
    fn challenge_realm_not_a_uri() {
        let text = "the registry wants a token from \"Registry Realm\", which is not a URL; tell its operator";
        assert_eq!(realm("Registry Realm"), text);
        assert!(matches!(service("Bearer realm=\"\x09\""), Err(NoTokenService::Text { .. })));
        assert_eq!(service("Bearer service=x"), Err(NoTokenService::Missing));
        assert_eq!(service("Bearer"), Err(NoTokenService::Missing));
    }

    #[test]
    fn challenge_no_service() {
        assert_eq!(service("Bearer realm=\"/token\"").unwrap().name(), None);
        assert_eq!(service("Bearer realm=\"/token\",service=\"r\"").unwrap().name(), Some("r"));
    }

    #[test]
    fn token_realm_plain_http() {
        assert_eq!(
            realm("http://reg.example/token"),
            "https://reg.example points to http://reg.example as its token service, and that is plain HTTP where the \
             registry is not; `allow_origin` makes an exception"
        );
    }

    #[test]
    fn i7_a_realm_holds_no_user_and_no_fragment() {
        use TargetError as E;
        for (text, why, shown) in [
            ("https://user:CANARY@reg.example/token", E::UserInfo, "reg.example/token"),
            ("//user:CANARY@reg.example/token?CANARY", E::UserInfo, "reg.example/token"),
            ("ftp://reg.example/token", E::Scheme, "ftp://reg.example/token"),
            ("https:/reg.example/token", E::NoHost, "https:/reg.example/token"),
            ("https://reg.example\\@evil/token", E::UserInfo, "evil/token"),
            ("https://2130706433/token", E::Host(crate::target::HostError::Number), "https://2130706433/token"),
        ] {
            let error = service(&format!("Bearer realm='{text}'")).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("CANARY"), "{error}");
            assert_eq!(error, NoTokenService::Url { realm: shown.to_owned(), why });
        }
        assert_eq!(service("Bearer realm=\"https://reg.example/token#x\""), Err(NoTokenService::Fragment));
    }
}
