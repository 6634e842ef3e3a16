//! Checks whether the repository has content that a manifest of the push refers to and that the caller did not give. A
//! blob is first mounted from another repository, if the caller named any.

use std::collections::VecDeque;

use super::existing::push_scopes;
use super::{Context, Exchange, Flow, Next, Outcome, ended};
use crate::auth::Scope;
use crate::config::{Options, RepositoryRef};
use crate::driver::{Body, Keep, Key};
use crate::endpoint::{
    BlobPresence, CancelUpload, CheckBlob, CheckManifest, Endpoint, ManifestPresence, MountBlob, MountedBlob,
    OpenUpload, PullManifest, TagOrDigest,
};
use crate::outcome::{Failure, FailureKind};
use crate::{Digest, Repository};

/// Checks whether the repository has one blob or manifest.
pub(crate) struct Exists {
    place: RepositoryRef,
    digest: Digest,
    is_manifest: bool,
    /// The repositories to mount from that were not tried yet.
    mounts: VecDeque<Repository>,
    state: State,
}

/// Whether the repository has the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Present,
    Absent,
    /// The answers do not show it. The PUT of the manifest will.
    NotSaid,
}

enum State {
    /// POST: mount it from this repository.
    Mounting(Repository),
    /// DELETE: cancel this upload, which a mount without success opened.
    Cancelling(OpenUpload),
    /// HEAD: does the repository have it?
    Asking,
    /// GET of a manifest, where HEAD was refused (quirk `manifest-head-405`).
    Reading,
    Ended(Result<Found, Failure>),
}

impl Exists {
    pub(crate) const fn new(place: RepositoryRef, digest: Digest, is_manifest: bool) -> Self {
        Self { place, digest, is_manifest, mounts: VecDeque::new(), state: State::Asking }
    }

    /// Tries to mount the blob from each of these repositories first. No refusal of a mount is a failure.
    pub(crate) fn mounting_from(mut self, repositories: &[Repository]) -> Self {
        if !self.is_manifest {
            self.mounts = repositories.iter().cloned().collect();
            self.state = self.next_state();
        }
        self
    }

    /// Whether the answer to the current request may open an upload.
    pub(crate) const fn is_mounting(&self) -> bool {
        matches!(self.state, State::Mounting(_))
    }

    fn next_state(&mut self) -> State {
        self.mounts.pop_front().map_or(State::Asking, State::Mounting)
    }

    fn mount<'a>(&'a self, from: &'a Repository) -> MountBlob<'a> {
        let RepositoryRef { origin, repository } = &self.place;
        MountBlob { origin, repository, digest: &self.digest, from: Some(from) }
    }

    fn manifest(&self) -> CheckManifest<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        CheckManifest { origin, repository, reference: TagOrDigest::Digest(&self.digest) }
    }

    fn pull(&self) -> PullManifest<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        PullManifest { origin, repository, reference: TagOrDigest::Digest(&self.digest) }
    }

    fn blob(&self) -> CheckBlob<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        CheckBlob { origin, repository, digest: &self.digest }
    }

    /// Only 201 means that the blob is mounted. An upload that was opened instead is cancelled.
    fn mounted(&mut self, source: &Repository, outcome: &Outcome) -> State {
        let Outcome::Answer { from, response, .. } = outcome else { return self.next_state() };
        match self.mount(source).parse(from, response) {
            Ok(MountedBlob::Mounted) => State::Ended(Ok(Found::Present)),
            Ok(MountedBlob::Opened(open)) => State::Cancelling(open),
            Err(_) => self.next_state(),
        }
    }

    /// Only 200 and 404 show whether the repository has it. Another answer to HEAD shows nothing.
    fn answered(&self, outcome: Outcome) -> State {
        let (from, response) = match outcome {
            Outcome::Answer { from, response, .. } => (from, response),
            Outcome::Failed(failure) if matches!(failure.kind, FailureKind::Denied(_)) => return self.head_refused(),
            other => return State::Ended(Err(other.into_failure().unwrap_or_else(Failure::lost))),
        };
        let is_present = if self.is_manifest {
            self.manifest().parse(&from, &response).map(|said| matches!(said, ManifestPresence::Present(_)))
        } else {
            self.blob().parse(&from, &response).map(|said| matches!(said, BlobPresence::Present { .. }))
        };
        State::Ended(match is_present {
            Ok(true) => Ok(Found::Present),
            Ok(false) => Ok(Found::Absent),
            Err(error) if error.refused().is_some() => return self.head_refused(),
            Err(error) => Err(Failure::new(error)),
        })
    }

    const fn head_refused(&self) -> State {
        if self.is_manifest { State::Reading } else { State::Ended(Ok(Found::NotSaid)) }
    }

    fn read(&self, outcome: Outcome) -> Result<Found, Failure> {
        match outcome {
            Outcome::Answer { from, response, .. } => match self.pull().parse(&from, &response) {
                Ok(_) => Ok(Found::Present),
                Err(error) if error.is_not_found() => Ok(Found::Absent),
                Err(error) if error.refused().is_some() => Ok(Found::NotSaid),
                Err(error) => Err(Failure::new(error)),
            },
            Outcome::Failed(failure) if matches!(failure.kind, FailureKind::Denied(_)) => Ok(Found::NotSaid),
            other => Err(other.into_failure().unwrap_or_else(Failure::lost)),
        }
    }
}

impl<K: Key> Flow<K> for Exists {
    type Output = Found;

    fn next(&self, options: &Options) -> Next<K> {
        let (scopes, keep) = (push_scopes(&self.place), Keep::UpTo(options.error_body));
        Next::send(match &self.state {
            State::Mounting(from) => {
                let scopes = scopes.and(Scope::pull(from.clone()));
                Exchange::new(&self.mount(from), Body::Empty, scopes, keep)
            }
            State::Cancelling(upload) => Exchange::new(&CancelUpload { upload }, Body::Empty, scopes, keep)
                .map(|exchange| exchange.in_upload(upload).forget_if_lost()),
            State::Asking if self.is_manifest => Exchange::new(&self.manifest(), Body::Empty, scopes, keep),
            State::Asking => Exchange::new(&self.blob(), Body::Empty, scopes, keep),
            State::Reading => {
                let keep = Keep::UpTo(options.manifest_body);
                Exchange::new(&self.pull(), Body::Empty, scopes, keep)
            }
            State::Ended(_) => return Next::Done,
        })
    }

    fn outcome(&mut self, outcome: Outcome, _: &mut Context<'_, K>) {
        self.state = match std::mem::replace(&mut self.state, State::Asking) {
            State::Mounting(source) => self.mounted(&source, &outcome),
            State::Cancelling(_) => self.next_state(),
            State::Asking => self.answered(outcome),
            State::Reading => State::Ended(self.read(outcome)),
            ended @ State::Ended(_) => ended,
        };
    }

    fn cancel(&mut self) {
        self.mounts.clear();
        if !matches!(self.state, State::Cancelling(_)) {
            self.state = State::Ended(Err(Failure::cancelled()));
        }
    }

    fn finish(self) -> Result<Self::Output, Failure> {
        ended(if let State::Ended(result) = self.state { Some(result) } else { None })
    }
}
