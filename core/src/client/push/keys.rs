//! The keys of blobs that can be read only once, while a push of theirs lives: nobody else may use them.

use std::collections::BTreeMap;

use crate::config::OperationId;
use crate::driver::Key;

/// The keys of the live pushes' one-shot blobs.
pub(in crate::client) struct OneShotKeys<K> {
    owners: BTreeMap<K, OperationId>,
    keys: BTreeMap<OperationId, Vec<K>>,
}

impl<K: Key> OneShotKeys<K> {
    pub(in crate::client) const fn new() -> Self {
        Self { owners: BTreeMap::new(), keys: BTreeMap::new() }
    }

    /// Whether another blob has this key already, and can be read only once.
    pub(super) fn is_taken(&self, key: &K) -> bool {
        self.owners.contains_key(key)
    }

    pub(super) fn take(&mut self, key: &K, operation: OperationId) {
        self.owners.insert(key.clone(), operation);
        self.keys.entry(operation).or_default().push(key.clone());
    }

    /// A push is over: its keys may be used again.
    pub(in crate::client) fn release(&mut self, operation: OperationId) {
        for key in self.keys.remove(&operation).unwrap_or_default() {
            self.owners.remove(&key);
        }
    }
}
