//! Pulling manifests: `end-1` and `end-3`.

use http::Method;
use longshore_core::{Algorithm, MediaType};

use super::super::content::Document;
use super::super::requirement::{Requirement, must, should};
use super::super::stop::Stop;
use super::super::version::Version;

const PULL: (&str, &str) = ("end-3", "pulling-manifests");
const EXISTS: (&str, &str) = ("end-3", "checking-if-content-exists-in-the-registry");
const ERRORS: (&str, &str) = ("end-3", "error-codes");

pub(super) const REQUIREMENTS: &[Requirement] = &[
    must(
        "pull-manifest-base",
        ("end-1", "determining-support"),
        "GET of /v2/ answers 200",
        "To check whether or not the registry implements this specification, perform a GET request to /v2/. If the response is 200 OK, then the registry implements this specification.",
        |registry| {
            registry.request_path(Method::GET, registry.repository(), "/v2/").send()?.status(200).map(drop)
        },
    ),
    must(
        "pull-manifest-by-digest",
        PULL,
        "GET of a manifest by its digest answers 200 with its bytes",
        "A GET request to an existing manifest URL MUST provide the expected manifest, with a response code that MUST be 200 OK.",
        |registry| {
            let (image, _) = registry.shared_image()?;
            registry.serves(&image.path(), &image.bytes)
        },
    ),
    must(
        "pull-manifest-by-tag",
        PULL,
        "GET of a manifest by a tag answers 200 with its bytes",
        "A GET request to an existing manifest URL MUST provide the expected manifest, with a response code that MUST be 200 OK.",
        |registry| {
            let (image, tag) = registry.shared_image()?;
            registry.get(&format!("manifests/{tag}")).send()?.status(200)?.body(&image.bytes).map(drop)
        },
    ),
    must(
        "pull-manifest-get-digest",
        PULL,
        "The answer to GET of a manifest names its digest",
        "A successful response MUST contain the digest of the uploaded blob in the header Docker-Content-Digest.",
        |registry| {
            let (image, tag) = registry.shared_image()?;
            registry.get(&format!("manifests/{tag}")).send()?.status(200)?.names(&image.digest).map(drop)
        },
    )
    .since(Version::V1_2),
    must(
        "pull-manifest-get-digest-right",
        PULL,
        "Where the answer to GET of a manifest names a digest, it is the manifest's",
        "The Docker-Content-Digest header, if present on the response, returns the digest of the uploaded blob.",
        |registry| {
            let (image, tag) = registry.shared_image()?;
            registry.get(&format!("manifests/{tag}")).send()?.status(200)?.names_if_any(&image.digest).map(drop)
        },
    ),
    must(
        "pull-manifest-type",
        PULL,
        "The answer to GET of a manifest has its type as Content-Type",
        "In a successful response, the Content-Type header will indicate the type of the returned manifest.",
        |registry| {
            let (image, _) = registry.shared_image()?;
            let received = registry.get(&image.path()).header("accept", MediaType::OCI_MANIFEST).send()?.status(200)?;
            let given = received.header("content-type")?;
            let essence = given.split(';').next().unwrap_or_default().trim();
            if essence == image.media_type { Ok(()) } else { Err(received.fail(&image.media_type, given)) }
        },
    ),
    should(
        "pull-manifest-type-plain",
        PULL,
        "The Content-Type of a manifest has no parameters",
        "The registry SHOULD NOT include parameters on the Content-Type header.",
        |registry| {
            let (image, _) = registry.shared_image()?;
            registry.get(&image.path()).send()?.status(200)?.says("content-type", &image.media_type).map(drop)
        },
    )
    .since(Version::V1_1),
    must(
        "pull-manifest-accept",
        ("end-3", "https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/content-negotiation.md"),
        "GET of a manifest with an Accept that names its type among others answers 200",
        "The client SHOULD include an Accept header indicating which manifest content types it supports.",
        |registry| {
            let (image, _) = registry.shared_image()?;
            let accept = format!("{}, {}, {}", MediaType::OCI_INDEX, MediaType::OCI_MANIFEST, MediaType::DOCKER_MANIFEST);
            registry.get(&image.path()).header("accept", accept).send()?.status(200)?.body(&image.bytes).map(drop)
        },
    ),
    should(
        "pull-manifest-without-accept",
        ("end-3", "https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1"),
        "GET of an OCI manifest with Accept: */* answers 200 with its bytes",
        "A request without any Accept header field implies that the user agent will accept any media type in response.",
        |registry| {
            let (image, _) = registry.shared_image()?;
            registry.get(&image.path()).header("accept", "*/*").send()?.status(200)?.body(&image.bytes).map(drop)
        },
    ),
    must(
        "pull-manifest-absent-digest",
        PULL,
        "GET of a manifest by a digest that is not there answers 404",
        "If the manifest is not found in the repository, the response code MUST be 404 Not Found.",
        |registry| {
            registry.shared_image()?;
            let absent = registry.image(|_| {})?;
            registry.get(&absent.path()).send()?.status(404).map(drop)
        },
    ),
    must(
        "pull-manifest-absent-tag",
        PULL,
        "GET of a manifest by a tag that is not there answers 404",
        "If the manifest is not found in the repository, the response code MUST be 404 Not Found.",
        |registry| {
            registry.shared_image()?;
            registry.get(&format!("manifests/{}", registry.tag())).send()?.status(404).map(drop)
        },
    ),
    must(
        "pull-manifest-absent-code",
        ERRORS,
        "Where the 404 to GET of a manifest has a body of JSON, its code says what is not known",
        "The code field MUST be one of the following: MANIFEST_UNKNOWN, manifest unknown to registry.",
        |registry| {
            registry.shared_image()?;
            let received = registry.get(&format!("manifests/{}", registry.tag())).send()?.status(404)?;
            received.error(&["MANIFEST_UNKNOWN", "NAME_UNKNOWN"])?;
            Ok(())
        },
    ),
    must(
        "pull-manifest-absent-repository",
        PULL,
        "GET of a manifest in a repository that is not there answers 404",
        "An attempt to pull a nonexistent repository MUST return response code 404 Not Found.",
        |registry| {
            registry.request(Method::GET, &registry.absent(), "manifests/latest").send()?.status(404).map(drop)
        },
    ),
    must(
        "pull-manifest-other-repository",
        PULL,
        "A manifest of one repository is not in another",
        "If the manifest is not found in the repository, the response code MUST be 404 Not Found.",
        |registry| {
            let (image, _) = registry.shared_image()?;
            registry.request(Method::GET, registry.second(), &image.path()).send()?.status(404).map(drop)
        },
    ),
    must(
        "pull-manifest-malformed-reference",
        PULL,
        "GET of a manifest under what is neither tag nor digest is refused with 400 or 404",
        "The <tag-or-digest> MUST NOT be in any other format.",
        |registry| {
            registry.shared_image()?;
            registry.get("manifests/.not-a-tag").send()?.status_of(&[400, 404]).map(drop)
        },
    ),
    should(
        "pull-manifest-malformed-digest",
        PULL,
        "GET of a manifest under a malformed digest is refused with 400 or 404",
        "<tag-or-digest> MUST be either (a) the digest of the manifest or (b) a tag.",
        |registry| {
            registry.shared_image()?;
            registry.get("manifests/sha256:totallywrong").send()?.status_of(&[400, 404]).map(drop)
        },
    ),
    must(
        "pull-manifest-long-tag",
        PULL,
        "GET of a manifest under a tag of more than 128 characters is refused with 400 or 404",
        "<tag-or-digest> as a tag MUST be at most 128 characters in length.",
        |registry| {
            registry.shared_image()?;
            registry.get(&format!("manifests/{}", "a".repeat(129))).send()?.status_of(&[400, 404]).map(drop)
        },
    ),
    must(
        "pull-manifest-blob-is-none",
        PULL,
        "A blob is no manifest: GET of a manifest by a blob's digest answers 404",
        "If the manifest is not found in the repository, the response code MUST be 404 Not Found.",
        |registry| {
            let blob = registry.shared_blob()?;
            registry.get(&format!("manifests/{}", blob.digest)).send()?.status(404).map(drop)
        },
    ),
    must(
        "pull-manifest-head-by-digest",
        EXISTS,
        "HEAD of a manifest by its digest answers 200 without a body",
        "A HEAD request to an existing blob or manifest URL MUST return 200 OK.",
        |registry| {
            let (image, _) = registry.shared_image()?;
            registry.head(&image.path()).send()?.status(200)?.body(b"").map(drop)
        },
    ),
    must(
        "pull-manifest-head-by-tag",
        EXISTS,
        "HEAD of a manifest by a tag answers 200 without a body",
        "A HEAD request to an existing blob or manifest URL MUST return 200 OK.",
        |registry| {
            let (_, tag) = registry.shared_image()?;
            registry.head(&format!("manifests/{tag}")).send()?.status(200)?.body(b"").map(drop)
        },
    ),
    must(
        "pull-manifest-head-length",
        EXISTS,
        "The answer to HEAD of a manifest says how long it is",
        "A successful response MUST contain the size in bytes of the uploaded blob or manifest in the header Content-Length.",
        |registry| {
            let (image, _) = registry.shared_image()?;
            let size = image.bytes.len().to_string();
            registry.head(&image.path()).send()?.status(200)?.says("content-length", &size).map(drop)
        },
    ),
    must(
        "pull-manifest-head-digest",
        EXISTS,
        "The answer to HEAD of a manifest by a tag names its digest",
        "A successful response MUST contain the digest of the uploaded blob or manifest in the header Docker-Content-Digest.",
        |registry| {
            let (image, tag) = registry.shared_image()?;
            registry.head(&format!("manifests/{tag}")).send()?.status(200)?.names(&image.digest).map(drop)
        },
    )
    .since(Version::V1_2),
    must(
        "pull-manifest-head-type",
        ("end-3", "https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2"),
        "HEAD of a manifest has the Content-Type that GET has",
        "The server SHOULD send the same header fields in response to a HEAD request as it would have sent if the request method had been GET.",
        |registry| {
            let (image, _) = registry.shared_image()?;
            let got = registry.get(&image.path()).send()?.status(200)?.header("content-type")?;
            registry.head(&image.path()).send()?.status(200)?.says("content-type", &got).map(drop)
        },
    ),
    must(
        "pull-manifest-head-absent",
        EXISTS,
        "HEAD of a manifest that is not there answers 404",
        "If the blob or manifest is not found in the repository, the response code MUST be 404 Not Found.",
        |registry| {
            registry.shared_image()?;
            registry.head(&format!("manifests/{}", registry.tag())).send()?.status(404).map(drop)
        },
    ),
    must(
        "pull-manifest-head-absent-repository",
        EXISTS,
        "HEAD of a manifest in a repository that is not there answers 404",
        "An attempt to pull a nonexistent repository MUST return response code 404 Not Found.",
        |registry| {
            registry.request(Method::HEAD, &registry.absent(), "manifests/latest").send()?.status(404).map(drop)
        },
    ),
    must(
        "pull-manifest-sha512",
        PULL,
        "A manifest that was stored under its sha512 digest is served under it",
        "A GET request to an existing manifest URL MUST provide the expected manifest.",
        |registry| {
            let image: Document = registry.image(|_| {})?.hashed(Algorithm::Sha512);
            let put = registry.put_document(&image, &image.digest.to_string())?;
            if !put.is_success() {
                return Err(Stop::unsupported(format!("sha512 is not taken: {}", put.summary())));
            }
            registry.get(&image.path()).send()?.status(200)?.body(&image.bytes)?.names_if_any(&image.digest).map(drop)
        },
    ),
];
