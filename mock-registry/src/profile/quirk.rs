//! The catalogue of quirks: how registries differ from the spec, or from each other.
//!
//! ```
//! use longshore_mock_registry::profile::quirk;
//!
//! let quirk = quirk::named("mount-always-202").unwrap();
//! assert_eq!(quirk.severity.number(), 3);
//! ```

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::Deserialize;
use toml::de::DeTable;

use super::json::json;

/// A quirk of one or more registries.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Quirk {
    /// Its id, which the documentation of the switches that play it names.
    pub id: String,
    /// How much it matters to a push.
    pub severity: Severity,
    /// What registries do.
    pub does: String,
    /// What the client does about it.
    pub client: String,
    /// How the mock plays it if no switch of a profile does: `fault` (with `--fault`), `users` (with `--auth`, whatever
    /// the profile), or the reason why it does not. Empty if switches play it.
    #[serde(default)]
    pub played_by: String,
}

/// How much a quirk matters to a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "u8")]
pub enum Severity {
    /// 1: nothing depends on it, or it is rare.
    Cosmetic,
    /// 2: a client that does not handle it makes needless requests, or fails in some setups.
    Needless,
    /// 3: if the client does not handle it, a push fails or stores wrong content.
    Breaking,
}

impl Severity {
    /// 1 to 3.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Cosmetic => 1,
            Self::Needless => 2,
            Self::Breaking => 3,
        }
    }
}

impl TryFrom<u8> for Severity {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            1 => Ok(Self::Cosmetic),
            2 => Ok(Self::Needless),
            3 => Ok(Self::Breaking),
            _ => Err("a severity is 1, 2 or 3"),
        }
    }
}

/// How good the source of a statement about a registry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Evidence {
    /// Its own source code says so.
    ServerSource,
    /// Recorded HTTP shows it.
    WireTrace,
    /// A real client has code for it.
    CodeWorkaround,
    /// A maintainer of the registry, or somebody who works for its vendor, says so.
    MaintainerSaid,
    /// The vendor's documentation says so.
    VendorDoc,
    /// Somebody reported it, with a concrete symptom.
    UserReport,
    /// There is only weak or contradictory evidence.
    Unverified,
}

impl Evidence {
    /// All of them, with their names.
    const NAMES: [(Self, &'static str); 7] = [
        (Self::ServerSource, "server-source"),
        (Self::WireTrace, "wire-trace"),
        (Self::CodeWorkaround, "code-workaround"),
        (Self::MaintainerSaid, "maintainer-said"),
        (Self::VendorDoc, "vendor-doc"),
        (Self::UserReport, "user-report"),
        (Self::Unverified, "unverified"),
    ];
    pub(super) const WANTED: &'static str = "server-source, wire-trace, code-workaround, maintainer-said, vendor-doc, \
                                             user-report or unverified";
}

impl FromStr for Evidence {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::NAMES.into_iter().find(|(_, name)| *name == text).map(|(evidence, _)| evidence).ok_or(())
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.into_iter().find(|(evidence, _)| evidence == self).map_or("", |(_, name)| name);
        f.write_str(name)
    }
}

static CATALOGUE: LazyLock<Vec<Quirk>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the file is part of this crate, and a test reads it")]
    read(include_str!("../../quirks.toml")).expect("the catalogue of quirks is TOML")
});

fn read(text: &str) -> Result<Vec<Quirk>, String> {
    let table = DeTable::parse(text).map_err(|error| error.to_string())?;
    let quirks = table.get_ref().get("quirk").ok_or("there is no [[quirk]]")?;
    serde_json::from_value(json(quirks.get_ref())).map_err(|error| error.to_string())
}

/// All quirks, in the order of a push: authentication, existing content, mounts, uploads, manifests, referrers, errors,
/// lists.
#[must_use]
pub fn all() -> &'static [Quirk] {
    &CATALOGUE
}

/// The quirk with this id.
#[must_use]
pub fn named(id: &str) -> Option<&'static Quirk> {
    all().iter().find(|quirk| quirk.id == id)
}
