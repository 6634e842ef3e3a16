//! Pushes whole images from a layout, and pulls them.

use std::collections::BTreeSet;

use longshore_core::{Descriptor, Digest, Manifest, ManifestReference, Operation, Pushed, Receipt, Reference, Tag};
use longshore_sources::layout::Closure;
use longshore_sources::{ImageError, Sink, push_of};

use crate::{Http, Running, Session};

/// Pushes an image from an OCI layout in a folder or a tar. `PATH:name` or `PATH@digest` chooses an image if it has
/// several.
///
/// Without tag and digest the reference means `latest`. The credentials are those that `docker login` has stored on
/// this machine; `Session::new(Http::default()).push_image(&closure, &reference)` uses none.
///
/// # Errors
/// If the source or the reference cannot be read, or the push fails.
pub async fn push(source: &str, reference: &str) -> Result<Pushed, ImageError> {
    let reference = reference.parse()?;
    let source = source.to_owned();
    let closure = tokio::task::spawn_blocking(move || Closure::find(&source)).await;
    let closure = closure.map_err(|_| ImageError::Panicked)??;
    let session = Session::builder(Http::default()).stored_credentials().start();
    session.push_image(&closure, &reference).await
}

/// An image that was pulled.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PulledImage {
    /// The manifests, parents before children. The first is the one that the reference names.
    pub manifests: Vec<Manifest>,
    /// The blobs that were written into the sinks, each once.
    pub blobs: Vec<Descriptor>,
}

impl Session<Digest> {
    /// Pushes an image.
    ///
    /// # Errors
    /// If the reference has another digest than the image, or the push fails.
    pub async fn push_image(&self, closure: &Closure, reference: &Reference) -> Result<Pushed, ImageError> {
        closure.check(reference)?;
        self.add_sources(&closure.sources());
        let result = self.start(push_of(closure, reference)).await;
        for blob in &closure.blobs {
            self.forget_source(&blob.descriptor.digest);
        }
        match result? {
            Receipt::Pushed(pushed) => Ok(pushed),
            other => unreachable!("a push gives a receipt of a push, not {other:?}"),
        }
    }

    /// Pulls an image: its manifests, and each of its blobs into the sink that `sink` returns for it. The digests are
    /// verified. A session pulls one image at a time, with its blobs in parallel.
    ///
    /// # Errors
    /// If content does not exist, has the wrong digest, or cannot be pulled or written.
    pub async fn pull_image(
        &self,
        reference: &Reference,
        mut sink: impl FnMut(&Descriptor) -> Sink,
    ) -> Result<PulledImage, ImageError> {
        let name = match (reference.digest, &reference.tag) {
            (Some(digest), _) => ManifestReference::Digest(digest),
            (None, Some(tag)) => ManifestReference::Tag(tag.clone()),
            (None, None) => ManifestReference::Tag(Tag::latest()),
        };
        let _turn = self.pull_turn().await;
        let mut manifests = vec![self.pull_manifest(reference, name).await?];
        let mut seen: BTreeSet<Digest> = manifests.iter().map(Manifest::digest).collect();
        let mut next = 0;
        while let Some(manifest) = manifests.get(next) {
            let children: Vec<Digest> =
                manifest.children().map(|child| child.digest).filter(|digest| seen.insert(*digest)).collect();
            next += 1;
            for child in children {
                manifests.push(self.pull_manifest(reference, ManifestReference::Digest(child)).await?);
            }
        }
        let mut blobs: Vec<Descriptor> = manifests.iter().flat_map(Manifest::blobs).cloned().collect();
        blobs.retain(|blob| seen.insert(blob.digest));
        let pulls: Vec<_> = blobs.iter().map(|blob| self.pull_blob(reference, blob, sink(blob))).collect();
        for (pull, blob) in pulls.into_iter().zip(&blobs) {
            let result = pull.await;
            self.forget_sink(&blob.digest);
            result?;
        }
        Ok(PulledImage { manifests, blobs })
    }

    async fn pull_manifest(&self, reference: &Reference, name: ManifestReference) -> Result<Manifest, ImageError> {
        let (registry, repository) = (reference.registry.clone(), reference.repository.clone());
        match self.start(Operation::PullManifest { registry, repository, reference: name }).await? {
            Receipt::Pulled(manifest) => Ok(manifest),
            other => unreachable!("a pull of a manifest gives a manifest, not {other:?}"),
        }
    }

    fn pull_blob(&self, reference: &Reference, blob: &Descriptor, sink: Sink) -> Running<Digest> {
        self.add_sink(blob.digest, sink);
        let (registry, repository) = (reference.registry.clone(), reference.repository.clone());
        let (digest, size) = (blob.digest, Some(blob.size));
        self.start(Operation::PullBlob { registry, repository, digest, size, sink: digest })
    }
}
