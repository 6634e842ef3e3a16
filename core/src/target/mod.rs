//! Where a request goes: [`Origin`] and [`Target`], and the one function that makes a [`Target`] of a URL from the network.
//!
//! Nothing else in this crate reads a URL. What is not an exact match of a strict grammar is refused, so that no transport
//! can read another host, port or path out of it than the core did.

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

/// `http` or `https`: the only schemes there are here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Plain HTTP: for loopback and where the caller asks for it.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The scheme as it stands in a URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that a URL without one means: 80 or 443.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Scheme, host and port: whom one talks to. Credentials belong to exactly one of these.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: Host,
    port: u16,
}

impl Origin {
    /// An origin; `port` is the scheme's own where `None`.
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

    /// `host` or `host:port`, the port left out where it is the scheme's own: what stands in a `Host` header.
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

/// Where one request goes: an origin, and the exact bytes of path and query.
///
/// A driver must send these bytes as they are (they may be signed), or report that it cannot.
/// [`Display`](fmt::Display) leaves the values of the query out, because they may be secrets: what is harmless stays.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    origin: Origin,
    path_and_query: String,
}

impl Target {
    /// A target whose path and query are given as the bytes to send.
    ///
    /// # Errors
    /// Where `path_and_query` does not begin with `/`, or has a character that a path and query cannot hold.
    pub fn new(origin: Origin, path_and_query: impl Into<String>) -> Result<Self, TargetError> {
        let path_and_query = path_and_query.into();
        resolve::check_path_and_query(&path_and_query)?;
        Ok(Self { origin, path_and_query })
    }

    /// A target whose path is made of names, digests and tags only: their grammars leave nothing to check.
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
    /// Where it is not an absolute `http` or `https` URL of the strict grammar.
    pub fn parse(url: &str) -> Result<Self, TargetError> {
        resolve::absolute(url)
    }

    /// Resolves a URL reference that an answer from this target carried (RFC 3986, section 5.2), byte for byte.
    ///
    /// The fragment is dropped, nothing is encoded or decoded.
    ///
    /// # Errors
    /// Where the reference is longer than [`MAX_REFERENCE_LEN`] bytes or not of the strict grammar.
    pub fn resolve(&self, reference: &str) -> Result<Self, TargetError> {
        resolve::resolve(self, reference)
    }

    /// Whom it talks to.
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

    /// The target with one more query parameter after all that is there, whose bytes stay as they are.
    ///
    /// `value` is percent-encoded, `key` is not: it is one of the spec's own words.
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

    /// The whole URL for an HTTP stack: these bytes and no others.
    ///
    /// # Errors
    /// Where `http::Uri` refuses it, as it does above 65,534 bytes.
    pub fn uri(&self) -> Result<Uri, TargetError> {
        Uri::builder()
            .scheme(self.origin.scheme.as_str())
            .authority(self.origin.authority())
            .path_and_query(&*self.path_and_query)
            .build()
            .map_err(|_| TargetError::Unrepresentable)
    }
}

/// The query parameters whose values say nothing secret: the spec's own, and the token services'. All others are shown without
/// their value.
const HARMLESS: [&str; 11] =
    ["scope", "service", "mount", "from", "digest", "digest-algorithm", "n", "last", "tag", "artifactType", "ns"];

/// Whether a query parameter may be shown. Some servers end a value at a `;` too, so such a one may hold others.
fn is_harmless(key: &str, value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/,+*@%".contains(&byte);
    HARMLESS.contains(&key) && value.bytes().all(plain)
}

impl Target {
    /// What of the query is not shown.
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
                // Without a value it is perhaps no key but all of a secret, ending in the padding of Base64.
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
    /// Nothing at all.
    #[error("the URL is empty")]
    Empty,
    /// More than [`MAX_REFERENCE_LEN`] bytes.
    #[error("the URL is longer than {MAX_REFERENCE_LEN} bytes")]
    TooLong,
    /// A scheme other than `http` and `https`.
    #[error("the URL's scheme is not http or https")]
    Scheme,
    /// No `//` after the scheme, or an empty host.
    #[error("the URL names no host")]
    NoHost,
    /// `user:password@`: a secret in a place that is printed.
    #[error("the URL holds a user name or password")]
    UserInfo,
    /// The host is not one.
    #[error("the URL's host is refused: {0}")]
    Host(#[from] HostError),
    /// The port is not a number from 1 to 65535.
    #[error("the URL's port is not a number from 1 to 65535")]
    Port,
    /// A character that a path or query cannot hold, or a `%` without two hex digits.
    #[error("the URL holds a character that stands in no path or query")]
    Character,
    /// A path that begins with `//`, which some HTTP stacks read as a host.
    #[error("the URL's path begins with two slashes")]
    DoubleSlash,
    /// `.` or `..` as a path segment, plain or percent-encoded, which HTTP stacks rewrite.
    #[error("the URL's path holds a dot segment")]
    DotSegment,
    /// `http::Uri` cannot hold it.
    #[error("the URL cannot be handed to an HTTP stack as it is")]
    Unrepresentable,
}

#[cfg(test)]
mod tests;
