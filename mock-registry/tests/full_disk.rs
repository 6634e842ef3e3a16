//! A storage that fails at its first, second, third... call: what is visible is whole, and the push can be repeated.

use bytes::Bytes;
use http::Request;
use longshore_core::{Algorithm, Digest};
use longshore_mock_registry::storage::{BlobBytes, Memory, Record, Storage, StorageError};
use longshore_mock_registry::{Instant, Registry, RegistryOptions, UploadId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Memory that fails as soon as so many calls were made, until the number is raised.
struct Failing {
    inner: Memory,
    left: Arc<AtomicU64>,
}

impl Failing {
    fn call(&self) -> Result<(), StorageError> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| StorageError::Full)
    }
}

impl Storage for Failing {
    fn clear(&mut self) -> Result<(), StorageError> {
        self.inner.clear()
    }

    fn load(&mut self) -> Result<Vec<Record>, StorageError> {
        self.inner.load()
    }

    fn append(&mut self, upload: &UploadId, bytes: &[u8]) -> Result<(), StorageError> {
        // A full disk takes what still fits.
        self.call().or_else(|full| {
            self.inner.append(upload, &bytes[..bytes.len() / 2])?;
            Err(full)
        })?;
        self.inner.append(upload, bytes)
    }

    fn truncate(&mut self, upload: &UploadId, len: u64) -> Result<(), StorageError> {
        self.inner.truncate(upload, len)
    }

    fn discard(&mut self, upload: &UploadId) {
        self.inner.discard(upload);
    }

    fn uploaded(&mut self, upload: &UploadId, at: u64, up_to: usize) -> Result<Bytes, StorageError> {
        self.inner.uploaded(upload, at, up_to)
    }

    fn keep(&mut self, upload: &UploadId, digest: &Digest) -> Result<(), StorageError> {
        self.call()?;
        self.inner.keep(upload, digest)
    }

    fn blob(&self, digest: &Digest) -> Result<Box<dyn BlobBytes>, StorageError> {
        self.inner.blob(digest)
    }

    fn remove(&mut self, digest: &Digest) {
        self.inner.remove(digest);
    }

    fn record(&mut self, record: &Record) -> Result<(), StorageError> {
        self.call()?;
        self.inner.record(record)
    }

    fn erase(&mut self, record: &Record) -> Result<(), StorageError> {
        self.inner.erase(record)
    }
}

struct Pushing {
    registry: Registry,
    config: Digest,
    manifest: Bytes,
}

impl Pushing {
    fn ask(&mut self, method: &str, uri: &str, body: &[u8]) -> (u16, Bytes) {
        let request = Request::builder().method(method).uri(uri).body(Bytes::copy_from_slice(body)).unwrap();
        let answer = self.registry.answer(Instant::default(), request).unwrap();
        if answer.status() == 507 {
            assert!(String::from_utf8_lossy(answer.body()).contains("storage is full"));
        }
        (answer.status().as_u16(), answer.into_body())
    }

    /// Pushes until something is refused; says whether all was taken.
    fn push(&mut self) -> bool {
        let opened = {
            let request = Request::post("/v2/a/blobs/uploads/").body(Bytes::new()).unwrap();
            self.registry.answer(Instant::default(), request).unwrap()
        };
        let location = opened.headers()["location"].to_str().unwrap().to_owned();
        let config = self.config;
        let steps = [
            ("PATCH", location.clone(), b"{".to_vec()),
            ("PUT", format!("{location}?digest={config}"), b"}".to_vec()),
            ("POST", format!("/v2/b/blobs/uploads/?mount={config}&from=a"), Vec::new()),
            ("PUT", format!("/v2/a/manifests/{}?tag=v1&tag=v2", self.digest()), self.manifest.to_vec()),
        ];
        steps.iter().all(|(method, uri, body)| {
            let status = self.ask(method, uri, body).0;
            assert!(matches!(status, 200..300 | 507), "{method} {uri} was answered with {status}");
            status < 300
        })
    }

    fn digest(&self) -> Digest {
        Digest::of(Algorithm::Sha256, &self.manifest)
    }

    /// All that is visible is whole; gives what there is.
    fn check(&mut self) -> [bool; 5] {
        let (config, manifest, digest) = (self.config, self.manifest.clone(), self.digest());
        let blob = Bytes::from("{}");
        [
            (format!("/v2/a/blobs/{config}"), blob.clone()),
            (format!("/v2/b/blobs/{config}"), blob),
            (format!("/v2/a/manifests/{digest}"), manifest.clone()),
            ("/v2/a/manifests/v1".to_owned(), manifest.clone()),
            ("/v2/a/manifests/v2".to_owned(), manifest),
        ]
        .map(|(uri, content)| match self.ask("GET", &uri, b"") {
            (200, given) => {
                assert_eq!(given, content, "{uri}");
                true
            }
            (status, _) => {
                assert_eq!(status, 404, "{uri}");
                false
            }
        })
    }
}

#[test]
fn at_every_call() {
    let config = Digest::of(Algorithm::Sha256, b"{}");
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}}}}"#
    );
    let mut failures = 0;
    for calls in 0.. {
        let left = Arc::new(AtomicU64::new(calls));
        let storage = Failing { inner: Memory::default(), left: Arc::clone(&left) };
        let registry = Registry::with_storage(RegistryOptions::default(), Box::new(storage)).unwrap();
        let mut pushing = Pushing { registry, config, manifest: manifest.clone().into() };
        let whole = pushing.push();
        let [a, b, manifest, v1, v2] = pushing.check();
        assert!(!b || a);
        assert!(v1 == manifest && v2 == manifest, "a manifest and its tags appear together");
        left.store(u64::MAX, Ordering::SeqCst);
        assert!(pushing.push());
        assert_eq!(pushing.check(), [true; 5]);
        if whole {
            break;
        }
        failures += 1;
    }
    assert_eq!(failures, 8, "every call of the storage was made to fail once");
}
