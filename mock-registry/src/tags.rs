//! The list of tags, in pages.

use http::StatusCode;
use http::header::LINK;
use longshore_core::{Algorithm, Digest, Repository, Tag};
use serde_json::json;

use crate::answer::{Answer, Body};
use crate::auth::short_name;
use crate::behaviour::{LinkForm, ListName};
use crate::refusal::{Code, Refusal};
use crate::registry::Registry;
use crate::request::{ParsedRequest, unknown_repository};
use crate::state::Contents;

impl Registry {
    /// `end-8a` and `end-8b`.
    pub(crate) fn tags(&self, request: &ParsedRequest, repository: &Repository) -> Result<Answer, Refusal> {
        let listing = &self.options.behaviour.listing;
        let contents = self.state.repositories.get(repository).ok_or_else(|| unknown_repository(repository))?;
        if contents.tags.is_empty() && listing.empty != 200 {
            return Err(unknown_repository(repository).with_status(listing.empty));
        }
        let (page, link) = match listing.unpaged {
            true => (self.tags_in_order(contents), None),
            false => self.page_of_tags(request, repository, contents)?,
        };
        let mut answer = Answer::new(request.row, StatusCode::OK);
        if let Some(link) = link {
            answer = answer.header(LINK, link);
        }
        let name = match &listing.name {
            ListName::Repository => repository.as_str(),
            ListName::ShortName => short_name(repository.as_str()),
            ListName::Other(name) => name,
        };
        let body = json!({ "name": name, "tags": page }).to_string();
        Ok(answer.body("application/json", Body::Bytes(body.into())))
    }

    /// What tags are sorted by: their bytes, or what has nothing to do with their names, as in a storage.
    fn order_of_tags(&self) -> fn(&str) -> String {
        match self.options.behaviour.listing.unsorted {
            true => |tag| Digest::of(Algorithm::Sha256, tag.as_bytes()).hex(),
            false => str::to_owned,
        }
    }

    /// The tags of a repository.
    fn tags_in_order<'a>(&self, contents: &'a Contents) -> Vec<&'a str> {
        let mut tags: Vec<&str> = contents.tags.keys().map(Tag::as_str).collect();
        if self.options.behaviour.listing.unsorted {
            tags.sort_by_cached_key(|tag| self.order_of_tags()(tag));
        }
        tags
    }

    /// The tags that `n` and `last` ask for, and the `Link` to the next ones.
    fn page_of_tags<'a>(
        &self,
        request: &ParsedRequest,
        repository: &Repository,
        contents: &'a Contents,
    ) -> Result<(Vec<&'a str>, Option<String>), Refusal> {
        let listing = &self.options.behaviour.listing;
        let most = self.options.limits.page;
        let bad_number = |message| Refusal::bad_request(Code::Unsupported, message);
        let wanted = match request.query.first("n") {
            None => most,
            Some(n) => n.parse::<usize>().map_err(|_| bad_number("n is a number of tags, from 0".to_owned()))?,
        };
        if wanted > most && listing.over_limit_refused {
            return Err(bad_number(format!("n is at most {most}")));
        }
        let count = wanted.min(most);
        let after = request.query.first("last");
        let order = self.order_of_tags();
        let after = after.map(order);
        let rest = self.tags_in_order(contents).into_iter();
        let mut rest = rest.filter(|tag| after.as_ref().is_none_or(|after| order(tag) > *after));
        let page: Vec<&str> = rest.by_ref().take(count).collect();
        let more = match listing.link {
            LinkForm::Always => true,
            LinkForm::Absent => false,
            _ => rest.next().is_some(),
        };
        let link = page.last().filter(|_| more).map(|last| {
            let n = request.query.first("n").map(|_| format!("n={count}&")).unwrap_or_default();
            self.next_page(&format!("/v2/{repository}/tags/list?{n}last={last}"))
        });
        Ok((page, link))
    }

    /// The value of a `Link` to the next page.
    pub(crate) fn next_page(&self, path: &str) -> String {
        match (self.options.behaviour.listing.link, self.origin()) {
            (LinkForm::Absolute, Some(origin)) => format!("<{origin}{path}>; rel=\"next\""),
            (LinkForm::Bare, _) => format!("{path}; rel=next"),
            (LinkForm::ExtraParameter, _) => format!("<{path}&orderby=>; rel=\"next\""),
            (LinkForm::Path | LinkForm::Always | LinkForm::Absolute | LinkForm::Absent, _) => {
                format!("<{path}>; rel=\"next\"")
            }
        }
    }
}
