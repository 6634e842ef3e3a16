//! The list of tags, in pages.

use http::StatusCode;
use http::header::LINK;
use longshore_core::{Repository, Tag};
use serde_json::json;

use crate::answer::{Answer, Body};
use crate::auth::short_name;
use crate::behaviour::{LinkForm, ListName};
use crate::refusal::{Code, Refusal};
use crate::registry::Registry;
use crate::request::{ParsedRequest, unknown_repository};

impl Registry {
    /// `end-8a` and `end-8b`. Tags are sorted by their bytes.
    pub(crate) fn tags(&self, request: &ParsedRequest, repository: &Repository) -> Result<Answer, Refusal> {
        let listing = &self.options.behaviour.listing;
        let contents = self.state.repositories.get(repository).ok_or_else(|| unknown_repository(repository))?;
        if contents.tags.is_empty() && listing.empty != 200 {
            return Err(unknown_repository(repository).with_status(listing.empty));
        }
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
        let mut rest = contents.tags.keys().filter(|tag| after.is_none_or(|after| tag.as_str() > after));
        let page: Vec<&str> = rest.by_ref().take(count).map(Tag::as_str).collect();
        let more = rest.next().is_some() || listing.link == LinkForm::Always;
        let mut answer = Answer::new(request.row, StatusCode::OK);
        if let Some(last) = page.last().filter(|_| more) {
            let n = request.query.first("n").map(|_| format!("n={count}&")).unwrap_or_default();
            answer = answer.header(LINK, self.next_page(&format!("/v2/{repository}/tags/list?{n}last={last}")));
        }
        let name = match &listing.name {
            ListName::Repository => repository.as_str(),
            ListName::ShortName => short_name(repository.as_str()),
            ListName::Other(name) => name,
        };
        let body = json!({ "name": name, "tags": page }).to_string();
        Ok(answer.body("application/json", Body::Bytes(body.into())))
    }

    /// The value of a `Link` to the next page.
    pub(crate) fn next_page(&self, path: &str) -> String {
        match (self.options.behaviour.listing.link, self.origin()) {
            (LinkForm::Absolute, Some(origin)) => format!("<{origin}{path}>; rel=\"next\""),
            (LinkForm::Bare, _) => format!("{path}; rel=next"),
            (LinkForm::ExtraParameter, _) => format!("<{path}&orderby=>; rel=\"next\""),
            (LinkForm::Path | LinkForm::Always | LinkForm::Absolute, _) => format!("<{path}>; rel=\"next\""),
        }
    }
}
