//! Listing the tags of a repository, and the referrers of a manifest.

use std::collections::BTreeSet;

use http::StatusCode;

use super::{Exchange, Flow, Next, Outcome, Place, World};
use crate::auth::{Scope, Scopes};
use crate::client::{Failure, Options, Why};
use crate::driver::{Body, Keep, Key};
use crate::endpoint::{
    Endpoint, ListMoreReferrers, ListMoreTags, ListReferrers as ListReferrersCall, ListTags as ListTagsCall, NextPage,
    PullManifest, ReferrersPage, TagOrDigest, TagsPage,
};
use crate::{Descriptor, Digest, Document, Manifest, Tag};

/// How many referrers are listed at the most.
const MAX_REFERRERS: usize = 10_000;

/// Lists the tags of a repository, page by page.
pub(crate) struct ListTags {
    place: Place,
    tags: Vec<Tag>,
    pages: Pages,
    ended: Option<Result<Vec<Tag>, Failure>>,
}

/// Pages of a list: bounded, and none twice.
#[derive(Default)]
struct Pages {
    seen: BTreeSet<String>,
    next: Option<NextPage>,
}

impl Pages {
    /// Whether there is another page to read.
    fn turn(&mut self, next: Option<NextPage>, limit: u32) -> bool {
        let fresh = next.filter(|page| self.seen.insert(page.target().path_and_query().to_owned()));
        let more = fresh.is_some() && self.seen.len() < usize::try_from(limit).unwrap_or(usize::MAX);
        self.next = fresh.filter(|_| more);
        more
    }
}

impl ListTags {
    pub(crate) fn new(place: Place) -> Self {
        Self { place, tags: Vec::new(), pages: Pages::default(), ended: None }
    }

    fn first(&self) -> ListTagsCall<'_> {
        let Place { origin, repository } = &self.place;
        ListTagsCall { origin, repository, limit: None, last: None }
    }
}

impl<K: Key> Flow<K> for ListTags {
    type Output = Vec<Tag>;

    fn next(&self, options: &Options) -> Next<K, Vec<Tag>> {
        if let Some(result) = &self.ended {
            return Next::Done(result.clone());
        }
        let scopes = Scopes::one(Scope::pull(self.place.repository.clone()));
        let keep = Keep::UpTo(options.manifest_body);
        Next::send(match &self.pages.next {
            Some(page) => Exchange::new(&ListMoreTags { page }, Body::Empty, scopes, keep),
            None => Exchange::new(&self.first(), Body::Empty, scopes, keep),
        })
    }

    fn outcome(&mut self, outcome: Outcome, world: &mut World<'_, K>) {
        let Outcome::Answer { from, response, .. } = outcome else {
            self.ended = Some(Err(outcome.into_failure().unwrap_or_else(Failure::lost)));
            return;
        };
        let page = match &self.pages.next {
            Some(page) => ListMoreTags { page }.parse(&from, &response),
            None => self.first().parse(&from, &response),
        };
        match page {
            Ok(TagsPage { tags, next, .. }) => {
                // A page that adds nothing is the last, whatever it links to (quirk `tags-link-forms`).
                let adds = tags.iter().any(|tag| !self.tags.contains(tag));
                self.tags.extend(tags);
                if !adds || !self.pages.turn(next, world.options.pages) {
                    self.ended = Some(Ok(std::mem::take(&mut self.tags)));
                }
            }
            Err(error) => self.ended = Some(Err(Failure::new(error))),
        }
    }

    fn cancel(&mut self) {
        self.ended = Some(Err(Failure::cancelled()));
    }
}

/// Lists what refers to a manifest: from the referrers API, or else from the fallback tag.
pub(crate) struct ListReferrers {
    place: Place,
    subject: Digest,
    artifact_type: Option<String>,
    referrers: Vec<Descriptor>,
    pages: Pages,
    state: State,
}

#[derive(Clone)]
enum State {
    Api,
    Fallback,
    Ended(Result<Vec<Descriptor>, Failure>),
}

impl ListReferrers {
    pub(crate) fn new(place: Place, subject: Digest, artifact_type: Option<String>) -> Self {
        Self { place, subject, artifact_type, referrers: Vec::new(), pages: Pages::default(), state: State::Api }
    }

    fn first(&self) -> ListReferrersCall<'_> {
        let Place { origin, repository } = &self.place;
        ListReferrersCall { origin, repository, subject: &self.subject, artifact_type: self.artifact_type.as_deref() }
    }

    fn fallback<'a>(&'a self, tag: &'a Tag) -> PullManifest<'a> {
        let Place { origin, repository } = &self.place;
        PullManifest { origin, repository, reference: TagOrDigest::Tag(tag) }
    }

    fn answered<K>(&mut self, outcome: Outcome, world: &mut World<'_, K>) -> State {
        let Outcome::Answer { from, response, .. } = outcome else {
            let failure = outcome.into_failure().unwrap_or_else(Failure::lost);
            let is_no_api = matches!(failure.why, Why::Refused(_)) && self.pages.next.is_none();
            return if is_no_api { State::Fallback } else { State::Ended(Err(failure)) };
        };
        let page = match &self.pages.next {
            Some(page) => ListMoreReferrers { page }.parse(&from, &response),
            None => self.first().parse(&from, &response),
        };
        match page {
            Ok(ReferrersPage { referrers, next, .. }) => {
                world.learned.learn_referrers(&self.place.repository, true);
                self.add(referrers);
                if self.pages.turn(next, world.options.pages) && self.referrers.len() < MAX_REFERRERS {
                    State::Api
                } else {
                    State::Ended(Ok(std::mem::take(&mut self.referrers)))
                }
            }
            Err(error) if matches!(response.status(), StatusCode::UNAUTHORIZED) => {
                State::Ended(Err(Failure::new(error)))
            }
            Err(_) if self.pages.next.is_none() => State::Fallback,
            Err(error) => State::Ended(Err(Failure::new(error))),
        }
    }

    fn fell_back(&mut self, outcome: Outcome) -> Result<Vec<Descriptor>, Failure> {
        let Outcome::Answer { from, response, .. } = outcome else {
            return Err(outcome.into_failure().unwrap_or_else(Failure::lost));
        };
        let tag = Tag::of_referrers(&self.subject);
        match self.fallback(&tag).parse(&from, &response) {
            // The spec: what is no index says that there are none.
            Ok(pulled) => {
                self.add(entries(&pulled.manifest));
                Ok(std::mem::take(&mut self.referrers))
            }
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(Failure::new(error)),
        }
    }

    /// Filtered here too, because a registry may ignore the filter without saying so (quirk `referrers-filter-client-side`).
    fn add(&mut self, referrers: Vec<Descriptor>) {
        let wanted = self.artifact_type.clone();
        let fits = |entry: &Descriptor| wanted.is_none() || entry.artifact_type == wanted;
        let room = MAX_REFERRERS.saturating_sub(self.referrers.len());
        self.referrers.extend(referrers.into_iter().filter(fits).take(room));
    }
}

fn entries(manifest: &Manifest) -> Vec<Descriptor> {
    match manifest.document() {
        Document::Index(index) => index.manifests.clone(),
        Document::Image(_) | Document::Other => Vec::new(),
    }
}

impl<K: Key> Flow<K> for ListReferrers {
    type Output = Vec<Descriptor>;

    fn next(&self, options: &Options) -> Next<K, Vec<Descriptor>> {
        let scopes = Scopes::one(Scope::pull(self.place.repository.clone()));
        let keep = Keep::UpTo(options.manifest_body);
        Next::send(match (&self.state, &self.pages.next) {
            (State::Api, Some(page)) => Exchange::new(&ListMoreReferrers { page }, Body::Empty, scopes, keep),
            (State::Api, None) => Exchange::new(&self.first(), Body::Empty, scopes, keep),
            (State::Fallback, _) => {
                let tag = Tag::of_referrers(&self.subject);
                Exchange::new(&self.fallback(&tag), Body::Empty, scopes, keep)
            }
            (State::Ended(result), _) => return Next::Done(result.clone()),
        })
    }

    fn outcome(&mut self, outcome: Outcome, world: &mut World<'_, K>) {
        self.state = match self.state.clone() {
            State::Api => self.answered(outcome, world),
            State::Fallback => State::Ended(self.fell_back(outcome)),
            ended @ State::Ended(_) => ended,
        };
    }

    fn cancel(&mut self) {
        self.state = State::Ended(Err(Failure::cancelled()));
    }
}
