//! Stores new content in the registry, which a check then uses.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::Method;
use longshore_core::{Algorithm, MediaType, Repository};
use serde_json::{Value, json};

use super::content::{Blob, Document};
use super::received::Received;
use super::stop::{Stop, prepared};
use super::tested::{Left, TestedRegistry};

impl<'a> TestedRegistry<'a> {
    /// A text of this many bytes with a unique beginning.
    pub(super) fn text(&self, len: usize) -> Bytes {
        let mut text = vec![b'x'; len];
        let begin = format!("{} of longshore's conformance suite, for {}\n", self.unique(), self.id);
        let shown = begin.len().min(len);
        text[..shown].copy_from_slice(&begin.as_bytes()[..shown]);
        text.into()
    }

    /// A blob of this many bytes.
    pub(super) fn blob(&self, len: usize) -> Blob {
        Blob::of(self.text(len), Algorithm::Sha256)
    }

    /// A blob of this many bytes, of which no two blocks of a power of two are equal: one that is lost, repeated or moved
    /// is seen.
    pub(super) fn large_blob(&self, len: usize) -> Blob {
        // 1021 is a prime number: the line is at another place in each block.
        let mut bytes = self.text(1021).repeat(len / 1021 + 1);
        bytes.truncate(len);
        Blob::of(bytes, Algorithm::Sha256)
    }

    /// Checks that GET returns these bytes with 200.
    pub(super) fn serves(&self, path: &str, bytes: &[u8]) -> Result<(), Stop> {
        self.get(path).send()?.status(200)?.body(bytes).map(drop)
    }

    /// Stores a blob in the first repository.
    pub(super) fn stored_blob(&self, len: usize) -> Result<Blob, Stop> {
        let blob = self.blob(len);
        self.store(self.repository(), &blob)?;
        Ok(blob)
    }

    /// Stores a blob in a repository, in any way that the registry accepts.
    pub(super) fn store(&self, repository: &Repository, blob: &Blob) -> Result<(), Stop> {
        prepared("a blob could not be stored", self.upload_somehow(repository, blob))?;
        self.leaves(Left::Blob(repository.clone(), blob.digest.to_string()));
        Ok(())
    }

    fn upload_somehow(&self, repository: &Repository, blob: &Blob) -> Result<(), Stop> {
        let whole = self.upload_whole(repository, blob);
        if whole.as_ref().is_ok_and(Received::is_success) {
            return Ok(());
        }
        let digest = blob.digest.to_string();
        let post = self.request(Method::POST, repository, "blobs/uploads/").query("digest", &digest);
        let single = post.bytes(blob.bytes.clone()).send()?;
        if single.code() == 201 {
            return Ok(());
        }
        let upload = self.open(repository)?;
        upload.patch(blob.bytes.clone()).send()?;
        let closed = upload.close(&digest).send()?;
        if closed.is_success() { Ok(()) } else { Err(closed.fail("a blob that is stored", closed.summary())) }
    }

    fn upload_whole(&self, repository: &Repository, blob: &Blob) -> Result<Received<'_, 'a>, Stop> {
        let upload = self.open(repository)?;
        upload.close(blob.digest.to_string()).bytes(blob.bytes.clone()).send()
    }

    /// A new image, whose config and layer are stored in the first repository. `change` may change it before it is
    /// serialized.
    pub(super) fn image(&self, change: impl FnOnce(&mut Value)) -> Result<Document, Stop> {
        let (config, layer) = self.shared_blobs()?;
        let mut image = json!({
            "schemaVersion": 2,
            "mediaType": MediaType::OCI_MANIFEST,
            "config": config.descriptor("application/vnd.oci.image.config.v1+json"),
            "layers": [layer.descriptor("application/vnd.oci.image.layer.v1.tar")],
            "annotations": { "org.longshore.conformance": self.unique() },
        });
        change(&mut image);
        Ok(Document::of(MediaType::OCI_MANIFEST, &image))
    }

    /// A new index of these manifests.
    pub(super) fn index(&self, manifests: &[&Document], change: impl FnOnce(&mut Value)) -> Document {
        let manifests: Vec<Value> = manifests.iter().map(|manifest| manifest.descriptor()).collect();
        let mut index = json!({
            "schemaVersion": 2,
            "mediaType": MediaType::OCI_INDEX,
            "manifests": manifests,
            "annotations": { "org.longshore.conformance": self.unique() },
        });
        change(&mut index);
        Document::of(MediaType::OCI_INDEX, &index)
    }

    /// Sends a PUT of a document with a reference.
    pub(super) fn put_document(&self, document: &Document, reference: &str) -> Result<Received<'_, 'a>, Stop> {
        let path = format!("manifests/{reference}");
        let received = self.put(&path).body(&document.media_type, document.bytes.clone()).send()?;
        if received.is_success() {
            self.leaves(Left::Manifest(self.repository().clone(), document.digest.to_string()));
        }
        Ok(received)
    }

    /// Stores a document in the first repository.
    pub(super) fn store_document(&self, document: &Document) -> Result<(), Stop> {
        let by_digest = self.put_document(document, &document.digest.to_string());
        if by_digest.as_ref().is_ok_and(Received::is_success) {
            return Ok(());
        }
        prepared("a manifest could not be stored", self.tagged(document, &self.tag()))
    }

    /// Stores a document in the first repository under a tag.
    pub(super) fn store_tagged(&self, document: &Document, tag: &str) -> Result<(), Stop> {
        prepared("a manifest could not be stored under a tag", self.tagged(document, tag))
    }

    fn tagged(&self, document: &Document, tag: &str) -> Result<(), Stop> {
        let received = self.put_document(document, tag)?;
        if received.is_success() { Ok(()) } else { Err(received.fail("a manifest that is stored", received.summary())) }
    }

    /// Stores an image in the first repository by its digest.
    pub(super) fn stored_image(&self) -> Result<Document, Stop> {
        let image = self.image(|_| {})?;
        self.store_document(&image)?;
        Ok(image)
    }

    /// Stores an image in the first repository under a new tag. Returns both.
    pub(super) fn tagged_image(&self) -> Result<(Document, String), Stop> {
        let (image, tag) = (self.image(|_| {})?, self.tag());
        self.store_tagged(&image, &tag)?;
        Ok((image, tag))
    }

    /// A config and a layer in the first repository. No check deletes them.
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

    /// A blob in the first repository. No check deletes it.
    pub(super) fn shared_blob(&self) -> Result<Blob, Stop> {
        self.shared_blobs().map(|(_, layer)| layer)
    }

    /// An image in the first repository, and a tag that names it. No check deletes the image or moves the tag.
    pub(super) fn shared_image(&self) -> Result<(Document, String), Stop> {
        // The blobs first, so that the two locks are never held at the same time.
        self.shared_blobs()?;
        once(&self.around.fixtures.image, || self.tagged_image())
    }
}

/// The value in the slot. If there is none, it is made now, and other checks that need it wait.
fn once<T: Clone>(slot: &Mutex<Option<Result<T, Stop>>>, make: impl FnOnce() -> Result<T, Stop>) -> Result<T, Stop> {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    slot.get_or_insert_with(make).clone()
}
