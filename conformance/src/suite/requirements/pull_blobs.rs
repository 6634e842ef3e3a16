//! Pulling blobs: `end-2`.

use longshore_core::{Algorithm, Digest};

use super::super::content::Blob;
use super::super::requirement::{Requirement, may, must, should};
use super::super::stop::Stop;
use super::super::version::Version;

const PULL: (&str, &str) = ("end-2", "pulling-blobs");
const EXISTS: (&str, &str) = ("end-2", "checking-if-content-exists-in-the-registry");
const RANGES: (&str, &str) = ("end-2", "https://www.rfc-editor.org/rfc/rfc9110#section-14");
const ERRORS: (&str, &str) = ("end-2", "error-codes");

pub(super) const REQUIREMENTS: &[Requirement] = &[
    must(
        "pull-blob-get",
        PULL,
        "GET of a blob answers 200 with its bytes",
        "A GET request to an existing blob URL MUST provide the expected blob, with a response code that MUST be 200 OK.",
        |registry| {
            let blob = registry.shared_blob()?;
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
    must(
        "pull-blob-get-digest",
        PULL,
        "The answer to GET of a blob names its digest",
        "A successful response MUST contain the digest of the uploaded blob in the header Docker-Content-Digest.",
        |registry| {
            let blob = registry.shared_blob()?;
            registry.get(&blob.path()).send()?.status(200)?.names(&blob.digest).map(drop)
        },
    )
    .since(Version::V1_2),
    must(
        "pull-blob-get-digest-right",
        PULL,
        "Where the answer to GET of a blob names a digest, it is that of the body",
        "If present, the value of this header MUST be a digest matching that of the response body.",
        |registry| {
            let blob = registry.shared_blob()?;
            registry.get(&blob.path()).send()?.status(200)?.names_if_any(&blob.digest).map(drop)
        },
    ),
    must(
        "pull-blob-get-length",
        ("end-2", "https://www.rfc-editor.org/rfc/rfc9110#section-8.6"),
        "Where the answer to GET of a blob has a Content-Length, it is the blob's",
        "A server MUST NOT send Content-Length in any response if its value is not the size of the content (RFC 9110, 8.6).",
        |registry| {
            let blob = registry.shared_blob()?;
            let size = blob.bytes.len().to_string();
            registry.get(&blob.path()).send()?.status(200)?.says_if_any("content-length", &size).map(drop)
        },
    ),
    must(
        "pull-blob-get-absent",
        PULL,
        "GET of a blob that is not there answers 404",
        "If the blob is not found in the repository, the response code MUST be 404 Not Found.",
        |registry| {
            registry.shared_blob()?;
            registry.get(&registry.blob(64).path()).send()?.status(404).map(drop)
        },
    ),
    must(
        "pull-blob-get-absent-code",
        ERRORS,
        "Where the 404 to GET of a blob has a body of JSON, its code says what is not known",
        "The code field MUST be one of the following: BLOB_UNKNOWN, blob unknown to registry.",
        |registry| {
            registry.shared_blob()?;
            let expected = ["BLOB_UNKNOWN", "NAME_UNKNOWN"];
            registry.get(&registry.blob(64).path()).send()?.status(404)?.error(&expected).map(drop)
        },
    ),
    must(
        "pull-blob-get-absent-repository",
        PULL,
        "GET of a blob in a repository that is not there answers 404",
        "An attempt to pull a nonexistent repository MUST return response code 404 Not Found.",
        |registry| {
            let path = registry.blob(64).path();
            registry.request(http::Method::GET, &registry.absent(), &path).send()?.status(404).map(drop)
        },
    ),
    must(
        "pull-blob-get-other-repository",
        PULL,
        "A blob of one repository is not in another",
        "If the blob is not found in the repository, the response code MUST be 404 Not Found.",
        |registry| {
            let blob = registry.stored_blob(64)?;
            registry.request(http::Method::GET, registry.second(), &blob.path()).send()?.status(404).map(drop)
        },
    ),
    should(
        "pull-blob-get-malformed-digest",
        ("end-2", "endpoints"),
        "GET of a blob under what is no digest is refused with 400 or 404",
        "<digest> is the blob's digest: one that is malformed names nothing.",
        |registry| {
            registry.shared_blob()?;
            registry.get("blobs/sha256:not-hex").send()?.status_of(&[400, 404]).map(drop)
        },
    ),
    must(
        "pull-blob-get-sha512-absent",
        PULL,
        "GET of a sha512 blob that is not there is refused",
        "If the blob is not found in the repository, the response code MUST be 404 Not Found; an algorithm that is not supported may be 400.",
        |registry| {
            registry.shared_blob()?;
            let blob = Blob::of(registry.text(64), Algorithm::Sha512);
            registry.get(&blob.path()).send()?.status_of(&[400, 404]).map(drop)
        },
    ),
    must(
        "pull-blob-head",
        EXISTS,
        "HEAD of a blob answers 200 without a body",
        "A HEAD request to an existing blob or manifest URL MUST return 200 OK.",
        |registry| {
            let blob = registry.shared_blob()?;
            registry.head(&blob.path()).send()?.status(200)?.body(b"").map(drop)
        },
    ),
    must(
        "pull-blob-head-length",
        EXISTS,
        "The answer to HEAD of a blob says how long it is",
        "A successful response MUST contain the size in bytes of the uploaded blob or manifest in the header Content-Length.",
        |registry| {
            let blob = registry.shared_blob()?;
            let size = blob.bytes.len().to_string();
            registry.head(&blob.path()).send()?.status(200)?.says("content-length", &size).map(drop)
        },
    ),
    must(
        "pull-blob-head-digest",
        EXISTS,
        "The answer to HEAD of a blob names its digest",
        "A successful response MUST contain the digest of the uploaded blob or manifest in the header Docker-Content-Digest.",
        |registry| {
            let blob = registry.shared_blob()?;
            registry.head(&blob.path()).send()?.status(200)?.names(&blob.digest).map(drop)
        },
    )
    .since(Version::V1_2),
    must(
        "pull-blob-head-absent",
        EXISTS,
        "HEAD of a blob that is not there answers 404",
        "If the blob or manifest is not found in the repository, the response code MUST be 404 Not Found.",
        |registry| {
            registry.shared_blob()?;
            registry.head(&registry.blob(64).path()).send()?.status(404).map(drop)
        },
    ),
    must(
        "pull-blob-head-absent-repository",
        EXISTS,
        "HEAD of a blob in a repository that is not there answers 404",
        "An attempt to pull a nonexistent repository MUST return response code 404 Not Found.",
        |registry| {
            let path = registry.blob(64).path();
            registry.request(http::Method::HEAD, &registry.absent(), &path).send()?.status(404).map(drop)
        },
    ),
    should(
        "pull-blob-range",
        RANGES,
        "GET with a Range answers 206 with these bytes",
        "A registry SHOULD support the Range request header in accordance with RFC 9110 (section 14).",
        |registry| {
            let blob = registry.shared_blob()?;
            let received = registry.get(&blob.path()).header("range", "bytes=5-14").send()?;
            received.status(206)?.body(&blob.bytes[5..15])?;
            Ok(())
        },
    ),
    must(
        "pull-blob-range-content-range",
        ("end-2", "https://www.rfc-editor.org/rfc/rfc9110#section-15.3.7"),
        "A 206 says in Content-Range which bytes it has",
        "A server generating a 206 response to a request for one range MUST generate a Content-Range header field (RFC 9110, 15.3.7.1).",
        |registry| {
            let blob = registry.shared_blob()?;
            let received = registry.get(&blob.path()).header("range", "bytes=5-14").send()?.status_of(&[200, 206])?;
            match received.code() {
                200 => Err(Stop::unsupported("ranges are not heeded")),
                _ => received.says("content-range", &format!("bytes 5-14/{}", blob.bytes.len())).map(drop),
            }
        },
    ),
    should(
        "pull-blob-range-open",
        RANGES,
        "GET with an open Range answers 206 with the rest",
        "A registry SHOULD support the Range request header: bytes=2000- is all from byte 2000 on.",
        |registry| {
            let blob = registry.shared_blob()?;
            let received = registry.get(&blob.path()).header("range", "bytes=2000-").send()?;
            received.status(206)?.body(&blob.bytes[2000..])?;
            Ok(())
        },
    ),
    should(
        "pull-blob-range-suffix",
        RANGES,
        "GET with a Range of the last bytes answers 206 with them",
        "A registry SHOULD support the Range request header: bytes=-10 is the last ten.",
        |registry| {
            let blob = registry.shared_blob()?;
            let received = registry.get(&blob.path()).header("range", "bytes=-10").send()?;
            received.status(206)?.body(&blob.bytes[blob.bytes.len() - 10..])?;
            Ok(())
        },
    ),
    must(
        "pull-blob-range-bytes",
        ("end-2", "https://www.rfc-editor.org/rfc/rfc9110#section-15.3.7.1"),
        "A 206 has exactly the bytes that its Content-Range names",
        "A server generating a 206 response MUST generate a Content-Range header field, describing what range of the selected representation is enclosed, and a content consisting of the range (RFC 9110, 15.3.7.1).",
        |registry| {
            let blob = registry.shared_blob()?;
            let mut refused = None;
            let mut parts = 0;
            for range in ["bytes=5-14", "bytes=2000-", "bytes=-10"] {
                let received = registry.get(&blob.path()).header("range", range).send()?;
                match received.code() {
                    206 => parts += received.part_of(&blob.bytes).map(|_| 1)?,
                    _ => refused = Some(received.summary()),
                }
            }
            match (parts, refused) {
                (0, Some(answer)) => Err(Stop::unsupported(format!("ranges are not heeded: {answer}"))),
                _ => Ok(()),
            }
        },
    ),
    should(
        "pull-blob-range-beyond",
        ("end-2", "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.17"),
        "GET with a Range behind the end answers 416",
        "416: none of the ranges-specifier's ranges overlap the current extent of the selected representation.",
        |registry| {
            let blob = registry.shared_blob()?;
            registry.get(&blob.path()).header("range", "bytes=1000000-1000009").send()?.status(416).map(drop)
        },
    ),
    must(
        "pull-blob-range-unknown-unit",
        ("end-2", "https://www.rfc-editor.org/rfc/rfc9110#section-14.2"),
        "GET with a Range of another unit answers 200 with the whole",
        "An origin server MUST ignore a Range header field that contains a range unit it does not understand.",
        |registry| {
            let blob = registry.shared_blob()?;
            registry.get(&blob.path()).header("range", "lines=1-2").send()?.status(200)?.body(&blob.bytes).map(drop)
        },
    ),
    may(
        "pull-blob-accept-ranges",
        ("end-2", "https://www.rfc-editor.org/rfc/rfc9110#section-14.3"),
        "A registry that serves ranges says so in Accept-Ranges",
        "A server that supports byte-range requests for the target resource MAY send Accept-Ranges: bytes.",
        |registry| {
            let blob = registry.shared_blob()?;
            let received = registry.head(&blob.path()).send()?.status(200)?;
            match received.header_if_any("accept-ranges")? {
                Some(_) => received.says("accept-ranges", "bytes").map(drop),
                None => Err(Stop::unsupported("there is no Accept-Ranges")),
            }
        },
    ),
    must(
        "pull-blob-many-times",
        PULL,
        "GET of a blob gives the same bytes each time",
        "A GET request to an existing blob URL MUST provide the expected blob.",
        |registry| {
            let blob = registry.shared_blob()?;
            for _ in 0..3 {
                registry.serves(&blob.path(), &blob.bytes)?;
            }
            Ok(())
        },
    ),
    must(
        "pull-blob-large",
        PULL,
        "GET of a blob of 8 MiB gives all its bytes",
        "A GET request to an existing blob URL MUST provide the expected blob, with a response code that MUST be 200 OK.",
        |registry| {
            let blob = registry.large_blob(8 << 20);
            if let Err(Stop::NotPrepared(why)) = registry.store(registry.repository(), &blob) {
                return Err(Stop::unsupported(format!("it is not taken: {why}")));
            }
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
    must(
        "pull-blob-digest-encoded",
        ("end-2", "https://www.rfc-editor.org/rfc/rfc3986#section-2.1"),
        "A colon of a digest may be written as %3A",
        "URIs that differ in the replacement of a character with its percent-encoding name the same resource, as far as it is no delimiter there.",
        |registry| {
            let blob = registry.shared_blob()?;
            let path = blob.path().replace(':', "%3A");
            registry.get(&path).send()?.status(200)?.body(&blob.bytes).map(drop)
        },
    ),
    must(
        "pull-blob-digest-case",
        ("end-2", "https://github.com/opencontainers/image-spec/blob/main/descriptor.md#sha-256"),
        "A digest in upper case is no digest",
        "When the algorithm identifier is sha256, the encoded portion MUST match /[a-f0-9]{64}/.",
        |registry| {
            let blob = registry.shared_blob()?;
            let upper = Digest::of(Algorithm::Sha256, &blob.bytes).hex().to_uppercase();
            registry.get(&format!("blobs/sha256:{upper}")).send()?.status_of(&[400, 404]).map(drop)
        },
    ),
];
