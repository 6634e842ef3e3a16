//! [`end-8a`] and [`end-8b`]: `GET /v2/<name>/tags/list`.
//!
//! [`end-8a`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints
//! [`end-8b`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde::Deserialize;

use super::page::NextPage;
use super::wire::{Head, in_repository, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, Row};
use crate::target::TargetError;
use crate::{Origin, Repository, Tag, Target};

/// How many tags of one page are read at most.
const MAX_TAGS: usize = 100_000;

/// Lists the tags of a repository (`end-8a`, or `end-8b` with `limit` or `last`).
///
/// Some registries answer 404 if there are no tags ([quirk](crate::quirks) `tags-404-when-empty`).
#[derive(Debug, Clone, Copy)]
pub struct ListTags<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository.
    pub repository: &'a Repository,
    /// The largest number of tags on one page. Many registries refuse more than 1000, and some ignore it
    /// ([quirk](crate::quirks) `tags-n-limit`).
    pub limit: Option<u32>,
    /// List only the tags after this one.
    pub last: Option<&'a Tag>,
}

/// Lists the next page of tags.
#[derive(Debug, Clone, Copy)]
pub struct ListMoreTags<'a> {
    /// The page.
    pub page: &'a NextPage,
}

/// One page of tags.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TagsPage {
    /// The tags, in the registry's order. A name that is no valid tag is left out, because it cannot be requested.
    pub tags: Vec<Tag>,
    /// The next page, if there is one.
    pub next: Option<NextPage>,
}

impl Endpoint for ListTags<'_> {
    type Output = TagsPage;

    fn row(&self) -> Row {
        if self.limit.is_some() || self.last.is_some() { Row::ListSomeTags } else { Row::ListTags }
    }

    fn target(&self) -> Target {
        let mut target = in_repository(self.origin, self.repository, "tags/list");
        if let Some(limit) = self.limit {
            target = target.with_query("n", &limit.to_string());
        }
        match self.last {
            Some(last) => target.with_query("last", last.as_str()),
            None => target,
        }
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        Ok(Head::new(self.row(), &self.target())?.done())
    }

    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<TagsPage, AnswerError> {
        read(self.row(), from, response)
    }
}

impl Endpoint for ListMoreTags<'_> {
    type Output = TagsPage;

    fn row(&self) -> Row {
        Row::ListSomeTags
    }

    fn target(&self) -> Target {
        self.page.target().clone()
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        Ok(Head::new(self.row(), self.page.target())?.done())
    }

    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<TagsPage, AnswerError> {
        read(self.row(), from, response)
    }
}

/// The body of the answer. Its `name` is ignored: some registries send a different name ([quirk](crate::quirks)
/// `tags-name-differs`).
#[derive(Deserialize)]
struct Body {
    /// Registries written in Go send `null` for an empty list.
    tags: Option<Vec<String>>,
}

fn read(row: Row, from: &Target, response: &Response<Bytes>) -> Result<TagsPage, AnswerError> {
    succeeded(row, from, response)?;
    if response.status() != StatusCode::OK {
        return Err(malformed(row, response, Flaw::Status));
    }
    let body: Body = serde_json::from_slice(response.body()).map_err(|error| {
        // The parser's own text may quote a key or a value, so only the position is kept.
        let at = format!("line {}, column {}", error.line(), error.column());
        malformed(row, response, Flaw::Json(at))
    })?;
    let tags = body.tags.unwrap_or_default();
    if tags.len() > MAX_TAGS {
        return Err(malformed(row, response, Flaw::TooMany(MAX_TAGS)));
    }
    let tags = tags.iter().filter_map(|tag| tag.parse().ok()).collect();
    Ok(TagsPage { tags, next: NextPage::read(row, from, response)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::transcript::{answer, origin, parse, play, repository, target};
    use crate::header::LinkError;

    fn texts(page: &TagsPage) -> Vec<&str> {
        page.tags.iter().map(Tag::as_str).collect()
    }

    #[test]
    fn end_8a() {
        let (origin, repository) = (origin(), repository());
        let page = play(
            "end-8a",
            &ListTags { origin: &origin, repository: &repository, limit: None, last: None },
            r#"C: GET /v2/library/ubuntu/tags/list HTTP/1.1
               C: Host: registry.example.org
               C:
               S: HTTP/1.1 200 OK
               S: Content-Type: application/json
               S:
               S: {
               S:   "name": "library/ubuntu",
               S:   "tags": [
               S:     "22.04",
               S:     "24.04",
               S:     "latest"
               S:   ]
               S: }"#,
        )
        .unwrap();
        assert_eq!((texts(&page), &page.next), (vec!["22.04", "24.04", "latest"], &None));
    }

    #[test]
    fn end_8b_and_the_page_after() {
        let (origin, repository) = (origin(), repository());
        let last = "22.04".parse().unwrap();
        let page = play(
            "end-8b",
            &ListTags { origin: &origin, repository: &repository, limit: Some(1), last: Some(&last) },
            r#"C: GET /v2/library/ubuntu/tags/list?n=1&last=22.04 HTTP/1.1
               C: Host: registry.example.org
               C:
               S: HTTP/1.1 200 OK
               S: Link: </v2/library/ubuntu/tags/list?n=1&last=24.04>; rel="next"
               S:
               S: {"name":"library/ubuntu","tags":["24.04"]}"#,
        )
        .unwrap();
        assert_eq!(texts(&page), ["24.04"]);
        let next = page.next.unwrap();
        assert_eq!(next.target(), &target("/v2/library/ubuntu/tags/list?n=1&last=24.04"));
        let page = play(
            "end-8b",
            &ListMoreTags { page: &next },
            r#"C: GET /v2/library/ubuntu/tags/list?n=1&last=24.04 HTTP/1.1
               C: Host: registry.example.org
               C:
               S: HTTP/1.1 200 OK
               S:
               S: {"name":"library/ubuntu","tags":["latest"]}"#,
        )
        .unwrap();
        assert_eq!((texts(&page), &page.next), (vec!["latest"], &None));
    }

    #[test]
    fn a_limit_and_a_last_tag_go_without_each_other() {
        let (origin, repository) = (origin(), repository());
        let last = "22.04".parse().unwrap();
        for (limit, last, query) in [(Some(0), None, "n=0"), (None, Some(&last), "last=22.04")] {
            let list = ListTags { origin: &origin, repository: &repository, limit, last };
            assert_eq!((list.row(), list.target().query()), (Row::ListSomeTags, Some(query)));
        }
    }

    #[test]
    fn bodies_that_registries_send() {
        let (origin, repository) = (origin(), repository());
        let list = ListTags { origin: &origin, repository: &repository, limit: None, last: None };
        let table: [(&str, Option<&[&str]>); 9] = [
            (r#"{"name":"a","tags":null}"#, Some(&[])),
            (r#"{"name":"other","tags":[]}"#, Some(&[])),
            (r#"{"name":"a"}"#, Some(&[])),
            (r#"{"tags":["b","a","b"]}"#, Some(&["b", "a", "b"])),
            (r#"{"tags":["ok","../x","a b",""]}"#, Some(&["ok"])),
            ("", None),
            ("<html>", None),
            (r#"{"tags":{}}"#, None),
            (r#"{"tags":[1]}"#, None),
        ];
        for (body, expected) in table {
            let page = parse(&list, &answer(200, &[], body));
            match expected {
                Some(expected) => assert_eq!(texts(&page.unwrap()), expected, "{body}"),
                None => {
                    let error = page.unwrap_err();
                    assert!(matches!(error, AnswerError::Malformed { why: Flaw::Json(_), .. }), "{body}");
                }
            }
        }
        let many = |count| format!(r#"{{"tags":[{}]}}"#, vec!["\"a\""; count].join(","));
        assert_eq!(parse(&list, &answer(200, &[], &many(MAX_TAGS))).unwrap().tags.len(), MAX_TAGS);
        let error = parse(&list, &answer(200, &[], &many(MAX_TAGS + 1))).unwrap_err();
        assert!(matches!(error, AnswerError::Malformed { why: Flaw::TooMany(_), .. }));
    }

    #[test]
    fn i22_a_page_elsewhere_is_not_followed() {
        let (origin, repository) = (origin(), repository());
        let list = ListTags { origin: &origin, repository: &repository, limit: None, last: None };
        let headers = [("link", "<http://169.254.169.254/latest>; rel=next")];
        let error = parse(&list, &answer(200, &headers, r#"{"tags":[]}"#)).unwrap_err();
        let why = Flaw::Link(LinkError::OtherOrigin);
        assert_eq!(error, AnswerError::Malformed { row: Row::ListTags, status: StatusCode::OK, why });
    }
}
