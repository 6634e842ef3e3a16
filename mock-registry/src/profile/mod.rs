//! Profiles: how each real registry differs from the spec, as data with the source of every line.
//!
//! A profile is a TOML file. It names quirks of the [catalogue](quirk); each says where it was seen, and which switches of
//! the [behaviour](crate::behaviour) play it:
//!
//! ```
//! use longshore_mock_registry::behaviour::MountPolicy;
//! use longshore_mock_registry::profile::Profile;
//!
//! let mut profile = Profile::parse(
//!     "ours.toml",
//!     r#"
//!     title = "The registry of our company"
//!     extends = "distribution-2.8"
//!
//!     [[quirk]]
//!     id = "mount-always-202"
//!     evidence = "user-report"
//!     source = "seen on Tuesday"
//!     set.mount.policy = "never"
//!     "#,
//! )?;
//! assert_eq!(profile.behaviour().mount.policy, MountPolicy::Never);
//!
//! // One more switch, as `longshore mock --set` has them.
//! profile.set("mount.policy=any-repository")?;
//! assert_eq!(profile.behaviour().mount.policy, MountPolicy::AnyRepository);
//!
//! let error = profile.set("mount.polizy=never").unwrap_err();
//! assert_eq!(error.to_string(), "--set mount.polizy=never: there is no switch mount.polizy; did you mean mount.policy?");
//! # Ok::<(), longshore_mock_registry::profile::ProfileError>(())
//! ```
//!
//! The built-in profiles are in the folder `profiles/` of this crate. [`Profile::named`] returns one of them, and
//! [`NAMES`] are their names.

mod builtin;
mod contradiction;
mod error;
mod explain;
mod json;
mod parse;
#[cfg(feature = "server")]
mod play;
pub mod quirk;
mod settings;
mod switch;
mod value;

use std::path::Path;

use serde_json::Value;

use crate::auth::Auth;
use crate::behaviour::AnswerChange;
use crate::behaviour::Behaviour;
use crate::options::RegistryOptions;

pub use builtin::NAMES;
pub use error::{Place, ProfileError};
pub use explain::{explain, list};
pub use quirk::{Evidence, Quirk, Severity};
pub use settings::{ProfileLimits, ProfileUsers, Settings};
pub use switch::{Switch, switches};

/// The quirks of a registry, from a file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// Its name: that of its file, without `.toml`.
    pub name: String,
    /// The registry's name, for people.
    pub title: String,
    /// The version or date of the registry that it describes. Empty if it is not known.
    pub state: String,
    /// What is not known about the registry, so that the profile follows the spec there. Empty if it states nothing.
    pub unknown: String,
    /// The profile that it extends, whose settings apply unless this one overrides them.
    pub parent: Option<Box<Self>>,
    /// Its quirks, in the order of the file.
    pub entries: Vec<Entry>,
    /// How it differs from records of the real registry, and why.
    pub differences: Vec<Difference>,
    /// The switches that were set in addition to the file, each with its text.
    assignments: Vec<(String, SetSwitch)>,
    settings: Settings,
}

/// A quirk that a registry has.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// The id of the quirk in the [catalogue](quirk).
    pub quirk: String,
    /// Where it was seen: a file of the registry's source, an issue, a recorded exchange.
    pub source: String,
    /// Which kind of evidence the source is.
    pub evidence: Evidence,
    /// What is special at this registry. Empty if it states nothing.
    pub note: String,
    /// Whether the registry does not have it any more. Then it sets nothing.
    pub historic: bool,
    /// The switches that it sets.
    pub switches: Vec<SetSwitch>,
    /// The changes that it makes to answers.
    pub answers: Vec<AnswerChange>,
    /// The line of the file, from 1.
    pub line: usize,
}

/// A switch that a profile sets.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SetSwitch {
    /// Its path, such as `mount.without-from`.
    pub path: String,
    /// Its value, as JSON.
    pub value: Value,
    /// The line of the file, from 1.
    pub line: usize,
}

/// A recorded fact that the profile does not reproduce.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The name of the fact, such as `patch_chunk_next`.
    pub fact: String,
    /// Why the mock differs.
    pub why: String,
}

impl Profile {
    /// A built-in profile.
    ///
    /// # Errors
    /// [`ProfileError::UnknownProfile`] if no profile has this name. It has the nearest name.
    pub fn named(name: &str) -> Result<Self, ProfileError> {
        parse::named(name, &mut vec![name.to_owned()])
    }

    /// A built-in profile, or the one in the file with this path.
    ///
    /// # Errors
    /// Those of [`Profile::named`] and [`Profile::parse`], or [`ProfileError::Unreadable`] if the file cannot be read.
    pub fn load(name_or_path: &str) -> Result<Self, ProfileError> {
        match Self::named(name_or_path) {
            Err(ProfileError::UnknownProfile { .. }) if is_path(name_or_path) => {
                let text = std::fs::read_to_string(name_or_path).map_err(|error| ProfileError::Unreadable {
                    file: name_or_path.to_owned(),
                    message: error.to_string(),
                })?;
                Self::parse(name_or_path, &text)
            }
            named => named,
        }
    }

    /// Reads the text of a file, which may extend a built-in profile.
    ///
    /// # Errors
    /// If it has a field or a switch that does not exist, a value of a wrong type, or two settings that contradict each other.
    /// The error names file and line, and the nearest name that exists.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        parse::profile(file, text, &mut vec![name_of(file).to_owned()])
    }

    /// Sets one more switch: `mount.without-from=upload`, `commit.status=204`, `chunks.patch=refused:405`. The value is
    /// a word, a number, `true` or `false`, `word:number`, or anything that TOML can write.
    ///
    /// # Errors
    /// If there is no such switch, if it cannot have this value, or if it contradicts a switch that was set before by this
    /// method. It replaces what the profile's file sets.
    pub fn set(&mut self, assignment: &str) -> Result<(), ProfileError> {
        let set = parse::assignment(assignment)?;
        let others = self.assignments.iter().filter(|(_, other)| other.path != set.path);
        let mut assignments: Vec<(String, SetSwitch)> = others.cloned().collect();
        assignments.push((assignment.to_owned(), set.clone()));
        contradiction::check(&placed(&assignments))?;
        self.settings.set(&set).map_err(|message| ProfileError::Value {
            at: Place::argument(assignment),
            switch: set.path.clone(),
            message,
        })?;
        self.assignments = assignments;
        Ok(())
    }

    /// Sets several more switches, each only once.
    ///
    /// # Errors
    /// Those of [`Profile::set`]; or if one switch is set to two values.
    pub fn set_all<'a>(&mut self, assignments: impl IntoIterator<Item = &'a str>) -> Result<(), ProfileError> {
        let assignments: Vec<&str> = assignments.into_iter().collect();
        let sets = assignments.iter().map(|text| Ok(((*text).to_owned(), parse::assignment(text)?)));
        contradiction::check(&placed(&sets.collect::<Result<Vec<_>, _>>()?))?;
        assignments.into_iter().try_for_each(|assignment| self.set(assignment))
    }

    /// The behaviour that the profile sets.
    #[must_use]
    pub const fn behaviour(&self) -> &Behaviour {
        &self.settings.behaviour
    }

    /// Everything that the profile decides.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The options of a registry with this behaviour, without authentication.
    #[must_use]
    pub fn options(&self) -> RegistryOptions {
        let mut options = RegistryOptions::default().with_behaviour(self.behaviour().clone());
        self.settings.limits.apply(&mut options.limits);
        options
    }

    /// Whether it needs a storage host, so that [`RegistryOptions::storage`] must be set.
    #[must_use]
    pub fn needs_storage(&self) -> bool {
        let behaviour = self.behaviour();
        behaviour.read.blob_redirect || behaviour.start.location == crate::behaviour::LocationForm::Storage
    }

    /// Authentication as this registry has it, without any user.
    #[must_use]
    pub fn auth(&self) -> Auth {
        self.settings.users.auth()
    }

    /// This profile, the one that it extends, and so on.
    pub fn lineage(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |profile| profile.parent.as_deref())
    }

    /// The entries about a quirk in this profile and in those that it extends, each with its profile.
    pub fn entries_of<'a>(&'a self, quirk: &'a str) -> impl Iterator<Item = (&'a Self, &'a Entry)> {
        self.lineage().flat_map(move |profile| {
            profile.entries.iter().filter(move |entry| entry.quirk == quirk).map(move |entry| (profile, entry))
        })
    }
}

fn placed(assignments: &[(String, SetSwitch)]) -> Vec<(Place, &SetSwitch)> {
    assignments.iter().map(|(text, set)| (Place::argument(text), set)).collect()
}

/// Whether the text is the path of a file.
fn is_path(name: &str) -> bool {
    name.contains(['/', '\\', '.']) && Path::new(name).exists() || name.ends_with(".toml")
}

/// The name of the profile in a file.
fn name_of(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.strip_suffix(".toml").unwrap_or(name)
}
