//! What a registry was seen to do: kept for the next blob, and to save for the next client.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Instant, Repository};

/// What was learned of one registry. It holds no secret and no URL, so it can be saved as it is; it names repositories.
///
/// `None` means that it was not seen yet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Learned {
    /// Whether one POST with the whole body stores a blob (end-4b).
    pub single_post: Option<bool>,
    /// Whether a PUT with the whole body does (end-6).
    pub whole_put: Option<bool>,
    /// Whether one PATCH with the whole body does.
    pub streamed_patch: Option<bool>,
    /// Whether PATCHes with `Content-Range` do (end-5).
    pub chunks: Option<bool>,
    /// The largest request body that it takes, in bytes: less than one it refused.
    pub body_limit: Option<u64>,
    /// The largest chunk that it takes, in bytes, where whole blobs may be larger (quirk `patch-max-4mib-416`).
    pub chunk_limit: Option<u64>,
    /// Whether a POST that mounts a blob from its own repository answers 201 when the blob is there.
    pub self_mount: Option<bool>,
    /// Whether it takes `tag` parameters when a manifest is pushed (end-7b).
    pub tag_parameter: Option<bool>,
    /// Whether it serves manifests whose blobs it does not have, because it stores them unlooked at or has lost the blobs since
    /// (quirk `missing-blob-not-checked`). Then no manifest is a list of what is there; see also
    /// [`Options::trust_manifests`](super::Options::trust_manifests).
    pub unchecked_manifests: Option<bool>,
    /// Whether it says, with `OCI-Subject`, that it keeps the lists of referrers itself. Where it did and no longer does, it is
    /// asked again (quirk `referrers-status-disputed`).
    pub subject_header: Option<bool>,
    /// When a limit was learned that is kept, in the client's time; nothing where it was saved by another client.
    #[serde(skip)]
    limits_since: Option<Instant>,
    /// Whether it keeps lists of referrers itself, by repository: some do so in some of them only.
    #[serde(deserialize_with = "of_repositories")]
    referrers_in: BTreeMap<String, bool>,
}

impl Learned {
    /// The most repositories of which something is kept.
    pub const MAX_REPOSITORIES: usize = 256;

    /// Whether the registry keeps the lists of referrers in this repository itself (end-12).
    #[must_use]
    pub fn referrers(&self, repository: &Repository) -> Option<bool> {
        self.referrers_in.get(repository.as_str()).copied()
    }

    /// Notes whether the registry keeps the lists of referrers in this repository itself.
    ///
    /// Of [`Self::MAX_REPOSITORIES`], the first by name is forgotten for a new one: it is asked about again.
    pub fn learn_referrers(&mut self, repository: &Repository, lists: bool) {
        if self.referrers_in.len() >= Self::MAX_REPOSITORIES && self.referrers(repository).is_none() {
            self.referrers_in.pop_first();
        }
        self.referrers_in.insert(repository.as_str().to_owned(), lists);
    }

    /// The registry refused a body as too large: it takes at most so many bytes.
    pub(crate) fn learn_body_limit(&mut self, limit: u64, now: Instant) {
        self.body_limit = Some(self.body_limit.map_or(limit, |known| known.min(limit)));
        self.limits_since = Some(now);
    }

    /// The registry refused a chunk, and took one of so many bytes.
    pub(crate) const fn learn_chunk_limit(&mut self, limit: u64, now: Instant) {
        self.chunk_limit = Some(limit);
        self.limits_since = Some(now);
    }

    /// Forgets limits that were learned `after` ago or longer: one refusal by a proxy that is mended since would make every later
    /// push slower. What was saved counts from the first time that it is looked at.
    pub(crate) fn forget_old_limits(&mut self, now: Instant, after: Duration) {
        let since = *self.limits_since.get_or_insert(now);
        if now.since(since) >= after {
            (self.body_limit, self.chunk_limit, self.limits_since) = (None, None, None);
        }
    }

    /// Forgets it, because the registry says otherwise now.
    pub(crate) fn forget_referrers(&mut self, repository: &Repository) {
        self.referrers_in.remove(repository.as_str());
    }
}

/// What was saved, as far as it is about repositories and not too much.
fn of_repositories<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, bool>, D::Error> {
    let saved = BTreeMap::<String, bool>::deserialize(deserializer)?;
    let named = saved.into_iter().filter(|(name, _)| name.parse::<Repository>().is_ok());
    Ok(named.take(Learned::MAX_REPOSITORIES).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(number: usize) -> Repository {
        format!("team/app-{number}").parse().unwrap()
    }

    #[test]
    fn referrers_are_learned_by_repository_and_saved() {
        let mut learned = Learned::default();
        learned.learn_referrers(&repository(1), true);
        learned.learn_referrers(&repository(2), false);
        let saved = serde_json::to_string(&learned).unwrap();
        let read: Learned = serde_json::from_str(&saved).unwrap();
        assert_eq!(read, learned);
        assert_eq!([1, 2, 3].map(|number| read.referrers(&repository(number))), [Some(true), Some(false), None]);
    }

    #[test]
    fn what_is_kept_and_what_is_read_is_bounded() {
        let mut learned = Learned::default();
        (0..1000).for_each(|number| learned.learn_referrers(&repository(number), true));
        assert_eq!(learned.referrers_in.len(), Learned::MAX_REPOSITORIES);
        assert_eq!(learned.referrers(&repository(999)), Some(true));
        learned.learn_referrers(&repository(999), false);
        assert_eq!(learned.referrers_in.len(), Learned::MAX_REPOSITORIES);

        let many: BTreeMap<String, bool> = (0..1000).map(|number| (repository(number).to_string(), true)).collect();
        let saved = serde_json::json!({ "referrers_in": many, "of a later version": 1 }).to_string();
        let read: Learned = serde_json::from_str(&saved).unwrap();
        assert_eq!(read.referrers_in.len(), Learned::MAX_REPOSITORIES);
    }

    #[test]
    fn what_is_no_repository_is_not_read() {
        let saved = r#"{"referrers_in":{"https://registry.example/v2/?token=secret":true,"a/b":false}}"#;
        let read: Learned = serde_json::from_str(saved).unwrap();
        assert_eq!(read.referrers_in.keys().collect::<Vec<_>>(), ["a/b"]);
    }
}
