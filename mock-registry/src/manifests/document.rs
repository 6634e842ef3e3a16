//! Reads manifests as JSON, independently of how the client reads them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use longshore_core::{Digest, DigestError, MediaType};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::Instant;
use crate::refusal::{Code, Refusal};
use crate::state::Stored;

/// The parts of a manifest that a registry reads. `null` counts as absent, as in Go.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: Option<u64>,
    media_type: Option<String>,
    config: Option<Entry>,
    layers: Option<Vec<Entry>>,
    /// The list of an index, which must have it. `null` is an empty list, because programs in Go write an empty list
    /// so.
    #[serde(default, deserialize_with = "there")]
    manifests: Option<Option<Vec<Entry>>>,
    /// Of an artifact manifest.
    blobs: Option<Vec<Entry>>,
    /// Of Docker's schema 1.
    fs_layers: Option<Vec<Layer>>,
    subject: Option<Entry>,
    artifact_type: Option<String>,
    annotations: Option<BTreeMap<String, Option<String>>>,
}

/// The parts of a descriptor that a registry reads.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    media_type: Option<String>,
    digest: String,
    urls: Option<Vec<Option<String>>>,
    annotations: Option<IgnoredAny>,
}

/// A layer of Docker's schema 1.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    blob_sum: String,
}

/// A manifest that was read, and its references.
pub(crate) struct Reading {
    pub(crate) stored: Stored,
    /// The manifests that it refers to, without its subject.
    pub(crate) manifests: Vec<Digest>,
    pub(crate) has_media_type: bool,
    pub(crate) has_artifact_type: bool,
    pub(crate) config_type: Option<String>,
    /// Whether its config or a layer has a type of the other family (Docker or OCI).
    pub(crate) is_mixed: bool,
    /// Whether one of its entries has annotations.
    pub(crate) has_annotated_entries: bool,
    /// The number of layers of an image.
    pub(crate) layers: Option<usize>,
}

/// Reads a manifest that was sent with this `Content-Type`. If that is not the type of a manifest, refuses it with the
/// status `unknown_type`.
pub(crate) fn read(content_type: Option<&str>, bytes: Bytes, unknown_type: u16) -> Result<Reading, Refusal> {
    let given: Option<MediaType> = match content_type {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| invalid("the Content-Type is no media type"))?),
    };
    if let Some(media_type) = given.as_ref().filter(|given| !given.is_manifest()) {
        return Err(invalid(&format!("{media_type} is not the type of a manifest")).with_status(unknown_type));
    }
    let document: Document =
        serde_json::from_slice(&bytes).map_err(|error| invalid(&format!("the manifest is malformed: {error}")))?;
    let field: Option<MediaType> = match document.media_type.as_deref() {
        None | Some("") => None,
        Some(text) => Some(text.parse().map_err(|_| invalid("the mediaType is no media type"))?),
    };
    let media_type = match (field, given) {
        (Some(field), Some(given)) if field != given => {
            return Err(invalid(&format!("the mediaType is {field}, but the Content-Type is {given}")));
        }
        (Some(field), _) if !field.is_manifest() => {
            return Err(invalid(&format!("{field} is not the type of a manifest")));
        }
        (Some(media_type), _) | (None, Some(media_type)) => media_type,
        (None, None) => return Err(invalid("neither a Content-Type nor a mediaType says what it is")),
    };
    document.interpret(media_type, bytes)
}

/// Reads a manifest from the storage. It was checked when it was pushed, so it is not refused.
pub(crate) fn restore(media_type: MediaType, bytes: Bytes) -> Stored {
    read(Some(media_type.as_str()), bytes.clone(), 400).unwrap_or_else(|_| opaque(media_type, bytes)).stored
}

/// A manifest that can no longer be read.
fn opaque(media_type: MediaType, bytes: Bytes) -> Reading {
    let stored = Stored {
        media_type,
        bytes,
        subject: None,
        artifact_type: None,
        annotations: BTreeMap::new(),
        blobs: BTreeSet::new(),
        children: BTreeSet::new(),
        stored: Instant::default(),
    };
    Reading {
        stored,
        manifests: Vec::new(),
        has_media_type: true,
        has_artifact_type: false,
        config_type: None,
        is_mixed: false,
        has_annotated_entries: false,
        layers: None,
    }
}

/// Reads a property that is present, even if it is `null`.
fn there<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// The references of a manifest.
#[derive(Default)]
struct References {
    blobs: BTreeSet<Digest>,
    manifests: Vec<Digest>,
}

impl Document {
    fn interpret(self, media_type: MediaType, bytes: Bytes) -> Result<Reading, Refusal> {
        let References { blobs, manifests } = self.references(&media_type)?;
        let entries = || self.config.iter().chain(self.layers.iter().chain(self.manifests.iter().flatten()).flatten());
        let is_other = |entry: &Entry| entry.media_type().is_some_and(|of| families_differ(&media_type, &of));
        let is_mixed = media_type.is_image() && entries().any(is_other);
        let has_annotated_entries = entries().any(|entry| entry.annotations.is_some());
        let config_type = self.config.as_ref().and_then(Entry::media_type).map(|config| config.to_string());
        let layers = media_type.is_image().then(|| self.layers.as_ref().map_or(0, Vec::len));
        let has_media_type = self.media_type.is_some_and(|field| !field.is_empty());
        let artifact_type = self.artifact_type.filter(|given| !given.is_empty());
        let has_artifact_type = artifact_type.is_some();
        let annotations = self.annotations.unwrap_or_default();
        let stored = Stored {
            artifact_type: artifact_type.or_else(|| config_type.clone()),
            media_type,
            bytes,
            subject: self.subject.map(|subject| subject.digest),
            annotations: annotations.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(),
            blobs,
            children: manifests.iter().copied().collect(),
            stored: Instant::default(),
        };
        Ok(Reading {
            stored,
            manifests,
            has_media_type,
            has_artifact_type,
            config_type,
            is_mixed,
            has_annotated_entries,
            layers,
        })
    }

    /// The references, by the type of the manifest.
    fn references(&self, media_type: &MediaType) -> Result<References, Refusal> {
        let mut references = References::default();
        if media_type.is_index() || media_type.is_image() {
            if self.schema_version != Some(2) {
                return Err(invalid("the schemaVersion is not 2"));
            }
            if matches!(self.manifests, Some(Some(_))) && (self.config.is_some() || self.layers.is_some()) {
                return Err(invalid("the manifest has the fields of an image and of an index at once"));
            }
        }
        if media_type.is_index() {
            let manifests = self.manifests.as_ref().ok_or_else(|| invalid("an index has a list of manifests"))?;
            for entry in manifests.iter().flatten() {
                match entry.media_type() {
                    Some(blob) if !blob.is_manifest() => references.add_blob(entry)?,
                    // An index is a list of manifests, so an entry without a type is a manifest.
                    _ => references.manifests.push(digest(&entry.digest)?),
                }
            }
        } else if media_type.is_image() {
            references.add_blob(self.config.as_ref().ok_or_else(|| invalid("an image manifest has a config"))?)?;
            self.layers.iter().flatten().try_for_each(|layer| references.add_blob(layer))?;
        } else if media_type.as_str() == MediaType::OCI_ARTIFACT {
            self.blobs.iter().flatten().try_for_each(|blob| references.add_blob(blob))?;
        } else {
            for layer in self.fs_layers.as_ref().ok_or_else(|| invalid("a manifest of schema 1 has fsLayers"))? {
                references.blobs.insert(digest(&layer.blob_sum)?);
            }
        }
        if let Some(Err(error @ (DigestError::Malformed | DigestError::Encoding { .. }))) =
            self.subject.as_ref().map(|subject| subject.digest.parse::<Digest>())
        {
            return Err(invalid(&format!("the subject: {error}")));
        }
        Ok(references)
    }
}

impl References {
    fn add_blob(&mut self, entry: &Entry) -> Result<(), Refusal> {
        let digest = digest(&entry.digest)?;
        if !entry.is_elsewhere() {
            self.blobs.insert(digest);
        }
        Ok(())
    }
}

fn digest(text: &str) -> Result<Digest, Refusal> {
    text.parse().map_err(|error: DigestError| invalid(&error.to_string()))
}

fn invalid(message: &str) -> Refusal {
    Refusal::bad_request(Code::ManifestInvalid, message)
}

/// Whether one type is of Docker and the other is of the OCI.
fn families_differ(one: &MediaType, other: &MediaType) -> bool {
    let is_dockers = |of: &MediaType| of.as_str().starts_with("application/vnd.docker.");
    let is_ocis = |of: &MediaType| of.as_str().starts_with("application/vnd.oci.");
    (is_dockers(one) && is_ocis(other)) || (is_ocis(one) && is_dockers(other))
}

impl Entry {
    /// Its type, if it has one.
    fn media_type(&self) -> Option<MediaType> {
        self.media_type.as_deref()?.parse().ok()
    }

    /// Whether it is a layer that must not be pushed, because clients get it from another place.
    fn is_elsewhere(&self) -> bool {
        self.media_type().is_some_and(|of| of.is_nondistributable())
            || self.urls.iter().flatten().flatten().any(|url| !url.is_empty())
    }
}
