//! Reads a file of known failures.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

use super::known::KnownFailures;
use super::requirements;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    known_failures: BTreeMap<String, String>,
}

/// An error in a file of known failures.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KnownFailuresError {
    /// The file has another form. The text contains the place.
    #[error("{0}")]
    Syntax(String),
    /// The requirement does not exist.
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
    /// If the file has another form, names a requirement that does not exist, or has an empty reason.
    pub fn parse(text: &str) -> Result<Self, KnownFailuresError> {
        let file: File = toml::from_str(text).map_err(|error| KnownFailuresError::Syntax(error.to_string()))?;
        for (id, reason) in &file.known_failures {
            if requirements::all().all(|requirement| requirement.id != id) {
                return Err(KnownFailuresError::UnknownRequirement(id.clone()));
            }
            if reason.trim().is_empty() {
                return Err(KnownFailuresError::WithoutReason(id.clone()));
            }
        }
        Ok(Self { reasons: file.known_failures })
    }
}
