//! Asks a question by a POST. If the POST opens an upload, it is cancelled.

use super::{Context, Exchange, Flow, Next, Outcome, ended};
use crate::Digest;
use crate::auth::{Scope, Scopes};
use crate::config::{Options, RepositoryRef};
use crate::driver::{Body, Keep, Key};
use crate::endpoint::{CancelUpload, Endpoint, MountBlob, MountedBlob, OpenUpload, StartUpload};
use crate::outcome::Failure;

/// Asks a question by a POST.
pub(crate) struct Probe {
    place: RepositoryRef,
    question: Question,
    state: State,
}

#[derive(Clone, Copy)]
enum Question {
    /// Is a push allowed?
    Permission,
    /// Does the registry answer 201 to a mount from the target repository itself? The repository has the blob with this
    /// digest.
    SelfMount(Digest),
}

#[derive(Clone)]
enum State {
    Asking,
    Cancelling(OpenUpload),
    Ended(Result<(), Failure>),
}

impl Probe {
    pub(crate) const fn permission(place: RepositoryRef) -> Self {
        Self { place, question: Question::Permission, state: State::Asking }
    }

    pub(crate) const fn self_mount(place: RepositoryRef, stored: Digest) -> Self {
        Self { place, question: Question::SelfMount(stored), state: State::Asking }
    }

    /// Whether the question is answered, and only the upload is still to be cancelled.
    pub(crate) const fn is_answered(&self) -> bool {
        matches!(self.state, State::Cancelling(_))
    }

    /// Whether the answer to the current request may open an upload.
    pub(crate) const fn is_asking(&self) -> bool {
        matches!(self.state, State::Asking)
    }

    fn start(&self) -> StartUpload<'_> {
        StartUpload { origin: &self.place.origin, repository: &self.place.repository, algorithm: None }
    }

    fn mount<'a>(&'a self, digest: &'a Digest) -> MountBlob<'a> {
        let RepositoryRef { origin, repository } = &self.place;
        MountBlob { origin, repository, digest, from: Some(repository) }
    }

    fn asked<K>(&mut self, outcome: Outcome, context: &mut Context<'_, K>) -> State {
        let Outcome::Answer { from, response, .. } = outcome else {
            return State::Ended(outcome.into_failure().map_or(Ok(()), |failure| match self.question {
                Question::Permission => Err(failure),
                Question::SelfMount(_) => Ok(()),
            }));
        };
        match self.question {
            Question::Permission => match self.start().parse(&from, &response) {
                Ok(open) => State::Cancelling(open),
                Err(error) => State::Ended(Err(Failure::new(error))),
            },
            Question::SelfMount(digest) => match self.mount(&digest).parse(&from, &response) {
                Ok(MountedBlob::Mounted) => {
                    context.learned.self_mount = Some(true);
                    State::Ended(Ok(()))
                }
                Ok(MountedBlob::Opened(open)) => {
                    context.learned.self_mount = Some(false);
                    State::Cancelling(open)
                }
                Err(_) => {
                    context.learned.self_mount = Some(false);
                    State::Ended(Ok(()))
                }
            },
        }
    }
}

impl<K: Key> Flow<K> for Probe {
    type Output = ();

    fn next(&self, options: &Options) -> Next<K> {
        let scopes = Scopes::one(Scope::push(self.place.repository.clone()));
        let keep = Keep::UpTo(options.error_body);
        Next::send(match (&self.state, &self.question) {
            (State::Asking, Question::Permission) => Exchange::new(&self.start(), Body::Empty, scopes, keep),
            (State::Asking, Question::SelfMount(digest)) => {
                Exchange::new(&self.mount(digest), Body::Empty, scopes, keep)
            }
            (State::Cancelling(upload), _) => Exchange::new(&CancelUpload { upload }, Body::Empty, scopes, keep)
                .map(|exchange| exchange.in_upload(upload).forget_if_lost()),
            (State::Ended(_), _) => return Next::Done,
        })
    }

    fn outcome(&mut self, outcome: Outcome, context: &mut Context<'_, K>) {
        self.state = match &self.state {
            State::Asking => self.asked(outcome, context),
            // The cancellation may fail: the registry removes the upload itself later (quirk `upload-cancel-status`).
            State::Cancelling(_) => State::Ended(Ok(())),
            State::Ended(result) => State::Ended(result.clone()),
        };
    }

    fn cancel(&mut self) {
        if matches!(self.state, State::Asking) {
            self.state = State::Ended(Err(Failure::cancelled()));
        }
    }

    fn finish(self) -> Result<Self::Output, Failure> {
        ended(if let State::Ended(result) = self.state { Some(result) } else { None })
    }
}
