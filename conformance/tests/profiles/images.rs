//! Images to push: small layers, one that goes in a single request, and one that goes in chunks.

use bytes::Bytes;
use longshore_core::{Algorithm, Descriptor, Digest, Manifest};
use serde_json::{Value, json};

/// What a manifest refers to, and what its bytes are.
pub(crate) struct Content {
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Bytes,
}

impl Content {
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(Algorithm::Sha256, &self.bytes)
    }

    fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest().to_string(), "size": self.bytes.len() })
    }
}

/// A config and layers.
pub(crate) struct Image {
    pub(crate) contents: Vec<Content>,
    pub(crate) manifest: Manifest,
}

/// Longer than a chunk of 5 MiB, so that there are two.
const LONG: usize = (5 << 20) + 4321;

fn layer(len: usize, fill: u8) -> Content {
    let bytes: Vec<u8> = (0..len).map(|at| fill ^ u8::try_from(at % 251).unwrap_or_default()).collect();
    Content { media_type: "application/vnd.oci.image.layer.v1.tar+gzip", bytes: bytes.into() }
}

fn parsed(document: &Value) -> Manifest {
    Manifest::parse(document.to_string()).unwrap()
}

/// An image with a long layer, and one that is another one for each `version`.
pub(crate) fn image(platform: &str, version: u8) -> Image {
    let config = format!(r#"{{"architecture":"{platform}","os":"linux","v":{version}}}"#);
    let config = Content { media_type: "application/vnd.oci.image.config.v1+json", bytes: config.into() };
    let contents = vec![config, layer(LONG, 7), layer(70_000, 8), layer(100, version)];
    let manifest = parsed(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": contents[0].descriptor(),
        "layers": contents[1..].iter().map(Content::descriptor).collect::<Vec<_>>(),
    }));
    Image { contents, manifest }
}

/// An artifact about an image.
pub(crate) fn artifact(subject: &Manifest) -> Image {
    let empty = Content { media_type: "application/vnd.oci.empty.v1+json", bytes: "{}".into() };
    let words = Content { media_type: "application/spdx+json", bytes: r#"{"spdxVersion":"SPDX-2.3"}"#.into() };
    let manifest = parsed(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/spdx+json",
        "config": empty.descriptor(),
        "layers": [words.descriptor()],
        "subject": described(subject),
    }));
    Image { contents: vec![empty, words], manifest }
}

/// An index of two images.
pub(crate) fn index(children: &[&Manifest]) -> Manifest {
    let entries: Vec<Descriptor> = children.iter().map(|child| described(child)).collect();
    parsed(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": entries,
    }))
}

fn described(manifest: &Manifest) -> Descriptor {
    manifest.descriptor()
}
