//! Whole images: pushing one out of a layout, pulling one back.

use std::collections::BTreeSet;

use longshore_core::{Descriptor, Digest, Manifest, ManifestReference, Operation, Pushed, Receipt, Reference, Tag};
use longshore_sources::layout::Closure;
use longshore_sources::{ImageError, Sink, push_of};

use crate::{Http, Running, Session};

/// Pushes an image out of an OCI layout: a folder, or a tar of one; `PATH`, `PATH:name` or `PATH@digest` where it holds several.
///
/// Without tag and digest the reference means `latest`. Credentials are those that `docker login` left
/// on this machine; `Session::new(Http::default()).push_image(&closure, &reference)` goes without.
///
/// # Errors
/// Where the source or the reference cannot be read, or the push fails.
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
    /// The manifests, parents before children: the first is the one that was named.
    pub manifests: Vec<Manifest>,
    /// The blobs, each once, whose bytes went into the sinks.
    pub blobs: Vec<Descriptor>,
}

impl Session<Digest> {
    /// Pushes an image.
    ///
    /// # Errors
    /// Where the reference names another digest than the image has, or the push fails.
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

    /// Pulls an image: its manifests, and each of its blobs into the sink that `sink` names for it. The digests are checked.
    /// One image of a session is pulled at a time, its blobs side by side.
    ///
    /// # Errors
    /// Where something is not there, is not what its digest says, or cannot be had or written.
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
