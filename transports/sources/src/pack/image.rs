//! Makes images from layers, and an index from images.

use std::collections::BTreeSet;

use longshore_core::content::Platform;
use longshore_core::{Algorithm, Descriptor, Digest, Manifest, MediaType};
use serde::Serialize;

use super::{PackError, PackedLayer};
use crate::layout::{Blob, Closure};
use crate::source::Source;

/// Makes an image for one platform from its layers, the lowest first, and the command that it runs.
///
/// # Errors
/// If the layers' descriptors do not make a valid manifest.
pub fn image(platform: &Platform, layers: &[PackedLayer], entrypoint: &[String]) -> Result<Closure, PackError> {
    let config = json(&Config {
        architecture: &platform.architecture,
        os: &platform.os,
        variant: platform.variant.as_deref(),
        created: "1970-01-01T00:00:00Z",
        config: Run { entrypoint },
        rootfs: RootFs { kind: "layers", diff_ids: layers.iter().map(|layer| layer.diff_id).collect() },
    });
    let digest = Digest::of(Algorithm::Sha256, &config);
    let config_type: MediaType = MediaType::OCI_CONFIG.parse().expect("the core parses its own constants");
    let descriptor = Descriptor::new(config_type, digest, config.len() as u64);
    let manifest = json(&ImageManifest {
        schema_version: 2,
        media_type: MediaType::OCI_MANIFEST,
        config: &descriptor,
        layers: layers.iter().map(|layer| &layer.descriptor).collect(),
    });
    let manifest = Manifest::parse_as(MediaType::oci_manifest(), manifest)?;
    let mut root = manifest.descriptor();
    root.platform = Some(Box::new(platform.clone()));
    let config = Blob::new(descriptor, Source::bytes(config).with_digest(digest));
    let layers = layers.iter().map(|layer| Blob::new(layer.descriptor.clone(), layer.source.clone()));
    let mut blobs: Vec<_> = std::iter::once(config).chain(layers).collect();
    keep_first(&mut blobs, |blob| blob.descriptor.digest);
    Ok(Closure::whole(root, vec![manifest], blobs))
}

/// Makes an index of images, in this order. Content that they share is included once.
///
/// # Errors
/// If the images' descriptors do not make a valid index.
pub fn index(images: &[Closure]) -> Result<Closure, PackError> {
    let index = json(&ImageIndex {
        schema_version: 2,
        media_type: MediaType::OCI_INDEX,
        manifests: images.iter().map(|image| &image.root).collect(),
    });
    let index = Manifest::parse_as(MediaType::oci_index(), index)?;
    let root = index.descriptor();
    let mut manifests: Vec<_> =
        images.iter().flat_map(|image| image.manifests.iter().cloned()).chain([index]).collect();
    let mut blobs: Vec<_> = images.iter().flat_map(|image| image.blobs.iter().cloned()).collect();
    keep_first(&mut manifests, Manifest::digest);
    keep_first(&mut blobs, |blob| blob.descriptor.digest);
    Ok(Closure::whole(root, manifests, blobs))
}

fn keep_first<T>(items: &mut Vec<T>, digest: impl Fn(&T) -> Digest) {
    let mut seen = BTreeSet::new();
    items.retain(|item| seen.insert(digest(item)));
}

/// Serialises a document. It cannot fail for the structs of this file, and keeps the order of their fields.
fn json(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).expect("a struct of strings and lists serialises")
}

#[derive(Serialize)]
struct Config<'a> {
    architecture: &'a str,
    os: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
    created: &'a str,
    config: Run<'a>,
    rootfs: RootFs,
}

#[derive(Serialize)]
struct Run<'a> {
    #[serde(rename = "Entrypoint", skip_serializing_if = "<[String]>::is_empty")]
    entrypoint: &'a [String],
}

#[derive(Serialize)]
struct RootFs {
    #[serde(rename = "type")]
    kind: &'static str,
    diff_ids: Vec<Digest>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ImageManifest<'a> {
    schema_version: u8,
    media_type: &'a str,
    config: &'a Descriptor,
    layers: Vec<&'a Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ImageIndex<'a> {
    schema_version: u8,
    media_type: &'a str,
    manifests: Vec<&'a Descriptor>,
}
