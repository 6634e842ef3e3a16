//! Rules about manifests.

use longshore_core::{Digest, MediaType, Repository, Tag};
use serde::Deserialize;

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
}
