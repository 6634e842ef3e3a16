//! The name of a repository: the spec's `<name>`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The name of a repository in its registry, such as `library/alpine`: the spec's `<name>`.
///
/// It matches [the spec's
/// expression](https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#pulling-manifests):
/// components of lower-case letters and digits, joined by `.`, `_`, `__` or any number of `-`, and separated by `/`. So
/// it can be used in a path without escaping: it contains no `..`, `%`, `?` or `#`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository(String);

impl Repository {
    /// The longest name, in bytes. The spec notes that many clients allow 255 characters for host and name together.
    pub const MAX_LEN: usize = 255;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a string is not a [`Repository`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// The empty text.
    #[error("a repository name cannot be empty")]
    Empty,
    /// Longer than [`Repository::MAX_LEN`].
    #[error("a repository name has at most {} characters", Repository::MAX_LEN)]
    TooLong,
    /// A capital letter, which the spec does not allow.
    #[error("a repository name is in lower case")]
    Uppercase,
    /// A component that the spec's expression does not match.
    #[error(
        "a repository name is made of components separated by /; each is a-z and 0-9, joined by one of . _ __ or dashes"
    )]
    Malformed,
}

impl FromStr for Repository {
    type Err = RepositoryError;

    fn from_str(text: &str) -> Result<Self, RepositoryError> {
        if text.is_empty() {
            return Err(RepositoryError::Empty);
        }
        if text.len() > Self::MAX_LEN {
            return Err(RepositoryError::TooLong);
        }
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(RepositoryError::Uppercase);
        }
        if text.split('/').all(is_component) { Ok(Self(text.to_owned())) } else { Err(RepositoryError::Malformed) }
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(component: &str) -> bool {
    let is_alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let separators = component.split(|c: char| u8::try_from(c).is_ok_and(is_alphanumeric)).filter(|s| !s.is_empty());
    component.bytes().next().is_some_and(is_alphanumeric)
        && component.bytes().next_back().is_some_and(is_alphanumeric)
        && separators.into_iter().all(|s| matches!(s, "." | "_" | "__") || s.bytes().all(|b| b == b'-'))
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specs_expression() {
        for good in ["a", "0", "library/alpine", "a.b", "a_b", "a__b", "a---b/c", "a/b/c/d", &"a".repeat(255)] {
            assert_eq!(good.parse::<Repository>().map(|r| r.to_string()), Ok(good.to_owned()));
        }
        for bad in [
            "/a", "a/", "a//b", "a..b", "a___b", "a._b", "-a", "a-", ".", "..", "a/../b", "a b", "a%2f", "a?b", "a#b",
            "é", "a:b", "a@b",
        ] {
            assert_eq!(bad.parse::<Repository>(), Err(RepositoryError::Malformed), "{bad}");
        }
        assert_eq!("".parse::<Repository>(), Err(RepositoryError::Empty));
        assert_eq!("Alpine".parse::<Repository>(), Err(RepositoryError::Uppercase));
        assert_eq!("a".repeat(256).parse::<Repository>(), Err(RepositoryError::TooLong));
    }
}
