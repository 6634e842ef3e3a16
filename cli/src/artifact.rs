//! Artifacts: manifests without a config, made of files or of what comes on standard input.

use std::collections::BTreeMap;

use longshore_core::{Algorithm, Descriptor, Digest, Manifest, MediaType};
use longshore_sources::Source;
use serde::Serialize;

use crate::exit::Error;

/// The content of the empty descriptor, which stands for a config that an artifact does not have.
const EMPTY: &[u8] = b"{}";

/// What the manifest says, in the order in which the image spec's example has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Artifact<'a> {
    schema_version: u8,
    media_type: &'static str,
    artifact_type: &'a MediaType,
    config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<&'a Descriptor>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

impl<'a> Artifact<'a> {
    /// An artifact of this type, of nothing yet.
    pub(crate) fn new(artifact_type: &'a MediaType) -> Result<Self, Error> {
        let empty: MediaType = MediaType::OCI_EMPTY.parse().map_err(Error::failed)?;
        let config = Descriptor::new(empty, Digest::of(Algorithm::Sha256, EMPTY), EMPTY.len() as u64);
        Ok(Self {
            schema_version: 2,
            media_type: MediaType::OCI_MANIFEST,
            artifact_type,
            config,
            layers: Vec::new(),
            subject: None,
            annotations: BTreeMap::new(),
        })
    }

    /// The config that stands for none, and where its bytes come from.
    pub(crate) fn config(&self) -> (&Descriptor, Source) {
        (&self.config, Source::bytes(EMPTY).with_digest(self.config.digest))
    }

    /// The manifest, as it is sent.
    pub(crate) fn manifest(&self) -> Result<Manifest, Error> {
        Manifest::parse(serde_json::to_vec(self).map_err(Error::failed)?).map_err(Error::failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_is_the_image_specs_artifact() {
        let subject = Descriptor::new(MediaType::oci_manifest(), Digest::of(Algorithm::Sha256, b"subject"), 7);
        let layer = Descriptor::new("application/json".parse().unwrap(), Digest::of(Algorithm::Sha256, b"{1}"), 3);
        let artifact_type = "application/spdx+json".parse().unwrap();
        let mut artifact = Artifact::new(&artifact_type).unwrap();
        artifact.layers.push(layer.clone());
        let manifest = artifact.manifest().unwrap();
        assert!(manifest.subject().is_none() && !manifest.bytes().windows(11).any(|word| word == b"annotations"));
        artifact.subject = Some(&subject);
        artifact.annotations.insert("k".to_owned(), "v".to_owned());
        let manifest = artifact.manifest().unwrap();
        assert_eq!(manifest.artifact_type(), Some("application/spdx+json"));
        assert_eq!(manifest.subject(), Some(&subject));
        assert_eq!(manifest.annotations(), Some(&artifact.annotations));
        let blobs: Vec<&Descriptor> = manifest.blobs().collect();
        assert_eq!((blobs[0].media_type.as_str(), blobs[0].size), (MediaType::OCI_EMPTY, 2));
        assert_eq!(blobs[1..], [&layer]);
        assert_eq!(artifact.config().1.len(), Some(2));
    }
}
