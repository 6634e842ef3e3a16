//! Rules about manifests.

use std::collections::BTreeSet;

use longshore_core::{Digest, MediaType, Repository, Tag};
use serde::Deserialize;
use serde_json::Value;

use super::JudgedRequest;
use crate::registry::Registry;
use crate::report::Level;
use crate::request::fallback_tag;
use crate::state::Stored;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline {
    media_type: Option<String>,
}

impl Registry {
    /// Judges the type with which a manifest is sent.
    pub(crate) fn judge_content_type(&mut self, judged: &JudgedRequest, content_type: Option<&str>, bytes: &[u8]) {
        let field = serde_json::from_slice::<Outline>(bytes).ok().and_then(|outline| outline.media_type);
        let judge = &mut self.judge;
        match (content_type, field) {
            (None, _) => judge.record(judged, Level::Should, "content-type", "a manifest has no Content-Type"),
            (Some(given), _) if given.contains(';') => {
                judge.record(judged, Level::Should, "content-type", "the Content-Type of a manifest has parameters");
            }
            (Some(given), Some(field)) if given != field => {
                let what = format!("a manifest of the mediaType {field} is sent as {given}");
                judge.record(judged, Level::Must, "content-type", what);
            }
            (Some(_), Some(_)) => {}
            (Some(_), None) => {
                let what = "a manifest has no mediaType (manifest-mediatype-required)";
                judge.record(judged, Level::Should, "media-type", what);
            }
        }
    }

    /// Judges the references of a manifest, and, if it is a list of referrers, its entries.
    pub(crate) fn judge_manifest(
        &mut self,
        judged: &JudgedRequest,
        repository: &Repository,
        stored: &Stored,
        manifests: &[Digest],
        tags: &[Tag],
    ) {
        let unacknowledged: Vec<&Digest> = stored
            .blobs
            .iter()
            .chain(manifests)
            .filter(|digest| !self.judge.is_acknowledged(repository, digest))
            .collect();
        let lists = tags.iter().any(|tag| self.is_referrers_list(repository, tag, manifests));
        if let Some(first) = unacknowledged.first().filter(|_| !lists) {
            let count = unacknowledged.len();
            let what = format!("{count} that the manifest refers to, as {first}, were not acknowledged before");
            self.judge.record(judged, Level::Must, "children-first", what);
        }
        let listed = entries(&stored.bytes);
        self.judge.owed.retain(|owed| {
            owed.repository != *repository || !tags.contains(&owed.tag) || !listed.contains(&owed.digest)
        });
        if stored.media_type.as_str() == MediaType::OCI_INDEX {
            self.judge_list(judged, repository, stored, tags);
        }
    }

    /// Whether a tag is the tag of a list of referrers: all manifests in the list have the same subject.
    fn is_referrers_list(&self, repository: &Repository, tag: &Tag, manifests: &[Digest]) -> bool {
        let contents = self.state.repositories.get(repository);
        !manifests.is_empty()
            && manifests.iter().all(|digest| {
                let subject = contents.and_then(|contents| contents.manifests.get(digest)?.subject.as_ref());
                subject.and_then(|subject| fallback_tag(subject)).as_ref() == Some(tag)
            })
    }

    fn judge_list(&mut self, judged: &JudgedRequest, repository: &Repository, list: &Stored, tags: &[Tag]) {
        let Ok(document) = serde_json::from_slice::<Value>(&list.bytes) else { return };
        let Some(contents) = self.state.repositories.get(repository) else { return };
        let (mut seen, mut wrong, mut twice) = (BTreeSet::new(), None, None);
        for entry in document["manifests"].as_array().into_iter().flatten() {
            let digest = entry["digest"].as_str().unwrap_or_default();
            let referrer = digest.parse().ok().and_then(|digest: Digest| contents.manifests.get(&digest));
            let Some(referrer) = referrer else { continue };
            let tag = referrer.subject.as_deref().and_then(fallback_tag);
            if !tag.is_some_and(|tag| tags.contains(&tag)) {
                continue;
            }
            if !seen.insert(digest.to_owned()) {
                twice = Some(digest.to_owned());
            }
            let has = |key: &str, value: &str| entry["annotations"][key].as_str() == Some(value);
            if entry["artifactType"].as_str() != referrer.artifact_type.as_deref()
                || !referrer.annotations.iter().all(|(key, value)| has(key, value))
            {
                wrong = Some(digest.to_owned());
            }
        }
        if let Some(digest) = wrong {
            let what = format!("the entry of {digest} has not its artifactType and all its annotations");
            self.judge.record(judged, Level::Must, "referrers-entry", what);
        }
        if let Some(digest) = twice {
            self.judge.record(judged, Level::Should, "referrers-entry", format!("{digest} is listed twice"));
        }
    }
}

/// The digests in an index.
pub(super) fn entries(index: &[u8]) -> BTreeSet<Digest> {
    let document: Value = serde_json::from_slice(index).unwrap_or_default();
    let entries = document["manifests"].as_array().into_iter().flatten();
    entries.filter_map(|entry| entry["digest"].as_str()?.parse().ok()).collect()
}
