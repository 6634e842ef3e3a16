//! An artifact about a subject, made of files.

use std::collections::BTreeMap;
use std::path::Path;

use longshore_core::content::ManifestError;
use longshore_core::{Algorithm, Descriptor, Digest, Manifest, MediaType};
use longshore_sources::source::{SourceError, Verification};
use longshore_sources::{Source, Sources};
use serde::Serialize;

use crate::exit::Error;

/// The key under which tools look for a file's name.
const TITLE: &str = "org.opencontainers.image.title";
/// The content of the empty descriptor, which stands for a config that an artifact does not have.
const EMPTY: &[u8] = b"{}";

/// A manifest, and the blobs it refers to.
pub(super) struct Artifact {
    pub(super) manifest: Manifest,
    pub(super) sources: Sources<Digest>,
}

/// What the manifest says, in the order in which the image spec's example has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    schema_version: u8,
    media_type: &'static str,
    artifact_type: &'a str,
    config: Descriptor,
    layers: Vec<Descriptor>,
    subject: &'a Descriptor,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

impl Artifact {
    /// Reads the files once, for their digests.
    pub(super) fn of_files<'a>(
        files: impl Iterator<Item = &'a Path>,
        media_type: &MediaType,
        artifact_type: &MediaType,
        annotations: &BTreeMap<String, String>,
        subject: &Descriptor,
    ) -> Result<Self, Error> {
        let mut sources = Sources::new();
        let digest = Digest::of(Algorithm::Sha256, EMPTY);
        let empty: MediaType = MediaType::OCI_EMPTY.parse().map_err(Error::failed)?;
        let config = Descriptor::new(empty, digest, EMPTY.len() as u64);
        sources.insert(digest, Source::bytes(EMPTY).with_digest(digest));
        let mut layers = Vec::new();
        for file in files {
            let (layer, source) = layer(file, media_type).map_err(Error::failed)?;
            sources.insert(layer.digest, source);
            layers.push(layer);
        }
        let document = Document {
            schema_version: 2,
            media_type: MediaType::OCI_MANIFEST,
            artifact_type: artifact_type.as_str(),
            config,
            layers,
            subject,
            annotations,
        };
        let bytes = serde_json::to_vec(&document).map_err(Error::failed)?;
        let manifest = Manifest::parse(bytes).map_err(|error: ManifestError| Error::failed(error))?;
        Ok(Self { manifest, sources })
    }
}

fn layer(file: &Path, media_type: &MediaType) -> Result<(Descriptor, Source), SourceError> {
    let source = Source::file(file)?;
    let size = source.len().unwrap_or_default();
    let digest = match source.verify()? {
        Verification::Computed(digest) => digest,
        // No digest was said that the file could differ from.
        other => unreachable!("a file without a digest is hashed, and not {other:?}"),
    };
    let mut descriptor = Descriptor::new(media_type.clone(), digest, size);
    let title = file.file_name().map(|name| name.to_string_lossy().into_owned());
    descriptor.annotations.extend(title.map(|title| (TITLE.to_owned(), title)));
    Ok((descriptor, source.with_digest(digest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_is_the_image_specs_artifact() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sbom.json");
        std::fs::write(&file, "{\"spdx\":1}").unwrap();
        let subject = Descriptor::new(MediaType::oci_manifest(), Digest::of(Algorithm::Sha256, b"subject"), 7);
        let annotations = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
        let media_type = "application/json".parse().unwrap();
        let artifact_type = "application/spdx+json".parse().unwrap();
        let files = [file.as_path()];
        let artifact =
            Artifact::of_files(files.into_iter(), &media_type, &artifact_type, &annotations, &subject).unwrap();
        assert_eq!(artifact.manifest.artifact_type(), Some("application/spdx+json"));
        assert_eq!(artifact.manifest.subject(), Some(&subject));
        assert_eq!(artifact.manifest.annotations(), Some(&annotations));
        let blobs: Vec<&Descriptor> = artifact.manifest.blobs().collect();
        assert_eq!((blobs[0].media_type.as_str(), blobs[0].size), (MediaType::OCI_EMPTY, 2));
        assert_eq!(
            (blobs[1].media_type.as_str(), blobs[1].annotations[TITLE].as_str()),
            ("application/json", "sbom.json")
        );
        assert_eq!(artifact.sources.len(), 2);
        let gone =
            Artifact::of_files([Path::new("gone")].into_iter(), &media_type, &artifact_type, &annotations, &subject);
        assert!(gone.err().unwrap().to_string().starts_with("cannot open gone"));
    }
}
