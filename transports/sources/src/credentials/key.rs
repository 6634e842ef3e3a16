//! Finds the entry of a file for a registry, by exact name and never by a prefix or suffix of a name.

use longshore_core::{Registry, Repository};

/// Docker's key for Docker Hub.
pub(super) const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// The name of a registry for a helper.
pub(super) fn server(registry: &Registry) -> String {
    if registry.is_docker_hub() { DOCKER_HUB.to_owned() } else { registry.to_string() }
}

/// What the key of an entry names: a registry, and optionally a path below it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scope {
    registry: String,
    path: String,
}

impl Scope {
    /// Reads a key as Docker (`ghcr.io`, `https://ghcr.io/v1/`) and the containers tools (`ghcr.io/owner/name`) write it.
    ///
    /// A key that is a URL is for the whole host, whatever its path, as in Docker. So is one that ends in `/v1/` or `/v2/`:
    /// the containers tools write no slash at the end of a path.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        let (host, path) = match key.split_once("://") {
            Some(("http" | "https", rest)) => (rest.split(['/', '?', '#']).next().unwrap_or_default(), ""),
            Some(_) => return None,
            None => match key.split_once('/').unwrap_or((key, "")) {
                (host, "v1/" | "v2/") => (host, ""),
                both => both,
            },
        };
        Some(Self { registry: normal(host)?, path: path.to_owned() })
    }

    /// The scopes that may have an entry for a repository, the most specific first: the repository, the paths above it,
    /// the registry.
    pub(super) fn candidates(registry: &Registry, repository: Option<&Repository>) -> Vec<Self> {
        let mut candidates = Vec::new();
        let mut path = repository.map(Repository::as_str).unwrap_or_default();
        while !path.is_empty() {
            candidates.push(Self { registry: registry.to_string(), path: path.to_owned() });
            path = path.rsplit_once('/').map_or("", |(above, _)| above);
        }
        candidates.push(Self { registry: registry.to_string(), path: String::new() });
        candidates
    }
}

/// Whether `server`, a name that a helper or a key for a helper uses, is this registry itself.
pub(super) fn is_server(server: &str, registry: &Registry) -> bool {
    Scope::of_key(server).is_some_and(|scope| scope.path.is_empty() && scope.registry == registry.to_string())
}

/// A host as the core writes it: in lower case, and with one name for Docker Hub.
fn normal(host: &str) -> Option<String> {
    host.parse::<Registry>().ok().map(|registry| registry.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(key: &str, reference: &str) -> bool {
        let reference: longshore_core::Reference = reference.parse().unwrap();
        let candidates = Scope::candidates(&reference.registry, Some(&reference.repository));
        Scope::of_key(key).is_some_and(|scope| candidates.contains(&scope))
    }

    #[test]
    fn i9_only_the_exact_host_is_meant() {
        for key in [
            "ghcr.io",
            "GHCR.io",
            "https://ghcr.io",
            "https://ghcr.io/v1/",
            "http://ghcr.io/v2",
            "ghcr.io/",
            "ghcr.io/v1/",
            "ghcr.io/v2/",
            "ghcr.io/o",
            "ghcr.io/o/n",
        ] {
            assert!(matches(key, "ghcr.io/o/n"), "{key}");
        }
        let others = [
            "",
            "io",
            "hcr.io",
            "ghcr.io.evil.example",
            "evil.example/ghcr.io",
            "ghcr.io:443",
            "ghcr.io:5000",
            "ghcr.io.",
            "*.io",
            "*",
            "ghcr.io/o/",
            "ghcr.io/other",
            "ghcr.io/v2",
            "ghcr.io/v3/",
            "ghcr.io/o/n/below",
            "ghcr.io/O",
            "user@ghcr.io",
            "https://user@ghcr.io",
            "ftp://ghcr.io",
            "https://ghcr.io.evil/",
            "https://evil/ghcr.io",
            "https:ghcr.io",
            "//ghcr.io",
            "https://ghcr.io\\evil",
            "https://evil?ghcr.io",
            "ghcr.io\0",
        ];
        for key in others {
            assert!(!matches(key, "ghcr.io/o/n"), "{key:?} {:?}", Scope::of_key(key));
        }
    }

    #[test]
    fn docker_hub_has_several_names() {
        for key in [
            DOCKER_HUB,
            "docker.io",
            "index.docker.io",
            "registry-1.docker.io",
            "https://docker.io",
            "docker.io/library",
            "index.docker.io/v1/",
        ] {
            assert!(matches(key, "alpine"), "{key}");
        }
        for key in ["hub.docker.com", "docker.com", "docker.io:5000", "docker.io/other"] {
            assert!(!matches(key, "alpine"), "{key}");
        }
        assert_eq!(server(&"docker.io".parse().unwrap()), DOCKER_HUB);
        assert_eq!(server(&"localhost:5000".parse().unwrap()), "localhost:5000");
    }
}
