//! Host names and addresses, checked strictly.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;

/// The host of a URL: a name in lower case, an IPv4 address, or an IPv6 address in brackets.
///
/// Forms that HTTP stacks read differently are refused: a trailing dot, numbers that some resolvers read as addresses
/// (`127.1`, `0x7f.1`, `2130706433`), zone ids, and `xn--` labels (internationalised names are not supported).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(Kind);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Name(String),
    Address(IpAddr),
}

impl Host {
    /// The address, if the host is an address.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        match self.0 {
            Kind::Address(address) => Some(address),
            Kind::Name(_) => None,
        }
    }

    /// The name, if the host is a name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Kind::Address(_) => None,
            Kind::Name(name) => Some(name),
        }
    }

    /// Whether it is the local machine: `localhost`, a name under it, or a loopback address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match &self.0 {
            Kind::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            Kind::Address(address) => address.to_canonical().is_loopback(),
        }
    }
}

/// Why a string is not a [`Host`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HostError {
    /// Neither a name nor an address.
    #[error("a host is a name of letters, digits, dots and dashes, an IPv4 address, or an IPv6 address in brackets")]
    Malformed,
    /// A name that ends in a dot. HTTP stacks do not agree on whether it is the same origin as the name without it.
    #[error("the host name ends in a dot: leave the dot out")]
    TrailingDot,
    /// A number that some resolvers read as an address.
    #[error("a host that is a number must be an IPv4 address of four decimal parts")]
    Number,
    /// An `xn--` label.
    #[error("internationalised host names (xn--) are not supported")]
    Internationalised,
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        if let Some(inner) = text.strip_prefix('[') {
            let address = inner.strip_suffix(']').and_then(|inner| inner.parse::<Ipv6Addr>().ok());
            return address.map(|a| Self(Kind::Address(IpAddr::V6(a)))).ok_or(HostError::Malformed);
        }
        if text.ends_with('.') && text.len() > 1 {
            return Err(HostError::TrailingDot);
        }
        let name = text.to_ascii_lowercase();
        if name.len() > 253 || !name.split('.').all(is_label) {
            return Err(HostError::Malformed);
        }
        if name.split('.').any(|label| label.starts_with("xn--")) {
            return Err(HostError::Internationalised);
        }
        if name.rsplit('.').next().is_some_and(is_number) {
            let address = name.parse::<Ipv4Addr>().map_err(|_| HostError::Number)?;
            return Ok(Self(Kind::Address(IpAddr::V4(address))));
        }
        Ok(Self(Kind::Name(name)))
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
}

/// Whether a label is what the URL standard calls a number: decimal digits, or `0x` and hex digits. A host whose last
/// label is a number must be an address.
fn is_number(label: &str) -> bool {
    label.bytes().all(|b| b.is_ascii_digit())
        || label.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Name(name) => f.write_str(name),
            Kind::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Kind::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
