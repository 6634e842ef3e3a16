//! References in the form that people type.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use thiserror::Error;

use super::{Registry, RegistryError, Repository, RepositoryError, Tag, TagError};
use crate::{Digest, DigestError};

/// `[registry/]repository[:tag][@digest]`.
///
/// The first component is a registry if it contains a `.` or a `:`, or is `localhost`. Otherwise the registry is Docker
/// Hub, where a name of one component is in `library/`.
///
/// ```
/// use longshore_core::Reference;
///
/// let alpine: Reference = "alpine".parse()?;
/// assert_eq!(alpine.to_string(), "docker.io/library/alpine");
/// let local: Reference = "localhost:5000/a/b:v1".parse()?;
/// assert_eq!(local.repository.as_str(), "a/b");
/// assert_eq!(local.tag.map(|tag| tag.to_string()).as_deref(), Some("v1"));
/// # Ok::<(), longshore_core::ReferenceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The registry.
    pub registry: Registry,
    /// The repository in it.
    pub repository: Repository,
    /// The tag, if one was written.
    pub tag: Option<Tag>,
    /// The digest, if one was written. If there is a tag too, the digest decides which manifest is meant.
    pub digest: Option<Digest>,
}

/// Why a string is not a [`Reference`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// It begins with `scheme://`.
    #[error("a reference has no scheme: leave out :// and what is before it")]
    Scheme,
    /// There is only a registry: `localhost` or an address of IPv4, with a port or without.
    #[error("that names a registry and no repository in it: write registry/repository")]
    NoRepository,
    /// The registry is malformed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The repository is malformed.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The tag is malformed.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// The digest is malformed.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.contains("://") {
            return Err(ReferenceError::Scheme);
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        let (registry, path) = match rest.split_once('/') {
            Some((first, path)) if is_registry(first) => (first.parse()?, path),
            None if is_this_machine_or_an_address(rest) => return Err(ReferenceError::NoRepository),
            _ => (Registry::docker_hub(), rest),
        };
        let (name, tag) = match path.split_once(':') {
            Some((name, tag)) => (name, Some(tag.parse()?)),
            None => (path, None),
        };
        let repository = if registry.is_docker_hub() && !name.is_empty() && !name.contains('/') {
            format!("library/{name}").parse()?
        } else {
            name.parse()?
        };
        Ok(Self { registry, repository, tag, digest })
    }
}

fn is_registry(component: &str) -> bool {
    component == "localhost" || component.contains(['.', ':'])
}

/// Whether a reference of one component can only be a registry, with a port or without: no image has such a name.
fn is_this_machine_or_an_address(rest: &str) -> bool {
    let name = rest.split_once(':').map_or(rest, |(name, _)| name);
    name == "localhost" || name.parse::<Ipv4Addr>().is_ok()
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_conventions_people_type() {
        let digest = Digest::of(crate::Algorithm::Sha256, b"").to_string();
        let table = [
            ("alpine", "docker.io/library/alpine".to_owned()),
            ("alpine:3.20", "docker.io/library/alpine:3.20".to_owned()),
            ("docker.io/alpine", "docker.io/library/alpine".to_owned()),
            ("index.docker.io/a/b", "docker.io/a/b".to_owned()),
            ("me/app", "docker.io/me/app".to_owned()),
            ("localhost/app", "localhost/app".to_owned()),
            ("localhost:5000/a/b:v1", "localhost:5000/a/b:v1".to_owned()),
            ("[::1]:5000/a", "[::1]:5000/a".to_owned()),
            ("ghcr.io/o/n", "ghcr.io/o/n".to_owned()),
            (&format!("ghcr.io/o/n@{digest}"), format!("ghcr.io/o/n@{digest}")),
            (&format!("ghcr.io/o/n:t@{digest}"), format!("ghcr.io/o/n:t@{digest}")),
        ];
        for (text, expected) in table {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.to_string(), expected, "{text}");
            assert_eq!(reference.to_string().parse(), Ok(reference));
        }
    }

    #[test]
    fn bad_references_have_named_errors() {
        use ReferenceError as E;
        assert_eq!("https://ghcr.io/a".parse::<Reference>(), Err(E::Scheme));
        for text in ["localhost", "localhost:5000", "127.0.0.1", "127.0.0.1:5000"] {
            assert_eq!(text.parse::<Reference>(), Err(E::NoRepository), "{text}");
        }
        assert_eq!("".parse::<Reference>(), Err(E::Repository(RepositoryError::Empty)));
        assert_eq!("ghcr.io/".parse::<Reference>(), Err(E::Repository(RepositoryError::Empty)));
        assert_eq!("Alpine".parse::<Reference>(), Err(E::Repository(RepositoryError::Uppercase)));
        assert_eq!("alpine:".parse::<Reference>(), Err(E::Tag(TagError)));
        assert_eq!("alpine:a:b".parse::<Reference>(), Err(E::Tag(TagError)));
        assert_eq!("alpine@sha256".parse::<Reference>(), Err(E::Digest(DigestError::Malformed)));
        assert!(matches!("a_b.c:x/app".parse::<Reference>(), Err(E::Registry(_))));
    }
}
