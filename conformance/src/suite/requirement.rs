//! What a registry is held to: one clause of the specification, and how it is checked.

use std::fmt;

use longshore_mock_registry::report::{Clause, Level};

use super::options::SuiteOptions;
use super::stop::Stop;
use super::tested::TestedRegistry;
use super::version::Version;

/// One requirement of the specification, and its check.
#[derive(Clone, Copy)]
pub struct Requirement {
    /// A stable name, made of its group's and its own: `push-chunk-out-of-order`.
    pub id: &'static str,
    /// How much the specification wants it (RFC 2119).
    pub level: Level,
    /// The first version of the specification that has it.
    pub since: Version,
    /// The endpoint that it is about, in the specification's numbers: `end-5`. Empty where it is about all.
    pub endpoint: &'static str,
    /// Where it stands: an anchor of the specification, or a whole URL.
    pub section: &'static str,
    /// What is checked, in one sentence.
    pub title: &'static str,
    /// What the specification says.
    pub clause: &'static str,
    pub(super) check: fn(&TestedRegistry<'_>) -> Result<(), Stop>,
}

/// Requirements that belong together.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// Its name, with which the ids of its requirements begin.
    pub name: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// Its requirements.
    pub requirements: &'static [Requirement],
}

impl Requirement {
    /// What the specification says, and where.
    #[must_use]
    pub fn source(&self) -> Clause {
        if self.section.starts_with("https://") {
            Clause::new(self.clause, Some(self.section.to_owned()))
        } else {
            Clause::spec(self.clause, self.section)
        }
    }

    /// The same from a later version of the specification on.
    pub(super) const fn since(mut self, version: Version) -> Self {
        self.since = version;
        self
    }
}

impl SuiteOptions {
    /// Whether a requirement is checked.
    #[must_use]
    pub fn selects(&self, requirement: &Requirement) -> bool {
        let named = self.filters.is_empty() || self.filters.iter().any(|filter| requirement.id.contains(filter));
        named && requirement.level <= self.level && requirement.since <= self.version
    }
}

/// A requirement that has to be met.
pub(super) const fn must(
    id: &'static str,
    (endpoint, section): (&'static str, &'static str),
    title: &'static str,
    clause: &'static str,
    check: fn(&TestedRegistry<'_>) -> Result<(), Stop>,
) -> Requirement {
    Requirement { id, level: Level::Must, since: Version::V1_0, endpoint, section, title, clause, check }
}

/// A requirement that ought to be met.
pub(super) const fn should(
    id: &'static str,
    place: (&'static str, &'static str),
    title: &'static str,
    clause: &'static str,
    check: fn(&TestedRegistry<'_>) -> Result<(), Stop>,
) -> Requirement {
    Requirement { level: Level::Should, ..must(id, place, title, clause, check) }
}

/// Something that may be there, and how it is then.
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
