//! What the client has learned about a registry. It is used for later requests, and can be saved for another client.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Instant, Repository};

/// What the client has learned about one registry. It contains no secret and no URL, but names of repositories.
///
/// `None` means that it is not known yet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Learned {
    /// Whether one POST with the whole blob stores it (`end-4b`).
    pub single_post: Option<bool>,
    /// Whether one PUT with the whole blob stores it (`end-6`).
    pub whole_put: Option<bool>,
    /// Whether one PATCH with the whole blob, without `Content-Range`, is accepted (`end-5`).
    pub streamed_patch: Option<bool>,
    /// Whether chunks with `Content-Range` are accepted (`end-5`).
    pub chunks: Option<bool>,
    /// The largest request body to send, in bytes, inclusive: it is smaller than one that the registry refused.
    pub body_limit: Option<u64>,
    /// The largest chunk to send, in bytes, inclusive. Bodies with a whole blob may be larger ([quirk](crate::quirks)
    /// `patch-max-4mib-416`).
    pub chunk_limit: Option<u64>,
    /// Whether the registry answers 201 to a mount from the target repository itself, if that has the blob.
    pub self_mount: Option<bool>,
    /// Whether it supports `tag` parameters when a manifest is pushed (`end-7b`).
    pub tag_parameter: Option<bool>,
    /// Whether it serves manifests whose blobs it does not have, because it does not check them or has lost the blobs
    /// ([quirk](crate::quirks) `missing-blob-not-checked`). If so, a manifest does not prove that its blobs exist; see
    /// also [`Options::trust_manifests`](super::Options::trust_manifests).
    pub unchecked_manifests: Option<bool>,
    /// Whether it was seen to answer 404 to HEAD for a blob that it had stored, and 200 seconds later (quirk
    /// `blob-visible-after-delay`). If so, a blob whose upload lost its answer is asked for again before it is sent again.
    pub late_blobs: Option<bool>,
    /// Whether it sends `OCI-Subject`, which says that it lists referrers itself. If it stops sending it, the client
    /// asks again ([quirk](crate::quirks) `referrers-status-disputed`).
    pub subject_header: Option<bool>,
    /// When the newest limit was learned, in the client's time; `None` if another client saved it.
    #[serde(skip)]
    limits_since: Option<Instant>,
    /// Whether it has the referrers API, by repository: some registries have it in some repositories only.
    #[serde(deserialize_with = "of_repositories")]
    referrers_in: BTreeMap<String, bool>,
}

impl Learned {
    /// For how many repositories it remembers whether they have the referrers API.
    pub const MAX_REPOSITORIES: usize = 256;

    /// Whether the registry has the referrers API in this repository (`end-12a`).
    #[must_use]
    pub fn referrers(&self, repository: &Repository) -> Option<bool> {
        self.referrers_in.get(repository.as_str()).copied()
    }

    /// Remembers whether the registry has the referrers API in this repository.
    ///
    /// If there are already [`Self::MAX_REPOSITORIES`], the first by name is forgotten; the client asks about it again.
    pub fn learn_referrers(&mut self, repository: &Repository, lists: bool) {
        if self.referrers_in.len() >= Self::MAX_REPOSITORIES && self.referrers(repository).is_none() {
            self.referrers_in.pop_first();
        }
        self.referrers_in.insert(repository.as_str().to_owned(), lists);
    }

    /// The registry refused a body as too large: from now on no body is larger than `limit`.
    pub(crate) fn learn_body_limit(&mut self, limit: u64, now: Instant) {
        self.body_limit = Some(self.body_limit.map_or(limit, |known| known.min(limit)));
        self.limits_since = Some(now);
    }

    /// The registry refused a chunk and accepted one of `limit` bytes.
    pub(crate) const fn learn_chunk_limit(&mut self, limit: u64, now: Instant) {
        self.chunk_limit = Some(limit);
        self.limits_since = Some(now);
    }

    /// Forgets limits that are at least `after` old. Otherwise one refusal by a proxy that has been repaired since
    /// would slow down every later push. The age of a saved limit counts from the first call.
    pub(crate) fn forget_old_limits(&mut self, now: Instant, after: Duration) {
        let since = *self.limits_since.get_or_insert(now);
        if now.since(since) >= after {
            (self.body_limit, self.chunk_limit, self.limits_since) = (None, None, None);
        }
    }

    /// Forgets whether this repository has the referrers API, because the registry's answers changed.
    pub(crate) fn forget_referrers(&mut self, repository: &Repository) {
        self.referrers_in.remove(repository.as_str());
    }
}

/// Reads the saved repositories: malformed names and those above the maximum are dropped.
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
