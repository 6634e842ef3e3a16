//! Content: blobs and documents, with their digests.

use bytes::Bytes;
use longshore_core::{Algorithm, Digest};
use serde_json::{Value, json};

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

    /// The descriptor with which a manifest refers to it.
    pub(super) fn descriptor(&self, media_type: &str) -> Value {
        json!({ "mediaType": media_type, "digest": self.digest.to_string(), "size": self.bytes.len() })
    }

    /// Its path below its repository's.
    pub(super) fn path(&self) -> String {
        format!("blobs/{}", self.digest)
    }
}

impl Document {
    /// A document of a media type, from its JSON.
    pub(super) fn of(media_type: &str, content: &Value) -> Self {
        Self::of_bytes(media_type, content.to_string(), Algorithm::Sha256)
    }

    pub(super) fn of_bytes(media_type: &str, bytes: impl Into<Bytes>, algorithm: Algorithm) -> Self {
        let bytes = bytes.into();
        Self { digest: Digest::of(algorithm, &bytes), bytes, media_type: media_type.to_owned() }
    }

    /// The same document with a digest of another algorithm.
    pub(super) fn hashed(self, algorithm: Algorithm) -> Self {
        Self { digest: Digest::of(algorithm, &self.bytes), ..self }
    }

    /// The descriptor with which another manifest refers to it.
    pub(super) fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest.to_string(), "size": self.bytes.len() })
    }

    /// Its path below its repository's, by digest.
    pub(super) fn path(&self) -> String {
        format!("manifests/{}", self.digest)
    }
}
