//! Manifests and indexes: documents that are stored, sent and digested as exactly the bytes that were given.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use thiserror::Error;

use super::{Descriptor, MediaType, StrictError, reading, strict};
use crate::{Algorithm, Digest};

/// A document that is stored under `/manifests/`: an image manifest, an index, or a document of another type.
///
/// It keeps the bytes that were given and computes their digest itself.
///
/// A document is refused if two readers could understand it differently: if a structural key (one that the specs
/// define) occurs twice or in another case, a size is outside 0 to 2^63-1, it nests deeper than 64 levels, it has the
/// members of both an image and an index, or its `mediaType` differs from the type it came with. Everything else is
/// read as other clients read it: `null` means absent, unknown members are ignored, media types may be missing or
/// empty, platforms may be partial, annotations may have any key.
///
/// ```
/// use longshore_core::Manifest;
///
/// let bytes = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
/// let index = Manifest::parse(&bytes[..])?;
/// assert!(index.media_type().is_index());
/// assert_eq!(index.bytes()[..], bytes[..]);
/// # Ok::<(), longshore_core::content::ManifestError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    bytes: Bytes,
    media_type: MediaType,
    digest: Digest,
    document: Document,
}

/// The parsed content of a [`Manifest`], as far as a push needs it. Clones of a manifest share it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Document {
    /// An image manifest of OCI or Docker. OCI 1.1 artifacts are image manifests too.
    Image(Arc<Image>),
    /// An index of manifests, of OCI or Docker.
    Index(Arc<Index>),
    /// An artifact manifest of OCI 1.1's release candidates ([`MediaType::OCI_ARTIFACT`]).
    Artifact(Arc<Artifact>),
    /// A document of another type, which is not parsed.
    Other,
}

/// The members of an image manifest that a push needs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Image {
    /// The configuration blob.
    pub config: Descriptor,
    /// The layer blobs, in order.
    #[serde(default, deserialize_with = "reading::null_is_empty")]
    pub layers: Vec<Descriptor>,
    /// The manifest that this one is about.
    pub subject: Option<Descriptor>,
    /// What kind of artifact this is.
    pub artifact_type: Option<String>,
    /// Free text, by key.
    #[serde(default, deserialize_with = "reading::annotations")]
    pub annotations: BTreeMap<String, String>,
}

/// The members of an index that a push needs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Index {
    /// Its entries, in order: manifests, and in some indexes blobs.
    #[serde(default, deserialize_with = "reading::null_is_empty")]
    pub manifests: Vec<Descriptor>,
    /// The manifest that this index refers to as its subject.
    pub subject: Option<Descriptor>,
    /// What kind of artifact this is.
    pub artifact_type: Option<String>,
    /// Free text, by key.
    #[serde(default, deserialize_with = "reading::annotations")]
    pub annotations: BTreeMap<String, String>,
}

/// The members of an artifact manifest that a push needs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Artifact {
    /// Its blobs, in order.
    #[serde(default, deserialize_with = "reading::null_is_empty")]
    pub blobs: Vec<Descriptor>,
    /// The manifest that this one is about.
    pub subject: Option<Descriptor>,
    /// What kind of artifact this is.
    pub artifact_type: Option<String>,
    /// Free text, by key.
    #[serde(default, deserialize_with = "reading::annotations")]
    pub annotations: BTreeMap<String, String>,
}

/// Why bytes are not a [`Manifest`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Not JSON, or JSON that two readers could understand differently.
    #[error("the manifest is not plain JSON: {0}")]
    Ambiguous(#[from] StrictError),
    /// A member is missing or malformed.
    #[error("the manifest is malformed: {0}")]
    Malformed(String),
    /// No `mediaType`, and no other member that shows the type.
    #[error("the manifest has no mediaType, and neither a config nor a list of manifests to tell its type by")]
    NoMediaType,
    /// Its `mediaType` differs from the type that it was given with.
    #[error("the manifest's mediaType is {field}, but it was given as {given}")]
    MediaTypeMismatch {
        /// The document's own `mediaType`.
        field: MediaType,
        /// The type that came with it, in a `Content-Type` or a descriptor.
        given: MediaType,
    },
    /// The members of an image and of an index in one document (CVE-2021-41190).
    #[error("the manifest has the members of an image and of an index at once")]
    BothKinds,
}

impl Manifest {
    /// Reads a manifest whose type is told by its own members.
    ///
    /// A document without `mediaType` is read as an index if it has `manifests`, and as an image if it has `config`.
    ///
    /// # Errors
    /// If the document is ambiguous or malformed, or its members do not show its type.
    pub fn parse(bytes: impl Into<Bytes>) -> Result<Self, ManifestError> {
        Self::read(bytes.into(), None, Algorithm::Sha256)
    }

    /// Reads a manifest that came with a media type, from a `Content-Type` header or a descriptor.
    ///
    /// If it is not the type of an image, an index or an artifact manifest, the document is not parsed and need not be
    /// JSON. If it is [absent](MediaType::absent), the type is read from the document, as in [`Manifest::parse`].
    ///
    /// # Errors
    /// If the document is ambiguous or malformed, or its `mediaType` differs from `media_type`.
    pub fn parse_as(media_type: MediaType, bytes: impl Into<Bytes>) -> Result<Self, ManifestError> {
        Self::read(bytes.into(), Some(media_type), Algorithm::Sha256)
    }

    /// The same manifest, identified by a digest of this algorithm.
    #[must_use]
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        if self.digest.algorithm() != algorithm {
            self.digest = Digest::of(algorithm, &self.bytes);
        }
        self
    }

    fn read(bytes: Bytes, given: Option<MediaType>, algorithm: Algorithm) -> Result<Self, ManifestError> {
        let digest = Digest::of(algorithm, &bytes);
        let given = given.filter(|given| !given.is_absent());
        if let Some(media_type) = given.as_ref().filter(|given| !is_looked_into(given)) {
            return Ok(Self { media_type: media_type.clone(), bytes, digest, document: Document::Other });
        }
        strict::check(&bytes)?;
        let outline: Outline = read_json(&bytes)?;
        let media_type = outline.media_type(given)?;
        let document = if media_type.is_index() {
            outline.refuse_both_kinds(outline.layers.is_some() || outline.config.is_some())?;
            Document::Index(Arc::new(read_json(&bytes)?))
        } else if media_type.is_image() {
            outline.refuse_both_kinds(outline.manifests.is_some())?;
            Document::Image(Arc::new(read_json(&bytes)?))
        } else if is_looked_into(&media_type) {
            Document::Artifact(Arc::new(read_json(&bytes)?))
        } else {
            Document::Other
        };
        Ok(Self { bytes, media_type, digest, document })
    }

    /// The bytes, exactly as they were given.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The type of the manifest: the `Content-Type` that it is sent with.
    #[must_use]
    pub const fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// The digest of the bytes.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The parsed content.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// A descriptor of this manifest, with type, digest and size.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(self.media_type.clone(), self.digest, self.bytes.len() as u64)
    }

    /// The entry for this manifest in the list of its subject's referrers, with its artifact type and all its
    /// annotations.
    #[must_use]
    pub fn referrer(&self) -> Descriptor {
        let mut descriptor = self.descriptor();
        descriptor.annotations = self.annotations().cloned().unwrap_or_default();
        descriptor.artifact_type = self.artifact_type().map(str::to_owned);
        descriptor
    }

    /// The blobs that it refers to: the config first, then the layers. An index may refer to blobs too.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        let (config, blobs, entries): (_, &[Descriptor], &[Descriptor]) = match &self.document {
            Document::Image(image) => (Some(&image.config), &image.layers, &[]),
            Document::Index(index) => (None, &[], &index.manifests),
            Document::Artifact(artifact) => (None, &artifact.blobs, &[]),
            Document::Other => (None, &[], &[]),
        };
        config.into_iter().chain(blobs).chain(entries.iter().filter(|entry| !is_child(entry)))
    }

    /// The manifests that an index refers to, in order, without the subject. An entry without a media type counts as a
    /// manifest.
    pub fn children(&self) -> impl Iterator<Item = &Descriptor> {
        let entries = match &self.document {
            Document::Index(index) => index.manifests.as_slice(),
            Document::Image(_) | Document::Artifact(_) | Document::Other => &[],
        };
        entries.iter().filter(|entry| is_child(entry))
    }

    /// The manifest that this one refers to as its subject, if it has one.
    #[must_use]
    pub fn subject(&self) -> Option<&Descriptor> {
        match &self.document {
            Document::Image(image) => image.subject.as_ref(),
            Document::Index(index) => index.subject.as_ref(),
            Document::Artifact(artifact) => artifact.subject.as_ref(),
            Document::Other => None,
        }
    }

    /// The artifact type: its `artifactType`, or, if an image has none, the media type of its config.
    #[must_use]
    pub fn artifact_type(&self) -> Option<&str> {
        let (given, config) = match &self.document {
            Document::Image(image) => (image.artifact_type.as_deref(), Some(image.config.media_type.as_str())),
            Document::Index(index) => (index.artifact_type.as_deref(), None),
            Document::Artifact(artifact) => (artifact.artifact_type.as_deref(), None),
            Document::Other => (None, None),
        };
        given.filter(|given| !given.is_empty()).or(config.filter(|config| !config.is_empty()))
    }

    /// Its annotations; `None` if its type is one that is not parsed.
    #[must_use]
    pub fn annotations(&self) -> Option<&BTreeMap<String, String>> {
        match &self.document {
            Document::Image(image) => Some(&image.annotations),
            Document::Index(index) => Some(&index.annotations),
            Document::Artifact(artifact) => Some(&artifact.annotations),
            Document::Other => None,
        }
    }
}

/// Whether documents of this type are parsed.
fn is_looked_into(media_type: &MediaType) -> bool {
    media_type.is_image() || media_type.is_index() || media_type.as_str() == MediaType::OCI_ARTIFACT
}

/// The members that show the type of a document, before it is read as that type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline {
    #[serde(default, deserialize_with = "reading::own_media_type")]
    media_type: Option<MediaType>,
    manifests: Option<serde::de::IgnoredAny>,
    layers: Option<serde::de::IgnoredAny>,
    config: Option<OutlineConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OutlineConfig {
    media_type: Option<String>,
}

/// Whether an entry of an index is a manifest. One without a media type is, because an index lists manifests.
fn is_child(entry: &Descriptor) -> bool {
    entry.media_type.is_manifest() || entry.media_type.is_absent()
}

impl Outline {
    fn media_type(&self, given: Option<MediaType>) -> Result<MediaType, ManifestError> {
        match (self.media_type.clone(), given) {
            (Some(field), Some(given)) if field != given => Err(ManifestError::MediaTypeMismatch { field, given }),
            (Some(media_type), _) | (None, Some(media_type)) => Ok(media_type),
            (None, None) if self.manifests.is_some() => Ok(MediaType::oci_index()),
            (None, None) => match &self.config {
                Some(config) if config.media_type.as_deref() == Some(MediaType::DOCKER_CONFIG) => {
                    Ok(MediaType::known(MediaType::DOCKER_MANIFEST))
                }
                Some(_) => Ok(MediaType::oci_manifest()),
                None => Err(ManifestError::NoMediaType),
            },
        }
    }

    const fn refuse_both_kinds(&self, other_kind: bool) -> Result<(), ManifestError> {
        if other_kind { Err(ManifestError::BothKinds) } else { Ok(()) }
    }
}

fn read_json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, ManifestError> {
    serde_json::from_slice(bytes).map_err(|e| ManifestError::Malformed(e.to_string()))
}

#[cfg(test)]
mod tests;
