//! Rules about lists of referrers.

use std::collections::{BTreeMap, BTreeSet};

use longshore_core::{Digest, Repository, Tag};
use serde_json::Value;

use super::{Judge, JudgedRequest, Owed, REMEMBERED};
use crate::answer::{Answer, Body};
use crate::registry::Registry;
use crate::report::Level;
use crate::request::fallback_tag;
use crate::state::{Contents, Stored};

impl Registry {
    /// Judges the entries of a list of referrers.
    pub(super) fn judge_list(&mut self, judged: &JudgedRequest, repository: &Repository, list: &Stored, tags: &[Tag]) {
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
            if let Some(lacking) = lacking(entry, referrer) {
                wrong = Some(format!("the entry of {digest} has not {lacking}"));
            }
        }
        if let Some(what) = wrong {
            self.judge.record(judged, Level::Must, "referrers-entry", what);
        }
        if let Some(digest) = twice {
            self.judge.record(judged, Level::Should, "referrers-entry", format!("{digest} is listed twice"));
        }
    }

    /// Compares what the lists under referrers tags must have with what they have, after a manifest was stored or
    /// deleted.
    pub(super) fn settle(&mut self, repository: &Repository) {
        let nothing = Contents::default();
        let contents = self.state.repositories.get(repository).unwrap_or(&nothing);
        let judge = &mut self.judge;
        let mut lists: BTreeMap<Tag, BTreeSet<Digest>> = BTreeMap::new();
        judge.owed.retain(|owed| owed.repository != *repository);
        judge.debts.retain(|debt, was_listed| {
            if debt.repository != *repository {
                return true;
            }
            if !contents.manifests.contains_key(&debt.digest) {
                return false;
            }
            let list = lists.entry(debt.tag.clone()).or_insert_with(|| {
                let list = contents.tags.get(&debt.tag).and_then(|digest| contents.manifests.get(digest));
                list.map(|list| entries(&list.bytes)).unwrap_or_default()
            });
            let is_listed = list.contains(&debt.digest);
            *was_listed |= is_listed;
            if !is_listed {
                judge.owed.insert(debt.clone());
            }
            true
        });
    }
}

impl Judge {
    /// Records that a manifest with a subject was stored, and that the answer did not say that the registry lists it.
    pub(super) fn owe(&mut self, repository: &Repository, judged: &JudgedRequest, answer: &Answer) {
        let (Some(subject), Some(digest)) = (&judged.subject, judged.digest) else { return };
        if !answer.headers.contains_key("oci-subject")
            && let Some(tag) = fallback_tag(subject)
            && self.debts.len() < REMEMBERED
        {
            self.debts.entry(Owed { repository: repository.clone(), tag, digest }).or_default();
        }
    }

    /// Records that a manifest was deleted. A client that deletes a subject may delete the list of its referrers too.
    pub(super) fn forgive(&mut self, repository: &Repository, deleted: &Digest) {
        let list = fallback_tag(&deleted.to_string());
        self.debts.retain(|debt, was_listed| {
            let is_of_deleted = *was_listed && Some(&debt.tag) == list.as_ref();
            debt.repository != *repository || !(is_of_deleted || debt.digest == *deleted)
        });
    }

    /// Records which referrers the registry lists by itself.
    pub(super) fn learn_referrers(&mut self, repository: &Repository, answer: &Answer) {
        let Body::Bytes(bytes) = &answer.body else { return };
        let listed = entries(bytes);
        let is_other = |debt: &Owed| debt.repository != *repository || !listed.contains(&debt.digest);
        self.debts.retain(|debt, _| is_other(debt));
        self.owed.retain(is_other);
    }
}

/// What of its manifest an entry lacks, or states otherwise.
fn lacking(entry: &Value, referrer: &Stored) -> Option<&'static str> {
    let has = |key: &str, value: &str| entry["annotations"][key].as_str() == Some(value);
    if entry["mediaType"].as_str() != Some(referrer.media_type.as_str()) {
        Some("its mediaType")
    } else if entry["size"].as_u64() != Some(referrer.bytes.len() as u64) {
        Some("its size")
    } else if entry["artifactType"].as_str() != referrer.artifact_type.as_deref() {
        Some("its artifactType")
    } else if !referrer.annotations.iter().all(|(key, value)| has(key, value)) {
        Some("all its annotations")
    } else {
        None
    }
}

/// The digests in an index.
fn entries(index: &[u8]) -> BTreeSet<Digest> {
    let document: Value = serde_json::from_slice(index).unwrap_or_default();
    let entries = document["manifests"].as_array().into_iter().flatten();
    entries.filter_map(|entry| entry["digest"].as_str()?.parse().ok()).collect()
}
