//! What a client keeps of one registry.

use std::collections::{BTreeMap, BTreeSet};

use super::registry_auth::RegistryAuth;
use crate::config::Learned;
use crate::{Instant, Origin, Registry};

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

    /// Whether this warning is told for the first time.
    pub(super) fn is_new_warning(&mut self, text: &str) -> bool {
        self.warnings.len() < MAX_WARNINGS && self.warnings.insert(text.to_owned())
    }
}
