//! Storage that keeps only lengths.

use std::collections::BTreeMap;

use bytes::Bytes;
use longshore_core::Digest;

use super::{BlobBytes, Record, Storage, StorageError};
use crate::UploadId;

/// Storage that keeps only the length of each upload and blob, for uploads that do not fit in memory.
///
/// The registry hashes bytes when it receives them, so it still refuses wrong bytes. It is an error to read a blob, and
/// to close an upload with a digest of another algorithm than the one with which it was started.
#[derive(Debug, Default)]
pub struct DiscardingStorage {
    uploads: BTreeMap<UploadId, u64>,
    blobs: BTreeMap<Digest, u64>,
}

impl Storage for DiscardingStorage {
    fn load(&mut self) -> Result<Vec<Record>, StorageError> {
        Ok(Vec::new())
    }

    fn may_block(&self) -> bool {
        false
    }

    fn append(&mut self, upload: &UploadId, bytes: &[u8]) -> Result<(), StorageError> {
        let len = self.uploads.entry(upload.clone()).or_default();
        *len = len.saturating_add(bytes.len() as u64);
        Ok(())
    }

    fn truncate(&mut self, upload: &UploadId, len: u64) -> Result<(), StorageError> {
        if let Some(kept) = self.uploads.get_mut(upload) {
            *kept = len.min(*kept);
        }
        Ok(())
    }

    fn discard(&mut self, upload: &UploadId) {
        self.uploads.remove(upload);
    }

    fn uploaded(&mut self, upload: &UploadId, at: u64, _: usize) -> Result<Bytes, StorageError> {
        match self.uploads.get(upload) {
            Some(len) if *len > at => Err(StorageError::Missing(format!("the bytes of the upload {upload}"))),
            _ => Ok(Bytes::new()),
        }
    }

    fn keep(&mut self, upload: &UploadId, digest: &Digest) -> Result<(), StorageError> {
        let len = self.uploads.remove(upload).unwrap_or_default();
        self.blobs.insert(*digest, len);
        Ok(())
    }

    fn blob(&self, digest: &Digest) -> Result<Box<dyn BlobBytes>, StorageError> {
        Err(StorageError::Missing(digest.to_string()))
    }

    fn remove(&mut self, digest: &Digest) {
        self.blobs.remove(digest);
    }

    fn record(&mut self, _: &Record) -> Result<(), StorageError> {
        Ok(())
    }

    fn clear(&mut self) -> Result<(), StorageError> {
        *self = Self::default();
        Ok(())
    }

    fn erase(&mut self, _: &Record) -> Result<(), StorageError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use longshore_core::Algorithm;

    use super::*;
    use crate::{Instant, Registry, RegistryOptions};

    #[test]
    fn lengths_and_digests_are_right_and_bytes_are_gone() {
        let mut registry =
            Registry::with_storage(RegistryOptions::default(), Box::new(DiscardingStorage::default())).unwrap();
        let mut ask = |method: &str, uri: &str, body: &'static str| {
            let request = Request::builder().method(method).uri(uri).body(Bytes::from(body)).unwrap();
            registry.answer(Instant::default(), request).unwrap()
        };
        let digest = Digest::of(Algorithm::Sha256, b"hello");
        let post = format!("/v2/a/blobs/uploads/?digest={digest}");
        assert_eq!(ask("POST", &post, "HELLO").status(), 400);
        assert_eq!(ask("POST", &post, "hello").status(), 201);
        let head = ask("HEAD", &format!("/v2/a/blobs/{digest}"), "");
        assert_eq!((head.status().as_u16(), head.headers()["content-length"].to_str().unwrap()), (200, "5"));

        let location = ask("POST", "/v2/a/blobs/uploads/", "").headers()["location"].to_str().unwrap().to_owned();
        assert_eq!(ask("PATCH", &location, "hello").status(), 202);
        let other = Digest::of(Algorithm::Sha512, b"hello");
        assert_eq!(ask("PUT", &format!("{location}?digest={other}"), "").status(), 500);
    }
}
