//! Restores a registry from a storage.

use crate::manifests;
use crate::options::RegistryOptions;
use crate::registry::Registry;
use crate::state::Blob;
use crate::storage::{Record, Storage, StorageError};

impl Registry {
    /// A registry with the content of the storage.
    ///
    /// # Errors
    /// If the storage cannot be read.
    pub fn with_storage(options: RegistryOptions, mut storage: Box<dyn Storage>) -> Result<Self, StorageError> {
        let records = storage.load()?;
        let mut registry = Self::empty(options, storage);
        for record in records {
            registry.restore(record);
        }
        for contents in registry.state.repositories.values_mut() {
            contents.tags.retain(|_, digest| contents.manifests.contains_key(digest));
        }
        Ok(registry)
    }

    fn restore(&mut self, record: Record) {
        let visible_from = self.now;
        match record {
            Record::Blob { repository, digest, size } => {
                self.state.contents(&repository).blobs.insert(digest, Blob { size, visible_from });
            }
            Record::Manifest { repository, digest, content: (media_type, bytes) } => {
                let stored = manifests::restore(media_type, bytes);
                self.state.store_manifest(&repository, digest, stored);
            }
            Record::Tag { repository, tag, digest } => {
                self.state.contents(&repository).tags.insert(tag, digest);
            }
        }
    }
}
