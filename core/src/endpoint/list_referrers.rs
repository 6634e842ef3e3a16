//! `end-12a` and `end-12b`: `GET /v2/<name>/referrers/<digest>`.

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Request, Response, StatusCode};

use super::page::NextPage;
use super::wire::{Head, content_type, in_repository, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, Row};
use crate::content::Document;
use crate::header::filters_applied;
use crate::target::TargetError;
use crate::{Descriptor, Digest, Manifest, MediaType, Origin, Repository, Target};

/// The most entries of one page that are read (security invariant I25).
const MAX_REFERRERS: usize = 10_000;

/// Asks which manifests have a given one as their subject (`end-12a`, or `end-12b` with an artifact type).
///
/// A registry without the referrers API says so in many ways: 404 as the spec has it, other refusals, redirects to web
/// pages, or a 200 that is no index. All of them are errors here (quirks `referrers-404-fallback`,
/// `referrers-odd-status-means-unsupported`, `referrers-303-to-html`).
#[derive(Debug, Clone, Copy)]
pub struct ListReferrers<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository.
    pub repository: &'a Repository,
    /// The manifest that they refer to.
    pub subject: &'a Digest,
    /// Which kind alone is wanted. Registries may ignore it: see [`ReferrersPage::filtered`].
    pub artifact_type: Option<&'a str>,
}

/// Asks for the next page of referrers.
#[derive(Debug, Clone, Copy)]
pub struct ListMoreReferrers<'a> {
    /// The page.
    pub page: &'a NextPage,
}

/// Some referrers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReferrersPage {
    /// Their descriptors, in the registry's order.
    pub referrers: Vec<Descriptor>,
    /// Whether the registry says that it filtered by artifact type. Where not, the caller does.
    pub filtered: bool,
    /// Where the list goes on.
    pub next: Option<NextPage>,
}

impl Endpoint for ListReferrers<'_> {
    type Output = ReferrersPage;

    fn row(&self) -> Row {
        if self.artifact_type.is_some() { Row::ListSomeReferrers } else { Row::ListReferrers }
    }

    fn target(&self) -> Target {
        let target = in_repository(self.origin, self.repository, &format!("referrers/{}", self.subject));
        match self.artifact_type {
            Some(artifact_type) => target.with_query("artifactType", artifact_type),
            None => target,
        }
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        request(self.row(), &self.target())
    }

    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<ReferrersPage, AnswerError> {
        read(self.row(), from, response)
    }
}

impl Endpoint for ListMoreReferrers<'_> {
    type Output = ReferrersPage;

    fn row(&self) -> Row {
        Row::ListReferrers
    }

    fn target(&self) -> Target {
        self.page.target().clone()
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        request(self.row(), self.page.target())
    }

    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<ReferrersPage, AnswerError> {
        read(self.row(), from, response)
    }
}

fn request(row: Row, target: &Target) -> Result<Request<()>, TargetError> {
    Ok(Head::new(row, target)?.header(ACCEPT, HeaderValue::from_static(MediaType::OCI_INDEX)).done())
}

fn read(row: Row, from: &Target, response: &Response<Bytes>) -> Result<ReferrersPage, AnswerError> {
    succeeded(row, from, response)?;
    if response.status() != StatusCode::OK {
        return Err(malformed(row, response, Flaw::Status));
    }
    let content_type = content_type(response);
    if content_type.parse() != Ok(MediaType::oci_index()) {
        return Err(malformed(row, response, Flaw::ContentType(content_type)));
    }
    let index = Manifest::parse_as(MediaType::oci_index(), response.body().clone());
    let index = index.map_err(|why| malformed(row, response, why))?;
    let referrers = match index.document() {
        Document::Index(index) => index.manifests.clone(),
        Document::Image(_) | Document::Other => Vec::new(),
    };
    if referrers.len() > MAX_REFERRERS {
        return Err(malformed(row, response, Flaw::TooMany(MAX_REFERRERS)));
    }
    let filtered = filters_applied(response.headers(), "artifactType");
    Ok(ReferrersPage { referrers, filtered, next: NextPage::read(row, from, response)? })
}
