//! Storing one manifest under its digest or a tag.
//!
//! ```text
//! Putting ──stored──▶ done
//!  ▲  │ refused, or not known to be stored
//!  │  ▼
//!  │ Checking (HEAD) ──it stands──▶ done          Proving (HEAD by digest) ──there──▶ done
//!  │  │ HEAD says nothing   │                      ▲
//!  │  ▼                     ├─▶ failed             │ a digest of another algorithm than SHA-256 was refused as a name,
//!  │ Reading (GET) ─────────┘                      │ and the tag was taken
//!  └──── a conflict of two writers, or nothing there
//! ```

mod refusal;
mod standing;

use http::StatusCode;

use refusal::{Conflict, may_be_about_tags, may_be_missing, says_immutable, says_missing};

use super::{Context, Exchange, Flow, Next, Outcome, ended};
use crate::auth::{Scope, Scopes};
use crate::config::{Options, RepositoryRef};
use crate::driver::{Body, Keep, Key};
use crate::endpoint::{
    AnswerError, CheckManifest, Condition, Endpoint, ManifestPresence, PullManifest, PutManifest, PutName, TagOrDigest,
};
use crate::outcome::{Failure, FailureKind};
use crate::{Algorithm, Digest, Manifest, Tag};

/// How often a manifest is sent at most. It is sent again if the registry said that it is stored but does not have it,
/// or if another writer interfered.
const MAX_PUTS: u32 = 3;

/// The commit of one manifest.
pub(crate) struct Commit {
    place: RepositoryRef,
    manifest: Manifest,
    digest: Digest,
    under: Under,
    /// The tag of a manifest whose digest is not SHA-256. The manifest is pushed by digest first, because a registry
    /// that is given only the tag computes a SHA-256 and may serve the manifest under no other digest.
    tag_after_digest: Option<Tag>,
    /// Whether it must still be checked that the registry serves the manifest under its digest.
    unproved: bool,
    /// Whether a PUT with `tag` parameters was refused, and not because one of the tags is immutable.
    refused_with_tags: bool,
    /// How often the manifest was sent.
    puts: u32,
    /// The digest that the tag named when the last PUT was refused.
    seen: Option<Digest>,
    state: State,
}

/// What the manifest is pushed under.
enum Under {
    Digest,
    Tag(Tag),
    DigestWithTags(Vec<Tag>),
}

/// The result of a commit.
#[derive(Debug, Clone)]
pub(crate) enum Committed {
    Stored(Stored),
    /// The registry refused the manifest because content that it refers to is missing.
    Missing(Failure),
}

/// A manifest is stored.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// Whether the repository had it before.
    pub(crate) existed: bool,
    /// The requested tags that name it now.
    pub(crate) tags: Vec<Tag>,
    /// Whether the registry lists it among its subject's referrers itself.
    pub(crate) lists_referrers: bool,
}

enum State {
    /// PUT.
    Putting,
    /// HEAD: which manifest does the tag or digest name? With the refusal of the PUT, if there was one.
    Checking(Option<Failure>),
    /// GET: the same, because the answer to HEAD did not show it.
    Reading(Option<Failure>),
    /// HEAD by digest: does the registry serve the manifest there? With what was stored.
    Proving(Stored),
    Ended(Result<Committed, Failure>),
}

impl Commit {
    pub(crate) const fn by_digest(place: RepositoryRef, manifest: Manifest) -> Self {
        Self::new(place, manifest, Under::Digest, None)
    }

    pub(crate) fn under(place: RepositoryRef, manifest: Manifest, tag: Tag) -> Self {
        if manifest.digest().algorithm() == Algorithm::Sha256 {
            return Self::new(place, manifest, Under::Tag(tag), None);
        }
        Self::new(place, manifest, Under::DigestWithTags(vec![tag.clone()]), Some(tag))
    }

    pub(crate) const fn with_tags(place: RepositoryRef, manifest: Manifest, tags: Vec<Tag>) -> Self {
        Self::new(place, manifest, Under::DigestWithTags(tags), None)
    }

    const fn new(place: RepositoryRef, manifest: Manifest, under: Under, tag_after_digest: Option<Tag>) -> Self {
        Self {
            place,
            digest: manifest.digest(),
            manifest,
            under,
            tag_after_digest,
            unproved: false,
            refused_with_tags: false,
            puts: 1,
            seen: None,
            state: State::Putting,
        }
    }

    fn put(&self) -> PutManifest<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        let name = match &self.under {
            Under::Digest => PutName::Digest { tags: &[] },
            Under::Tag(tag) => PutName::Tag(tag),
            Under::DigestWithTags(tags) => PutName::Digest { tags },
        };
        PutManifest { origin, repository, manifest: &self.manifest, name, condition: Condition::None }
    }

    fn answered<K>(&mut self, outcome: Outcome, context: &mut Context<'_, K>) -> State {
        let Outcome::Answer { from, response, .. } = outcome else {
            return State::Ended(Err(outcome.into_failure().unwrap_or_else(Failure::lost)));
        };
        match self.put().parse(&from, &response) {
            Ok(stored) => {
                if let Under::DigestWithTags(_) = self.under
                    && stored.confirmed
                {
                    context.learned.tag_parameter = Some(!stored.tags.is_empty());
                } else if self.refused_with_tags {
                    context.learned.tag_parameter = Some(false);
                }
                let lists_referrers = self.learn_referrers(stored.subject, context);
                // A web server that is not a registry may answer 200 too (quirk `manifest-put-status-variants`).
                if !stored.confirmed {
                    return State::Checking(None);
                }
                let tags = match &self.under {
                    Under::Tag(tag) => vec![tag.clone()],
                    Under::Digest | Under::DigestWithTags(_) => stored.tags,
                };
                self.is_stored(Stored { existed: false, tags, lists_referrers })
            }
            Err(error) => self.refused(error),
        }
    }

    /// Whether the registry says that it lists the subject's referrers itself.
    fn learn_referrers<K>(&self, said: Option<Digest>, context: &mut Context<'_, K>) -> bool {
        let subject = self.manifest.subject().map(|subject| subject.digest);
        let lists_referrers = subject.is_some() && said == subject;
        if lists_referrers {
            context.learned.learn_referrers(&self.place.repository, true);
            context.learned.subject_header = Some(true);
        } else if subject.is_some()
            && context.learned.subject_header == Some(true)
            && context.learned.referrers(&self.place.repository) == Some(true)
        {
            context.learned.forget_referrers(&self.place.repository);
        }
        lists_referrers
    }

    /// The manifest is stored under its tag or digest. Continues with what else was requested.
    fn is_stored(&mut self, stored: Stored) -> State {
        match self.tag_after_digest.take() {
            Some(tag) if !stored.tags.contains(&tag) => {
                self.under = Under::Tag(tag);
                State::Putting
            }
            _ if self.unproved => State::Proving(stored),
            _ => State::Ended(Ok(Committed::Stored(stored))),
        }
    }

    /// Decides about a refusal: content that is missing is sent, a manifest that the registry has already is a success,
    /// and any other refusal is final.
    fn refused(&mut self, error: AnswerError) -> State {
        let AnswerError::Refused(refused) = &error else { return State::Ended(Err(Failure::new(error))) };
        let status = refused.status;
        let is_missing = says_missing(refused, &self.manifest);
        if matches!(self.under, Under::DigestWithTags(_)) && !is_missing && may_be_about_tags(status) {
            self.refused_with_tags = !says_immutable(refused);
            self.under = match self.tag_after_digest.take() {
                // The registry may not support the algorithm: then it accepts the tag, and answers 404 to the digest.
                Some(tag) => {
                    self.unproved = true;
                    Under::Tag(tag)
                }
                // The registry may not support the parameter, or one of the tags may be immutable: pushing them one by
                // one will show it.
                None => Under::Digest,
            };
            return State::Putting;
        }
        let may_stand = matches!(
            status,
            StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED
        ) || may_be_missing(refused, &self.manifest);
        let failure = Failure::new(error);
        if is_missing {
            State::Ended(Ok(Committed::Missing(failure)))
        } else if may_stand {
            State::Checking(Some(failure))
        } else {
            State::Ended(Err(failure))
        }
    }

    fn reference(&self) -> TagOrDigest<'_> {
        match &self.under {
            Under::Tag(tag) => TagOrDigest::Tag(tag),
            Under::Digest | Under::DigestWithTags(_) => TagOrDigest::Digest(&self.digest),
        }
    }

    fn check(&self) -> CheckManifest<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        CheckManifest { origin, repository, reference: self.reference() }
    }

    fn check_digest(&self) -> CheckManifest<'_> {
        CheckManifest { reference: TagOrDigest::Digest(&self.digest), ..self.check() }
    }

    fn pull(&self) -> PullManifest<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        PullManifest { origin, repository, reference: self.reference() }
    }

    /// Decides what to do, from the manifest that the registry has and the refusal of the PUT, if there was one.
    fn stands<K>(
        &mut self,
        standing: Result<Option<Digest>, Failure>,
        refusal: Option<Failure>,
        context: &mut Context<'_, K>,
    ) -> State {
        let standing = match standing {
            Ok(standing) => standing,
            Err(failure) => return self.not_said(failure, refusal, context),
        };
        if standing == Some(self.digest) {
            let tags = if let Under::Tag(tag) = &self.under { vec![tag.clone()] } else { Vec::new() };
            return self.is_stored(Stored { existed: refusal.is_some(), tags, lists_referrers: false });
        }
        let Some(refusal) = refusal else {
            // The success came from a proxy or load balancer and the registry does not have the manifest, so it is sent
            // again (quirk `post-200-healthcheck`).
            let put = self.put();
            let failure = Failure::new(FailureKind::NotFound).at(put.row(), put.target());
            return self.put_again(context).unwrap_or(State::Ended(Err(failure)));
        };
        let conflict = refusal.refused().map_or(Conflict::None, Conflict::of);
        let may_be_writers = match conflict {
            Conflict::Writers => true,
            // A tag that names nothing, or another manifest than before, can be moved.
            Conflict::Either => standing.is_none() || standing != self.seen,
            Conflict::Immutable | Conflict::None => false,
        };
        self.seen = standing;
        if may_be_writers && let Some(again) = self.put_again(context) {
            return again;
        }
        State::Ended(Err(match &self.under {
            Under::Tag(tag) if matches!(conflict, Conflict::Immutable | Conflict::Either) && standing.is_some() => {
                Failure::new(FailureKind::ImmutableTag { tag: tag.clone() })
            }
            _ if refusal.refused().is_some_and(|refused| may_be_missing(refused, &self.manifest)) => {
                return State::Ended(Ok(Committed::Missing(refusal)));
            }
            _ => refusal,
        }))
    }

    /// The registry did not say which manifest it has. After a conflict of two writers, which may be over, the manifest is
    /// sent again.
    fn not_said<K>(&mut self, failure: Failure, refusal: Option<Failure>, context: &mut Context<'_, K>) -> State {
        let conflict = refusal.as_ref().and_then(Failure::refused).map_or(Conflict::None, Conflict::of);
        let again = match conflict {
            Conflict::Writers | Conflict::Either => self.put_again(context),
            Conflict::Immutable | Conflict::None => None,
        };
        again.unwrap_or_else(|| State::Ended(Err(refusal.unwrap_or(failure))))
    }

    /// Another PUT after a pause, unless there were too many.
    fn put_again<K>(&mut self, context: &mut Context<'_, K>) -> Option<State> {
        if self.puts >= MAX_PUTS {
            return None;
        }
        self.puts = self.puts.saturating_add(1);
        *context.pause = 1;
        Some(State::Putting)
    }

    /// The receipt has the digest, so the registry must serve the manifest under it.
    fn proved(&self, stored: Stored, outcome: Outcome) -> Result<Committed, Failure> {
        let check = self.check_digest();
        let is_there = match outcome {
            Outcome::Answer { from, response, .. } => {
                check.parse(&from, &response).is_ok_and(|presence| matches!(presence, ManifestPresence::Present(_)))
            }
            Outcome::Failed(failure) => return Err(failure),
            Outcome::Unknown { .. } => return Err(Failure::lost()),
        };
        if is_there {
            return Ok(Committed::Stored(stored));
        }
        let tag = stored.tags.into_iter().next();
        let failure = Failure::new(FailureKind::NotServed { digest: self.digest, tag });
        Err(failure.at(check.row(), check.target()))
    }
}

impl<K: Key> Flow<K> for Commit {
    type Output = Committed;

    fn next(&self, options: &Options) -> Next<K> {
        let scopes = Scopes::one(Scope::push(self.place.repository.clone()));
        let keep = Keep::UpTo(options.error_body);
        match &self.state {
            State::Putting => {
                Next::send(Exchange::new(&self.put(), Body::Bytes(self.manifest.bytes().clone()), scopes, keep))
            }
            State::Checking(_) => Next::send(Exchange::new(&self.check(), Body::Empty, scopes, keep)),
            State::Reading(_) => {
                let keep = Keep::UpTo(options.manifest_body);
                Next::send(Exchange::new(&self.pull(), Body::Empty, scopes, keep))
            }
            State::Proving(_) => Next::send(Exchange::new(&self.check_digest(), Body::Empty, scopes, keep)),
            State::Ended(_) => Next::Done,
        }
    }

    fn outcome(&mut self, outcome: Outcome, context: &mut Context<'_, K>) {
        self.state = match std::mem::replace(&mut self.state, State::Putting) {
            State::Putting => self.answered(outcome, context),
            State::Checking(refusal) if self.head_says_nothing(&outcome) => State::Reading(refusal),
            State::Checking(refusal) => self.stands(self.checked(outcome), refusal, context),
            State::Reading(refusal) => self.stands(self.read(outcome), refusal, context),
            State::Proving(stored) => State::Ended(self.proved(stored, outcome)),
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

#[cfg(test)]
mod tests;
