//! Errors in profiles.

use std::fmt;

use longshore_core::text::shown;
use thiserror::Error;

/// A place in a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The file, or the argument.
    pub file: String,
    /// The line, from 1; `None` in an argument.
    pub line: Option<usize>,
}

impl Place {
    pub(super) fn line(file: &str, line: usize) -> Self {
        Self { file: file.to_owned(), line: Some(line) }
    }

    pub(super) fn argument(assignment: &str) -> Self {
        Self::given("--set", assignment)
    }

    pub(super) fn given(flag: &str, value: &str) -> Self {
        Self { file: format!("{flag} {value}"), line: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

/// Errors in profiles.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// It is not TOML.
    #[error("{at}: {message}")]
    Syntax {
        /// Where.
        at: Place,
        /// What is wrong.
        message: String,
    },
    /// An argument is not written as `group.switch=value`.
    #[error("{at}: write it as group.switch=value")]
    Malformed {
        /// The argument.
        at: Place,
    },
    /// A key that no profile has.
    #[error("{at}: there is no key {}{}", shown(.key), meant(.nearest))]
    UnknownKey {
        /// Where.
        at: Place,
        /// The key.
        key: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A required key is missing.
    #[error("{at}: {key} is missing here: it is a text")]
    Missing {
        /// Where.
        at: Place,
        /// The key.
        key: String,
    },
    /// A key has a value of another type.
    #[error("{at}: {key} must be {wanted}")]
    Type {
        /// Where.
        at: Place,
        /// The key.
        key: String,
        /// The type that it must have.
        wanted: &'static str,
    },
    /// A switch that does not exist.
    #[error("{at}: there is no switch {}{}", shown(.path), meant(.nearest))]
    UnknownSwitch {
        /// Where.
        at: Place,
        /// Its path.
        path: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A value that the switch does not accept.
    #[error("{at}: {switch}: {}", shown(.message))]
    Value {
        /// Where.
        at: Place,
        /// The path of the switch.
        switch: String,
        /// What is wrong.
        message: String,
    },
    /// A switch is set a second time in one file, or on one command line.
    #[error("{at}: {switch} is set already ({first})")]
    SetTwice {
        /// Where it is set for the second time.
        at: Place,
        /// The path of the switch.
        switch: String,
        /// Where it was set first.
        first: Place,
    },
    /// Two switches contradict each other: with the value of one, the other has no effect.
    #[error("{at}: {switch} contradicts {other} = {value} ({other_at}): {why}")]
    Contradiction {
        /// Where the switch without an effect is set.
        at: Place,
        /// The path of that switch.
        switch: String,
        /// The switch that it contradicts.
        other: String,
        /// The value of the other switch.
        value: String,
        /// Where the other switch is set.
        other_at: Place,
        /// The contradiction.
        why: &'static str,
    },
    /// A quirk that is not in the catalogue.
    #[error("{at}: there is no quirk {}{}", shown(.id), meant(.nearest))]
    UnknownQuirk {
        /// Where.
        at: Place,
        /// Its id.
        id: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A profile that does not exist.
    #[error("there is no profile {name:?}{}", meant(.nearest))]
    UnknownProfile {
        /// Its name.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// The file of a profile cannot be read.
    #[error("cannot read {file}: {message}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        message: String,
    },
    /// The profile extends one that does not exist.
    #[error("{at}: there is no profile {name:?} that this one could extend{}", meant(.nearest))]
    UnknownParent {
        /// Where.
        at: Place,
        /// Its name.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A profile extends itself, directly or through others.
    #[error("{at}: the profile extends itself: {chain}")]
    Circle {
        /// Where.
        at: Place,
        /// The names of the profiles, each of which extends the next.
        chain: String,
    },
}

fn meant(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default()
}
