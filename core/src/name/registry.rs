//! A registry, by the name that people use for it.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::target::{Host, Origin, Scheme, split_port};

/// A registry, as `host` or `host:port`, and whether it is reached over TLS.
///
/// `localhost` and loopback addresses are reached over plain HTTP; for others, [`Registry::with_scheme`] chooses it.
/// Docker Hub is named `docker.io` or `index.docker.io`, and its requests go to `registry-1.docker.io`.
///
/// ```
/// use longshore_core::Registry;
///
/// let hub: Registry = "docker.io".parse()?;
/// assert_eq!(hub.to_string(), "docker.io");
/// assert_eq!(hub.origin().to_string(), "https://registry-1.docker.io");
/// let local: Registry = "localhost:5000".parse()?;
/// assert_eq!(local.origin().to_string(), "http://localhost:5000");
/// # Ok::<(), longshore_core::RegistryError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registry {
    scheme: Scheme,
    host: Host,
    port: Option<u16>,
}

impl Registry {
    /// Docker Hub, the registry of a reference that names none.
    #[must_use]
    pub fn docker_hub() -> Self {
        #[expect(clippy::expect_used, reason = "a constant, and a test parses it")]
        "docker.io".parse().expect("docker.io is a host name")
    }

    /// The same registry, reached over this scheme.
    #[must_use]
    pub fn with_scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// Whether this is Docker Hub.
    #[must_use]
    pub fn is_docker_hub(&self) -> bool {
        self.port.is_none() && self.host.name() == Some("docker.io")
    }

    /// The origin that requests go to.
    #[must_use]
    pub fn origin(&self) -> Origin {
        let host = if self.is_docker_hub() { "registry-1.docker.io".parse().ok() } else { None };
        Origin::new(self.scheme, host.unwrap_or_else(|| self.host.clone()), self.port)
    }
}

/// Why a string is not a [`Registry`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a registry: it is written as host or host:port, for example ghcr.io or localhost:5000")]
#[non_exhaustive]
pub struct RegistryError(
    /// The text that was given, cut to 256 characters.
    pub String,
);

impl FromStr for Registry {
    type Err = RegistryError;

    fn from_str(text: &str) -> Result<Self, RegistryError> {
        let error = || RegistryError(text.chars().take(256).collect());
        let (host, port) = split_port(text).map_err(|_| error())?;
        let host: Host = host.parse().map_err(|_| error())?;
        // A host has no capitals any more.
        let is_alias = matches!(host.name(), Some("index.docker.io" | "registry-1.docker.io"));
        let host = if is_alias { Self::docker_hub().host } else { host };
        let scheme = if host.is_loopback() { Scheme::Http } else { Scheme::Https };
        Ok(Self { scheme, host, port })
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{self}", self.scheme.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_their_origins() {
        let table = [
            ("ghcr.io", "https://ghcr.io"),
            ("GHCR.io:443", "https://ghcr.io"),
            ("localhost", "http://localhost"),
            ("localhost:5000", "http://localhost:5000"),
            ("127.0.0.1:5000", "http://127.0.0.1:5000"),
            ("[::1]:5000", "http://[::1]:5000"),
            ("10.0.0.1:5000", "https://10.0.0.1:5000"),
            ("docker.io", "https://registry-1.docker.io"),
            ("index.docker.io", "https://registry-1.docker.io"),
            ("Index.Docker.IO", "https://registry-1.docker.io"),
            ("docker.io:5000", "https://docker.io:5000"),
        ];
        for (text, origin) in table {
            assert_eq!(text.parse::<Registry>().unwrap().origin().to_string(), origin, "{text}");
        }
        for bad in ["", ":5000", "a b", "a/b", "http://a", "a:0", "a:x", "a:65536", "user@a", "a.", "a..b", "::1"] {
            assert!(bad.parse::<Registry>().is_err(), "{bad}");
        }
        assert!(Registry::docker_hub().is_docker_hub());
        let plain = "ghcr.io".parse::<Registry>().unwrap().with_scheme(Scheme::Http);
        assert_eq!(plain.origin().to_string(), "http://ghcr.io");
    }
}
