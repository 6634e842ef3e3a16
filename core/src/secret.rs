//! Secrets: text that is never shown, and [`Authorization`], a secret that can be sent to one origin only.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{Origin, Target};

/// A password or a token.
///
/// Its `Debug` output is `Secret(…)`, and its memory is overwritten when it is dropped. It cannot be cloned, compared,
/// serialised or read: a driver makes it, and only this crate reads it.
///
/// ```
/// use longshore_core::Secret;
///
/// assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "Secret(…)");
/// ```
///
/// None of these compiles:
///
/// ```compile_fail,E0599
/// let copy = longshore_core::Secret::new(String::new()).clone();
/// ```
/// ```compile_fail,E0277
/// println!("{}", longshore_core::Secret::new(String::new()));
/// ```
/// ```compile_fail,E0369
/// let same = longshore_core::Secret::new(String::new()) == longshore_core::Secret::new(String::new());
/// ```
/// ```compile_fail,E0277
/// fn serialised(value: impl serde::Serialize) {}
/// serialised(longshore_core::Secret::new(String::new()));
/// ```
/// ```compile_fail,E0624
/// let text = longshore_core::Secret::new(String::new()).expose();
/// ```
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of a secret. Its memory is overwritten on drop; copies that the caller made earlier are not.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Whether it is the empty text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text itself: for headers and request bodies only, never for anything that is shown or stored.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The value of an `Authorization` header, bound to the origin that it was made for.
///
/// [`Authorization::authorize`] is the only way to put it into a request.
///
/// ```
/// use http::HeaderMap;
/// use longshore_core::{Authorization, Secret, Target};
///
/// let registry = Target::parse("https://registry.example/v2/")?;
/// let elsewhere = Target::parse("https://registry.example:8443/v2/")?;
/// let token = Authorization::bearer(registry.origin().clone(), &Secret::new("t0ken".to_owned()))?;
///
/// let mut headers = HeaderMap::new();
/// assert!(token.authorize(&elsewhere, &mut headers).is_err());
/// assert!(headers.is_empty());
/// token.authorize(&registry, &mut headers)?;
/// assert_eq!(format!("{headers:?}"), r#"{"authorization": Sensitive}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Authorization {
    origin: Origin,
    /// `Basic …` or `Bearer …`: visible ASCII and one space.
    value: Secret,
}

impl Authorization {
    /// Makes the value for a user name and a password (RFC 7617).
    ///
    /// The password may contain line breaks and tabs, although RFC 7617 forbids them: Base64 can encode them, and the
    /// keys that cloud providers issue as passwords have several lines.
    ///
    /// # Errors
    /// If the user name contains a colon or a control character, or the password a control character other than LF, CR
    /// and TAB.
    pub fn basic(origin: Origin, user: &str, password: &Secret) -> Result<Self, UnusableSecret> {
        if user.contains(':') {
            return Err(UnusableSecret::Colon);
        }
        if user.contains(char::is_control) {
            return Err(UnusableSecret::UserControlCharacter);
        }
        if password
            .expose()
            .contains(|character: char| character.is_control() && !matches!(character, '\n' | '\r' | '\t'))
        {
            return Err(UnusableSecret::PasswordControlCharacter);
        }
        let pair = Zeroizing::new([user, ":", password.expose()].concat());
        let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        Ok(Self { origin, value: Secret::new(["Basic ", encoded.as_str()].concat()) })
    }

    /// Makes the value for a bearer token (RFC 6750).
    ///
    /// # Errors
    /// If the token is empty, or contains anything but visible ASCII.
    pub fn bearer(origin: Origin, token: &Secret) -> Result<Self, UnusableSecret> {
        if token.is_empty() || !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(UnusableSecret::Token);
        }
        Ok(Self { origin, value: Secret::new(["Bearer ", token.expose()].concat()) })
    }

    /// The only origin that it can be sent to.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The part after the scheme (the token, or the Base64 text), so that it can be removed from text that is shown.
    pub(crate) fn parameter(&self) -> &str {
        self.value.expose().split_once(' ').map_or("", |(_, parameter)| parameter)
    }

    /// Sets it in the headers of a request to `target`, marked as sensitive, in place of any other `Authorization`.
    ///
    /// # Errors
    /// If `target` has another origin. The headers then contain no `Authorization` at all.
    pub fn authorize(&self, target: &Target, headers: &mut HeaderMap) -> Result<(), WrongOrigin> {
        headers.remove(AUTHORIZATION);
        let wrong = || WrongOrigin { bound: self.origin.clone(), asked: target.origin().clone() };
        if *target.origin() != self.origin {
            return Err(wrong());
        }
        // This cannot fail: the value is visible ASCII and one space.
        let mut value = HeaderValue::from_str(self.value.expose()).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
        Ok(())
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorization(… for {})", self.origin)
    }
}

/// A secret was about to be sent to an origin that it was not made for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("credentials for {bound} are not sent to {asked}")]
#[non_exhaustive]
pub struct WrongOrigin {
    /// The origin that the secret was made for.
    pub bound: Origin,
    /// The origin that the request goes to.
    pub asked: Origin,
}

/// Why a user name, password or token cannot be sent in an `Authorization` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UnusableSecret {
    /// The user name contains a colon, at which the receiver would end it.
    #[error("the user name contains a colon, so no registry could tell it from the password; check what was given")]
    Colon,
    /// The user name contains a control character, which RFC 7617 forbids. It is usually a line break at the end.
    #[error("the user name contains a control character; check it for a line break at its end")]
    UserControlCharacter,
    /// The password contains a control character other than a line break or a tab.
    #[error("the password contains a control character other than a line break or a tab; check what was given")]
    PasswordControlCharacter,
    /// The token is empty, or contains something other than visible ASCII.
    #[error("the token is empty or contains a character other than visible ASCII; check what was given")]
    Token,
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn target(url: &str) -> Target {
        Target::parse(url).unwrap()
    }

    fn origin(url: &str) -> Origin {
        target(url).origin().clone()
    }

    #[test]
    fn i1_a_secret_goes_to_its_own_origin_only() {
        let bound = origin("https://reg.example");
        let all = [
            Authorization::basic(bound.clone(), "user", &secret("pw")).unwrap(),
            Authorization::bearer(bound, &secret("t0ken")).unwrap(),
        ];
        for authorization in all {
            for foreign in [
                "http://reg.example/v2/",
                "http://reg.example:443/v2/",
                "https://reg.example:444/v2/",
                "https://reg.example.evil/v2/",
                "https://sub.reg.example/v2/",
                "https://example/v2/",
            ] {
                let mut headers = HeaderMap::new();
                headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer left-over"));
                let refused = authorization.authorize(&target(foreign), &mut headers).unwrap_err();
                assert_eq!(refused.asked, origin(foreign));
                assert!(headers.is_empty(), "{foreign}");
            }
            for own in ["https://reg.example/v2/", "https://REG.example:443/x?y"] {
                let mut headers = HeaderMap::new();
                authorization.authorize(&target(own), &mut headers).unwrap();
                assert_eq!(headers.len(), 1);
            }
        }
    }

    #[test]
    fn i31_the_header_is_sensitive_and_exact() {
        let at = target("https://reg.example/v2/");
        let own = || at.origin().clone();
        let table = [
            (Authorization::basic(own(), "Aladdin", &secret("open sesame")), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            (Authorization::basic(own(), "", &secret("a:b")), "Basic OmE6Yg=="),
            (Authorization::basic(own(), "é", &secret("")), "Basic w6k6"),
            (Authorization::basic(own(), "k", &secret("{\n\t\"a\": 1\r\n}\n")), "Basic azp7CgkiYSI6IDENCn0K"),
            (Authorization::bearer(own(), &secret("ey.J_-~+/==")), "Bearer ey.J_-~+/=="),
        ];
        for (authorization, expected) in table {
            let mut headers = HeaderMap::new();
            authorization.unwrap().authorize(&at, &mut headers).unwrap();
            let value = headers.get(AUTHORIZATION).unwrap();
            assert_eq!(value, expected);
            assert!(value.is_sensitive());
        }
    }

    #[test]
    fn i19_what_is_no_header_value_is_refused() {
        let own = || origin("https://reg.example");
        let error = |made: Result<Authorization, _>| made.err();
        assert_eq!(error(Authorization::basic(own(), "a:b", &secret("c"))), Some(UnusableSecret::Colon));
        for user in ["a\n", "a\tb", "a\r\nb", "a\0", "a\u{85}"] {
            let made = Authorization::basic(own(), user, &secret("b"));
            assert_eq!(error(made), Some(UnusableSecret::UserControlCharacter), "{user:?}");
        }
        for password in ["b\0", "b\u{1b}[2J", "b\u{7f}", "b\u{85}"] {
            let made = Authorization::basic(own(), "a", &secret(password));
            assert_eq!(error(made), Some(UnusableSecret::PasswordControlCharacter), "{password:?}");
        }
        for token in ["", "a b", "a\n", "a\tb", "é", "a\u{7f}"] {
            assert_eq!(error(Authorization::bearer(own(), &secret(token))), Some(UnusableSecret::Token), "{token:?}");
        }
    }

    #[test]
    fn i29_secrets_do_not_print() {
        let own = origin("https://reg.example");
        let bearer = Authorization::bearer(own.clone(), &secret("CANARY")).unwrap();
        let basic = Authorization::basic(own, "user", &secret("CANARY")).unwrap();
        let mut headers = HeaderMap::new();
        basic.authorize(&target("https://reg.example/"), &mut headers).unwrap();
        let printed = format!("{:?} {bearer:?} {basic:?} {headers:?} {:#?}", secret("CANARY"), secret("CANARY"));
        assert!(
            printed.starts_with("Secret(…) Authorization(… for https://reg.example) Authorization(… "),
            "{printed}"
        );
        assert!(!printed.contains("CANARY") && !printed.contains(&STANDARD.encode("user:CANARY")), "{printed}");
    }

    #[test]
    fn i31_secrets_are_wiped_when_dropped() {
        fn wiped(_: &impl ZeroizeOnDrop) {}
        let value = secret("x");
        wiped(&value.0);
        wiped(&Authorization::bearer(origin("https://reg.example"), &value).unwrap().value.0);
    }
}
