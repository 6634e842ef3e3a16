//! What a manifest says: read as JSON by ourselves, apart from the client's reading.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use longshore_core::{Digest, DigestError, MediaType};
use serde::Deserialize;

use crate::Instant;
use crate::refusal::{Code, Refusal};
use crate::state::Stored;

/// The parts of a manifest that a registry looks at.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: Option<u64>,
    media_type: Option<MediaType>,
    config: Option<Entry>,
    layers: Option<Vec<Entry>>,
    manifests: Option<Vec<Entry>>,
    subject: Option<Entry>,
    artifact_type: Option<String>,
    annotations: Option<BTreeMap<String, String>>,
}

/// The parts of a descriptor that a registry looks at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    media_type: Option<MediaType>,
    digest: String,
    urls: Option<Vec<String>>,
    annotations: Option<BTreeMap<String, String>>,
}

/// A manifest that was read, and what it refers to.
pub(crate) struct Reading {
    pub(crate) stored: Stored,
    /// The manifests that it refers to; its subject is none of them.
    pub(crate) manifests: Vec<Digest>,
    pub(crate) has_media_type: bool,
    pub(crate) has_artifact_type: bool,
    pub(crate) config_type: Option<String>,
    /// Whether its config or a layer is of the other family, Docker's or the OCI's.
    pub(crate) is_mixed: bool,
    /// Whether an entry of it has annotations.
    pub(crate) has_annotated_entries: bool,
    /// How many layers an image has.
    pub(crate) layers: Option<usize>,
}

/// Reads a manifest that came with this `Content-Type`.
pub(crate) fn read(content_type: Option<&str>, bytes: Bytes) -> Result<Reading, Refusal> {
    let invalid = |message: String| Refusal::bad_request(Code::ManifestInvalid, message);
    let given: Option<MediaType> = match content_type {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| invalid("the Content-Type is no media type".to_owned()))?),
    };
    if let Some(media_type) = given.as_ref().filter(|given| !given.is_image() && !given.is_index()) {
        if !media_type.is_manifest() {
            return Err(invalid(format!("{media_type} is not the type of a manifest")));
        }
        return Ok(opaque(media_type.clone(), bytes));
    }
    let document: Document =
        serde_json::from_slice(&bytes).map_err(|error| invalid(format!("the manifest is malformed: {error}")))?;
    let media_type = match (&document.media_type, given) {
        (Some(field), Some(given)) if *field != given => {
            return Err(invalid(format!("the mediaType is {field}, but the Content-Type is {given}")));
        }
        (Some(media_type), _) => media_type.clone(),
        (None, Some(media_type)) => media_type,
        (None, None) => return Err(invalid("neither a Content-Type nor a mediaType says what it is".to_owned())),
    };
    document.interpret(media_type, bytes)
}

/// A manifest that the storage kept: it was checked when it came, so nothing is refused any more.
pub(crate) fn restore(media_type: MediaType, bytes: Bytes) -> Stored {
    read(Some(media_type.as_str()), bytes.clone()).unwrap_or_else(|_| opaque(media_type, bytes)).stored
}

/// A manifest of a type that is not looked into.
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

impl Document {
    fn interpret(self, media_type: MediaType, bytes: Bytes) -> Result<Reading, Refusal> {
        let invalid = |message: &str| Refusal::bad_request(Code::ManifestInvalid, message);
        if self.schema_version != Some(2) {
            return Err(invalid("the schemaVersion is not 2"));
        }
        if self.manifests.is_some() && (self.config.is_some() || self.layers.is_some()) {
            return Err(invalid("the manifest has the fields of an image and of an index at once"));
        }
        let entries: Vec<&Entry> = if media_type.is_index() {
            self.manifests.as_ref().ok_or_else(|| invalid("an index has a list of manifests"))?.iter().collect()
        } else {
            let config = self.config.as_ref().ok_or_else(|| invalid("an image manifest has a config"))?;
            std::iter::once(config).chain(self.layers.iter().flatten()).collect()
        };
        let is_other = |entry: &&Entry| entry.media_type.as_ref().is_some_and(|of| families_differ(&media_type, of));
        let is_mixed = media_type.is_image() && entries.iter().any(is_other);
        let has_annotated_entries = entries.iter().any(|entry| entry.annotations.is_some());
        let (mut blobs, mut manifests) = (BTreeSet::new(), Vec::new());
        for entry in entries {
            let digest = entry.digest.parse().map_err(|error: DigestError| invalid(&error.to_string()))?;
            if media_type.is_index() && entry.media_type.as_ref().is_some_and(MediaType::is_manifest) {
                manifests.push(digest);
            } else if !entry.is_elsewhere() {
                blobs.insert(digest);
            }
        }
        let subject = self.subject.map(|subject| subject.digest);
        if let Some(Err(error @ (DigestError::Malformed | DigestError::Encoding { .. }))) =
            subject.as_ref().map(|subject| subject.parse::<Digest>())
        {
            return Err(invalid(&format!("the subject: {error}")));
        }
        let config_type = self.config.and_then(|config| config.media_type).map(|config| config.to_string());
        let artifact_type = self.artifact_type.filter(|given| !given.is_empty());
        let has_artifact_type = artifact_type.is_some();
        let layers = media_type.is_image().then(|| self.layers.map_or(0, |layers| layers.len()));
        let stored = Stored {
            artifact_type: artifact_type.or_else(|| config_type.clone()),
            media_type,
            bytes,
            subject,
            annotations: self.annotations.unwrap_or_default(),
            blobs,
            children: manifests.iter().copied().collect(),
            stored: Instant::default(),
        };
        let has_media_type = self.media_type.is_some();
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
}

/// Whether one type is Docker's and the other the OCI's.
fn families_differ(one: &MediaType, other: &MediaType) -> bool {
    let is_dockers = |of: &MediaType| of.as_str().starts_with("application/vnd.docker.");
    let is_ocis = |of: &MediaType| of.as_str().starts_with("application/vnd.oci.");
    (is_dockers(one) && is_ocis(other)) || (is_ocis(one) && is_dockers(other))
}

impl Entry {
    /// Whether it is a layer that may not be pushed: those are had from elsewhere.
    fn is_elsewhere(&self) -> bool {
        self.media_type.as_ref().is_some_and(MediaType::is_nondistributable)
            || self.urls.as_ref().is_some_and(|urls| !urls.is_empty())
    }
}
