//! How content that nobody else has comes to stand at the registry before something is checked about it.

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
    /// Text of so many bytes, that begins as no other does.
    pub(super) fn text(&self, len: usize) -> Bytes {
        let mut text = vec![b'x'; len];
        let begin = format!("{} of longshore's conformance suite, for {}\n", self.unique(), self.id);
        let shown = begin.len().min(len);
        text[..shown].copy_from_slice(&begin.as_bytes()[..shown]);
        text.into()
    }

    /// A blob of so many bytes.
    pub(super) fn blob(&self, len: usize) -> Blob {
        Blob::of(self.text(len), Algorithm::Sha256)
    }

    /// GET serves this with 200, byte for byte.
    pub(super) fn serves(&self, path: &str, bytes: &[u8]) -> Result<(), Stop> {
        self.get(path).send()?.status(200)?.body(bytes).map(drop)
    }

    /// A blob that stands in the first repository.
    pub(super) fn stored_blob(&self, len: usize) -> Result<Blob, Stop> {
        let blob = self.blob(len);
        self.store(self.repository(), &blob)?;
        Ok(blob)
    }

    /// Brings a blob into a repository, in whichever way the registry takes it.
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

    /// An image that nobody else has: its config and its layer stand in the first repository. `change` may do anything to
    /// it before it is written out.
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

    /// An index that nobody else has, of these manifests.
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

    /// PUT of a document under a name.
    pub(super) fn put_document(&self, document: &Document, reference: &str) -> Result<Received<'_, 'a>, Stop> {
        let path = format!("manifests/{reference}");
        let received = self.put(&path).body(&document.media_type, document.bytes.clone()).send()?;
        if received.is_success() {
            self.leaves(Left::Manifest(self.repository().clone(), document.digest.to_string()));
        }
        Ok(received)
    }

    /// Brings a document into the first repository.
    pub(super) fn store_document(&self, document: &Document) -> Result<(), Stop> {
        let by_digest = self.put_document(document, &document.digest.to_string());
        if by_digest.as_ref().is_ok_and(Received::is_success) {
            return Ok(());
        }
        prepared("a manifest could not be stored", self.tagged(document, &self.tag()))
    }

    /// Brings a document into the first repository under a tag.
    pub(super) fn store_tagged(&self, document: &Document, tag: &str) -> Result<(), Stop> {
        prepared("a manifest could not be stored under a tag", self.tagged(document, tag))
    }

    fn tagged(&self, document: &Document, tag: &str) -> Result<(), Stop> {
        let received = self.put_document(document, tag)?;
        if received.is_success() { Ok(()) } else { Err(received.fail("a manifest that is stored", received.summary())) }
    }

    /// An image that stands in the first repository by its digest.
    pub(super) fn stored_image(&self) -> Result<Document, Stop> {
        let image = self.image(|_| {})?;
        self.store_document(&image)?;
        Ok(image)
    }

    /// An image that stands there under a tag, and the tag.
    pub(super) fn tagged_image(&self) -> Result<(Document, String), Stop> {
        let (image, tag) = (self.image(|_| {})?, self.tag());
        self.store_tagged(&image, &tag)?;
        Ok((image, tag))
    }

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

/// What stands in the slot, or is made now. Whoever else needs it waits.
fn once<T: Clone>(slot: &Mutex<Option<Result<T, Stop>>>, make: impl FnOnce() -> Result<T, Stop>) -> Result<T, Stop> {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    slot.get_or_insert_with(make).clone()
}
