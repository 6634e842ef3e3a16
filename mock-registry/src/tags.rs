//! The list of tags, in pages.

use http::StatusCode;
use http::header::LINK;
use longshore_core::Repository;
use serde_json::json;

use crate::answer::{Answer, Body};
use crate::refusal::{Code, Refusal};
use crate::registry::Registry;
use crate::request::Asked;

impl Registry {
    /// `end-8a` and `end-8b`. The order of tags is that of their bytes.
    pub(crate) fn tags(&self, asked: &Asked, repository: &Repository) -> Result<Answer, Refusal> {
        let contents = self.state.repositories.get(repository).ok_or_else(|| unknown(repository))?;
        let wanted = match asked.query.first("n") {
            None => self.options.limits.page,
            Some(n) => n
                .parse::<usize>()
                .map_err(|_| Refusal::bad_request(Code::Unsupported, "n is a number of tags, from 0"))?,
        };
        let count = wanted.min(self.options.limits.page);
        let last = asked.query.first("last");
        let mut rest = contents.tags.keys().filter(|tag| last.is_none_or(|last| tag.as_str() > last));
        let page: Vec<&str> = rest.by_ref().take(count).map(longshore_core::Tag::as_str).collect();
        let mut answer = Answer::new(asked.row, StatusCode::OK);
        if let Some(last) = page.last().filter(|_| rest.next().is_some()) {
            answer =
                answer.header(LINK, format_args!("</v2/{repository}/tags/list?n={count}&last={last}>; rel=\"next\""));
        }
        let body = json!({ "name": repository.as_str(), "tags": page }).to_string();
        Ok(answer.body("application/json", Body::Bytes(body.into())))
    }
}

pub(crate) fn unknown(repository: &Repository) -> Refusal {
    Refusal::not_found(Code::NameUnknown, "there is no such repository").detail(json!({ "name": repository.as_str() }))
}
