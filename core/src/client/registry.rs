//! What a client keeps of one registry.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::auth::RegistryAuth;
use crate::config::Learned;
use crate::{Origin, Registry};

/// How many warnings are remembered, so that each is reported once.
const MAX_WARNINGS: usize = 256;

/// How many redirect targets that want tokens are remembered.
const MAX_GUESTS: usize = 16;

/// What a client keeps of one registry.
pub(super) struct RegistryState {
    pub(super) registry: Registry,
    pub(super) learned: Learned,
    pub(super) auth: RegistryAuth,
    /// The authentication state of redirect targets, which get anonymous tokens only.
    guests: BTreeMap<Origin, RegistryAuth>,
    warnings: BTreeSet<String>,
    /// The warnings in the order in which they came: the oldest is forgotten first.
    warned: VecDeque<String>,
}

impl RegistryState {
    pub(super) fn new(registry: Registry) -> Self {
        Self {
            auth: RegistryAuth::new(registry.origin()),
            guests: BTreeMap::new(),
            registry,
            learned: Learned::default(),
            warnings: BTreeSet::new(),
            warned: VecDeque::new(),
        }
    }

    /// The authentication state of an origin: the registry itself, or a redirect's target.
    pub(super) fn auth_of(&mut self, origin: &Origin) -> &mut RegistryAuth {
        if *origin == self.registry.origin() {
            return &mut self.auth;
        }
        if self.guests.len() >= MAX_GUESTS && !self.guests.contains_key(origin) {
            self.guests.clear();
        }
        self.guests.entry(origin.clone()).or_insert_with(|| RegistryAuth::guest(origin.clone()))
    }

    /// Whether this warning is not among those that are remembered.
    pub(super) fn is_new_warning(&mut self, text: &str) -> bool {
        if !self.warnings.insert(text.to_owned()) {
            return false;
        }
        self.warned.push_back(text.to_owned());
        if self.warned.len() > MAX_WARNINGS
            && let Some(oldest) = self.warned.pop_front()
        {
            self.warnings.remove(&oldest);
        }
        true
    }
}
