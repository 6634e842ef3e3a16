//! What a registry asks for: the challenges in `WWW-Authenticate` (RFC 9110, section 11.6.1), read as they come.
//!
//! Nothing in here fails. What cannot be understood is passed over or kept by its name, what is beyond a limit is dropped.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use thiserror::Error;

use crate::{Origin, Target};

/// The most challenges of one answer that are read.
pub const MAX_CHALLENGES: usize = 16;
/// The most parameters of one challenge that are read.
pub const MAX_PARAMETERS: usize = 32;
/// The most bytes of `WWW-Authenticate` in one answer that are read: whole values, as many as fit.
pub const MAX_CHALLENGE_LEN: usize = 64 * 1024;
/// The longest parameter that is kept, in bytes; `scope` may hold several of [`MAX_SCOPE_LEN`].
pub const MAX_PARAMETER_LEN: usize = 4096;
/// The longest scope of a challenge that is kept, in bytes.
pub const MAX_SCOPE_LEN: usize = 512;
/// The most scopes of one challenge that are kept.
pub const MAX_SCOPES: usize = 16;

/// What one answer of a registry asks for.
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
    /// The challenges of an answer from `from`; they count on any status (quirk `ping-200-with-challenge`).
    ///
    /// # Errors
    /// Where another origin than the registry's asks for credentials: none are looked up for it.
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

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The token service to ask, which goes before Basic (quirk `challenge-multiple-schemes`): the first that has a realm.
    #[must_use]
    pub fn bearer(&self) -> Option<&Bearer> {
        let bearers =
            || self.0.iter().filter_map(|c| if let Challenge::Bearer(bearer) = c { Some(bearer) } else { None });
        bearers().find(|bearer| bearer.realm.is_some()).or_else(|| bearers().next())
    }

    /// Whether user name and password are asked for.
    #[must_use]
    pub fn basic(&self) -> bool {
        self.0.contains(&Challenge::Basic)
    }
}

/// One challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Challenge {
    /// A token is wanted.
    Bearer(Bearer),
    /// User name and password are wanted. What its realm is called does not matter (quirk `challenge-realm-not-a-uri`).
    Basic,
    /// A scheme that this crate does not support, by its name in lower case.
    Other(String),
}

/// A token is wanted, and where one is had. All of it is the registry's text, to be shown with [`text::shown`](crate::text::shown).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bearer {
    realm: Option<String>,
    service: Option<String>,
    scopes: Vec<String>,
    error: Option<String>,
}

impl Bearer {
    /// The address of the token service as it stands there: mostly a URL.
    #[must_use]
    pub fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }

    /// What the token service calls the registry; some give no name (quirk `challenge-no-service`).
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// The scopes that the registry hands out, each as it stands there; they need not be of any known form.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Whether the registry says that the token was good, and its rights too small.
    #[must_use]
    pub fn insufficient_scope(&self) -> bool {
        self.error.as_deref() == Some("insufficient_scope")
    }

    fn set(&mut self, name: &str, value: String) {
        // Only the first one counts, so that nothing later in a header changes whom we talk to; scopes add up.
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
pub struct ForeignChallenge {
    /// Whom the request was meant for.
    pub registry: Origin,
    /// Who asked.
    pub from: Origin,
}

/// Reads one header value. Words are schemes or parameters: those that an equals sign follows are parameters.
fn read_value(value: &[u8], challenges: &mut Vec<Challenge>) {
    let mut cursor = Cursor(value);
    let mut current: Option<(Challenge, usize)> = None;
    loop {
        cursor.take_while(|byte| matches!(byte, b' ' | b'\t' | b',' | b';'));
        let word = cursor.take_while(is_token);
        if word.is_empty() {
            // The end, or a byte that belongs to nothing.
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

/// RFC 9110, section 5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

/// The rest of a header value.
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

    /// Takes an equals sign and the spaces around it, if there is one.
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

    /// `token68` after a scheme (Negotiate's): all up to the next comma, if it is of that form.
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

    /// A parameter's value: quoted, in single quotes (some do), or bare up to the next comma or space.
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

    /// The rest of a quoted string; one that does not end goes up to the end.
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
