//! Layouts whose documents are written as a test says, as odd as it wants them.

use std::fs;
use std::path::{Path, PathBuf};

use longshore_core::{Algorithm, Digest, MediaType};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A layout in the making.
pub(crate) struct RawLayout {
    folder: TempDir,
    entries: Vec<Value>,
}

impl RawLayout {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("blobs/sha256")).unwrap();
        fs::write(folder.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self { folder, entries: Vec::new() }
    }

    pub(crate) fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// Stores bytes and gives their descriptor.
    pub(crate) fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(Algorithm::Sha256, bytes);
        fs::write(self.folder.path().join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    /// Stores bytes under a digest of whatever algorithm.
    pub(crate) fn store_under(&self, digest: &Digest, bytes: &[u8]) {
        let folder = self.folder.path().join("blobs").join(digest.algorithm().as_str());
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(digest.hex()), bytes).unwrap();
    }

    pub(crate) fn json(&self, media_type: &str, document: &Value) -> Value {
        self.blob(media_type, document.to_string().as_bytes())
    }

    /// An image of these layers for a platform.
    pub(crate) fn image(&self, platform: &Value, layers: &[&str]) -> Value {
        let config = self.json(MediaType::OCI_CONFIG, platform);
        let layers: Vec<Value> = layers.iter().map(|it| self.blob(MediaType::OCI_LAYER_GZIP, it.as_bytes())).collect();
        self.json(MediaType::OCI_MANIFEST, &json!({"schemaVersion": 2, "config": config, "layers": layers}))
    }

    pub(crate) fn index(&self, entries: &[Value]) -> Value {
        self.json(MediaType::OCI_INDEX, &json!({"schemaVersion": 2, "manifests": entries}))
    }

    /// Puts an entry into `index.json`.
    pub(crate) fn entry(&mut self, entry: Value) {
        self.entries.push(entry);
        self.write_index(&json!({"schemaVersion": 2, "manifests": self.entries}));
    }

    pub(crate) fn tag(&mut self, descriptor: &Value, tag: &str) {
        self.entry(with(descriptor, "annotations", json!({"org.opencontainers.image.ref.name": tag})));
    }

    pub(crate) fn write_index(&self, index: &Value) {
        fs::write(self.folder.path().join("index.json"), index.to_string()).unwrap();
    }

    /// The file that a descriptor names.
    pub(crate) fn file(&self, descriptor: &Value) -> PathBuf {
        self.folder.path().join("blobs").join(descriptor["digest"].as_str().unwrap().replace(':', "/"))
    }

    /// The same layout as a tar.
    pub(crate) fn tar(&self) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        tar.append_dir_all(".", self.folder.path()).unwrap();
        tar.into_inner().unwrap()
    }
}

/// The same with one member changed.
pub(crate) fn with(value: &Value, key: &str, member: Value) -> Value {
    let mut value = value.clone();
    value[key] = member;
    value
}

pub(crate) fn digest(descriptor: &Value) -> &str {
    descriptor["digest"].as_str().unwrap()
}

/// What stands under a path of the file system, as bytes.
pub(crate) fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}
