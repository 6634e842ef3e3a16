//! Reads a manifest that the repository has already, so that it and its blobs need not be sent. If that fails, the push
//! continues without it.

use super::{Context, Exchange, Flow, Next, Outcome, ended};
use crate::auth::{Scope, Scopes};
use crate::config::{ManifestReference, Options, RepositoryRef};
use crate::driver::{Body, Keep, Key};
use crate::endpoint::{Endpoint, PullManifest, Row};
use crate::outcome::{Failure, FailureKind, NoAnswer};
use crate::{Digest, Manifest, Tag};

/// Reads the manifest under a tag or digest, if there is one.
pub(crate) struct FetchExisting {
    place: RepositoryRef,
    reference: ManifestReference,
    state: State,
}

#[derive(Clone)]
enum State {
    Asking,
    Ended(Result<Option<Manifest>, Failure>),
}

impl FetchExisting {
    pub(crate) const fn of_tag(place: RepositoryRef, tag: Tag) -> Self {
        Self { place, reference: ManifestReference::Tag(tag), state: State::Asking }
    }

    pub(crate) const fn of_digest(place: RepositoryRef, digest: Digest) -> Self {
        Self { place, reference: ManifestReference::Digest(digest), state: State::Asking }
    }

    fn pull(&self) -> PullManifest<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        PullManifest { origin, repository, reference: (&self.reference).into() }
    }
}

/// Whether every other request of the push would fail for the same reason.
const fn is_for_all(why: &FailureKind) -> bool {
    matches!(
        why,
        FailureKind::RetryAfter { .. }
            | FailureKind::PatienceExhausted { .. }
            | FailureKind::RetryBudget
            | FailureKind::NoAnswer(NoAnswer::NotSent(_) | NoAnswer::Untrusted(_))
    )
}

/// The scopes that a push needs. They are requested from its first request on (quirk `head-needs-push-scope`).
pub(super) fn push_scopes(place: &RepositoryRef) -> Scopes {
    Scopes::one(Scope::push(place.repository.clone()))
}

impl<K: Key> Flow<K> for FetchExisting {
    type Output = Option<Manifest>;

    fn next(&self, options: &Options) -> Next<K> {
        match &self.state {
            State::Asking => {
                let keep = Keep::UpTo(options.manifest_body);
                Next::send(Exchange::new(&self.pull(), Body::Empty, push_scopes(&self.place), keep))
            }
            State::Ended(_) => Next::Done,
        }
    }

    fn outcome(&mut self, outcome: Outcome, _: &mut Context<'_, K>) {
        let found = match outcome {
            Outcome::Answer { from, response, .. } => Ok(self.pull().parse(&from, &response).ok()),
            // The token service refuses these scopes, and every request of the push needs them.
            Outcome::Failed(failure) if failure.row == Some(Row::FetchToken) => Err(failure),
            // The registry cannot be reached, or asks for a longer wait than the options allow.
            Outcome::Failed(failure) if is_for_all(&failure.kind) => Err(failure),
            Outcome::Unknown { .. } | Outcome::Failed(_) => Ok(None),
        };
        self.state = State::Ended(found.map(|found| found.map(|found| found.manifest)));
    }

    fn cancel(&mut self) {
        self.state = State::Ended(Ok(None));
    }

    fn finish(self) -> Result<Self::Output, Failure> {
        ended(if let State::Ended(result) = self.state { Some(result) } else { None })
    }
}
