//! Content that is stored once in a run, because many checks only look at it.

use std::sync::{Mutex, PoisonError};

use longshore_core::Algorithm;
use serde_json::json;

use super::content::{Blob, Document};
use super::tested::{Stop, TestedRegistry};

/// What is stored once in a run.
#[derive(Debug, Default)]
pub(super) struct Fixtures {
    blobs: Mutex<Option<Result<(Blob, Blob), Stop>>>,
    image: Mutex<Option<Result<(Document, String), Stop>>>,
}

/// What stands in the slot, or is made now. Whoever else needs it waits.
fn once<T: Clone>(slot: &Mutex<Option<Result<T, Stop>>>, make: impl FnOnce() -> Result<T, Stop>) -> Result<T, Stop> {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    slot.get_or_insert_with(make).clone()
}

impl TestedRegistry<'_> {
    /// A config and a layer in the first repository. Nobody deletes them before the end.
    pub(super) fn shared_blobs(&self) -> Result<(Blob, Blob), Stop> {
        once(&self.around.fixtures.blobs, || {
            let layer = self.stored_blob(2048)?;
            let config = json!({
                "architecture": "amd64",
                "os": "linux",
                "config": {},
                "rootfs": { "type": "layers", "diff_ids": [layer.digest.to_string()] },
            });
            let config = Blob::of(config.to_string(), Algorithm::Sha256);
            self.store(self.repository(), &config)?;
            Ok((config, layer))
        })
    }

    /// A blob in the first repository. Nobody deletes it before the end.
    pub(super) fn shared_blob(&self) -> Result<Blob, Stop> {
        self.shared_blobs().map(|(_, layer)| layer)
    }

    /// An image in the first repository, and a tag that names it. Nobody deletes or moves them before the end.
    pub(super) fn shared_image(&self) -> Result<(Document, String), Stop> {
        // Those of the blobs first: the two locks are never held at once.
        self.shared_blobs()?;
        once(&self.around.fixtures.image, || self.tagged_image())
    }
}
