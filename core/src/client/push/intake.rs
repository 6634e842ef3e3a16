//! Adds what the caller gives to a push, after comparing it with what was given before.

use std::collections::{BTreeMap, BTreeSet};

use super::blobs::BlobState;
use super::graph::{ContentId, Evidence, Given, Kind};
use super::manifests::ManifestNode;
use super::{PushContext, PushJob};
use crate::config::{Blob, Options};
use crate::driver::Key;
use crate::outcome::{Event, Failure, FailureKind, Stored};
use crate::{Descriptor, Document, Manifest};

impl<K: Key> PushJob<K> {
    /// Adds what a push starts with. If it contradicts itself, the push fails.
    pub(super) fn take_in(&mut self, manifests: Vec<Manifest>, blobs: Vec<Blob<K>>, context: &mut PushContext<'_, K>) {
        self.blobs.reserve(blobs.len());
        self.graph.reserve(blobs.len().saturating_add(manifests.len()));
        for manifest in &manifests {
            self.graph.content(manifest.digest(), Kind::Manifest);
        }
        let manifests = manifests.into_iter().try_for_each(|manifest| self.add_manifest(manifest, context));
        let all = manifests.and_then(|()| blobs.into_iter().try_for_each(|blob| self.add_blob(blob, context)));
        if let Err(kind) = all {
            self.fail(Failure::new(kind));
        }
    }

    /// Adds a blob. One that is given twice is sent once.
    pub(super) fn add_blob(&mut self, blob: Blob<K>, context: &mut PushContext<'_, K>) -> Result<(), FailureKind> {
        if self.has_key(&blob, context)? {
            return Ok(());
        }
        let Some((digest, size)) = blob.identity else {
            context.keys.take(&blob.key, context.operation);
            self.blobs.add(blob, None);
            return Ok(());
        };
        let known = self.graph.find(digest, Kind::Blob);
        if let Some(said) = known.and_then(|id| self.graph.size(id)).filter(|said| *said != size) {
            return Err(FailureKind::SizeMismatch { expected: said, actual: size });
        }
        let id = self.graph.content(digest, Kind::Blob);
        self.graph.set_size(id, size);
        if let Given::Blob(number) = self.graph.given(id) {
            if let Some(node) = self.blobs.get_mut(number).filter(|node| node.state == BlobState::Waiting) {
                node.mounts.extend(blob.mounts);
            }
            self.blobs.add_key(blob.key, number);
            return Ok(());
        }
        if blob.is_one_shot {
            context.keys.take(&blob.key, context.operation);
        }
        let number = self.blobs.next();
        self.graph.give_blob(id, number);
        self.progress.add(size);
        self.blobs.add(blob, Some(id));
        if self.resumed.remove(&digest) {
            self.graph.there(id, Evidence::Acknowledged);
        }
        self.settle_blob(id, context);
        Ok(())
    }

    /// Whether the same content was already given with the same key. A key must name only one content.
    fn has_key(&self, blob: &Blob<K>, context: &PushContext<'_, K>) -> Result<bool, FailureKind> {
        let Some(node) = self.blobs.by_key(&blob.key) else {
            if context.keys.is_taken(&blob.key) {
                let text = format!("the key {:?} names a blob of another push that can be read only once", blob.key);
                return Err(FailureKind::Misuse(crate::text::shown(&text)));
            }
            return Ok(false);
        };
        let is_same = blob.identity.is_some() && node.identity(&self.graph) == blob.identity;
        if is_same && !blob.is_one_shot && !node.is_one_shot {
            return Ok(true);
        }
        let text = format!("the key {:?} was given for another blob, or for one that can be read only once", blob.key);
        Err(FailureKind::Misuse(crate::text::shown(&text)))
    }

    /// Adds a manifest. One that is given twice is sent once.
    pub(super) fn add_manifest(
        &mut self,
        manifest: Manifest,
        context: &mut PushContext<'_, K>,
    ) -> Result<(), FailureKind> {
        let digest = manifest.digest();
        if let Some(id) = self.graph.find(digest, Kind::Manifest)
            && let Given::Manifest(_) = self.graph.given(id)
        {
            return Ok(());
        }
        if manifest.media_type().is_docker_schema_1() {
            return Err(FailureKind::Unsupported { media_type: manifest.media_type().clone() });
        }
        self.agrees(&manifest)?;
        let number = self.manifests.len();
        let id = self.graph.content(digest, Kind::Manifest);
        self.graph.set_size(id, manifest.bytes().len() as u64);
        let needs = self.needs(&manifest, context);
        let subject = manifest.subject().map(|subject| self.graph.content(subject.digest, Kind::Manifest));
        if let (Some(subject), Some(id)) = (manifest.subject(), subject) {
            self.graph.set_size(id, subject.size);
            self.lists.given(subject.digest);
        }
        self.graph.give_manifest(id, number, &needs, subject);
        if *manifest.document() == Document::Other {
            self.graph.occupy(id);
            self.opaque.push(id);
        }
        self.manifests.push(ManifestNode::new(manifest, id));
        if self.graph.is_there(id) {
            self.found_manifest(number, true, context);
        }
        Ok(())
    }

    /// Checks that every size in a manifest's descriptors is the one that was given, or that other manifests state.
    fn agrees(&self, manifest: &Manifest) -> Result<(), FailureKind> {
        let is_other = |expected: u64, actual: u64| match expected == actual {
            true => Ok(()),
            false => Err(FailureKind::SizeMismatch { expected, actual }),
        };
        let of_content = |kind: Kind, reference: &Descriptor| {
            let id = self.graph.find(reference.digest, kind);
            id.and_then(|id| self.graph.size(id)).map_or(Ok(()), |actual| is_other(reference.size, actual))
        };
        let mut sizes = BTreeMap::new();
        for reference in manifest.blobs().chain(manifest.children()) {
            let said = *sizes.entry(reference.digest).or_insert(reference.size);
            is_other(said, reference.size)?;
        }
        // A descriptor of this manifest may have been added before the manifest.
        let said = self.graph.find(manifest.digest(), Kind::Manifest).and_then(|id| self.graph.size(id));
        said.map_or(Ok(()), |said| is_other(said, manifest.bytes().len() as u64))?;
        manifest.blobs().try_for_each(|blob| of_content(self.kind_of(blob), blob))?;
        let mut manifests = manifest.children().chain(manifest.subject());
        manifests.try_for_each(|reference| of_content(Kind::Manifest, reference))
    }

    /// The nodes that a manifest refers to. Content that was left out as non-distributable is sent if this manifest
    /// refers to it as ordinary content.
    fn needs(&mut self, manifest: &Manifest, context: &mut PushContext<'_, K>) -> BTreeSet<ContentId> {
        let mut needs = BTreeSet::new();
        for blob in manifest.blobs() {
            let id = self.graph.content(blob.digest, self.kind_of(blob));
            needs.insert(id);
            self.graph.set_size(id, blob.size);
            let was_left_out = self.graph.refer(id, may_be_left_out(blob, context.options));
            if let Given::Blob(number) = self.graph.given(id) {
                if was_left_out {
                    self.blobs.again(number);
                } else {
                    self.settle_blob(id, context);
                }
            }
        }
        for child in manifest.children() {
            let id = self.graph.content(child.digest, Kind::Manifest);
            needs.insert(id);
            self.graph.set_size(id, child.size);
            self.graph.refer(id, false);
        }
        needs
    }

    /// Whether a reference is to a blob or a manifest. A reference of an unknown type is to a manifest if the caller
    /// gave it as one.
    fn kind_of(&self, reference: &Descriptor) -> Kind {
        let is_in = |kind| self.graph.find(reference.digest, kind).is_some();
        if is_in(Kind::Manifest) && !is_in(Kind::Blob) { Kind::Manifest } else { Kind::Blob }
    }

    /// Completes a given blob that waits, if it is in the repository or need not be.
    pub(super) fn settle_blob(&mut self, id: ContentId, context: &mut PushContext<'_, K>) {
        let Given::Blob(number) = self.graph.given(id) else { return };
        let evidence = self.graph.evidence(id);
        let is_waiting = |state| state == BlobState::Waiting;
        if evidence == Evidence::None || !self.blobs.get(number).is_some_and(|node| is_waiting(node.state)) {
            return;
        }
        self.blobs.done(number);
        let Some(node) = self.blobs.get_mut(number) else { return };
        self.progress.done(node);
        if evidence != Evidence::LeftOut {
            self.report.stored(&Stored::Existing);
            if let Some((digest, size)) = node.identity(&self.graph) {
                let blob = node.key.clone();
                context.events.push(Event::BlobStored { blob, digest, size, how: Stored::Existing });
            }
        }
    }
}

/// Whether a layer may not be distributed, and the options leave such layers out.
fn may_be_left_out(blob: &Descriptor, options: &Options) -> bool {
    blob.media_type.is_nondistributable() && !options.push_nondistributable
}
