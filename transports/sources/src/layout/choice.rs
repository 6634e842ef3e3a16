//! The choices that an error message lists.

use std::collections::{BTreeMap, BTreeSet};

use longshore_core::content::Platform;
use longshore_core::{Descriptor, Digest};

use super::index::names;

/// One image that can be chosen, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) name: Option<String>,
    pub(super) platform: Option<Platform>,
    pub(super) digest: Digest,
}

impl Choice {
    /// A choice for every name of an entry, or one without a name.
    pub(super) fn of(entry: &Descriptor) -> Vec<Self> {
        let choice = |name| Self { name, platform: entry.platform.as_deref().cloned(), digest: entry.digest };
        let named: Vec<Self> = names(entry).map(|name| choice(Some(name.to_owned()))).collect();
        if named.is_empty() { vec![choice(None)] } else { named }
    }

    fn name_or_digest(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.digest.to_string())
    }

    fn platform_or_digest(&self) -> String {
        self.platform.as_ref().map_or_else(|| self.digest.to_string(), Platform::to_string)
    }

    /// The text that distinguishes it from others with the same name. The digest is first, because it can be chosen by
    /// it.
    fn in_full(&self) -> String {
        let platform = self.platform.as_ref().map(Platform::to_string);
        let known: Vec<String> = self.name.iter().cloned().chain(platform).collect();
        if known.is_empty() { self.digest.to_string() } else { format!("{} ({})", self.digest, known.join(", ")) }
    }
}

/// Choices by name, each once.
pub(super) fn by_name(choices: &[Choice]) -> Vec<String> {
    tell_apart(choices, Choice::name_or_digest)
}

/// Choices by platform, each once.
pub(super) fn by_platform(choices: &[Choice]) -> Vec<String> {
    tell_apart(choices, Choice::platform_or_digest)
}

fn tell_apart(choices: &[Choice], short: fn(&Choice) -> String) -> Vec<String> {
    let mut digests = BTreeMap::<String, BTreeSet<Digest>>::new();
    for choice in choices {
        digests.entry(short(choice)).or_default().insert(choice.digest);
    }
    let mut texts = Vec::new();
    let mut seen = BTreeSet::new();
    for choice in choices {
        let short = short(choice);
        let is_alone = digests.get(&short).is_none_or(|digests| digests.len() < 2);
        let text = if is_alone { short } else { choice.in_full() };
        if seen.insert(text.clone()) {
            texts.push(text);
        }
    }
    texts
}

/// The platforms of the choices, each once.
pub(super) fn platforms(choices: &[Choice]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let platforms = choices.iter().filter_map(|choice| choice.platform.as_ref()).map(Platform::to_string);
    platforms.filter(|platform| seen.insert(platform.clone())).collect()
}
