//! What is known to fail, each with a reason.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

/// What is known to fail: the ids of requirements, each with its reason.
///
/// ```
/// use longshore_conformance::suite::KnownFailures;
///
/// let known = KnownFailures::parse(
///     r#"
///     [known-failures]
///     referrers-api = "the registry has no referrers API"
///     "#,
/// )?;
/// assert_eq!(known.reason("referrers-api"), Some("the registry has no referrers API"));
/// # Ok::<(), longshore_conformance::suite::KnownFailuresError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownFailures {
    reasons: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    known_failures: BTreeMap<String, String>,
}

/// Why a file of known failures cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KnownFailuresError {
    /// It is not of its form; the text says where.
    #[error("{0}")]
    Syntax(String),
    /// There is no such requirement.
    #[error("there is no requirement {0}; `--list` shows all")]
    UnknownRequirement(String),
    /// A requirement has no reason.
    #[error("{0} has no reason")]
    WithoutReason(String),
}

impl KnownFailures {
    /// Reads a file: TOML, with a table `known-failures` of ids and reasons.
    ///
    /// # Errors
    /// Where it is not of that form, names a requirement that there is not, or leaves a reason empty.
    pub fn parse(text: &str) -> Result<Self, KnownFailuresError> {
        let file: File = toml::from_str(text).map_err(|error| KnownFailuresError::Syntax(error.to_string()))?;
        for (id, reason) in &file.known_failures {
            if super::requirements().all(|requirement| requirement.id != id) {
                return Err(KnownFailuresError::UnknownRequirement(id.clone()));
            }
            if reason.trim().is_empty() {
                return Err(KnownFailuresError::WithoutReason(id.clone()));
            }
        }
        Ok(Self { reasons: file.known_failures })
    }

    /// Why a requirement is known to fail, if it is.
    #[must_use]
    pub fn reason(&self, id: &str) -> Option<&str> {
        self.reasons.get(id).map(String::as_str)
    }
}
