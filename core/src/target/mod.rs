//! Where a request goes: [`Origin`] and [`Target`]. Only this module parses URLs.
//!
//! A URL that does not match a strict grammar exactly is refused, so that no transport can read another host, port or
//! path in it than the core did.

mod guard;
mod host;
mod redirect;
mod resolve;
mod site;
mod special;

use std::fmt;

use http::Uri;
use thiserror::Error;

use crate::text::shown;

pub use guard::{Admitted, CrossOrigin, Policy, Realms, Refusal, Rule, Source, admit};
pub use host::{Host, HostError};
pub use redirect::{MAX_REDIRECTS, NotFollowed, check_redirect, is_redirect};
pub use resolve::MAX_REFERENCE_LEN;
pub(crate) use resolve::{percent_encode, split_port};
pub use special::{is_public, is_public_address};

/// `http` or `https`: the only schemes that are supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Plain HTTP: for loopback, and if the caller asks for it.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The scheme as it is written in a URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port of a URL that states none: 80 or 443.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Scheme, host and port of a server. Credentials are always bound to one origin.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: Host,
    port: u16,
}

impl Origin {
    /// An origin. If `port` is `None`, it is the scheme's default port.
    #[must_use]
    pub fn new(scheme: Scheme, host: Host, port: Option<u16>) -> Self {
        Self { scheme, host, port: port.unwrap_or(scheme.default_port()) }
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host, in lower case.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The port, never 0.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The value of a `Host` header: `host:port`, or `host` if the port is the scheme's default port.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority())
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The target of one request: an origin, and the exact bytes of path and query.
///
/// A driver must send these bytes unchanged (they may be signed), or report that it cannot. [`Display`](fmt::Display)
/// replaces the values of query parameters by `…`, because they may be secrets, unless the parameter is known to be
/// harmless.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    origin: Origin,
    path_and_query: String,
}

impl Target {
    /// A target with these exact bytes as path and query.
    ///
    /// # Errors
    /// If `path_and_query` does not begin with `/`, or contains a character, a dot segment or a double slash at its
    /// start that HTTP stacks would change.
    pub fn new(origin: Origin, path_and_query: impl Into<String>) -> Result<Self, TargetError> {
        let path_and_query = path_and_query.into();
        resolve::check_path_and_query(&path_and_query)?;
        Ok(Self { origin, path_and_query })
    }

    /// A target whose path consists of names, digests and tags only. Their grammars make it valid.
    pub(crate) fn of_names(origin: &Origin, path: String) -> Self {
        debug_assert_eq!(resolve::check_path_and_query(&path), Ok(()));
        Self { origin: origin.clone(), path_and_query: path }
    }

    /// The root of an origin: `/`.
    pub(crate) fn root(origin: Origin) -> Self {
        Self { origin, path_and_query: "/".to_owned() }
    }

    /// Reads an absolute URL.
    ///
    /// # Errors
    /// If it is not an absolute `http` or `https` URL, or does not match the strict grammar.
    pub fn parse(url: &str) -> Result<Self, TargetError> {
        resolve::absolute(url)
    }

    /// Resolves a URL reference in an answer from this target (RFC 3986, section 5.2).
    ///
    /// The fragment is dropped. Everything else stays as it is, byte for byte: nothing is encoded, decoded or
    /// normalised.
    ///
    /// # Errors
    /// If the reference is longer than [`MAX_REFERENCE_LEN`] bytes, or does not match the strict grammar.
    pub fn resolve(&self, reference: &str) -> Result<Self, TargetError> {
        resolve::resolve(self, reference)
    }

    /// The origin that the request goes to.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The exact bytes of path and query, beginning with `/`.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// The exact bytes of the path.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path_and_query.split_once('?').map_or(&*self.path_and_query, |(path, _)| path)
    }

    /// The exact bytes after the first `?`, if there is one.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.path_and_query.split_once('?').map(|(_, query)| query)
    }

    /// The target with one more query parameter at the end. The bytes before it stay as they are.
    ///
    /// `value` is percent-encoded. `key` is not, because it is a parameter name from the spec.
    #[must_use]
    pub fn with_query(&self, key: &'static str, value: &str) -> Self {
        let separator = match self.query() {
            None => "?",
            Some("") => "",
            Some(query) if query.ends_with('&') => "",
            Some(_) => "&",
        };
        let path_and_query = format!("{}{separator}{key}={}", self.path_and_query, resolve::percent_encode(value));
        Self { origin: self.origin.clone(), path_and_query }
    }

    /// The whole URL for an HTTP stack, with exactly these bytes.
    ///
    /// # Errors
    /// If `http::Uri` refuses it, as it does above 65,534 bytes.
    pub fn uri(&self) -> Result<Uri, TargetError> {
        Uri::builder()
            .scheme(self.origin.scheme.as_str())
            .authority(self.origin.authority())
            .path_and_query(&*self.path_and_query)
            .build()
            .map_err(|_| TargetError::Unrepresentable)
    }
}

/// The query parameters whose values are never secret: those of the spec and of token services. All others are shown
/// without their value.
const HARMLESS: [&str; 11] =
    ["scope", "service", "mount", "from", "digest", "digest-algorithm", "n", "last", "tag", "artifactType", "ns"];

/// Whether a query parameter may be shown. Some servers end a value at a `;` too, so a value that contains one may
/// contain other parameters.
fn is_harmless(key: &str, value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/,+*@%".contains(&byte);
    HARMLESS.contains(&key) && value.bytes().all(plain)
}

impl Target {
    /// The parts of the query that are not shown.
    pub(crate) fn hidden(&self) -> impl Iterator<Item = &str> {
        self.query().into_iter().flat_map(|query| query.split('&')).filter_map(|pair| match pair.split_once('=') {
            Some((key, value)) if is_harmless(key, value) => None,
            Some((_, value)) if !value.bytes().all(|byte| byte == b'=') => Some(value),
            _ => Some(pair),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{}{}", self.origin, self.path());
        for (i, pair) in self.query().into_iter().flat_map(|query| query.split('&')).enumerate() {
            text.push(if i == 0 { '?' } else { '&' });
            match pair.split_once('=') {
                Some((key, value)) if is_harmless(key, value) => text.push_str(pair),
                // Without a value, the text may be no key but a whole secret, with the padding of Base64 at its end.
                Some((key, value)) if !value.bytes().all(|byte| byte == b'=') => text.extend([key, "=…"]),
                None if pair.is_empty() => {}
                _ => text.push('…'),
            }
        }
        f.write_str(&shown(&text))
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a URL from the network is not a [`Target`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The empty text.
    #[error("the URL is empty")]
    Empty,
    /// More than [`MAX_REFERENCE_LEN`] bytes.
    #[error("the URL is longer than {MAX_REFERENCE_LEN} bytes")]
    TooLong,
    /// A scheme other than `http` and `https`.
    #[error("the URL's scheme is not http or https")]
    Scheme,
    /// No `//` after the scheme, or no host.
    #[error("the URL names no host")]
    NoHost,
    /// `user:password@`. URLs are printed, so secrets in them are refused.
    #[error("the URL contains a user name or password")]
    UserInfo,
    /// The host is malformed or not supported.
    #[error("the URL's host is refused: {0}")]
    Host(#[from] HostError),
    /// The port is not a number from 1 to 65535.
    #[error("the URL's port is not a number from 1 to 65535")]
    Port,
    /// A character that a path or query cannot contain, or a `%` without two hex digits.
    #[error("the URL contains a character that no path or query may contain")]
    Character,
    /// A path that begins with `//`, which some HTTP stacks read as a host.
    #[error("the URL's path begins with two slashes")]
    DoubleSlash,
    /// `.` or `..` as a path segment, plain or percent-encoded, which HTTP stacks rewrite.
    #[error("the URL's path contains a dot segment")]
    DotSegment,
    /// `http::Uri` cannot represent it.
    #[error("the URL cannot be given to an HTTP stack unchanged")]
    Unrepresentable,
}

#[cfg(test)]
mod tests;
