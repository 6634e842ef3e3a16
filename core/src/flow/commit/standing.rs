//! Which manifest the registry has under the tag or digest, from its answers to HEAD and GET.

use super::{Commit, Under};
use crate::Digest;
use crate::endpoint::{Endpoint, ManifestPresence};
use crate::flow::Outcome;
use crate::outcome::{Failure, FailureKind};

impl Commit {
    /// Whether the answer to a HEAD does not show which manifest the registry has: some registries send no digest, some
    /// do not support HEAD, and some require other rights for it (quirks `manifest-digest-header-unreliable`,
    /// `manifest-head-405`, `head-needs-push-scope`).
    pub(super) fn head_says_nothing(&self, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Answer { from, response, .. } => match self.check().parse(from, response) {
                Ok(ManifestPresence::Present(head)) => {
                    // A text type means a page from a proxy or web server: no manifest has one.
                    let is_page = head.media_type.is_some_and(|media_type| media_type.as_str().starts_with("text/"));
                    head.reported_digest.is_none() && (is_page || matches!(self.under, Under::Tag(_)))
                }
                Ok(ManifestPresence::Absent) => false,
                Err(error) => error.refused().is_some(),
            },
            Outcome::Failed(failure) => matches!(failure.kind, FailureKind::Denied(_)),
            Outcome::Unknown { .. } => false,
        }
    }

    /// The digest that the tag or digest names, from the answer to HEAD.
    pub(super) fn checked(&self, outcome: Outcome) -> Result<Option<Digest>, Failure> {
        let by_digest = !matches!(self.under, Under::Tag(_));
        match outcome {
            Outcome::Answer { from, response, .. } => match self.check().parse(&from, &response) {
                Ok(ManifestPresence::Present(head)) => Ok(head.reported_digest.or(by_digest.then_some(self.digest))),
                Ok(ManifestPresence::Absent) => Ok(None),
                Err(error) => Err(Failure::new(error)),
            },
            other => Err(other.into_failure().unwrap_or_else(Failure::lost)),
        }
    }

    /// The digest of the manifest that the tag or digest names, from the answer to GET.
    pub(super) fn read(&self, outcome: Outcome) -> Result<Option<Digest>, Failure> {
        match outcome {
            Outcome::Answer { from, response, .. } => match self.pull().parse(&from, &response) {
                Ok(pulled) => Ok(Some(pulled.manifest.with_algorithm(self.digest.algorithm()).digest())),
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(Failure::new(error)),
            },
            other => Err(other.into_failure().unwrap_or_else(Failure::lost)),
        }
    }
}
