//! Content that nobody else has, and how it comes to stand at the registry before something is checked about it.

use bytes::Bytes;
use http::Method;
use longshore_core::{Algorithm, Digest, MediaType, Repository};
use serde_json::{Value, json};

use super::received::Received;
use super::tested::{Left, Stop, TestedRegistry, prepared};

/// A blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) bytes: Bytes,
    pub(super) digest: Digest,
}

/// A manifest or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) bytes: Bytes,
    pub(super) digest: Digest,
    pub(super) media_type: String,
}

impl Blob {
    pub(super) fn of(bytes: impl Into<Bytes>, algorithm: Algorithm) -> Self {
        let bytes = bytes.into();
        Self { digest: Digest::of(algorithm, &bytes), bytes }
    }

    /// How a manifest refers to it.
    pub(super) fn descriptor(&self, media_type: &str) -> Value {
        json!({ "mediaType": media_type, "digest": self.digest.to_string(), "size": self.bytes.len() })
    }

    /// Its path below its repository's.
    pub(super) fn path(&self) -> String {
        format!("blobs/{}", self.digest)
    }
}

impl Document {
    /// A document of a type, from its JSON.
    pub(super) fn of(media_type: &str, content: &Value) -> Self {
        Self::of_bytes(media_type, content.to_string(), Algorithm::Sha256)
    }

    pub(super) fn of_bytes(media_type: &str, bytes: impl Into<Bytes>, algorithm: Algorithm) -> Self {
        let bytes = bytes.into();
        Self { digest: Digest::of(algorithm, &bytes), bytes, media_type: media_type.to_owned() }
    }

    /// The same under its digest of another algorithm.
    pub(super) fn hashed(self, algorithm: Algorithm) -> Self {
        Self { digest: Digest::of(algorithm, &self.bytes), ..self }
    }

    /// How another manifest refers to it.
    pub(super) fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest.to_string(), "size": self.bytes.len() })
    }

    /// Its path below its repository's, by digest.
    pub(super) fn path(&self) -> String {
        format!("manifests/{}", self.digest)
    }
}

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
        upload.close(&blob.digest.to_string()).bytes(blob.bytes.clone()).send()
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
}
