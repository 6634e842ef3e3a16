//! Builds manifests and indexes from descriptors.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Descriptor, Manifest, ManifestError, MediaType};

/// Builds a manifest or an index.
///
/// The document has the image spec's members in the spec's order and no white space, so the same parts give the same
/// bytes.
///
/// ```
/// use longshore_core::{Descriptor, Manifest, MediaType};
///
/// let config = Descriptor::of(MediaType::oci_config(), b"{}");
/// let layer = Descriptor::of(MediaType::oci_layer_gzip(), b"some layer");
/// let image = Manifest::image(config, [layer]).annotation("org.opencontainers.image.version", "1.2").build()?;
/// let signature = Manifest::artifact("application/vnd.example.signature", []).subject(image.descriptor()).build()?;
/// let index = Manifest::index([image.descriptor()]).build()?;
/// # assert_eq!(signature.subject().unwrap().digest, image.digest());
/// # assert!(index.children().any(|child| child.digest == image.digest()));
/// # Ok::<(), longshore_core::content::ManifestError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder makes nothing before `build`"]
pub struct ManifestBuilder {
    media_type: MediaType,
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    subject: Option<Descriptor>,
    annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// Starts an image manifest with this configuration and these layers, the lowest first.
    pub fn image(config: Descriptor, layers: impl IntoIterator<Item = Descriptor>) -> ManifestBuilder {
        let mut builder = ManifestBuilder::new(MediaType::oci_manifest());
        builder.config = Some(config);
        builder.layers = Some(layers.into_iter().collect());
        builder
    }

    /// Starts an index of these manifests, in this order.
    pub fn index(manifests: impl IntoIterator<Item = Descriptor>) -> ManifestBuilder {
        let mut builder = ManifestBuilder::new(MediaType::oci_index());
        builder.manifests = Some(manifests.into_iter().collect());
        builder
    }

    /// Starts an artifact of this type: an image manifest whose configuration is the [empty
    /// descriptor](Descriptor::empty).
    ///
    /// If there are no blobs, the empty descriptor is its only layer too. The content of the empty descriptor, the two
    /// bytes `{}`, must be pushed as a blob.
    pub fn artifact(artifact_type: impl Into<String>, blobs: impl IntoIterator<Item = Descriptor>) -> ManifestBuilder {
        let mut blobs: Vec<Descriptor> = blobs.into_iter().collect();
        if blobs.is_empty() {
            blobs.push(Descriptor::empty());
        }
        Self::image(Descriptor::empty(), blobs).artifact_type(artifact_type)
    }
}

impl ManifestBuilder {
    const fn new(media_type: MediaType) -> Self {
        Self {
            media_type,
            artifact_type: None,
            config: None,
            layers: None,
            manifests: None,
            subject: None,
            annotations: BTreeMap::new(),
        }
    }

    /// Adds an annotation, or replaces the one with that key.
    pub fn annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), value.into());
        self
    }

    /// Sets the subject: the manifest that this one refers to.
    pub fn subject(mut self, subject: Descriptor) -> Self {
        self.subject = Some(subject);
        self
    }

    /// Sets the artifact type, a media type.
    pub fn artifact_type(mut self, artifact_type: impl Into<String>) -> Self {
        self.artifact_type = Some(artifact_type.into());
        self
    }

    /// Builds the manifest.
    ///
    /// # Errors
    /// Those of [`Manifest::parse`], for example if a size is above 2^63-1.
    pub fn build(&self) -> Result<Manifest, ManifestError> {
        let document = Written {
            schema_version: 2,
            media_type: &self.media_type,
            artifact_type: self.artifact_type.as_deref(),
            config: self.config.as_ref(),
            layers: self.layers.as_deref(),
            manifests: self.manifests.as_deref(),
            subject: self.subject.as_ref(),
            annotations: &self.annotations,
        };
        let bytes = serde_json::to_vec(&document).map_err(|error| ManifestError::Malformed(error.to_string()))?;
        Manifest::parse_as(self.media_type.clone(), bytes)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    schema_version: u8,
    media_type: &'a MediaType,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<&'a Descriptor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<&'a [Descriptor]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifests: Option<&'a [Descriptor]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a Descriptor>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Platform;

    #[test]
    fn the_same_parts_give_the_bytes_that_the_spec_shows() {
        let empty = r#"{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}"#;
        let artifact = Manifest::artifact("application/x", []).annotation("k", "v").build().unwrap();
        let expected = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/x","config":{empty},"layers":[{empty}],"annotations":{{"k":"v"}}}}"#
        );
        assert_eq!(artifact.bytes(), expected.as_bytes());
        assert_eq!(artifact.artifact_type(), Some("application/x"));
    }

    #[test]
    fn an_index_of_images_says_their_platforms_and_its_subject() {
        let image = Manifest::image(Descriptor::empty(), []).build().unwrap();
        let entry = image.descriptor().platform(Platform::new("linux", "arm64", None)).annotation("k", "v");
        let index = Manifest::index([entry.clone()]).subject(image.descriptor()).build().unwrap();
        assert_eq!(index.children().collect::<Vec<_>>(), [&entry]);
        assert_eq!(index.subject().map(|subject| subject.digest), Some(image.digest()));
        assert_eq!(index.media_type(), &MediaType::oci_index());
        let mut huge = entry;
        huge.size = u64::MAX;
        assert!(Manifest::index([huge]).build().is_err());
    }
}
