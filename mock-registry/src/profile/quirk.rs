//! The catalogue of quirks: what registries were seen to do otherwise than the spec, or otherwise than each other.
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

/// Something that registries were seen to do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Quirk {
    /// Its id, which stands in the docs of the switches that play it.
    pub id: String,
    /// How much it matters to a push.
    pub severity: Severity,
    /// What registries do.
    pub does: String,
    /// What a client makes of it.
    pub client: String,
    /// How the mock plays it, where no switch of a profile does: `fault` (as one that is asked for with `--fault`), `users`
    /// (with `--auth`, whatever the profile), or why it does not. Empty where switches play it.
    #[serde(default)]
    pub played_by: String,
}

/// How much a quirk matters to a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "u8")]
pub enum Severity {
    /// 1: it shows, and nothing depends on it; or it is rare.
    Cosmetic,
    /// 2: a client that does not know it makes needless requests, or fails in some setups.
    Needless,
    /// 3: a push fails, or stores something wrong, where the client does not know it.
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
    /// It stands in recorded HTTP.
    WireTrace,
    /// A real client has code for it.
    CodeWorkaround,
    /// Who maintains the registry, or works for its vendor, says so.
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

/// All quirks, in the order of a push: finding out who asks, what is there, mounts, uploads, manifests, referrers, errors,
/// lists.
#[must_use]
pub fn all() -> &'static [Quirk] {
    &CATALOGUE
}

/// The quirk of this id.
#[must_use]
pub fn named(id: &str) -> Option<&'static Quirk> {
    all().iter().find(|quirk| quirk.id == id)
}
