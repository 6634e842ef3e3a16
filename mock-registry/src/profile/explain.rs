//! Profiles and quirks as text for a terminal.

use std::fmt::Write as _;

use super::{Entry, NAMES, Profile, ProfileError, Quirk, Severity, quirk, switches};
use crate::nearest::nearest;

/// All profiles, with their quirks and sources.
#[must_use]
pub fn list() -> String {
    let profiles = NAMES.iter().filter_map(|name| Profile::named(name).ok());
    profiles.map(|profile| profile.described()).collect::<Vec<_>>().join("\n")
}

impl Profile {
    /// The profile as text: what it changes, and why.
    #[must_use]
    pub fn described(&self) -> String {
        let mut text = format!("{}: {}", self.name, self.title);
        if !self.state.is_empty() {
            text += &format!(" ({})", self.state);
        }
        if let Some(parent) = &self.parent {
            text += &format!(", as {} but for", parent.name);
        }
        text.push('\n');
        if !self.unknown.is_empty() {
            text += &format!("  stays with the spec where nobody has seen it: {}\n", self.unknown);
        }
        for entry in &self.entries {
            text += &entry.described();
        }
        for difference in &self.differences {
            text += &format!("  differs from the recorded {}: {}\n", difference.fact, difference.why);
        }
        text
    }
}

impl Entry {
    fn described(&self) -> String {
        let mut text = format!("  {}", self.quirk);
        if self.historic {
            text += " (no longer)";
        }
        for set in &self.switches {
            let _ = write!(text, " {}={}", set.path, set.value);
        }
        for change in &self.answers {
            let _ = write!(text, " answers[{}]", change.when);
        }
        text.push('\n');
        if !self.note.is_empty() {
            text += &format!("      {}\n", self.note);
        }
        text + &format!("      {}: {}\n", self.evidence, self.source)
    }
}

/// A quirk as text: what registries do, what a client does about it, and which profiles have it.
///
/// # Errors
/// [`ProfileError::UnknownQuirk`] if there is no quirk of this id, with the nearest id.
pub fn explain(id: &str) -> Result<String, ProfileError> {
    let Some(quirk) = quirk::named(id) else {
        let nearest = nearest(id, quirk::all().iter().map(|quirk| quirk.id.as_str()));
        return Err(ProfileError::UnknownQuirk {
            at: super::Place::given("--explain", id),
            id: id.to_owned(),
            nearest,
        });
    };
    let mut text = format!("{}, severity {}: {}\n", quirk.id, quirk.severity.number(), quirk.severity.words());
    text += &format!("  registries: {}\n  a client: {}\n", quirk.does, quirk.client);
    text += &format!("  the mock: {}\n", quirk.played());
    for (profile, entry) in having(quirk) {
        text += &format!("{}: {}\n{}", profile.name, profile.title, entry.described());
    }
    Ok(text)
}

/// The profiles that have a quirk themselves, with their entry for it.
fn having(quirk: &Quirk) -> Vec<(Profile, Entry)> {
    let profiles = NAMES.iter().filter_map(|name| Profile::named(name).ok());
    profiles
        .filter_map(|profile| {
            let entry = profile.entries.iter().find(|entry| entry.quirk == quirk.id)?.clone();
            Some((profile, entry))
        })
        .collect()
}

impl Severity {
    const fn words(self) -> &'static str {
        match self {
            Self::Cosmetic => "it shows, and nothing depends on it; or it is rare",
            Self::Needless => "who does not know it makes needless requests, or fails in some setups",
            Self::Breaking => "a push fails, or stores something wrong, where the client does not know it",
        }
    }
}

impl Quirk {
    /// How the mock registry reproduces it, as text.
    #[must_use]
    pub fn played(&self) -> String {
        match (self.played_by.as_str(), self.switches()) {
            ("fault", _) => "plays it as a fault that is asked for, with --fault".to_owned(),
            ("users", _) => "plays it where it has users, with --auth".to_owned(),
            (words, _) if !words.is_empty() => match words.split_once(": ") {
                Some(("not", why)) => format!("does not play it: {why}"),
                Some((_, why)) => format!("always plays it: {why}"),
                None => words.to_owned(),
            },
            (_, switches) if switches.is_empty() => "does what the spec says, which is the same".to_owned(),
            (_, switches) => format!("plays it with {}", switches.join(", ")),
        }
    }

    /// The switches with which profiles reproduce it.
    fn switches(&self) -> Vec<String> {
        let mut paths: Vec<String> = having(self)
            .into_iter()
            .flat_map(|(_, entry)| {
                let named = switches().into_iter().map(|switch| switch.path);
                let in_note = named.filter(|path| entry.note.contains(&format!("{path}="))).collect::<Vec<_>>();
                let answers = (!entry.answers.is_empty()).then(|| "changed answers".to_owned());
                entry.switches.into_iter().map(|set| set.path).chain(in_note).chain(answers).collect::<Vec<_>>()
            })
            .collect();
        paths.sort();
        paths.dedup();
        paths
    }
}
