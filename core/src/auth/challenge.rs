//! The challenges in `WWW-Authenticate` (RFC 9110, section 11.6.1): how a registry wants its clients to authenticate.
//!
//! Parsing never fails. A scheme that is not supported is kept by its name; malformed parts, and parts beyond a limit,
//! are ignored.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use thiserror::Error;

use crate::{Origin, Target};

/// How many challenges of one answer are read at most.
pub const MAX_CHALLENGES: usize = 16;
/// How many parameters of one challenge are read at most.
pub const MAX_PARAMETERS: usize = 32;
/// How many bytes of `WWW-Authenticate` are read at most in one answer. A value that does not fit is ignored, and so
/// are those after it.
pub const MAX_CHALLENGE_LEN: usize = 64 * 1024;
/// The longest parameter that is kept, in bytes. For `scope` each of its scopes is limited, by [`MAX_SCOPE_LEN`].
pub const MAX_PARAMETER_LEN: usize = 4096;
/// The longest scope of a challenge that is kept, in bytes.
pub const MAX_SCOPE_LEN: usize = 512;
/// How many scopes of one challenge are kept at most.
pub const MAX_SCOPES: usize = 16;

/// The challenges of one answer.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header};
/// use longshore_core::Target;
/// use longshore_core::auth::Challenges;
///
/// let registry = Target::parse("https://registry.example/v2/")?;
/// let mut headers = HeaderMap::new();
/// headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
/// let bearer = r#"Bearer realm="https://registry.example/token",service="r",scope="repository:a:pull""#;
/// headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(bearer));
///
/// let challenges = Challenges::of(registry.origin(), &registry, &headers)?;
/// assert!(challenges.basic());
/// assert_eq!(challenges.bearer().unwrap().scopes(), ["repository:a:pull"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Challenges(Vec<Challenge>);

impl Challenges {
    /// Reads the challenges of an answer from `from`, whatever its status ([quirk](crate::quirks)
    /// `ping-200-with-challenge`).
    ///
    /// # Errors
    /// If the challenges come from another origin than the registry's. Its credentials are not for that origin.
    pub fn of(registry: &Origin, from: &Target, headers: &HeaderMap) -> Result<Self, ForeignChallenge> {
        if from.origin() != registry && headers.contains_key(WWW_AUTHENTICATE) {
            return Err(ForeignChallenge { registry: registry.clone(), from: from.origin().clone() });
        }
        let mut challenges = Vec::new();
        let mut left = MAX_CHALLENGE_LEN;
        for value in headers.get_all(WWW_AUTHENTICATE) {
            match left.checked_sub(value.len()) {
                Some(rest) => left = rest,
                None => break,
            }
            read_value(value.as_bytes(), &mut challenges);
        }
        Ok(Self(challenges))
    }

    /// The challenges, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &Challenge> {
        self.0.iter()
    }

    /// Whether there are no challenges.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first Bearer challenge with a realm, or the first one at all. Prefer it to Basic ([quirk](crate::quirks)
    /// `challenge-multiple-schemes`).
    #[must_use]
    pub fn bearer(&self) -> Option<&Bearer> {
        let bearers =
            || self.0.iter().filter_map(|c| if let Challenge::Bearer(bearer) = c { Some(bearer) } else { None });
        bearers().find(|bearer| bearer.realm.is_some()).or_else(|| bearers().next())
    }

    /// Whether there is a Basic challenge.
    #[must_use]
    pub fn basic(&self) -> bool {
        self.0.contains(&Challenge::Basic)
    }
}

/// One challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Challenge {
    /// The registry wants a token.
    Bearer(Bearer),
    /// The registry wants user name and password. The realm is ignored ([quirk](crate::quirks)
    /// `challenge-realm-not-a-uri`).
    Basic,
    /// A scheme that this crate does not support, by its name in lower case.
    Other(String),
}

/// A Bearer challenge: the registry wants a token and names the token service. All texts in it are the registry's:
/// escape them with [`text::shown`](crate::text::shown) before you show them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bearer {
    realm: Option<String>,
    service: Option<String>,
    scopes: Vec<String>,
    error: Option<String>,
}

impl Bearer {
    /// The address of the token service, unchanged. It is usually a URL.
    #[must_use]
    pub fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }

    /// The name of the registry at the token service; some registries state none ([quirk](crate::quirks)
    /// `challenge-no-service`).
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// The scopes that the registry names, unchanged. They may have any form.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Whether the registry says that the token was valid but lacks a right.
    #[must_use]
    pub fn insufficient_scope(&self) -> bool {
        self.error.as_deref() == Some("insufficient_scope")
    }

    fn set(&mut self, name: &str, value: String) {
        // The first value counts, so that a later one cannot change the token service. Scopes are collected from all.
        let slot = match name {
            "scope" => return self.add_scopes(&value),
            "realm" => &mut self.realm,
            "service" => &mut self.service,
            "error" => &mut self.error,
            _ => return,
        };
        if slot.is_none() && !value.is_empty() && value.len() <= MAX_PARAMETER_LEN {
            *slot = Some(value);
        }
    }

    fn add_scopes(&mut self, value: &str) {
        for scope in value.split_ascii_whitespace().filter(|scope| scope.len() <= MAX_SCOPE_LEN) {
            if self.scopes.len() < MAX_SCOPES && !self.scopes.iter().any(|known| known == scope) {
                self.scopes.push(scope.to_owned());
            }
        }
    }
}

/// An origin that is not the registry asked for credentials.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{from} asks for credentials, and those for {registry} are not given to it; log in there by its own name instead"
)]
#[non_exhaustive]
pub struct ForeignChallenge {
    /// The registry that the request was meant for.
    pub registry: Origin,
    /// The origin that asked.
    pub from: Origin,
}

/// Reads one header value. A word is a parameter if an equals sign follows it, and a scheme if not.
fn read_value(value: &[u8], challenges: &mut Vec<Challenge>) {
    let mut cursor = Cursor(value);
    let mut current: Option<(Challenge, usize)> = None;
    loop {
        cursor.take_while(|byte| matches!(byte, b' ' | b'\t' | b',' | b';'));
        let word = cursor.take_while(is_token);
        if word.is_empty() {
            // The end of the value, or a byte that cannot start a word and is skipped.
            if cursor.next().is_none() {
                break;
            }
        } else if cursor.equals_sign() {
            let value = cursor.parameter();
            if let Some((challenge, count)) = &mut current
                && *count < MAX_PARAMETERS
            {
                *count = count.saturating_add(1);
                if let Challenge::Bearer(bearer) = challenge {
                    bearer.set(&lower(word), value);
                }
            }
        } else {
            keep(current.take(), challenges);
            current = Some((scheme(word), 0));
            cursor.skip_token68();
        }
    }
    keep(current, challenges);
}

fn keep(challenge: Option<(Challenge, usize)>, challenges: &mut Vec<Challenge>) {
    if let Some((challenge, _)) = challenge
        && challenges.len() < MAX_CHALLENGES
    {
        challenges.push(challenge);
    }
}

fn scheme(word: &[u8]) -> Challenge {
    match lower(word) {
        name if name == "bearer" => Challenge::Bearer(Bearer::default()),
        name if name == "basic" => Challenge::Basic,
        name => Challenge::Other(name),
    }
}

fn lower(word: &[u8]) -> String {
    String::from_utf8_lossy(word).to_ascii_lowercase()
}

/// Whether a byte may be in a token (RFC 9110, section 5.6.2).
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

/// The part of a header value that is not read yet.
#[derive(Clone, Copy)]
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn peek(self) -> Option<u8> {
        self.0.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.0.iter().position(|byte| !wanted(*byte)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at_checked(end).unwrap_or((self.0, &[]));
        self.0 = rest;
        taken
    }

    fn skip_spaces(&mut self) -> bool {
        !self.take_while(|byte| matches!(byte, b' ' | b'\t')).is_empty()
    }

    /// Consumes an equals sign and the spaces around it, if there is one.
    fn equals_sign(&mut self) -> bool {
        let mut ahead = *self;
        ahead.skip_spaces();
        if ahead.next() != Some(b'=') {
            return false;
        }
        ahead.skip_spaces();
        *self = ahead;
        true
    }

    /// Skips a `token68` after a scheme, as Negotiate has it: everything up to the next comma, if it has that form.
    fn skip_token68(&mut self) {
        let mut ahead = *self;
        if !ahead.skip_spaces() {
            return;
        }
        ahead.take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/'));
        ahead.take_while(|byte| byte == b'=');
        ahead.skip_spaces();
        if matches!(ahead.peek(), None | Some(b',')) {
            *self = ahead;
        }
    }

    /// Reads a parameter's value: in double quotes, in single quotes (which some registries send), or unquoted up to
    /// the next comma or space.
    fn parameter(&mut self) -> String {
        match self.peek() {
            Some(b'"') => {
                self.next();
                self.quoted()
            }
            Some(b'\'') if self.0.iter().skip(1).any(|byte| *byte == b'\'') => {
                self.next();
                let inner = self.take_while(|byte| byte != b'\'');
                self.next();
                String::from_utf8_lossy(inner).into_owned()
            }
            _ => {
                let bare = self.take_while(|byte| !matches!(byte, b',' | b' ' | b'\t'));
                String::from_utf8_lossy(bare).into_owned()
            }
        }
    }

    /// Reads the rest of a quoted string. If its closing quote is missing, it ends with the header value.
    fn quoted(&mut self) -> String {
        let mut text = Vec::new();
        while let Some(byte) = self.next() {
            match byte {
                b'"' => break,
                b'\\' => text.extend(self.next()),
                byte => text.push(byte),
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

#[cfg(test)]
mod tests;
