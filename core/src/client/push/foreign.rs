//! Layers that their maker forbids to distribute (`nondistributable`, and Docker's `foreign`).

use std::collections::BTreeSet;

use crate::client::Options;
use crate::{Digest, Manifest};

/// Which blobs of a push are such layers and nothing else.
#[derive(Debug, Default)]
pub(super) struct Foreign {
    forbidden: BTreeSet<Digest>,
    /// What is referred to as something that may be distributed; that may be the same bytes.
    free: BTreeSet<Digest>,
}

impl Foreign {
    /// Takes in what a manifest of the push refers to.
    pub(super) fn add(&mut self, manifest: &Manifest) {
        for blob in manifest.blobs() {
            if !blob.media_type.is_nondistributable() {
                self.free.insert(blob.digest);
                self.forbidden.remove(&blob.digest);
            } else if !self.free.contains(&blob.digest) {
                self.forbidden.insert(blob.digest);
            }
        }
    }

    /// Whether this blob is left out of the push.
    pub(super) fn skips(&self, digest: &Digest, options: &Options) -> bool {
        !options.push_nondistributable && self.forbidden.contains(digest)
    }
}
