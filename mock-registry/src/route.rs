//! Reads paths and queries of requests, independently of how the client writes them.

use longshore_core::Repository;

use crate::behaviour::UploadPath;
use crate::refusal::{Code, Refusal};
use crate::state::UploadId;

/// The path of uploads whose id is in the query.
pub(crate) const PART: &str = "/upload/part";

/// The resource that a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/v2/`
    Base,
    /// `/v2/_catalog`: the list of repositories.
    Catalog,
    /// `/token`, the path of the token server.
    Token,
    /// `/v2/<name>/blobs/<digest>`, the digest unread.
    Blob(Repository, String),
    /// `/v2/<name>/blobs/uploads/`
    Uploads(Repository),
    /// `/v2/<name>/blobs/uploads`, which lacks its last slash.
    Bare(Repository),
    /// The path of an upload whose id is in the query.
    Part,
    /// `/v2/<name>/blobs/uploads/<id>`, or the path that the behaviour has in its place.
    Upload(Repository, UploadId),
    /// `/v2/<name>/manifests/<tag-or-digest>`, the reference unread.
    Manifest(Repository, String),
    /// `/v2/<name>/tags/list`
    Tags(Repository),
    /// `/v2/<name>/referrers/<digest>`, the digest unread.
    Referrers(Repository, String),
}

impl Route {
    /// Reads a path. Only one form of the paths of uploads is accepted.
    pub(crate) fn of(path: &str, uploads: UploadPath) -> Result<Self, Refusal> {
        let nothing = || Refusal::not_found(Code::Unsupported, "no such endpoint");
        let path = percent_decode(path).ok_or_else(nothing)?;
        if path == PART && uploads == UploadPath::IdInQuery {
            return Ok(Self::Part);
        }
        if path == "/token" {
            return Ok(Self::Token);
        }
        let rest = path.strip_prefix("/v2").ok_or_else(nothing)?;
        if matches!(rest, "" | "/") {
            return Ok(Self::Base);
        }
        if rest == "/_catalog" {
            return Ok(Self::Catalog);
        }
        let (name, rest) = split(rest.strip_prefix('/').ok_or_else(nothing)?).ok_or_else(nothing)?;
        let repository: Repository = name
            .parse()
            .map_err(|error| Refusal::bad_request(Code::NameInvalid, format!("the repository's name: {error}")))?;
        Ok(match rest {
            Rest::Blob(digest) => Self::Blob(repository, digest.to_owned()),
            Rest::Uploads => Self::Uploads(repository),
            Rest::Bare => Self::Bare(repository),
            Rest::Upload(kind, id) => {
                let id = match (uploads, kind) {
                    (UploadPath::Usual, "uploads") | (UploadPath::Singular, "upload") => Some(id),
                    (UploadPath::Suffixed, "uploads") => id.strip_suffix(".patch"),
                    _ => None,
                };
                // Any other text there names no upload.
                Self::Upload(repository, UploadId::from(id.unwrap_or_default()))
            }
            Rest::Manifest(reference) => Self::Manifest(repository, reference.to_owned()),
            Rest::Tags => Self::Tags(repository),
            Rest::Referrers(digest) => Self::Referrers(repository, digest.to_owned()),
        })
    }
}

/// The part of a path after the name. The name may itself contain words like `blobs`.
enum Rest<'a> {
    Blob(&'a str),
    Uploads,
    Bare,
    Upload(&'a str, &'a str),
    Manifest(&'a str),
    Tags,
    Referrers(&'a str),
}

/// Splits a path after `/v2/`. It starts at the end, where the path is not ambiguous.
fn split(path: &str) -> Option<(&str, Rest<'_>)> {
    let (head, last) = path.rsplit_once('/')?;
    let (front, kind) = head.rsplit_once('/')?;
    match (kind, last) {
        ("tags", "list") => Some((front, Rest::Tags)),
        ("uploads", "") => Some((front.strip_suffix("/blobs")?, Rest::Uploads)),
        (kind @ ("uploads" | "upload"), id) => Some((front.strip_suffix("/blobs")?, Rest::Upload(kind, id))),
        (_, "") => None,
        ("manifests", reference) => Some((front, Rest::Manifest(reference))),
        ("referrers", digest) => Some((front, Rest::Referrers(digest))),
        ("blobs", "uploads") => Some((front, Rest::Bare)),
        ("blobs", digest) => Some((front, Rest::Blob(digest))),
        _ => None,
    }
}

/// The parameters of a query, in order, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query. Like most servers, it ignores parameters that cannot be decoded.
    pub(crate) fn of(query: Option<&str>) -> Self {
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .filter_map(|pair| {
                    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                    Some((percent_decode(key)?, percent_decode(value)?))
                })
                .collect(),
        )
    }

    /// The first value of a parameter.
    pub(crate) fn first(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == key).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter, in order.
    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(given, _)| given == key).map(|(_, value)| value.as_str())
    }
}

/// Decodes `%XX`; `None` if the text is malformed or not UTF-8.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let high = digit()?;
                u8::try_from(high * 16 + digit()?).ok()?
            }
            _ => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

/// Encodes characters that a value in a query cannot contain, and `:`, `/` and `+`, as Go's clients do.
pub(crate) fn percent_encode(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(name: &str) -> Repository {
        name.parse().unwrap()
    }

    #[test]
    fn paths_are_read_from_their_end() {
        let table = [
            ("/v2/", Route::Base),
            ("/v2", Route::Base),
            ("/v2/_catalog", Route::Catalog),
            ("/v2/a/blobs/sha256:00", Route::Blob(repository("a"), "sha256:00".into())),
            ("/v2/a/blobs/sha256%3A00", Route::Blob(repository("a"), "sha256:00".into())),
            ("/v2/a/b/blobs/uploads/", Route::Uploads(repository("a/b"))),
            ("/v2/a/b/blobs/uploads", Route::Bare(repository("a/b"))),
            ("/v2/a/blobs/upload/id-1", Route::Upload(repository("a"), UploadId::from(""))),
            ("/v2/a/blobs/uploads/id-1", Route::Upload(repository("a"), UploadId::from("id-1"))),
            ("/v2/a/manifests/v1", Route::Manifest(repository("a"), "v1".into())),
            ("/v2/blobs/uploads/blobs/uploads/x", Route::Upload(repository("blobs/uploads"), UploadId::from("x"))),
            ("/v2/tags/list/tags/list", Route::Tags(repository("tags/list"))),
            ("/v2/a/referrers/sha256:00", Route::Referrers(repository("a"), "sha256:00".into())),
        ];
        for (path, route) in table {
            assert_eq!(Route::of(path, UploadPath::Usual).unwrap(), route, "{path}");
        }
        for path in [
            "",
            "/",
            "/v1/",
            "/v2x",
            "/v2/a",
            "/v2/a/",
            "/v2/a/blobs/",
            "/v2/A/tags/list",
            "/v2//tags/list",
            "/v2/../tags/list",
            "/v2/a%2/tags/list",
            "/v2/a%2f..%2fb/tags/list",
            "/v2/%ff/tags/list",
            PART,
        ] {
            assert!(Route::of(path, UploadPath::Usual).is_err(), "{path}");
        }
        let id = Route::Upload(repository("a"), UploadId::from("id"));
        assert_eq!(Route::of("/v2/a/blobs/upload/id", UploadPath::Singular).unwrap(), id);
        assert_eq!(Route::of("/v2/a/blobs/uploads/id.patch", UploadPath::Suffixed).unwrap(), id);
        assert_eq!(Route::of(PART, UploadPath::IdInQuery).unwrap(), Route::Part);
    }

    #[test]
    fn queries_keep_order_and_plus_signs() {
        let query = Query::of(Some("tag=a&&tag=b%2Fc&x&artifactType=application/a+json&bad=%zz"));
        assert_eq!(query.all("tag").collect::<Vec<_>>(), ["a", "b/c"]);
        assert_eq!(query.first("x"), Some(""));
        assert_eq!(query.first("artifactType"), Some("application/a+json"));
        assert_eq!(query.first("bad"), None);
        assert_eq!(percent_encode("a+b/c:d~é"), "a%2Bb%2Fc%3Ad~%C3%A9");
    }
}
