//! The manifest of an artifact.

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
pub(crate) struct Artifact {
    schema_version: u8,
    media_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<MediaType>,
    config: Descriptor,
    #[serde(skip)]
    config_source: Source,
    pub(crate) layers: Vec<Descriptor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<Descriptor>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Artifact {
    /// An artifact of this type, of nothing yet. Without a type, it must get a config, whose type says what it is.
    pub(crate) fn new(artifact_type: Option<MediaType>) -> Result<Self, Error> {
        let empty: MediaType = MediaType::OCI_EMPTY.parse().map_err(Error::failed)?;
        let config = Descriptor::new(empty, Digest::of(Algorithm::Sha256, EMPTY), EMPTY.len() as u64);
        Ok(Self {
            schema_version: 2,
            media_type: MediaType::OCI_MANIFEST,
            artifact_type,
            config_source: Source::bytes(EMPTY).with_digest(config.digest),
            config,
            layers: Vec::new(),
            subject: None,
            annotations: BTreeMap::new(),
        })
    }

    /// The same with this config.
    pub(crate) fn with_config(mut self, (config, source): (Descriptor, Source)) -> Self {
        (self.config, self.config_source) = (config, source);
        self
    }

    /// The config, or what stands for none, and where its bytes come from.
    pub(crate) fn config(&self) -> (Descriptor, Source) {
        (self.config.clone(), self.config_source.clone())
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
        let mut artifact = Artifact::new(Some("application/spdx+json".parse().unwrap())).unwrap();
        artifact.layers.push(layer.clone());
        let manifest = artifact.manifest().unwrap();
        assert!(manifest.subject().is_none() && !manifest.bytes().windows(11).any(|word| word == b"annotations"));
        artifact.subject = Some(subject.clone());
        artifact.annotations.insert("k".to_owned(), "v".to_owned());
        let manifest = artifact.manifest().unwrap();
        assert_eq!(manifest.artifact_type(), Some("application/spdx+json"));
        assert_eq!(manifest.subject(), Some(&subject));
        assert_eq!(manifest.annotations(), Some(&artifact.annotations));
        let blobs: Vec<&Descriptor> = manifest.blobs().collect();
        assert_eq!((blobs[0].media_type.as_str(), blobs[0].size), (MediaType::OCI_EMPTY, 2));
        assert_eq!(blobs[1..], [&layer]);
        assert_eq!(artifact.config().1.len(), Some(2));
        let chart = Descriptor::new("application/vnd.example.config+json".parse().unwrap(), subject.digest, 7);
        let artifact = Artifact::new(None).unwrap().with_config((chart.clone(), Source::bytes("subject")));
        let manifest = artifact.manifest().unwrap();
        assert_eq!(manifest.blobs().next(), Some(&chart));
        assert!(!manifest.bytes().windows(12).any(|word| word == b"artifactType"));
    }
}
