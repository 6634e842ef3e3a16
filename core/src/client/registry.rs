//! What a client keeps of one registry.

use std::collections::{BTreeMap, BTreeSet};

use super::registry_auth::RegistryAuth;
use crate::config::{Deletion, Learned};
use crate::{Digest, Instant, Origin, Registry, Repository};

/// How many warnings are kept to tell new ones from old.
const MAX_WARNINGS: usize = 256;

/// How many origins are remembered to which a registry redirects, and that want tokens.
const MAX_GUESTS: usize = 16;

/// What a client keeps of one registry.
pub(super) struct RegistryState {
    pub(super) registry: Registry,
    pub(super) learned: Learned,
    pub(super) door: RegistryAuth,
    /// The doors of others, to which it redirects, and where we are nobody.
    guests: BTreeMap<Origin, RegistryAuth>,
    /// Until when the registry asked to be left alone.
    pub(super) paused_until: Instant,
    /// Whether it has shown by an answer what it wants: until then one request flies alone.
    pub(super) is_known: bool,
    /// What it has acknowledged, by repository.
    have: BTreeMap<Repository, BTreeSet<Digest>>,
    /// What this client deleted, or may have, by repository, each with the number of its deletion: that something else refers
    /// to it is no proof that it is there.
    deleted: BTreeMap<Repository, BTreeMap<Digest, u64>>,
    /// How often it deleted something.
    deletions: u64,
    warnings: BTreeSet<String>,
}

impl RegistryState {
    pub(super) fn new(registry: Registry) -> Self {
        Self {
            door: RegistryAuth::new(registry.origin()),
            guests: BTreeMap::new(),
            registry,
            learned: Learned::default(),
            paused_until: Instant::ZERO,
            is_known: false,
            have: BTreeMap::new(),
            deleted: BTreeMap::new(),
            deletions: 0,
            warnings: BTreeSet::new(),
        }
    }

    /// The door of an origin: the registry's own, or that of a redirect's target.
    pub(super) fn door_of(&mut self, origin: &Origin) -> &mut RegistryAuth {
        if *origin == self.registry.origin() {
            return &mut self.door;
        }
        if self.guests.len() >= MAX_GUESTS && !self.guests.contains_key(origin) {
            self.guests.clear();
        }
        self.guests.entry(origin.clone()).or_insert_with(|| RegistryAuth::guest(origin.clone()))
    }

    /// What is known to be in a repository.
    pub(super) fn known(&self, repository: &Repository) -> BTreeSet<Digest> {
        self.have.get(repository).cloned().unwrap_or_default()
    }

    /// What was deleted from a repository, and was not seen there since.
    pub(super) fn deleted(&self, repository: &Repository) -> BTreeMap<Digest, u64> {
        self.deleted.get(repository).cloned().unwrap_or_default()
    }

    /// A push has ended: what it has acknowledged is there, but for what was deleted since it began, when it knew of these
    /// deletions.
    pub(super) fn remember<'a>(
        &mut self,
        repository: &Repository,
        have: impl Iterator<Item = &'a Digest>,
        lost: &BTreeSet<Digest>,
        knew: &BTreeMap<Digest, u64>,
    ) {
        let known = self.have.entry(repository.clone()).or_default();
        known.retain(|digest| !lost.contains(digest));
        let deleted = self.deleted.entry(repository.clone()).or_default();
        let is_deleted_since = |digest: &&Digest| deleted.get(digest).is_some_and(|now| knew.get(digest) != Some(now));
        known.extend(have.filter(|digest| !is_deleted_since(digest)));
        deleted.retain(|digest, _| !known.contains(digest));
    }

    /// Something is deleted, or may be, and more may be gone with it.
    pub(super) fn forget(&mut self, repository: &Repository, what: &Deletion) {
        self.have.remove(repository);
        if let Deletion::Manifest(digest) | Deletion::Blob(digest) = what {
            self.deletions = self.deletions.saturating_add(1);
            self.deleted.entry(repository.clone()).or_default().insert(*digest, self.deletions);
        }
    }

    /// Whether this warning is told for the first time.
    pub(super) fn is_new_warning(&mut self, text: &str) -> bool {
        self.warnings.len() < MAX_WARNINGS && self.warnings.insert(text.to_owned())
    }
}
