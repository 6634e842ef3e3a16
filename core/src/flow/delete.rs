//! Deleting a manifest, a tag or a blob.

use super::{Context, Exchange, Flow, Next, Outcome, ended};
use crate::auth::{Scope, Scopes};
use crate::config::{ManifestReference, Options, RepositoryRef};
use crate::driver::{Body, Keep, Key};
use crate::endpoint::{DeleteBlob, DeleteManifest, Endpoint, PullManifest};
use crate::outcome::Failure;
use crate::{Digest, Manifest, Tag};

/// Deletes one manifest, tag or blob.
pub(crate) struct Delete {
    place: RepositoryRef,
    what: What,
    state: State,
    /// Whether it was seen to exist, or whether a DELETE may have been applied: then 404 counts as deleted.
    may_be_gone: bool,
}

enum What {
    Blob(Digest),
    Manifest(ManifestReference),
}

/// The result of a deletion. If the manifest has a subject, its entry in the list of the subject's referrers may have
/// to be removed.
#[derive(Debug, Clone)]
pub(crate) struct Deleted {
    pub(crate) referrer: Option<Manifest>,
}

#[derive(Clone)]
enum State {
    /// GET: does the manifest have a subject?
    Reading,
    /// DELETE. With the manifest, if it has a subject.
    Deleting(Option<Manifest>),
    Ended(Result<Deleted, Failure>),
}

impl Delete {
    pub(crate) const fn blob(place: RepositoryRef, digest: Digest) -> Self {
        Self { place, what: What::Blob(digest), state: State::Deleting(None), may_be_gone: false }
    }

    /// Deletes only the tag, without the manifest that it names.
    pub(crate) const fn tag(place: RepositoryRef, tag: Tag) -> Self {
        Self {
            place,
            what: What::Manifest(ManifestReference::Tag(tag)),
            state: State::Deleting(None),
            may_be_gone: false,
        }
    }

    pub(crate) const fn manifest(place: RepositoryRef, digest: Digest) -> Self {
        Self {
            place,
            what: What::Manifest(ManifestReference::Digest(digest)),
            state: State::Reading,
            may_be_gone: false,
        }
    }

    fn exchange<K>(&self, options: &Options) -> Result<Exchange<K>, Failure> {
        let RepositoryRef { origin, repository } = &self.place;
        let delete = Scopes::one(Scope::delete(repository.clone()));
        let keep = Keep::UpTo(options.error_body);
        match (&self.what, &self.state) {
            (What::Manifest(name), State::Reading) => {
                let call = PullManifest { origin, repository, reference: name.into() };
                let pull = Scopes::one(Scope::pull(repository.clone()));
                Exchange::new(&call, Body::Empty, pull, Keep::UpTo(options.manifest_body))
            }
            (What::Manifest(name), _) => {
                let call = DeleteManifest { origin, repository, reference: name.into() };
                Exchange::new(&call, Body::Empty, delete, keep).map(Exchange::ask_if_lost)
            }
            (What::Blob(digest), _) => {
                let call = DeleteBlob { origin, repository, digest };
                Exchange::new(&call, Body::Empty, delete, keep).map(Exchange::ask_if_lost)
            }
        }
    }

    fn read(&self, outcome: Outcome) -> Option<Manifest> {
        let (What::Manifest(name), Outcome::Answer { from, response, .. }) = (&self.what, outcome) else { return None };
        let RepositoryRef { origin, repository } = &self.place;
        let call = PullManifest { origin, repository, reference: name.into() };
        call.parse(&from, &response).ok().map(|pulled| pulled.manifest)
    }

    fn deleted(&self, referrer: Option<Manifest>, outcome: Outcome) -> Result<Deleted, Failure> {
        let RepositoryRef { origin, repository } = &self.place;
        let Outcome::Answer { from, response, .. } = outcome else {
            return Err(outcome.into_failure().unwrap_or_else(Failure::lost));
        };
        let result = match &self.what {
            What::Blob(digest) => DeleteBlob { origin, repository, digest }.parse(&from, &response).map(|_| ()),
            What::Manifest(name) => {
                let call = DeleteManifest { origin, repository, reference: name.into() };
                call.parse(&from, &response).map(|_| ())
            }
        };
        match result {
            Ok(()) => Ok(Deleted { referrer }),
            Err(error) if self.may_be_gone && error.is_not_found() => Ok(Deleted { referrer }),
            Err(error) => Err(Failure::new(error)),
        }
    }
}

impl<K: Key> Flow<K> for Delete {
    type Output = Deleted;

    fn next(&self, options: &Options) -> Next<K> {
        match &self.state {
            State::Ended(_) => Next::Done,
            State::Reading | State::Deleting(_) => Next::send(self.exchange(options)),
        }
    }

    fn outcome(&mut self, outcome: Outcome, _: &mut Context<'_, K>) {
        self.state = match self.state.clone() {
            State::Reading => {
                let manifest = self.read(outcome);
                self.may_be_gone = manifest.is_some();
                State::Deleting(manifest.filter(|manifest| manifest.subject().is_some()))
            }
            State::Deleting(referrer) if matches!(outcome, Outcome::Unknown { .. }) => {
                self.may_be_gone = true;
                State::Deleting(referrer)
            }
            State::Deleting(referrer) => State::Ended(self.deleted(referrer, outcome)),
            ended @ State::Ended(_) => ended,
        };
    }

    fn cancel(&mut self) {
        self.state = State::Ended(Err(Failure::cancelled()));
    }

    fn finish(self) -> Result<Self::Output, Failure> {
        ended(if let State::Ended(result) = self.state { Some(result) } else { None })
    }
}
