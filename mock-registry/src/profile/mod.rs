//! Registries as data: what each real registry does otherwise than the spec, with the source of every line.
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
//! The profiles that this crate brings are in its folder `profiles/`; [`Profile::named`] gives one of them, [`NAMES`] are
//! their names.

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

/// What a registry does, as a file says it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// Its name: that of its file, without `.toml`.
    pub name: String,
    /// The registry's name, for people.
    pub title: String,
    /// Which state of the registry this is: a version or a date. Empty where nobody said.
    pub state: String,
    /// What nobody has seen, so that the profile stays with the spec there. Empty where it says nothing.
    pub unknown: String,
    /// The profile that it extends: what that one sets, holds here where nothing else is set.
    pub parent: Option<Box<Self>>,
    /// What it says, in the order of the file.
    pub entries: Vec<Entry>,
    /// What it does otherwise than records of the real registry, and why.
    pub differences: Vec<Difference>,
    /// The switches that were set beside the file, each with its text.
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
    /// How good the source is.
    pub evidence: Evidence,
    /// What is particular to this registry. Empty where it says nothing.
    pub note: String,
    /// Whether the registry had it once and has it no more: then it sets nothing.
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
    /// Why the mock does otherwise.
    pub why: String,
}

impl Profile {
    /// One of the profiles that this crate brings.
    ///
    /// # Errors
    /// [`ProfileError::UnknownProfile`] where there is none of this name, with the nearest one.
    pub fn named(name: &str) -> Result<Self, ProfileError> {
        parse::named(name, &mut vec![name.to_owned()])
    }

    /// One of the profiles that this crate brings, or that in the file of this path.
    ///
    /// # Errors
    /// As for [`Profile::named`] and [`Profile::parse`]; and where there is a file that cannot be read.
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

    /// Reads the text of a file, which may extend a profile that this crate brings.
    ///
    /// # Errors
    /// Where something in it is not known, not of its type, or contradicts something else: with file, line and what was
    /// probably meant.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        parse::profile(file, text, &mut vec![name_of(file).to_owned()])
    }

    /// Sets one switch more: `mount.without-from=upload`, `commit.status=204`, `chunks.patch=refused:405`. The value is a
    /// word, a number, `true` or `false`, `word:number`, or anything that TOML can write.
    ///
    /// # Errors
    /// Where there is no such switch, it has no such value, or it contradicts another one that was set in this way. What
    /// stands in the profile's file gives way.
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

    /// Sets several switches more, none of them twice.
    ///
    /// # Errors
    /// As for [`Profile::set`], and where one is set to two values.
    pub fn set_all<'a>(&mut self, assignments: impl IntoIterator<Item = &'a str>) -> Result<(), ProfileError> {
        let assignments: Vec<&str> = assignments.into_iter().collect();
        let sets = assignments.iter().map(|text| Ok(((*text).to_owned(), parse::assignment(text)?)));
        contradiction::check(&placed(&sets.collect::<Result<Vec<_>, _>>()?))?;
        assignments.into_iter().try_for_each(|assignment| self.set(assignment))
    }

    /// What the registry does.
    #[must_use]
    pub const fn behaviour(&self) -> &Behaviour {
        &self.settings.behaviour
    }

    /// All that the profile decides.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A registry that behaves like this and lets anybody do anything.
    #[must_use]
    pub fn options(&self) -> RegistryOptions {
        let mut options = RegistryOptions::default().with_behaviour(self.behaviour().clone());
        self.settings.limits.apply(&mut options.limits);
        options
    }

    /// Whether it needs a storage's own origin: [`RegistryOptions::storage`].
    #[must_use]
    pub fn needs_storage(&self) -> bool {
        let behaviour = self.behaviour();
        behaviour.read.blob_redirect || behaviour.start.location == crate::behaviour::LocationForm::Storage
    }

    /// Who may do what in this registry: nobody yet, and clients say who they are as they do there.
    #[must_use]
    pub fn auth(&self) -> Auth {
        self.settings.users.auth()
    }

    /// This profile, the one that it extends, and so on.
    pub fn lineage(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |profile| profile.parent.as_deref())
    }

    /// What it says of a quirk, itself or by what it extends; and which profile says so.
    pub fn entries_of<'a>(&'a self, quirk: &'a str) -> impl Iterator<Item = (&'a Self, &'a Entry)> {
        self.lineage().flat_map(move |profile| {
            profile.entries.iter().filter(move |entry| entry.quirk == quirk).map(move |entry| (profile, entry))
        })
    }
}

fn placed(assignments: &[(String, SetSwitch)]) -> Vec<(Place, &SetSwitch)> {
    assignments.iter().map(|(text, set)| (Place::argument(text), set)).collect()
}

/// Whether somebody means a file.
fn is_path(name: &str) -> bool {
    name.contains(['/', '\\', '.']) && Path::new(name).exists() || name.ends_with(".toml")
}

/// The name of the profile in a file.
fn name_of(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.strip_suffix(".toml").unwrap_or(name)
}
