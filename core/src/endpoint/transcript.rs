//! Checks an endpoint against an exchange in raw HTTP: lines with `C:` are what the client must send, lines with `S:`
//! what the registry answers.
//!
//! The transcripts in this folder are the spec's own text with concrete values. If code and transcript differ, the code
//! is wrong.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};

use super::{AnswerError, Endpoint};
use crate::{Algorithm, Digest, Manifest, Origin, Repository, Scheme, Target};

/// A blob of five bytes, `sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824`.
pub(super) const BLOB: &[u8] = b"hello";
/// A small image manifest: 239 bytes, `sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9`.
pub(super) const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;

/// `https://registry.example.org`.
pub(super) fn origin() -> Origin {
    Origin::new(Scheme::Https, "registry.example.org".parse().unwrap(), None)
}

/// `library/ubuntu`.
pub(super) fn repository() -> Repository {
    "library/ubuntu".parse().unwrap()
}

/// The digest of [`BLOB`].
pub(super) fn blob_digest() -> Digest {
    Digest::of(Algorithm::Sha256, BLOB)
}

/// [`MANIFEST`].
pub(super) fn manifest() -> Manifest {
    Manifest::parse(MANIFEST.as_bytes()).unwrap()
}

/// Checks that `endpoint` is the row `id` and sends the lines with `C:`, and parses the lines with `S:`.
///
/// Headers are compared without the case of their names and without their order, everything else byte for byte. A body
/// on the `C:` side must have the length of its `Content-Length`.
pub(super) fn play<E: Endpoint>(id: &str, endpoint: &E, transcript: &str) -> Result<E::Output, AnswerError> {
    let (client, server) = (Message::of_side("C:", transcript), Message::of_side("S:", transcript));
    assert_eq!(endpoint.row().id(), id);
    assert_eq!(Message::of(&endpoint.request().unwrap()), client.without_body());
    if let Some(length) = client.header("content-length") {
        assert_eq!(client.body.len().to_string(), length);
    }
    endpoint.parse(&endpoint.target(), &server.response())
}

/// An answer of this status, with these headers and this body.
pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Message { start: format!("HTTP/1.1 {status} -"), headers, body: body.to_owned() }.response()
}

/// Parses an answer that came from the endpoint's own target.
pub(super) fn parse<E: Endpoint>(endpoint: &E, response: &Response<Bytes>) -> Result<E::Output, AnswerError> {
    endpoint.parse(&endpoint.target(), response)
}

/// A target at [`origin`].
pub(super) fn target(path_and_query: &str) -> Target {
    Target::new(origin(), path_and_query).unwrap()
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Message {
    start: String,
    /// Sorted, the names in lower case.
    headers: Vec<(String, String)>,
    body: String,
}

impl Message {
    /// The lines of one side: a start line, headers, and after an empty line the body.
    fn of_side(side: &str, transcript: &str) -> Self {
        let lines = transcript.lines().filter_map(|line| line.trim_start().strip_prefix(side));
        let mut lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
        let start = lines.next().unwrap().to_owned();
        let headers = lines.by_ref().take_while(|line| !line.is_empty()).map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        });
        let mut headers: Vec<_> = headers.collect();
        headers.sort();
        Self { start, headers, body: lines.collect::<Vec<_>>().join("\n") }
    }

    fn of(request: &Request<()>) -> Self {
        let uri = request.uri();
        let path = uri.path_and_query().unwrap();
        let mut headers = vec![("host".to_owned(), uri.authority().unwrap().to_string())];
        for (name, value) in request.headers() {
            headers.push((name.to_string(), value.to_str().unwrap().to_owned()));
        }
        headers.sort();
        Self { start: format!("{} {path} HTTP/1.1", request.method()), headers, body: String::new() }
    }

    fn without_body(&self) -> Self {
        Self { body: String::new(), ..self.clone() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn response(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(self.body.clone()));
        *response.status_mut() = self.start.split(' ').nth(1).unwrap().parse().unwrap();
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().unwrap();
            response.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
        }
        response
    }
}
