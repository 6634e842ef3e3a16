//! What a client keeps of one registry.

use std::collections::{BTreeMap, BTreeSet};

use super::Learned;
use super::door::Door;
use crate::{Digest, Instant, Registry, Repository};

/// How many warnings are kept to tell new ones from old.
const MAX_WARNINGS: usize = 256;

/// What a client keeps of one registry.
pub(super) struct RegistryState {
    pub(super) registry: Registry,
    pub(super) learned: Learned,
    pub(super) door: Door,
    /// Until when the registry asked to be left alone.
    pub(super) paused_until: Instant,
    /// Whether it has shown by an answer what it wants: until then one request flies alone.
    pub(super) is_known: bool,
    /// What it has acknowledged, by repository.
    have: BTreeMap<Repository, BTreeSet<Digest>>,
    warnings: BTreeSet<String>,
}

impl RegistryState {
    pub(super) fn new(registry: Registry) -> Self {
        Self {
            door: Door::new(registry.origin()),
            registry,
            learned: Learned::default(),
            paused_until: Instant::ZERO,
            is_known: false,
            have: BTreeMap::new(),
            warnings: BTreeSet::new(),
        }
    }

    /// What is known to be in a repository.
    pub(super) fn known(&self, repository: &Repository) -> BTreeSet<Digest> {
        self.have.get(repository).cloned().unwrap_or_default()
    }

    pub(super) fn remember<'a>(
        &mut self,
        repository: &Repository,
        have: impl Iterator<Item = &'a Digest>,
        lost: &BTreeSet<Digest>,
    ) {
        let known = self.have.entry(repository.clone()).or_default();
        known.retain(|digest| !lost.contains(digest));
        known.extend(have);
    }

    /// Something was deleted, and more may be gone with it.
    pub(super) fn forget(&mut self, repository: &Repository) {
        self.have.remove(repository);
    }

    /// Whether this warning is told for the first time.
    pub(super) fn is_new_warning(&mut self, text: &str) -> bool {
        self.warnings.len() < MAX_WARNINGS && self.warnings.insert(text.to_owned())
    }
}
