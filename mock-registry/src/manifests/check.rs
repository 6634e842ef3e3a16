//! The checks of a manifest before it is stored.

use std::time::Duration;

use http::StatusCode;
use longshore_core::{Digest, MediaType, Repository, Tag};
use serde_json::json;

use super::document::Reading;
use super::matches;
use super::receiving::{Conditions, Named};
use crate::behaviour::{DuplicatePut, MissingReference};
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;

impl Registry {
    /// Checks `If-Match` and `If-None-Match` (RFC 9110, section 13.1) against the current manifest of the reference.
    pub(super) fn check_conditions(
        &self,
        repository: &Repository,
        named: &Named,
        conditions: &Conditions,
    ) -> Result<(), Refusal> {
        if !self.options.behaviour.manifests.conditions {
            return Ok(());
        }
        let contents = self.state.repositories.get(repository);
        let current = contents.and_then(|contents| named.find(contents));
        // An existing manifest has a validator even if the registry sends no `ETag`.
        let current = current.map(|digest| self.etag(&digest).unwrap_or_default());
        let (if_match, if_none_match) = (conditions.if_match.as_ref(), conditions.if_none_match.as_ref());
        let fails = if_match.is_some_and(|condition| !matches(condition, current.as_deref()))
            || if_none_match.is_some_and(|condition| matches(condition, current.as_deref()));
        if fails {
            let message = "something else stands under this name: read it, and try again";
            return Err(Refusal::new(StatusCode::PRECONDITION_FAILED, Code::ManifestInvalid, message));
        }
        Ok(())
    }

    /// Checks that the behaviour adds to those of the spec.
    pub(super) fn check_accepted_types(&self, reading: &Reading) -> Result<(), Refusal> {
        let behaviour = &self.options.behaviour.manifests;
        let stored = &reading.stored;
        let media_type = stored.media_type.as_str();
        let refuse = |given, code, message: &str| Err(Refusal::new(status(given), code, message));
        if behaviour.refused_types.types.iter().any(|refused| refused == media_type) {
            let message = format!("manifests of the type {media_type} are not accepted");
            return refuse(behaviour.refused_types.status, Code::ManifestInvalid, &message);
        }
        let is_artifact = reading.has_artifact_type || stored.subject.is_some();
        if let Some(given) = behaviour.artifacts_refused.filter(|_| is_artifact) {
            let message = "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'";
            return refuse(given, Code::Unsupported, message);
        }
        if behaviour.media_type_required && !reading.has_media_type {
            let message = "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'";
            return refuse(405, Code::Unsupported, message);
        }
        if behaviour.empty_config_refused && reading.config_type.as_deref() == Some(MediaType::OCI_EMPTY) {
            return refuse(400, Code::ManifestInvalid, "the type of the config is unknown");
        }
        if behaviour.no_layers_refused && reading.layers == Some(0) {
            return refuse(400, Code::ManifestInvalid, "Missing layers");
        }
        if behaviour.mixed_types_refused && reading.is_mixed {
            return refuse(400, Code::ManifestInvalid, "the types of Docker and of the OCI are mixed");
        }
        let is_dockers = media_type == MediaType::DOCKER_LIST;
        if behaviour.annotations_refused && is_dockers && reading.has_annotated_entries {
            return refuse(400, Code::ManifestInvalid, "a manifest list has no annotations");
        }
        Ok(())
    }

    /// Checks that all blobs and manifests that a manifest refers to are in its repository. The subject may be missing.
    pub(super) fn check_references(
        &self,
        repository: &Repository,
        reading: &Reading,
        blobs_hidden: bool,
    ) -> Result<(), Refusal> {
        let behaviour = &self.options.behaviour.manifests;
        let has_manifest = |digest: &Digest| {
            self.state.repositories.get(repository).is_some_and(|contents| contents.manifests.contains_key(digest))
        };
        let subject = reading.stored.subject.as_ref().filter(|_| behaviour.subject_must_exist);
        if let Some(subject) = subject.filter(|subject| !subject.parse().is_ok_and(|digest| has_manifest(&digest))) {
            let refusal = Refusal::bad_request(Code::ManifestBlobUnknown, "blob unknown to registry");
            return Err(refusal.detail(json!({ "digest": subject })));
        }
        let has_blob = |blob: &Digest| !blobs_hidden && self.state.blob(repository, blob, self.now).is_some();
        let blobs = reading.stored.blobs.iter().filter(|blob| !has_blob(blob));
        let manifests = reading.manifests.iter().filter(|digest| !has_manifest(digest));
        let missing: Vec<String> = blobs.chain(manifests).map(ToString::to_string).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let each = |given| {
            let message = "the manifest refers to content that the repository does not have";
            let refusal = missing.iter().fold(None, |refusal: Option<Refusal>, digest| {
                let refusal = match refusal {
                    None => Refusal::new(status(given), Code::ManifestBlobUnknown, message),
                    Some(refusal) => refusal.and(Code::ManifestBlobUnknown, message),
                };
                Some(refusal.detail(json!({ "digest": digest })))
            });
            refusal.map_or(Ok(()), Err)
        };
        match behaviour.missing_reference {
            MissingReference::Accepted => Ok(()),
            MissingReference::ManifestBlobUnknown => each(400),
            MissingReference::ManifestBlobUnknownNotFound => each(404),
            MissingReference::BlobUnknown => Err(Refusal::bad_request(Code::BlobUnknown, "blob unknown to registry")),
            MissingReference::BlobUnknownNotFound => {
                Err(Refusal::not_found(Code::BlobUnknown, "blob unknown to registry"))
            }
            MissingReference::ManifestInvalid => Err(Refusal::bad_request(Code::ManifestInvalid, "manifest invalid")),
        }
    }

    /// Checks whether the tags may be moved from the manifests that they name now to this one.
    pub(super) fn check_tags(
        &self,
        repository: &Repository,
        digest: &Digest,
        reading: &Reading,
        tags: &[Tag],
    ) -> Result<(), Refusal> {
        let behaviour = &self.options.behaviour.manifests;
        let Some(contents) = self.state.repositories.get(repository) else { return Ok(()) };
        for current in tags.iter().filter_map(|tag| contents.tags.get(tag)) {
            if let Some(rule) = behaviour.immutable_tags.as_ref().filter(|rule| current != digest || !rule.same_is_fine)
            {
                let message = "the tag exists already and cannot be overwritten: it is immutable";
                return Err(Refusal::new(status(rule.status), rule.code.clone(), message));
            }
            let before = contents.manifests.get(current).map(|stored| &stored.media_type);
            if behaviour.type_change_refused && before.is_some_and(|before| *before != reading.stored.media_type) {
                let message = "changing the media type of a manifest under a tag is not allowed";
                return Err(Refusal::bad_request(Code::ManifestInvalid, message));
            }
        }
        Ok(())
    }

    /// Checks whether the same manifest was stored under the same reference a moment ago, if that is a conflict.
    pub(super) fn check_duplicate(
        &self,
        repository: &Repository,
        digest: &Digest,
        tags: &[Tag],
    ) -> Result<(), Refusal> {
        let DuplicatePut::ConflictWithin(micros) = self.options.behaviour.manifests.duplicate else { return Ok(()) };
        let Some(contents) = self.state.repositories.get(repository) else { return Ok(()) };
        let same_name = tags.iter().all(|tag| contents.tags.get(tag) == Some(digest));
        let recent = contents
            .manifests
            .get(digest)
            .is_some_and(|stored| stored.stored + Duration::from_micros(micros) > self.now);
        if same_name && recent {
            return Err(Refusal::new(StatusCode::CONFLICT, Code::ManifestInvalid, "the manifest is being stored"));
        }
        Ok(())
    }

    pub(super) fn check_manifest_room(
        &self,
        repository: &Repository,
        digest: &Digest,
        reading: &Reading,
        tags: &[Tag],
    ) -> Result<(), Refusal> {
        let limits = &self.options.limits;
        let contents = self.state.repositories.get(repository);
        let stored = contents.and_then(|contents| contents.manifests.get(digest));
        let manifests = contents.map_or(0, |contents| contents.manifests.len());
        if stored.is_none() && manifests >= limits.manifests {
            return Err(Refusal::limit("manifests in a repository", limits.manifests, "--max-manifests"));
        }
        let before = stored.map_or(0, |stored| stored.bytes.len() as u64);
        let bytes = self.state.manifest_bytes.saturating_sub(before).saturating_add(reading.stored.bytes.len() as u64);
        if bytes > limits.manifest_bytes {
            return Err(Refusal::limit("bytes of all manifests", limits.manifest_bytes, "--max-manifest-bytes"));
        }
        let is_new = |tag: &&Tag| contents.is_none_or(|contents| !contents.tags.contains_key(*tag));
        let names = contents.map_or(0, |contents| contents.tags.len()) + tags.iter().filter(is_new).count();
        if names > limits.tags {
            return Err(Refusal::limit("tags in a repository", limits.tags, "--max-tags"));
        }
        Ok(())
    }
}
