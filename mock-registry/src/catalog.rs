//! The list of repositories, which is not in the spec but which registries have.

use http::StatusCode;
use http::header::LINK;
use longshore_core::Repository;
use serde_json::json;

use crate::answer::{Answer, Body};
use crate::refusal::{Code, Refusal};
use crate::registry::Registry;
use crate::request::ParsedRequest;

impl Registry {
    /// `GET /v2/_catalog`: the names of repositories that the caller may read, in the order of their bytes, in pages.
    pub(crate) fn catalog(&self, request: &ParsedRequest) -> Result<Answer, Refusal> {
        let most = self.options.limits.page;
        let wanted = match request.query.first("n") {
            None => most,
            Some(n) => n
                .parse::<usize>()
                .map_err(|_| Refusal::bad_request(Code::Unsupported, "n is a number of repositories, from 0"))?,
        };
        let count = wanted.min(most);
        let after = request.query.first("last");
        let known = self.state.repositories.keys().filter(|name| request.caller.may_read(name));
        let mut rest = known.filter(|name| after.is_none_or(|after| name.as_str() > after));
        let page: Vec<&str> = rest.by_ref().take(count).map(Repository::as_str).collect();
        let mut answer = Answer::new(request.row, StatusCode::OK);
        if let Some(last) = page.last().filter(|_| rest.next().is_some()) {
            answer = answer.header(LINK, self.next_page(&format!("/v2/_catalog?n={count}&last={last}")));
        }
        let body = json!({ "repositories": page }).to_string();
        Ok(answer.body("application/json", Body::Bytes(body.into())))
    }
}
