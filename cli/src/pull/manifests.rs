//! Which manifests there are, and which of them is meant.

use std::collections::BTreeSet;

use longshore_core::content::{Document, Platform};
use longshore_core::{Descriptor, Digest, Manifest, ManifestReference, Operation, Receipt};
use longshore_sources::layout::{LayoutWriter, MAX_DEPTH, MAX_MANIFEST, MAX_MANIFESTS};
use longshore_sources::{Layout, Selection};

use super::Pull;
use crate::exit::Error;

impl Pull {
    /// The manifest that is meant: what the reference names, or the image for the platform below it.
    pub(super) async fn root(&mut self, platform: Option<&Platform>) -> Result<(Descriptor, Manifest), Error> {
        let reference = self.reference.clone();
        let root = self.connection.manifest(&reference).await?;
        let Some(platform) = platform else { return Ok((root.descriptor(), root)) };
        let chosen = self.for_platform(&root, platform).await?;
        if chosen.digest == root.digest() {
            return Ok((chosen, root));
        }
        let manifest = self.manifests(&[chosen.digest]).await?.pop();
        manifest.map(|manifest| (chosen, manifest)).ok_or_else(|| Error::failed("there is no such manifest"))
    }

    /// Pulls no more than says what the images are for, as a layout, which knows how to choose.
    async fn for_platform(&mut self, root: &Manifest, platform: &Platform) -> Result<Descriptor, Error> {
        let folder =
            tempfile::tempdir().map_err(|error| Error::failed(format!("cannot make a temporary folder: {error}")))?;
        let writer = LayoutWriter::new(folder.path());
        let is_told = |entry: &Descriptor| {
            entry.platform.as_ref().is_some_and(|told| {
                !told.os.is_empty()
                    && !told.architecture.is_empty()
                    && (told.os_version.is_some() || platform.os_version.is_none())
                    && platform.os_features.is_empty()
            })
        };
        let found = self.below(root.clone(), |entry| entry.media_type.is_index() || !is_told(entry)).await?;
        let mut configs = Vec::new();
        for manifest in &found {
            writer.manifest(manifest).map_err(Error::failed)?;
            if let Document::Image(image) = manifest.document()
                && image.config.size <= MAX_MANIFEST
            {
                configs.push((image.config.clone(), writer.blob(&image.config.digest).map_err(Error::failed)?));
            }
        }
        self.blobs(&configs).await?;
        writer.finish(&[root.descriptor()], None).map_err(Error::failed)?;
        let layout = Layout::open(folder.path()).map_err(Error::failed)?;
        layout.select(&Selection::Only, Some(platform)).map_err(|error| {
            Error::failed(error.to_string().replace(&folder.path().display().to_string(), &self.reference.to_string()))
        })
    }

    /// A manifest and those below it that are wanted, parents before children, each once.
    pub(super) async fn below(
        &mut self,
        root: Manifest,
        is_wanted: impl Fn(&Descriptor) -> bool,
    ) -> Result<Vec<Manifest>, Error> {
        let mut seen = BTreeSet::from([root.digest()]);
        let (mut found, mut next, mut depth) = (vec![root], 0, 0);
        while next < found.len() {
            let level = found[next..].iter().flat_map(Manifest::children);
            let wanted: Vec<Digest> =
                level.filter(|child| is_wanted(child) && seen.insert(child.digest)).map(|child| child.digest).collect();
            next = found.len();
            depth += 1;
            if seen.len() > MAX_MANIFESTS || depth > MAX_DEPTH + 1 {
                return Err(Error::failed(format!(
                    "there are more than {MAX_MANIFESTS} manifests, or indexes {MAX_DEPTH} deep: a digest of one below can be pulled"
                )));
            }
            found.extend(self.manifests(&wanted).await?);
        }
        Ok(found)
    }

    async fn manifests(&mut self, digests: &[Digest]) -> Result<Vec<Manifest>, Error> {
        let operations: Vec<_> = digests.iter().map(|digest| self.manifest(*digest)).collect();
        let receipts = self.connection.run_all(operations).await?;
        let pulled = receipts.into_iter().map(|receipt| match receipt {
            Receipt::Pulled(manifest) => manifest,
            receipt => unreachable!("a pull of a manifest gives a manifest, not {receipt:?}"),
        });
        Ok(pulled.collect())
    }

    fn manifest(&self, digest: Digest) -> Operation<Digest> {
        let (registry, repository) = (self.reference.registry.clone(), self.reference.repository.clone());
        Operation::PullManifest { registry, repository, reference: ManifestReference::Digest(digest) }
    }
}
