//! Listing the tags of a repository, and the referrers of a manifest.

use std::collections::BTreeSet;

use http::StatusCode;

use super::referrers::{is_about_the_api, list_of};
use super::{Context, Exchange, Flow, Next, Outcome, ended};
use crate::auth::{Scope, Scopes};
use crate::config::{Options, RepositoryRef};
use crate::driver::{Body, Keep, Key};
use crate::endpoint::{
    AnswerError, Endpoint, Flaw, ListMoreReferrers, ListMoreTags, ListReferrers as ListReferrersCall,
    ListTags as ListTagsCall, NextPage, PullManifest, ReferrersPage, TagOrDigest, TagsPage,
};
use crate::outcome::{Failure, FailureKind};
use crate::{Descriptor, Digest, Tag, Target};

/// Lists the tags of a repository, page by page.
pub(crate) struct ListTags {
    place: RepositoryRef,
    tags: Vec<Tag>,
    known: BTreeSet<Tag>,
    pages: Pages,
    ended: Option<Result<Vec<Tag>, Failure>>,
}

/// The pages of a list. Their number is limited, and none is read twice.
#[derive(Default)]
struct Pages {
    seen: BTreeSet<String>,
    next: Option<NextPage>,
}

impl Pages {
    /// Records that the page at `read` was read. Returns whether there is another page to read.
    fn turn(&mut self, read: &Target, next: Option<NextPage>, limit: u32) -> Result<bool, Failure> {
        self.seen.insert(read.path_and_query().to_owned());
        self.next = next.filter(|page| !self.seen.contains(page.target().path_and_query()));
        if self.next.is_some() && self.seen.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            return Err(Failure::new(FailureKind::TooMany { what: "pages", limit: u64::from(limit) }));
        }
        Ok(self.next.is_some())
    }
}

impl ListTags {
    pub(crate) fn new(place: RepositoryRef) -> Self {
        Self { place, tags: Vec::new(), known: BTreeSet::new(), pages: Pages::default(), ended: None }
    }

    fn first(&self) -> ListTagsCall<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        ListTagsCall { origin, repository, limit: None, last: None }
    }

    /// Adds the tags of a page. Returns whether there is another page to read.
    fn add(&mut self, page: TagsPage, options: &Options) -> Result<bool, Failure> {
        let read = self.pages.next.as_ref().map_or_else(|| self.first().target(), |page| page.target().clone());
        let before = self.tags.len();
        for tag in page.tags {
            if self.known.insert(tag.clone()) {
                self.tags.push(tag);
            }
        }
        if self.tags.len() > options.most_tags {
            return Err(Failure::new(FailureKind::TooMany { what: "tags", limit: options.most_tags as u64 }));
        }
        // A page that adds nothing is the last, whatever it links to (quirk `tags-link-forms`).
        Ok(self.tags.len() > before && self.pages.turn(&read, page.next, options.pages)?)
    }
}

impl<K: Key> Flow<K> for ListTags {
    type Output = Vec<Tag>;

    fn next(&self, options: &Options) -> Next<K> {
        if self.ended.is_some() {
            return Next::Done;
        }
        let scopes = Scopes::one(Scope::pull(self.place.repository.clone()));
        let keep = Keep::UpTo(options.manifest_body);
        Next::send(match &self.pages.next {
            Some(page) => Exchange::new(&ListMoreTags { page }, Body::Empty, scopes, keep),
            None => Exchange::new(&self.first(), Body::Empty, scopes, keep),
        })
    }

    fn outcome(&mut self, outcome: Outcome, context: &mut Context<'_, K>) {
        let Outcome::Answer { from, response, .. } = outcome else {
            self.ended = Some(Err(outcome.into_failure().unwrap_or_else(Failure::lost)));
            return;
        };
        let page = match &self.pages.next {
            Some(page) => ListMoreTags { page }.parse(&from, &response),
            None => self.first().parse(&from, &response),
        };
        let more = page.map_err(Failure::new).and_then(|page| self.add(page, context.options));
        self.ended = match more {
            Ok(true) => None,
            Ok(false) => Some(Ok(std::mem::take(&mut self.tags))),
            Err(failure) => Some(Err(failure)),
        };
    }

    fn cancel(&mut self) {
        self.ended = Some(Err(Failure::cancelled()));
    }

    fn finish(self) -> Result<Self::Output, Failure> {
        ended(self.ended)
    }
}

/// Lists the referrers of a manifest, from the referrers API or, without one, from the fallback tag.
pub(crate) struct ListReferrers {
    place: RepositoryRef,
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
    pub(crate) fn new(place: RepositoryRef, subject: Digest, artifact_type: Option<String>) -> Self {
        Self { place, subject, artifact_type, referrers: Vec::new(), pages: Pages::default(), state: State::Api }
    }

    fn first(&self) -> ListReferrersCall<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        ListReferrersCall { origin, repository, subject: &self.subject, artifact_type: self.artifact_type.as_deref() }
    }

    fn fallback<'a>(&'a self, tag: &'a Tag) -> PullManifest<'a> {
        let RepositoryRef { origin, repository } = &self.place;
        PullManifest { origin, repository, reference: TagOrDigest::Tag(tag) }
    }

    fn answered<K>(&mut self, outcome: Outcome, context: &mut Context<'_, K>) -> State {
        let Outcome::Answer { from, response, .. } = outcome else {
            let failure = outcome.into_failure().unwrap_or_else(Failure::lost);
            let is_no_api = matches!(failure.kind, FailureKind::Refused(_)) && self.pages.next.is_none();
            return if is_no_api { State::Fallback } else { State::Ended(Err(failure)) };
        };
        let page = match &self.pages.next {
            Some(page) => ListMoreReferrers { page }.parse(&from, &response),
            None => self.first().parse(&from, &response),
        };
        match page {
            Ok(ReferrersPage { referrers, next, .. }) => {
                context.learned.learn_referrers(&self.place.repository, true);
                let read = self.pages.next.as_ref().map_or_else(|| self.first().target(), |page| page.target().clone());
                let added = self.add(referrers, context.options);
                match added.and_then(|()| self.pages.turn(&read, next, context.options.pages)) {
                    Ok(true) => State::Api,
                    Ok(false) => State::Ended(Ok(std::mem::take(&mut self.referrers))),
                    Err(failure) => State::Ended(Err(failure)),
                }
            }
            Err(error)
                if matches!(response.status(), StatusCode::UNAUTHORIZED)
                    || is_a_list(&error)
                    || !is_about_the_api(&error) =>
            {
                State::Ended(Err(Failure::new(error)))
            }
            Err(_) if self.pages.next.is_none() => State::Fallback,
            Err(error) => State::Ended(Err(Failure::new(error))),
        }
    }

    fn fell_back(&mut self, outcome: Outcome, options: &Options) -> Result<Vec<Descriptor>, Failure> {
        let Outcome::Answer { from, response, .. } = outcome else {
            return Err(outcome.into_failure().unwrap_or_else(Failure::lost));
        };
        let tag = Tag::of_referrers(&self.subject);
        match self.fallback(&tag).parse(&from, &response) {
            // The spec says that a manifest which is not an index means that there are no referrers. So does the
            // subject itself.
            Ok(pulled) => {
                let listed = list_of(self.subject, &pulled.manifest);
                self.add(listed.map(|index| index.manifests.clone()).unwrap_or_default(), options)?;
                Ok(std::mem::take(&mut self.referrers))
            }
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(Failure::new(error)),
        }
    }

    /// The client filters too, because a registry may ignore the filter without saying so (quirk
    /// `referrers-filter-client-side`).
    fn add(&mut self, referrers: Vec<Descriptor>, options: &Options) -> Result<(), Failure> {
        let wanted = self.artifact_type.clone();
        let fits = |entry: &Descriptor| wanted.is_none() || entry.artifact_type == wanted;
        self.referrers.extend(referrers.into_iter().filter(fits));
        if self.referrers.len() > options.most_referrers {
            return Err(Failure::new(FailureKind::TooMany { what: "referrers", limit: options.most_referrers as u64 }));
        }
        Ok(())
    }
}

/// Whether the registry has the referrers API, and its list breaks a rule.
const fn is_a_list(error: &AnswerError) -> bool {
    matches!(error, AnswerError::Malformed { why: Flaw::Link(_) | Flaw::TooMany(_), .. })
}

impl<K: Key> Flow<K> for ListReferrers {
    type Output = Vec<Descriptor>;

    fn next(&self, options: &Options) -> Next<K> {
        let scopes = Scopes::one(Scope::pull(self.place.repository.clone()));
        let keep = Keep::UpTo(options.manifest_body);
        Next::send(match (&self.state, &self.pages.next) {
            (State::Api, Some(page)) => Exchange::new(&ListMoreReferrers { page }, Body::Empty, scopes, keep),
            (State::Api, None) => Exchange::new(&self.first(), Body::Empty, scopes, keep),
            (State::Fallback, _) => {
                let tag = Tag::of_referrers(&self.subject);
                Exchange::new(&self.fallback(&tag), Body::Empty, scopes, keep)
            }
            (State::Ended(_), _) => return Next::Done,
        })
    }

    fn outcome(&mut self, outcome: Outcome, context: &mut Context<'_, K>) {
        self.state = match self.state.clone() {
            State::Api => self.answered(outcome, context),
            State::Fallback => State::Ended(self.fell_back(outcome, context.options)),
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
