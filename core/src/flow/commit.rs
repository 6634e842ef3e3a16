//! Storing one manifest under its digest or a tag.

use http::StatusCode;

use super::{Context, Exchange, Flow, Next, Outcome, ended};
use crate::auth::{Scope, Scopes};
use crate::config::{Options, RepositoryRef};
use crate::driver::{Body, Keep, Key};
use crate::endpoint::{
    AnswerError, CheckManifest, Condition, Endpoint, ManifestPresence, PullManifest, PutManifest, PutName, Refused,
    TagOrDigest,
};
use crate::outcome::{Failure, FailureKind};
use crate::{Digest, Manifest, Tag};

/// How often a manifest is sent that was said to be stored and is not there.
const MAX_PUTS: u32 = 3;

/// The commit of one manifest.
pub(crate) struct Commit {
    place: RepositoryRef,
    manifest: Manifest,
    digest: Digest,
    name: Name,
    /// Whether it was refused with its tags, and not because one of them may not be moved.
    refused_with_tags: bool,
    /// How often it was sent.
    puts: u32,
    state: State,
}

enum Name {
    Digest,
    Tag(Tag),
    DigestWithTags(Vec<Tag>),
}

/// What it came to.
#[derive(Debug, Clone)]
pub(crate) enum Committed {
    Stored(Stored),
    /// The registry says that something the manifest refers to is not there.
    Missing(Failure),
}

/// A manifest is stored.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// Whether it stood there before.
    pub(crate) existed: bool,
    /// The tags that name it now, of those that were asked for.
    pub(crate) tags: Vec<Tag>,
    /// Whether the registry keeps the list of its subject's referrers.
    pub(crate) lists_referrers: bool,
}

#[derive(Clone)]
enum State {
    /// PUT.
    Putting,
    /// HEAD: what stands under the name? The refusal that made this worth asking, if it was one.
    Checking(Option<Failure>),
    /// GET: the same, where HEAD does not say.
    Reading(Option<Failure>),
    Ended(Result<Committed, Failure>),
}

impl Commit {
    pub(crate) const fn by_digest(place: RepositoryRef, manifest: Manifest) -> Self {
        Self::new(place, manifest, Name::Digest)
    }

    pub(crate) const fn under(place: RepositoryRef, manifest: Manifest, tag: Tag) -> Self {
        Self::new(place, manifest, Name::Tag(tag))
    }

    pub(crate) const fn with_tags(place: RepositoryRef, manifest: Manifest, tags: Vec<Tag>) -> Self {
        Self::new(place, manifest, Name::DigestWithTags(tags))
    }

    const fn new(place: RepositoryRef, manifest: Manifest, name: Name) -> Self {
        Self {
            place,
            digest: manifest.digest(),
            manifest,
            name,
            refused_with_tags: false,
            puts: 1,
            state: State::Putting,
        }
    }

    fn put(&self) -> PutManifest<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        let name = match &self.name {
            Name::Digest => PutName::Digest { tags: &[] },
            Name::Tag(tag) => PutName::Tag(tag),
            Name::DigestWithTags(tags) => PutName::Digest { tags },
        };
        PutManifest { origin, repository, manifest: &self.manifest, name, condition: Condition::None }
    }

    fn answered<K>(&mut self, outcome: Outcome, context: &mut Context<'_, K>) -> State {
        let Outcome::Answer { from, response, .. } = outcome else {
            return State::Ended(Err(outcome.into_failure().unwrap_or_else(Failure::lost)));
        };
        match self.put().parse(&from, &response) {
            Ok(stored) => {
                if let Name::DigestWithTags(_) = self.name
                    && stored.confirmed
                {
                    context.learned.tag_parameter = Some(!stored.tags.is_empty());
                } else if self.refused_with_tags {
                    context.learned.tag_parameter = Some(false);
                }
                let subject = self.manifest.subject().map(|subject| subject.digest);
                let lists_referrers = subject.is_some() && stored.subject == subject;
                if lists_referrers {
                    context.learned.learn_referrers(&self.place.repository, true);
                    context.learned.subject_header = Some(true);
                } else if subject.is_some()
                    && context.learned.subject_header == Some(true)
                    && context.learned.referrers(&self.place.repository) == Some(true)
                {
                    context.learned.forget_referrers(&self.place.repository);
                }
                // A web server that knows nothing of manifests also says 200 (quirk `manifest-put-status-variants`).
                if !stored.confirmed {
                    return State::Checking(None);
                }
                let tags = match &self.name {
                    Name::Tag(tag) => vec![tag.clone()],
                    Name::Digest | Name::DigestWithTags(_) => stored.tags,
                };
                State::Ended(Ok(Committed::Stored(Stored { existed: false, tags, lists_referrers })))
            }
            Err(error) => self.refused(error),
        }
    }

    /// Rule 13 of the quirks: what is missing is sent, what stands there already is a success, all else is final.
    fn refused(&mut self, error: AnswerError) -> State {
        let AnswerError::Refused(refused) = &error else { return State::Ended(Err(Failure::new(error))) };
        let status = refused.status;
        let is_missing = says_missing(refused, &self.manifest);
        if matches!(self.name, Name::DigestWithTags(_)) && !is_missing && may_be_about_tags(status) {
            // The parameter may not be known here, or one of the tags may not be moved: one by one, that is seen.
            self.refused_with_tags = !says_immutable(refused);
            self.name = Name::Digest;
            return State::Putting;
        }
        let may_stand = matches!(
            status,
            StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED
        );
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
        match &self.name {
            Name::Tag(tag) => TagOrDigest::Tag(tag),
            Name::Digest | Name::DigestWithTags(_) => TagOrDigest::Digest(&self.digest),
        }
    }

    fn check(&self) -> CheckManifest<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        CheckManifest { origin, repository, reference: self.reference() }
    }

    fn pull(&self) -> PullManifest<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        PullManifest { origin, repository, reference: self.reference() }
    }

    /// Whether the answer to a HEAD leaves open what stands there: some send no digest, and some take no HEAD
    /// (quirks `manifest-digest-header-unreliable`, `manifest-head-405`).
    fn head_says_nothing(&self, outcome: &Outcome) -> bool {
        let Outcome::Answer { from, response, .. } = outcome else { return false };
        let is_by_tag = matches!(self.name, Name::Tag(_));
        match self.check().parse(from, response) {
            Ok(ManifestPresence::Present(head)) => head.reported_digest.is_none() && is_by_tag,
            Ok(ManifestPresence::Absent) => false,
            Err(_) => response.status() == StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    fn checked(&self, refusal: Option<Failure>, outcome: Outcome) -> Result<Committed, Failure> {
        let by_digest = !matches!(self.name, Name::Tag(_));
        let standing = match outcome {
            Outcome::Answer { from, response, .. } => match self.check().parse(&from, &response) {
                Ok(ManifestPresence::Present(head)) if by_digest => Ok(head.reported_digest.or(Some(self.digest))),
                Ok(ManifestPresence::Present(head)) => Ok(head.reported_digest),
                Ok(ManifestPresence::Absent) => Ok(None),
                Err(error) => Err(Failure::new(error)),
            },
            other => Err(other.into_failure().unwrap_or_else(Failure::lost)),
        };
        self.stands(standing, refusal)
    }

    fn read(&self, refusal: Option<Failure>, outcome: Outcome) -> Result<Committed, Failure> {
        let standing = match outcome {
            Outcome::Answer { from, response, .. } => match self.pull().parse(&from, &response) {
                Ok(pulled) => Ok(Some(pulled.manifest.with_algorithm(self.digest.algorithm()).digest())),
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(Failure::new(error)),
            },
            other => Err(other.into_failure().unwrap_or_else(Failure::lost)),
        };
        self.stands(standing, refusal)
    }

    /// What was said to be stored, by something on the way that knows nothing of manifests, and is not there, is sent again
    /// (quirk `post-200-healthcheck`).
    fn settled<K>(&mut self, result: Result<Committed, Failure>, context: &mut Context<'_, K>) -> State {
        let is_absent = matches!(&result, Err(failure) if failure.kind == FailureKind::NotFound);
        if is_absent && self.puts < MAX_PUTS {
            self.puts = self.puts.saturating_add(1);
            *context.pause = true;
            return State::Putting;
        }
        State::Ended(result)
    }

    /// What follows from the digest that stands under the name, and from the refusal that made this worth asking.
    fn stands(
        &self,
        standing: Result<Option<Digest>, Failure>,
        refusal: Option<Failure>,
    ) -> Result<Committed, Failure> {
        match (standing, refusal) {
            (Ok(Some(standing)), refusal) if standing == self.digest => {
                let tags = if let Name::Tag(tag) = &self.name { vec![tag.clone()] } else { Vec::new() };
                Ok(Committed::Stored(Stored { existed: refusal.is_some(), tags, lists_referrers: false }))
            }
            (Ok(Some(_)), Some(refusal)) if refusal.refused().is_some_and(says_immutable) => match &self.name {
                Name::Tag(tag) => Err(Failure::new(FailureKind::ImmutableTag { tag: tag.clone() })),
                Name::Digest | Name::DigestWithTags(_) => Err(refusal),
            },
            (Ok(_), Some(refusal)) => Err(refusal),
            (Ok(_), None) => {
                let put = self.put();
                Err(Failure::new(FailureKind::NotFound).at(put.row(), put.target()))
            }
            (Err(failure), refusal) => Err(refusal.unwrap_or(failure)),
        }
    }
}

/// Whether a refusal says that a blob or child is not there (quirk `missing-blob-status-zoo`).
fn says_missing(refused: &Refused, manifest: &Manifest) -> bool {
    if !matches!(refused.status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND) {
        return false;
    }
    let says = |code| refused.errors.has_code(code);
    if says("MANIFEST_BLOB_UNKNOWN") || says("BLOB_UNKNOWN") {
        return true;
    }
    // Quay says only that the manifest is invalid; a child that is missing is an unknown manifest to some.
    let refers = manifest.blobs().next().is_some() || manifest.children().next().is_some();
    refers && (says("MANIFEST_INVALID") || refused.status == StatusCode::NOT_FOUND && says("MANIFEST_UNKNOWN"))
}

/// Whether a refusal says that a tag cannot be moved (quirk `tag-immutable-status-zoo`).
fn says_immutable(refused: &Refused) -> bool {
    // A 403 has many reasons; that the tag cannot be moved must be said.
    let says = |text: &str| text.to_ascii_lowercase().contains("immutable");
    let is_said = || refused.errors.errors.iter().filter_map(|entry| entry.message.as_deref()).any(says);
    matches!(refused.status, StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED)
        || is_said()
        || ["TAG_INVALID", "TAG_IMMUTABLE", "TAG_ALREADY_EXISTS"].iter().any(|code| refused.errors.has_code(code))
}

/// Whether a refusal of a manifest with `tag` parameters may have to do with them. Too long a URL is one of the spec's.
fn may_be_about_tags(status: StatusCode) -> bool {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNSUPPORTED_MEDIA_TYPE => false,
        StatusCode::NOT_IMPLEMENTED => true,
        other => other.is_client_error(),
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
            State::Ended(_) => Next::Done,
        }
    }

    fn outcome(&mut self, outcome: Outcome, context: &mut Context<'_, K>) {
        self.state = match self.state.clone() {
            State::Putting => self.answered(outcome, context),
            State::Checking(refusal) if self.head_says_nothing(&outcome) => State::Reading(refusal),
            State::Checking(refusal) => self.settled(self.checked(refusal, outcome), context),
            State::Reading(refusal) => self.settled(self.read(refusal, outcome), context),
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
