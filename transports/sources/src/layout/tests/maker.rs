//! Layouts in the making.

use std::fs;
use std::path::{Path, PathBuf};

use longshore_core::content::Platform;
use longshore_core::{Algorithm, Digest, MediaType};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::layout::{Closure, Layout, LayoutError, Selection};

/// A layout in the making.
pub(super) struct Maker {
    folder: TempDir,
    entries: Vec<Value>,
}

impl Maker {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("blobs/sha256")).unwrap();
        let maker = Self { folder, entries: Vec::new() };
        maker.write("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
        maker.write("index.json", br#"{"schemaVersion":2,"manifests":[]}"#);
        maker
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path().join(name), bytes).unwrap();
    }

    pub(super) fn file(&self, descriptor: &Value) -> PathBuf {
        self.path().join(format!("blobs/{}", descriptor["digest"].as_str().unwrap().replace(':', "/")))
    }

    /// Stores a blob and gives its descriptor.
    pub(super) fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let descriptor =
            json!({"mediaType": media_type, "digest": Digest::of(Algorithm::Sha256, bytes), "size": bytes.len()});
        fs::write(self.file(&descriptor), bytes).unwrap();
        descriptor
    }

    pub(super) fn json(&self, media_type: &str, document: &Value) -> Value {
        self.blob(media_type, document.to_string().as_bytes())
    }

    pub(super) fn image(&self, os: &str, architecture: &str, layers: &[&str]) -> Value {
        let config = self.json(MediaType::OCI_CONFIG, &json!({"os": os, "architecture": architecture}));
        let layers: Vec<_> = layers.iter().map(|it| self.blob(MediaType::OCI_LAYER_GZIP, it.as_bytes())).collect();
        let image = json!({"schemaVersion": 2, "config": config, "layers": layers});
        self.json(MediaType::OCI_MANIFEST, &image)
    }

    pub(super) fn artifact(&self, subject: &Value, content: &str) -> Value {
        let empty = self.blob(MediaType::OCI_EMPTY, b"{}");
        let layer = self.blob("application/spdx+json", content.as_bytes());
        let artifact = json!({"schemaVersion": 2, "artifactType": "application/spdx+json", "config": empty, "layers": [layer], "subject": subject});
        self.json(MediaType::OCI_MANIFEST, &artifact)
    }

    pub(super) fn index(&self, entries: &[Value]) -> Value {
        self.json(MediaType::OCI_INDEX, &json!({"schemaVersion": 2, "manifests": entries}))
    }

    /// Names a manifest in `index.json`.
    pub(super) fn name(&mut self, descriptor: &Value, annotations: Value) {
        let mut entry = descriptor.clone();
        entry["annotations"] = annotations;
        self.entries.push(entry);
        let index = json!({"schemaVersion": 2, "manifests": self.entries});
        self.write("index.json", index.to_string().as_bytes());
    }

    pub(super) fn tag(&mut self, descriptor: &Value, tag: &str) {
        self.name(descriptor, json!({"org.opencontainers.image.ref.name": tag}));
    }

    /// Puts entries into `index.json` as they are written here.
    pub(super) fn entries(&mut self, entries: &[Value]) {
        self.entries.extend_from_slice(entries);
        self.write("index.json", json!({"schemaVersion": 2, "manifests": self.entries}).to_string().as_bytes());
    }

    pub(super) fn open(&self) -> Result<Layout, LayoutError> {
        Layout::open(self.path())
    }

    /// The same layout as a tar, with `prefix` before every name.
    pub(super) fn tar(&self, prefix: &str) -> PathBuf {
        let path = self.path().join("layout.tar");
        let mut tar = tar::Builder::new(fs::File::create(&path).unwrap());
        append(&mut tar, &format!("{prefix}manifest.json"), b"[]");
        let blobs = fs::read_dir(self.path().join("blobs/sha256")).unwrap();
        let blobs = blobs.map(|entry| format!("blobs/sha256/{}", entry.unwrap().file_name().display()));
        for name in blobs.chain(["index.json".to_owned(), "oci-layout".to_owned()]) {
            append(&mut tar, &format!("{prefix}{name}"), &fs::read(self.path().join(&name)).unwrap());
        }
        tar.finish().unwrap();
        path
    }
}

/// Names of any kind, as no well-behaved writer makes them.
pub(super) fn append(tar: &mut tar::Builder<fs::File>, name: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(bytes.len() as u64);
    header.set_cksum();
    tar.append(&header, bytes).unwrap();
}

pub(super) fn with(descriptor: &Value, key: &str, value: Value) -> Value {
    let mut descriptor = descriptor.clone();
    descriptor[key] = value;
    descriptor
}

pub(super) fn platform(os: &str, architecture: &str, variant: Option<&str>) -> Platform {
    Platform::new(os, architecture, variant.map(str::to_owned))
}

pub(super) fn digest(descriptor: &Value) -> Digest {
    descriptor["digest"].as_str().unwrap().parse().unwrap()
}

/// The closure of the only image.
pub(super) fn closure(layout: &Layout) -> Result<Closure, LayoutError> {
    layout.closure(&layout.select(&Selection::Only, None)?)
}

pub(super) fn select(layout: &Layout, name: &str) -> Result<Digest, LayoutError> {
    layout.select(&Selection::Name(name.to_owned()), None).map(|root| root.digest)
}

/// An index of two images that share a layer, with a name.
pub(super) fn two_platforms() -> (Maker, [Value; 3]) {
    let mut maker = Maker::new();
    let amd = maker.image("linux", "amd64", &["base", "amd"]);
    let arm = maker.image("linux", "arm64", &["base", "arm"]);
    let index = maker.index(&[
        with(&amd, "platform", json!({"os": "linux", "architecture": "amd64"})),
        with(&arm, "platform", json!({"os": "linux", "architecture": "arm64", "variant": "v8"})),
    ]);
    maker.tag(&index, "v1");
    (maker, [amd, arm, index])
}
