//! What is true of every endpoint.

mod properties;

use std::fmt::Debug;

use http::{HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;

use super::transcript::{answer, parse, target};
use super::*;
use crate::header::ChunkRange;
use crate::{Algorithm, Digest, Manifest, Origin, Repository, Scheme, Tag};

/// The endpoint table, as the spec has it.
const TABLE: &str = "
| end-1   | `GET`          | `/v2/`                                                         | `200`       | `404`/`401`       |
| end-2   | `GET` / `HEAD` | `/v2/<name>/blobs/<digest>`                                    | `200`       | `404`             |
| end-3   | `GET` / `HEAD` | `/v2/<name>/manifests/<tag-or-digest>`                         | `200`       | `404`             |
| end-4a  | `POST`         | `/v2/<name>/blobs/uploads/`                                    | `202`       | `404`             |
| end-4b  | `POST`         | `/v2/<name>/blobs/uploads/?digest=<digest>`                    | `201`/`202` | `404`/`400`       |
| end-4c  | `POST`         | `/v2/<name>/blobs/uploads/?digest-algorithm=<algorithm>`       | `201`/`202` | `404`/`400`       |
| end-5   | `PATCH`        | `<blob-push-location>`                                         | `202`       | `404`/`416`       |
| end-6   | `PUT`          | `<blob-push-location>?digest=<digest>`                         | `201`       | `404`/`400`/`416` |
| end-7a  | `PUT`          | `/v2/<name>/manifests/<tag-or-digest>`                         | `201`       | `404`/`413`       |
| end-7b  | `PUT`          | `/v2/<name>/manifests/<digest>?tag=1&tag=2&tag=3`              | `201`       | `404`/`413`       |
| end-8a  | `GET`          | `/v2/<name>/tags/list`                                         | `200`       | `404`             |
| end-8b  | `GET`          | `/v2/<name>/tags/list?n=<integer>&last=<tagname>`              | `200`       | `404`             |
| end-9   | `DELETE`       | `/v2/<name>/manifests/<tag-or-digest>`                         | `202`       | `404`/`400`/`405` |
| end-10  | `DELETE`       | `/v2/<name>/blobs/<digest>`                                    | `202`       | `404`/`400`/`405` |
| end-11  | `POST`         | `/v2/<name>/blobs/uploads/?mount=<digest>&from=<other_name>`   | `201`/`202` | `404`             |
| end-12a | `GET`          | `/v2/<name>/referrers/<digest>`                                | `200`       | `404`/`400`       |
| end-12b | `GET`          | `/v2/<name>/referrers/<digest>?artifactType=<artifactType>`    | `200`       | `404`/`400`       |
| end-13  | `GET`          | `<blob-push-location>`                                         | `204`       | `404`             |
| end-14  | `DELETE`       | `<blob-push-location>`                                         | `204`       | `404`/`400`       |
";

/// An endpoint whose output can only be shown: so that all of them fit in one list.
trait Shown {
    fn row(&self) -> Row;
    fn target(&self) -> Target;
    fn request(&self) -> Result<Request<()>, TargetError>;
    fn show(&self, from: &Target, response: &Response<Bytes>) -> Result<String, AnswerError>;
}

impl<E: Endpoint<Output: Debug>> Shown for E {
    fn row(&self) -> Row {
        Endpoint::row(self)
    }
    fn target(&self) -> Target {
        Endpoint::target(self)
    }
    fn request(&self) -> Result<Request<()>, TargetError> {
        Endpoint::request(self)
    }
    fn show(&self, from: &Target, response: &Response<Bytes>) -> Result<String, AnswerError> {
        self.parse(from, response).map(|output| format!("{output:?}"))
    }
}

/// What endpoints are made of.
#[derive(Debug, Clone)]
struct Parts {
    origin: Origin,
    repository: Repository,
    other: Repository,
    digest: Digest,
    tag: Tag,
    tags: Vec<Tag>,
    artifact_type: String,
    manifest: Manifest,
    upload: OpenUpload,
}

impl Parts {
    fn new(repository: &str, tag: &str, algorithm: Algorithm, location: Target) -> Self {
        let manifest = super::transcript::manifest().with_algorithm(algorithm);
        let tag: Tag = tag.parse().unwrap();
        Self {
            origin: Origin::new(Scheme::Https, "registry.example.org".parse().unwrap(), None),
            repository: repository.parse().unwrap(),
            other: "other/name".parse().unwrap(),
            digest: manifest.digest(),
            tags: vec![tag.clone(), Tag::latest()],
            tag,
            artifact_type: "application/vnd.example+json; v=\"1&2\"".to_owned(),
            manifest,
            upload: OpenUpload::at(location),
        }
    }

    /// Every endpoint there is, in every form.
    #[rustfmt::skip]
    fn every_endpoint(&self) -> Vec<Box<dyn Shown + '_>> {
        let Self { origin, repository, other, digest, tag, tags, artifact_type, manifest, upload } = self;
        let range = ChunkRange::new(3, 7).unwrap();
        let put = |name, condition| PutManifest { origin, repository, manifest, name, condition };
        let list = |limit, last| ListTags { origin, repository, limit, last };
        vec![
            Box::new(Ping { origin }),
            Box::new(PullBlob { origin, repository, digest, offset: 0 }),
            Box::new(PullBlob { origin, repository, digest, offset: 9 }),
            Box::new(CheckBlob { origin, repository, digest }),
            Box::new(PullManifest { origin, repository, reference: tag.into() }),
            Box::new(PullManifest { origin, repository, reference: digest.into() }),
            Box::new(CheckManifest { origin, repository, reference: tag.into() }),
            Box::new(CheckManifest { origin, repository, reference: digest.into() }),
            Box::new(StartUpload { origin, repository, algorithm: None }),
            Box::new(StartUpload { origin, repository, algorithm: Some(digest.algorithm()) }),
            Box::new(PostBlob { origin, repository, digest, size: 5 }),
            Box::new(SendChunk { upload, chunk: Chunk::Range(range) }),
            Box::new(SendChunk { upload, chunk: Chunk::Stream { size: Some(5) } }),
            Box::new(SendChunk { upload, chunk: Chunk::Stream { size: None } }),
            Box::new(CloseUpload { upload, digest, body: ClosingBody::Empty }),
            Box::new(CloseUpload { upload, digest, body: ClosingBody::Whole { size: 0 } }),
            Box::new(CloseUpload { upload, digest, body: ClosingBody::LastChunk(range) }),
            Box::new(put(PutName::Tag(tag), Condition::None)),
            Box::new(put(PutName::Digest { tags: &[] }, Condition::IfAbsent)),
            Box::new(put(PutName::Digest { tags }, Condition::None)),
            Box::new(list(None, None)),
            Box::new(list(Some(100), None)),
            Box::new(list(None, Some(tag))),
            Box::new(list(Some(100), Some(tag))),
            Box::new(DeleteManifest { origin, repository, reference: tag.into() }),
            Box::new(DeleteManifest { origin, repository, reference: digest.into() }),
            Box::new(DeleteBlob { origin, repository, digest }),
            Box::new(MountBlob { origin, repository, digest, from: None }),
            Box::new(MountBlob { origin, repository, digest, from: Some(other) }),
            Box::new(ListReferrers { origin, repository, subject: digest, artifact_type: None }),
            Box::new(ListReferrers { origin, repository, subject: digest, artifact_type: Some(artifact_type) }),
            Box::new(CheckUpload { upload }),
            Box::new(CancelUpload { upload }),
        ]
    }
}

/// The path of a row's target without names, digests and tags: `/v2/<name>/blobs/<digest>`, say.
fn outline(row: Row, target: &Target, parts: &Parts) -> String {
    if target.path_and_query().starts_with(parts.upload.target().path_and_query()) {
        let rest = target.path_and_query().split_at(parts.upload.target().path_and_query().len()).1;
        let parameter = if rest.is_empty() { "" } else { "?digest=<digest>" };
        return format!("<blob-push-location>{parameter}");
    }
    let last = match row {
        Row::PullBlob | Row::CheckBlob | Row::DeleteBlob | Row::ListReferrers | Row::ListSomeReferrers => "<digest>",
        Row::PutTaggedManifest => "<digest>",
        _ => "<tag-or-digest>",
    };
    let path = target.path().replacen(parts.repository.as_str(), "<name>", 1);
    let path = path.replace(&parts.digest.to_string(), last);
    path.strip_suffix(parts.tag.as_str()).map_or(path.clone(), |path| format!("{path}{last}"))
}

#[test]
fn every_row_of_the_table_has_its_endpoint_and_no_other() {
    let parts = Parts::new("library/ubuntu", "v1", Algorithm::Sha256, target("/upload/1?_state=a%2Fb"));
    let endpoints = parts.every_endpoint();
    let mut rows: Vec<Row> = endpoints.iter().map(|endpoint| endpoint.row()).collect();
    rows.dedup();
    rows.sort();
    rows.dedup();
    assert_eq!(rows.len(), Row::ALL.len());
    let mut lines: Vec<&str> = TABLE.trim().lines().collect();
    for endpoint in &endpoints {
        let row = endpoint.row();
        let line = TABLE.lines().find(|line| line.starts_with(&format!("| {row} "))).unwrap();
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        assert!(cells[2].split(" / ").any(|method| method == format!("`{}`", row.method())), "{line}");
        let path = cells[3].trim_matches('`');
        let outline = outline(row, &endpoint.target(), &parts);
        let expected = if outline.contains('?') { path } else { path.split('?').next().unwrap() };
        assert_eq!(outline, expected, "{row}");
        lines.retain(|kept| *kept != line);
    }
    assert_eq!(lines, [] as [&str; 0]);
}

#[test]
fn rows_have_distinct_names_for_people() {
    for row in Row::ALL {
        assert_eq!(row.to_string(), row.id());
        assert!(row.id().starts_with("end-") && !row.name().is_empty());
    }
    assert!(Row::ALL.is_sorted());
}

/// Rule 9 of the quirks: a length on every request that could have a body, and never a unit in a range.
#[test]
fn every_request_that_can_have_a_body_says_its_length() {
    let parts = Parts::new("a", "t", Algorithm::Sha256, target("/u"));
    let mut without_length = 0;
    for endpoint in parts.every_endpoint() {
        let request = endpoint.request().unwrap();
        let length = request.headers().get("content-length");
        match request.method().as_str() {
            "GET" | "HEAD" => assert_eq!(length, None),
            "POST" | "PUT" | "PATCH" if length.is_none() => without_length += 1,
            _ => {}
        }
        if let Some(range) = request.headers().get("content-range") {
            assert_eq!(range, "3-9");
        }
        for name in ["transfer-encoding", "authorization", "cookie", "expect"] {
            assert!(!request.headers().contains_key(name), "{name}");
        }
    }
    // The streamed chunk of unknown size.
    assert_eq!(without_length, 1);
}

#[test]
fn a_refusal_is_one_clear_and_safe_sentence() {
    let parts = Parts::new("a", "t", Algorithm::Sha256, target("/u"));
    let start = StartUpload { origin: &parts.origin, repository: &parts.repository, algorithm: None };
    let body = |errors: usize| {
        let error = r#"{"code":"BLOB_UNKNOWN","message":"unknown"}"#;
        format!(r#"{{"errors":[{}]}}"#, vec![error; errors].join(","))
    };
    let prefix = "end-4a: the registry refused to begin an upload: ";
    const NONE: &[(&str, &str)] = &[];
    let table = [
        (404, NONE, body(1), "404 Not Found: BLOB_UNKNOWN: unknown"),
        (
            400,
            NONE,
            body(6),
            "400 Bad Request: BLOB_UNKNOWN: unknown; BLOB_UNKNOWN: unknown; BLOB_UNKNOWN: unknown; \
             BLOB_UNKNOWN: unknown; and 2 more",
        ),
        (411, NONE, "<html>\n<h1>411\x1b[31m</h1>".to_owned(), "411 Length Required: <html> <h1>411\\u{1b}[31m</h1>"),
        (599, NONE, String::new(), "599"),
        (401, NONE, String::new(), "401 Unauthorized (it asks for credentials, but has no challenge)"),
        (
            401,
            &[("www-authenticate", "Bearer realm=\"https://auth.example/token\",service=\"s\"")],
            body(1),
            "401 Unauthorized: BLOB_UNKNOWN: unknown (it asks for: Bearer realm=\"https://auth.example/token\",service=\"s\")",
        ),
        (403, &[("www-authenticate", "Basic realm=x")], String::new(), "403 Forbidden"),
    ];
    for (status, headers, body, expected) in table {
        let error = parse(&start, &answer(status, headers, &body)).unwrap_err();
        assert_eq!(error.to_string(), format!("{prefix}{expected}"));
    }
    let limited = parse(&start, &answer(429, &[("retry-after", "7")], "slow down")).unwrap_err();
    let delay = crate::header::RetryAfter::Delay(std::time::Duration::from_secs(7));
    assert_eq!(limited.refused().map(|refused| refused.retry_after), Some(delay));
    assert_eq!((limited.row(), limited.is_not_found()), (Row::StartUpload, false));
}

#[test]
fn a_redirect_is_the_callers_to_follow() {
    let parts = Parts::new("a", "t", Algorithm::Sha256, target("/u"));
    for endpoint in parts.every_endpoint() {
        for status in [301, 302, 303, 307, 308, 304] {
            let from = endpoint.target();
            let redirect = answer(status, &[("location", "https://else.example/x?sig=SECRET")], "");
            let error = endpoint.show(&from, &redirect).unwrap_err();
            assert!(matches!(&error, AnswerError::Redirected { to: Some(_), .. }), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("SECRET"));
            let nowhere = endpoint.show(&from, &answer(status, &[("location", "ftp://x/")], "")).unwrap_err();
            assert!(matches!(nowhere, AnswerError::Redirected { to: None, .. }));
        }
        let informational = endpoint.show(&endpoint.target(), &answer(101, &[], "")).unwrap_err();
        assert!(matches!(informational, AnswerError::Malformed { why: Flaw::Status, .. }));
    }
}

#[test]
fn i29_secret_queries_are_not_shown() {
    let location = target("/u?_state=SECRET&X-Sig=SECRET");
    let parts = Parts::new("a", "t", Algorithm::Sha256, location);
    assert!(!format!("{:?}", parts.upload).contains("SECRET"));
    for endpoint in parts.every_endpoint() {
        for status in [200, 202, 204, 404, 416, 500] {
            for location in ["/w?_state=SECRET", "/../w?_state=SECRET", "/w?_state=SECRET SECRET"] {
                let response = answer(status, &[("location", location), ("link", "<?x=SECRET>; rel=next")], "");
                let shown = match endpoint.show(&endpoint.target(), &response) {
                    Ok(output) => output,
                    Err(error) => format!("{error} {error:?}"),
                };
                assert!(!shown.contains("SECRET"), "{shown}");
            }
        }
    }
}
