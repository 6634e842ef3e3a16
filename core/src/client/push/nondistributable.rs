//! Layers that their maker forbids to distribute (`nondistributable`, and Docker's `foreign`).

use std::collections::BTreeSet;

use crate::config::Options;
use crate::{Digest, Manifest};

/// Which blobs of a push are such layers and nothing else.
#[derive(Debug, Default)]
pub(super) struct Nondistributable {
    forbidden: BTreeSet<Digest>,
    /// What is referred to as something that may be distributed; that may be the same bytes.
    free: BTreeSet<Digest>,
}

impl Nondistributable {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Algorithm;

    /// An image whose only layer is empty, and of this type.
    fn image(layer: &str) -> Manifest {
        let digest = Digest::of(Algorithm::Sha256, b"");
        let blob = |kind: &str, of: Digest| format!(r#"{{"mediaType":"{kind}","digest":"{of}","size":0}}"#);
        let config = blob("application/vnd.oci.image.config.v1+json", Digest::of(Algorithm::Sha256, b"config"));
        let layers = blob(layer, digest);
        Manifest::parse(format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layers}]}}"#)).unwrap()
    }

    #[test]
    fn what_any_manifest_refers_to_as_an_ordinary_blob_is_one() {
        let foreign = image("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
        let free = image("application/vnd.oci.image.layer.v1.tar+gzip");
        let digest = Digest::of(Algorithm::Sha256, b"");
        for (manifests, is_skipped) in
            [([&foreign, &foreign], true), ([&foreign, &free], false), ([&free, &foreign], false)]
        {
            let mut all = Nondistributable::default();
            manifests.into_iter().for_each(|manifest| all.add(manifest));
            assert_eq!(all.skips(&digest, &Options::default()), is_skipped);
            let options = Options { push_nondistributable: true, ..Options::default() };
            assert!(!all.skips(&digest, &options));
        }
    }
}
