//! Requirements: clauses of the specification, and how they are checked.

use std::fmt;

use longshore_mock_registry::report::{Clause, Level};

use super::options::SuiteOptions;
use super::stop::Stop;
use super::tested::TestedRegistry;
use super::version::Version;

/// One requirement of the specification, and its check.
#[derive(Clone, Copy)]
pub struct Requirement {
    /// A stable name that begins with the name of the group, such as `push-chunk-out-of-order`.
    pub id: &'static str,
    /// How binding it is (RFC 2119).
    pub level: Level,
    /// The first version of the specification that has it.
    pub since: Version,
    /// Its endpoint, such as `end-5`; empty if it is about all endpoints.
    pub endpoint: &'static str,
    /// Its source: an anchor in the specification, or a whole URL.
    pub section: &'static str,
    /// What is checked, in one sentence.
    pub title: &'static str,
    /// The text of the specification.
    pub clause: &'static str,
    pub(super) check: fn(&TestedRegistry<'_>) -> Result<(), Stop>,
}

/// A group of requirements.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// Its name, with which the ids of its requirements begin.
    pub name: &'static str,
    /// Its subject.
    pub title: &'static str,
    /// Its requirements.
    pub requirements: &'static [Requirement],
}

impl Requirement {
    /// The text of the specification, and its place.
    #[must_use]
    pub fn source(&self) -> Clause {
        if self.section.starts_with("https://") {
            Clause::new(self.clause, Some(self.section.to_owned()))
        } else {
            Clause::spec(self.clause, self.section)
        }
    }

    /// Sets the first version of the specification that has it.
    pub(super) const fn since(mut self, version: Version) -> Self {
        self.since = version;
        self
    }
}

impl SuiteOptions {
    /// Checks a requirement.
    #[must_use]
    pub fn selects(&self, requirement: &Requirement) -> bool {
        let named = self.filters.is_empty() || self.filters.iter().any(|filter| requirement.id.contains(filter));
        named && requirement.level <= self.level && requirement.since <= self.version
    }
}

/// A requirement with MUST.
pub(super) const fn must(
    id: &'static str,
    (endpoint, section): (&'static str, &'static str),
    title: &'static str,
    clause: &'static str,
    check: fn(&TestedRegistry<'_>) -> Result<(), Stop>,
) -> Requirement {
    Requirement { id, level: Level::Must, since: Version::V1_0, endpoint, section, title, clause, check }
}

/// A requirement with SHOULD.
pub(super) const fn should(
    id: &'static str,
    place: (&'static str, &'static str),
    title: &'static str,
    clause: &'static str,
    check: fn(&TestedRegistry<'_>) -> Result<(), Stop>,
) -> Requirement {
    Requirement { level: Level::Should, ..must(id, place, title, clause, check) }
}

/// An optional feature (MAY), and how it must work if it is present.
pub(super) const fn may(
    id: &'static str,
    place: (&'static str, &'static str),
    title: &'static str,
    clause: &'static str,
    check: fn(&TestedRegistry<'_>) -> Result<(), Stop>,
) -> Requirement {
    Requirement { level: Level::May, ..must(id, place, title, clause, check) }
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Requirement({})", self.id)
    }
}
