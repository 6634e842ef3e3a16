//! The keys of one-shot blobs. While their push is running, no other blob may use them.

use std::collections::BTreeMap;

use crate::config::OperationId;
use crate::driver::Key;

/// The keys of the running pushes' one-shot blobs.
pub(in crate::client) struct OneShotKeys<K> {
    owners: BTreeMap<K, OperationId>,
    keys: BTreeMap<OperationId, Vec<K>>,
}

impl<K: Key> OneShotKeys<K> {
    pub(in crate::client) const fn new() -> Self {
        Self { owners: BTreeMap::new(), keys: BTreeMap::new() }
    }

    /// Whether a one-shot blob already has this key.
    pub(super) fn is_taken(&self, key: &K) -> bool {
        self.owners.contains_key(key)
    }

    pub(super) fn take(&mut self, key: &K, operation: OperationId) {
        self.owners.insert(key.clone(), operation);
        self.keys.entry(operation).or_default().push(key.clone());
    }

    /// A push has ended: its keys may be used again.
    pub(in crate::client) fn release(&mut self, operation: OperationId) {
        for key in self.keys.remove(&operation).unwrap_or_default() {
            self.owners.remove(&key);
        }
    }
}
