//! [`end-12a`] and [`end-12b`]: `GET /v2/<name>/referrers/<digest>`.
//!
//! [`end-12a`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints
//! [`end-12b`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints

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

/// How many entries of one page are read at most (security invariant I25).
const MAX_REFERRERS: usize = 10_000;

/// Lists the manifests whose subject is a given manifest (`end-12a`, or `end-12b` with an artifact type).
///
/// A registry without the referrers API answers in different ways: 404 as the spec requires, other refusals, redirects
/// to web pages, or a 200 whose body is not an index. All of them are errors here ([quirks](crate::quirks)
/// `referrers-404-fallback`, `referrers-odd-status-means-unsupported`, `referrers-303-to-html`).
#[derive(Debug, Clone, Copy)]
pub struct ListReferrers<'a> {
    /// The registry.
    pub origin: &'a Origin,
    /// The repository.
    pub repository: &'a Repository,
    /// The digest of the manifest that they refer to.
    pub subject: &'a Digest,
    /// Lists only referrers with this artifact type. Registries may ignore it: see [`ReferrersPage::filtered`].
    pub artifact_type: Option<&'a str>,
}

/// Lists the next page of referrers.
#[derive(Debug, Clone, Copy)]
pub struct ListMoreReferrers<'a> {
    /// The page.
    pub page: &'a NextPage,
}

/// One page of referrers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReferrersPage {
    /// Their descriptors, in the registry's order.
    pub referrers: Vec<Descriptor>,
    /// Whether the registry says that it filtered by artifact type. If not, the caller must filter.
    pub filtered: bool,
    /// The next page, if there is one.
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
        Document::Image(_) | Document::Artifact(_) | Document::Other => Vec::new(),
    };
    if referrers.len() > MAX_REFERRERS {
        return Err(malformed(row, response, Flaw::TooMany(MAX_REFERRERS)));
    }
    let filtered = filters_applied(response.headers(), "artifactType");
    Ok(ReferrersPage { referrers, filtered, next: NextPage::read(row, from, response)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::transcript::{answer, manifest, origin, parse, play, repository, target};

    const INDEX: (&str, &str) = ("content-type", "application/vnd.oci.image.index.v1+json");

    #[test]
    fn end_12a() {
        let (origin, repository, subject) = (origin(), repository(), manifest().digest());
        let page = play(
            "end-12a",
            &ListReferrers { origin: &origin, repository: &repository, subject: &subject, artifact_type: None },
            r#"C: GET /v2/library/ubuntu/referrers/sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9 HTTP/1.1
               C: Host: registry.example.org
               C: Accept: application/vnd.oci.image.index.v1+json
               C:
               S: HTTP/1.1 200 OK
               S: Content-Type: application/vnd.oci.image.index.v1+json
               S: Link: <?next=2>; rel="next"
               S:
               S: {
               S:   "schemaVersion": 2,
               S:   "mediaType": "application/vnd.oci.image.index.v1+json",
               S:   "manifests": [
               S:     {
               S:       "mediaType": "application/vnd.oci.image.manifest.v1+json",
               S:       "size": 1234,
               S:       "digest": "sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
               S:       "artifactType": "application/vnd.example.sbom.v1",
               S:       "annotations": {
               S:         "org.opencontainers.image.created": "2022-01-01T14:42:55Z",
               S:         "org.example.sbom.format": "json"
               S:       }
               S:     },
               S:     {
               S:       "mediaType": "application/vnd.oci.image.manifest.v1+json",
               S:       "size": 1234,
               S:       "digest": "sha256:a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2",
               S:       "artifactType": "application/vnd.example.signature.v1",
               S:       "annotations": {
               S:         "org.opencontainers.image.created": "2022-01-01T07:21:33Z",
               S:         "org.example.signature.fingerprint": "abcd"
               S:       }
               S:     },
               S:     {
               S:       "mediaType": "application/vnd.oci.image.index.v1+json",
               S:       "size": 1234,
               S:       "digest": "sha256:a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3",
               S:       "annotations": {
               S:         "org.opencontainers.image.created": "2023-01-01T07:21:33Z"
               S:       }
               S:     }
               S:   ]
               S: }"#,
        )
        .unwrap();
        let digests: Vec<String> = page.referrers.iter().map(|referrer| referrer.digest.to_string()).collect();
        assert_eq!(
            digests,
            [
                "sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
                "sha256:a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2",
                "sha256:a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3",
            ]
        );
        let types: Vec<_> = page.referrers.iter().map(|referrer| referrer.artifact_type.as_deref()).collect();
        assert_eq!(
            types,
            [Some("application/vnd.example.sbom.v1"), Some("application/vnd.example.signature.v1"), None]
        );
        assert_eq!(page.referrers[1].annotations["org.example.signature.fingerprint"], "abcd");
        assert!(!page.filtered);
        let next = page.next.unwrap();
        assert_eq!(
            next.target(),
            &target(
                "/v2/library/ubuntu/referrers/sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9?next=2"
            )
        );
        let last = play(
            "end-12a",
            &ListMoreReferrers { page: &next },
            r#"C: GET /v2/library/ubuntu/referrers/sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9?next=2 HTTP/1.1
               C: Host: registry.example.org
               C: Accept: application/vnd.oci.image.index.v1+json
               C:
               S: HTTP/1.1 200 OK
               S: Content-Type: application/vnd.oci.image.index.v1+json
               S:
               S: {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#,
        );
        assert_eq!(last, Ok(ReferrersPage { referrers: Vec::new(), filtered: false, next: None }));
    }

    #[test]
    fn end_12b() {
        let (origin, repository, subject) = (origin(), repository(), manifest().digest());
        let artifact_type = Some("application/vnd.example.sbom.v1");
        let page = play(
            "end-12b",
            &ListReferrers { origin: &origin, repository: &repository, subject: &subject, artifact_type },
            r#"C: GET /v2/library/ubuntu/referrers/sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9?artifactType=application%2Fvnd.example.sbom.v1 HTTP/1.1
               C: Host: registry.example.org
               C: Accept: application/vnd.oci.image.index.v1+json
               C:
               S: HTTP/1.1 200 OK
               S: Content-Type: application/vnd.oci.image.index.v1+json
               S: OCI-Filters-Applied: artifactType
               S:
               S: {
               S:   "schemaVersion": 2,
               S:   "mediaType": "application/vnd.oci.image.index.v1+json",
               S:   "manifests": [
               S:     {
               S:       "mediaType": "application/vnd.oci.image.manifest.v1+json",
               S:       "size": 1234,
               S:       "digest": "sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
               S:       "artifactType": "application/vnd.example.sbom.v1",
               S:       "annotations": {
               S:         "org.opencontainers.artifact.created": "2022-01-01T14:42:55Z",
               S:         "org.example.sbom.format": "json"
               S:       }
               S:     }
               S:   ]
               S: }"#,
        )
        .unwrap();
        assert_eq!((page.referrers.len(), page.filtered), (1, true));
    }

    /// Quirk `referrers-odd-status-means-unsupported`: 200 alone means nothing.
    #[test]
    fn only_an_index_is_a_list_of_referrers() {
        let (origin, repository, subject) = (origin(), repository(), manifest().digest());
        let list = ListReferrers { origin: &origin, repository: &repository, subject: &subject, artifact_type: None };
        let empty = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":null}"#;
        let parameters = ("content-type", "application/vnd.oci.image.index.v1+json; charset=utf-8");
        assert!(parse(&list, &answer(200, &[INDEX], empty)).is_ok());
        assert!(parse(&list, &answer(200, &[parameters], empty)).is_ok());
        for (headers, body) in [
            (&[][..], empty),
            (&[("content-type", "text/html")], "<html>"),
            (&[("content-type", "application/json")], empty),
            (&[INDEX], "<html>"),
            (&[INDEX], ""),
            (&[INDEX], r#"{"mediaType":"application/vnd.oci.image.manifest.v1+json","manifests":[]}"#),
            (&[INDEX], r#"{"manifests":[],"layers":[]}"#),
            (&[INDEX], r#"{"manifests":[],"manifests":[]}"#),
        ] {
            let error = parse(&list, &answer(200, headers, body)).unwrap_err();
            assert!(matches!(error, AnswerError::Malformed { row: Row::ListReferrers, .. }), "{headers:?} {body}");
        }
        assert!(matches!(parse(&list, &answer(206, &[INDEX], empty)), Err(AnswerError::Malformed { .. })));
        assert!(parse(&list, &answer(404, &[], "404 page not found")).unwrap_err().is_not_found());
        // Quirk `referrers-303-to-html`.
        let redirect = answer(303, &[("location", "https://github.com/-/v2/x")], "");
        assert!(matches!(parse(&list, &redirect), Err(AnswerError::Redirected { to: Some(_), .. })));
    }

    #[test]
    fn i25_no_more_than_10000_at_once() {
        let (origin, repository, subject) = (origin(), repository(), manifest().digest());
        let list = ListReferrers { origin: &origin, repository: &repository, subject: &subject, artifact_type: None };
        let body = |count: usize| {
            let entry = format!(r#"{{"mediaType":"{}","digest":"{subject}","size":1}}"#, MediaType::OCI_MANIFEST);
            format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, vec![entry; count].join(","))
        };
        assert_eq!(parse(&list, &answer(200, &[INDEX], &body(10_000))).unwrap().referrers.len(), 10_000);
        let error = parse(&list, &answer(200, &[INDEX], &body(10_001))).unwrap_err();
        assert!(matches!(error, AnswerError::Malformed { why: Flaw::TooMany(10_000), .. }));
    }
}
