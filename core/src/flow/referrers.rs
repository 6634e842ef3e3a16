//! Updates the list of a subject's referrers under the spec's fallback tag, if the registry has no referrers API.
//!
//! ```text
//! Probing ──the registry lists──▶ done
//!    │ no API
//!    ▼
//! Fetching ──already as wanted──▶ done
//!    │  ▲
//!    ▼  └──overwritten by another──┐
//! Writing ──▶ Reading back ────────┴──our entry stands──▶ done
//! ```
//!
//! If the registry sends validators and honours `If-Match`, no entry is lost, in whatever order clients write. If it
//! does not (no registry that was read does), a client whose entry is overwritten before it reads the list back merges
//! again, but one whose entry is overwritten later does not notice. A later push of the same manifest repairs the list.

mod merge;

use http::StatusCode;

use super::{Context, Exchange, Flow, Next, Outcome, ended};
use crate::auth::{Scope, Scopes};
use crate::config::{Options, Referrers, RepositoryRef};
use crate::driver::{Body, Keep, Key};
use crate::endpoint::{
    AnswerError, Condition, DeleteManifest, Endpoint, ListReferrers, PullManifest, PutManifest, PutName, TagOrDigest,
};
use crate::header::ETag;
use crate::outcome::{Failure, FailureKind};
use crate::{Descriptor, Digest, Document, Index, Manifest, MediaType, Tag};

/// How often a list is written at most, before the update fails because other clients overwrite it.
const MAX_WRITES: u32 = 10;

/// Adds entries to the list of a subject's referrers, or removes one.
pub(crate) struct UpdateReferrers {
    place: RepositoryRef,
    subject: Digest,
    tag: Tag,
    change: Change,
    fallback: Referrers,
    writes: u32,
    /// The digest of the manifest that the tag named when it was last read.
    standing: Option<Digest>,
    /// The refusal of the last write, and the digest that the tag named then. It is dropped when the tag names another
    /// manifest.
    refused: Option<(AnswerError, Option<Digest>)>,
    /// Whether the registry refused a write though its validator matched: then later writes have no validator.
    unguarded: bool,
    /// Whether it was cancelled while a write was in flight: it waits for that write's result and writes nothing more.
    leaving: bool,
    state: State,
}

enum Change {
    Add(Vec<Descriptor>),
    Remove(Digest),
}

/// The result of an update: whether the client keeps the list under the fallback tag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listed {
    pub(crate) fallback: bool,
}

#[derive(Clone)]
enum State {
    /// GET referrers: does the registry have the referrers API?
    Probing,
    /// GET the tag.
    Fetching,
    /// PUT the tag, unless it has changed since it was read.
    Writing(Manifest, Guard),
    /// DELETE the tag, because the list is empty. If that is refused, the empty list is written.
    Clearing(Manifest, Guard),
    Ended(Result<Listed, Failure>),
}

/// The condition of a write, for registries that honour conditions.
#[derive(Clone)]
enum Guard {
    /// The tag did not exist (`If-None-Match: *`).
    Absent,
    /// The tag had this validator (`If-Match`).
    Match(ETag),
    /// No condition: the registry sent no validator, or a weak one, with which `If-Match` never matches (RFC 9110,
    /// section 13.1.1).
    None,
}

impl Guard {
    fn of(standing: bool, etag: Option<ETag>) -> Self {
        match etag.filter(|etag| !etag.is_weak()) {
            Some(etag) => Self::Match(etag),
            None if standing => Self::None,
            None => Self::Absent,
        }
    }
}

/// Why the manifest under the tag is not a list of referrers.
#[derive(Clone, Copy)]
pub(super) enum NotAList {
    /// The registry resolves a tag of this form to the digest in it (GitLab), so there cannot be a list.
    Subject,
    /// The tag names something else.
    Other(&'static str),
}

/// The index under the fallback tag, if it is a list of referrers. Reading and writing use this same rule.
pub(super) fn list_of(subject: Digest, standing: &Manifest) -> Result<&Index, NotAList> {
    if subject.matches(standing.bytes()) {
        return Err(NotAList::Subject);
    }
    match standing.document() {
        Document::Index(index) if standing.media_type().as_str() == MediaType::OCI_INDEX => Ok(index),
        _ => Err(NotAList::Other("it is not an OCI index")),
    }
}

impl UpdateReferrers {
    /// Adds `entries` to the list of `subject`, all with one write.
    pub(crate) fn add(place: RepositoryRef, subject: Digest, entries: Vec<Descriptor>, fallback: Referrers) -> Self {
        Self::new(place, subject, Change::Add(entries), fallback)
    }

    /// Removes a manifest that was deleted from the list of `subject`.
    pub(crate) fn remove(place: RepositoryRef, subject: Digest, referrer: Digest, fallback: Referrers) -> Self {
        Self::new(place, subject, Change::Remove(referrer), fallback)
    }

    fn new(place: RepositoryRef, subject: Digest, change: Change, fallback: Referrers) -> Self {
        let tag = Tag::of_referrers(&subject);
        Self {
            place,
            subject,
            tag,
            change,
            fallback,
            writes: 0,
            standing: None,
            refused: None,
            unguarded: false,
            leaving: false,
            state: State::Probing,
        }
    }

    /// The list that it changes. The client makes only one change of a list at a time.
    pub(crate) const fn list(&self) -> (&RepositoryRef, Digest) {
        (&self.place, self.subject)
    }

    /// Takes over the entries that another update of the same list adds, so that one write adds them all. Returns
    /// `false` if it is too late for that, or if one of the updates removes an entry.
    pub(crate) fn join(&mut self, other: &mut Self) -> bool {
        let is_unwritten = matches!(self.state, State::Probing | State::Fetching) && !self.leaving;
        match (&mut self.change, &mut other.change) {
            (Change::Add(own), Change::Add(others)) if is_unwritten => {
                own.append(others);
                true
            }
            _ => false,
        }
    }

    /// Cancels after the result of the write in flight is known. Returns `false` if no write is in flight.
    pub(crate) const fn leave(&mut self) -> bool {
        self.leaving = matches!(self.state, State::Writing(..) | State::Clearing(..));
        self.leaving
    }

    /// Takes the first step. What the client has learned about the registry may make the first request unnecessary.
    pub(crate) fn begin<K>(&mut self, context: &mut Context<'_, K>) {
        // It may have been cancelled while it waited.
        if matches!(self.state, State::Ended(_)) {
            return;
        }
        match context.learned.referrers(&self.place.repository) {
            Some(true) => self.state = State::Ended(Ok(Listed { fallback: false })),
            Some(false) => self.fall_back(),
            None => {}
        }
    }

    fn fall_back(&mut self) {
        self.state = match self.fallback {
            Referrers::Fallback => State::Fetching,
            Referrers::Forbid => State::Ended(Err(Failure::new(FailureKind::ReferrersForbidden))),
        };
    }

    fn probe(&self) -> ListReferrers<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        ListReferrers { origin, repository, subject: &self.subject, artifact_type: None }
    }

    /// Only a 200 with an index means that the API is supported (quirk `referrers-odd-status-means-unsupported`).
    fn probed<K>(&mut self, outcome: Outcome, context: &mut Context<'_, K>) {
        let supported = match outcome {
            Outcome::Answer { from, response, .. } => match self.probe().parse(&from, &response) {
                Ok(_) => Some(true),
                // An unknown repository, or a server error, says nothing about the API.
                Err(error) if is_about_the_api(&error) => Some(false),
                Err(_) => None,
            },
            // A redirect that is not followed means that there is no API (quirk `referrers-303-to-html`).
            Outcome::Failed(failure) if matches!(failure.kind, FailureKind::Refused(_) | FailureKind::Denied(_)) => {
                Some(false)
            }
            other => {
                self.state = State::Ended(Err(other.into_failure().unwrap_or_else(Failure::lost)));
                return;
            }
        };
        if let Some(supported) = supported {
            context.learned.learn_referrers(&self.place.repository, supported);
        }
        if supported == Some(true) {
            self.state = State::Ended(Ok(Listed { fallback: false }));
        } else {
            self.fall_back();
        }
    }

    fn fetch(&self) -> PullManifest<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        PullManifest { origin, repository, reference: TagOrDigest::Tag(&self.tag) }
    }

    fn fetched(&mut self, outcome: Outcome) -> Result<State, Failure> {
        let Outcome::Answer { from, response, .. } = outcome else {
            return Err(outcome.into_failure().unwrap_or_else(Failure::lost));
        };
        let (standing, etag) = match self.fetch().parse(&from, &response) {
            Ok(pulled) => (Some(pulled.manifest), pulled.etag),
            Err(error) if error.is_not_found() => (None, None),
            Err(AnswerError::Malformed { .. }) => {
                return Err(self.not_referrers(NotAList::Other("it is not a manifest")));
            }
            Err(error) => return Err(Failure::new(error)),
        };
        if let Some(Err(not)) = standing.as_ref().map(|standing| list_of(self.subject, standing)) {
            return match self.change {
                // If there is no list, there is no entry to remove.
                Change::Remove(_) => Ok(State::Ended(Ok(Listed { fallback: false }))),
                Change::Add(_) => Err(self.not_referrers(not)),
            };
        }
        let merged = match &self.change {
            Change::Add(entries) => merge::with(standing.as_ref(), entries),
            Change::Remove(digest) => merge::without(standing.as_ref(), *digest),
        };
        let merged = merged.map_err(|_| self.not_referrers(NotAList::Other("its entries cannot be read")))?;
        let Some(merged) = merged else { return Ok(State::Ended(Ok(Listed { fallback: true }))) };
        self.standing = standing.as_ref().map(Manifest::digest);
        if let Some((error, before)) = self.refused.take()
            && before == self.standing
        {
            // The tag still names the same manifest: the registry does not understand the validator, or the tag is
            // immutable.
            if self.unguarded {
                return Err(self.not_listed(error));
            }
            self.unguarded = true;
        }
        if self.writes >= MAX_WRITES {
            return Err(Failure::new(FailureKind::ReferrersConflict { tag: self.tag.clone(), tries: self.writes }));
        }
        self.writes = self.writes.saturating_add(1);
        let guard = if self.unguarded { Guard::None } else { Guard::of(standing.is_some(), etag) };
        if matches!(self.change, Change::Remove(_)) && merge::is_empty(&merged) {
            return Ok(State::Clearing(merged, guard));
        }
        Ok(State::Writing(merged, guard))
    }

    fn not_referrers(&self, not: NotAList) -> Failure {
        Failure::new(match not {
            NotAList::Subject => FailureKind::NoReferrers { tag: self.tag.clone() },
            NotAList::Other(what) => FailureKind::NotReferrers { tag: self.tag.clone(), what },
        })
    }

    fn write<'a>(&'a self, list: &'a Manifest, guard: &'a Guard) -> PutManifest<'a> {
        let RepositoryRef { origin, repository } = &self.place;
        let condition = match guard {
            Guard::Absent => Condition::IfAbsent,
            Guard::Match(etag) => Condition::IfMatch(etag),
            Guard::None => Condition::None,
        };
        PutManifest { origin, repository, manifest: list, name: PutName::Tag(&self.tag), condition }
    }

    /// The registry does not allow changing the list. The manifest of the entry was stored or deleted before.
    fn not_listed(&self, refusal: AnswerError) -> Failure {
        let done = match self.change {
            Change::Add(_) => "stored",
            Change::Remove(_) => "deleted",
        };
        Failure::new(FailureKind::ReferrersRefused { tag: self.tag.clone(), done, refusal: Box::new(refusal) })
    }

    fn written(&mut self, list: &Manifest, guard: &Guard, outcome: Outcome) -> Result<State, Failure> {
        match outcome {
            Outcome::Answer { from, response, .. } => match self.write(list, guard).parse(&from, &response) {
                // The list was written, or another client was first: it is read again.
                Ok(_) => Ok(State::Fetching),
                Err(error) if is_conflict(response.status()) => {
                    self.refused = Some((error, self.standing));
                    Ok(State::Fetching)
                }
                Err(error) => Err(self.not_listed(error)),
            },
            Outcome::Unknown { .. } => Ok(State::Fetching),
            Outcome::Failed(failure) => Err(failure),
        }
    }

    fn clear(&self) -> DeleteManifest<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        DeleteManifest { origin, repository, reference: TagOrDigest::Tag(&self.tag) }
    }

    /// Many registries do not delete tags. An empty list has the same meaning (quirk `fallback-empty-cleanup`).
    fn cleared(&self, empty: Manifest, guard: Guard, outcome: Outcome) -> State {
        match outcome {
            Outcome::Answer { from, response, .. } if self.clear().parse(&from, &response).is_ok() => {
                State::Ended(Ok(Listed { fallback: true }))
            }
            // The tag may be deleted: it is read again.
            Outcome::Unknown { .. } => State::Fetching,
            _ => State::Writing(empty, guard),
        }
    }
}

/// Whether a refusal says that the registry has no referrers API. An unknown repository or a server error does not.
pub(super) fn is_about_the_api(error: &AnswerError) -> bool {
    let is_transient = |status: StatusCode| matches!(status.as_u16(), 408 | 429 | 499);
    error.refused().is_none_or(|refused| {
        refused.status.is_client_error() && !is_transient(refused.status) && !refused.errors.has_code("NAME_UNKNOWN")
    })
}

fn is_conflict(status: StatusCode) -> bool {
    matches!(status, StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT)
}

impl<K: Key> Flow<K> for UpdateReferrers {
    type Output = Listed;

    fn next(&self, options: &Options) -> Next<K> {
        let repository = &self.place.repository;
        let (push, pages) = (Scopes::one(Scope::push(repository.clone())), Keep::UpTo(options.manifest_body));
        let errors = Keep::UpTo(options.error_body);
        Next::send(match &self.state {
            State::Probing => Exchange::new(&self.probe(), Body::Empty, push, pages),
            State::Fetching => Exchange::new(&self.fetch(), Body::Empty, push, pages),
            State::Writing(list, guard) => {
                let call = self.write(list, guard);
                Exchange::new(&call, Body::Bytes(list.bytes().clone()), push, errors).map(Exchange::ask_if_lost)
            }
            State::Clearing(..) => {
                let delete = Scopes::one(Scope::delete(repository.clone()));
                Exchange::new(&self.clear(), Body::Empty, delete, errors).map(Exchange::ask_if_lost)
            }
            State::Ended(_) => return Next::Done,
        })
    }

    fn outcome(&mut self, outcome: Outcome, context: &mut Context<'_, K>) {
        if self.leaving {
            self.state = State::Ended(Err(Failure::cancelled()));
            return;
        }
        let state = match self.state.clone() {
            State::Probing => return self.probed(outcome, context),
            State::Fetching => {
                let fetched = self.fetched(outcome);
                // Other clients write too. With a wait of random length, one of them succeeds.
                *context.pause = u32::from(self.writes > 1 && matches!(fetched, Ok(State::Writing(..))));
                fetched
            }
            State::Writing(list, guard) => self.written(&list, &guard, outcome),
            State::Clearing(empty, guard) => Ok(self.cleared(empty, guard, outcome)),
            ended @ State::Ended(_) => Ok(ended),
        };
        self.state = state.unwrap_or_else(|failure| State::Ended(Err(failure)));
    }

    fn cancel(&mut self) {
        self.state = State::Ended(Err(Failure::cancelled()));
    }

    fn finish(self) -> Result<Self::Output, Failure> {
        ended(if let State::Ended(result) = self.state { Some(result) } else { None })
    }
}
