//! Redirects of content to another server.

use http::Method;
use longshore_core::target::{Source, admit};
use longshore_core::{Scheme, Target};

use super::super::content::Blob;
use super::super::received::Received;
use super::super::requirement::{Requirement, must, should};
use super::super::stop::Stop;
use super::super::tested::TestedRegistry;

const API: (&str, &str) = ("", "api");
const REDIRECT: (&str, &str) = ("end-2", "https://www.rfc-editor.org/rfc/rfc9110#section-15.4");
const UPLOAD: (&str, &str) = ("end-4a", "post-then-put");

/// The redirect of a blob; unsupported if the registry serves it itself.
fn redirected<'c, 'a>(registry: &'c TestedRegistry<'a>, method: Method) -> Result<(Blob, Received<'c, 'a>), Stop> {
    let blob = registry.shared_blob()?;
    let received = registry.request(method, registry.repository(), &blob.path()).unfollowed().send()?;
    match received.code() {
        300..400 => Ok((blob, received)),
        _ => Err(Stop::unsupported("blobs are not redirected")),
    }
}

/// The target of a redirect.
fn target(registry: &TestedRegistry<'_>, received: &Received<'_, '_>) -> Result<Target, Stop> {
    let location = received.header("location")?;
    let target = received.resolve(&location)?;
    let signer = registry.around.signer;
    let admitted = admit(signer.policy(), signer.registry(), received.from(), target, Source::Redirect);
    admitted.map(|admitted| admitted.target).map_err(|refusal| received.fail("a Location that may be gone to", refusal))
}

pub(super) const REQUIREMENTS: &[Requirement] = &[
    must(
        "redirects-status",
        API,
        "A blob that is elsewhere is redirected with 301, 302, 303, 307 or 308",
        "Registries MAY respond to any request with a redirect per RFC 9110 (section 15.4).",
        |registry| {
            let (_, received) = redirected(registry, Method::GET)?;
            received.status_of(&[301, 302, 303, 307, 308]).map(drop)
        },
    ),
    should(
        "redirects-location",
        REDIRECT,
        "A redirect says where to, and that may be gone to",
        "The server SHOULD generate a Location header field in the response containing a preferred URI reference.",
        |registry| {
            let (_, received) = redirected(registry, Method::GET)?;
            target(registry, &received).map(drop)
        },
    ),
    must(
        "redirects-blob",
        API,
        "The blob is where the redirect leads, without credentials",
        "Clients SHOULD follow such redirects, and MUST NOT forward Authorization headers across host boundaries.",
        |registry| {
            let (blob, received) = redirected(registry, Method::GET)?;
            let target = target(registry, &received)?;
            if target.origin() == registry.around.signer.registry() {
                return Err(Stop::unsupported("it leads to the registry itself"));
            }
            let get = registry.request_to(Method::GET, registry.repository(), Ok(target)).anonymously();
            get.send()?.status(200)?.body(&blob.bytes).map(drop)
        },
    ),
    must(
        "redirects-head",
        API,
        "HEAD of a blob that is elsewhere answers 200 with its length in the end",
        "The status codes documented in this specification are those returned after any redirects have been followed.",
        |registry| {
            let (blob, _) = redirected(registry, Method::HEAD)?;
            let head = registry.head(&blob.path()).send()?.status(200)?;
            head.says("content-length", &blob.bytes.len().to_string()).map(drop)
        },
    ),
    should(
        "redirects-range",
        API,
        "A range of a blob that is elsewhere is served there",
        "A registry SHOULD support the Range request header in accordance with RFC 9110 (section 14).",
        |registry| {
            let (blob, _) = redirected(registry, Method::GET)?;
            let get = registry.get(&blob.path()).header("range", "bytes=5-14");
            get.send()?.status(206)?.body(&blob.bytes[5..15]).map(drop)
        },
    ),
    must(
        "redirects-upload-secure",
        UPLOAD,
        "The upload of a registry behind TLS is behind TLS",
        "The location MAY be absolute (containing the protocol and/or hostname): over TLS where the registry is.",
        |registry| {
            let post = registry.post("blobs/uploads/").send()?.status(202)?;
            let location = post.header("location")?;
            registry.opened(registry.repository(), &post)?;
            let is_tls = registry.around.signer.registry().scheme() == Scheme::Https;
            match is_tls && location.to_ascii_lowercase().starts_with("http://") {
                true => Err(post.fail("an https URL, or a path", location)),
                false => Ok(()),
            }
        },
    ),
    must(
        "redirects-upload-elsewhere",
        UPLOAD,
        "An upload at another origin takes the blob without credentials",
        "The <blob-push-location> does not necessarily need to be provided by the registry itself. Clients MUST NOT forward Authorization headers across host boundaries.",
        |registry| {
            let (blob, upload) = (registry.blob(200), registry.upload()?);
            if upload.location.origin() == registry.around.signer.registry() {
                return Err(Stop::unsupported("uploads are at the registry itself"));
            }
            upload.close(blob.digest).anonymously().bytes(blob.bytes.clone()).send()?.done()?;
            upload.became(blob.digest);
            Ok(())
        },
    ),
    should(
        "redirects-upload-query",
        UPLOAD,
        "The query of an upload's location is opaque: it is taken back as it came",
        "The <blob-push-location> MAY contain critical query parameters. It SHOULD match exactly the <blob-push-location> obtained from the POST request.",
        |registry| {
            let (blob, upload) = (registry.blob(200), registry.upload()?);
            if upload.location.query().is_none() {
                return Err(Stop::unsupported("locations have no query"));
            }
            upload.close_whole(&blob).send()?.done()?;
            upload.became(blob.digest);
            Ok(())
        },
    ),
    should(
        "redirects-without-slash",
        ("end-4a", "https://www.rfc-editor.org/rfc/rfc9110#section-15.4.8"),
        "A POST without the last slash that is redirected, is so with 307 or 308",
        "Note: for historical reasons, a user agent MAY change the request method from POST to GET for a 301 or 302.",
        |registry| {
            let received = registry.post("blobs/uploads").unfollowed().send()?;
            match received.code() {
                300..400 => received.status_of(&[307, 308]).map(drop),
                202 => registry.opened(registry.repository(), &received).map(drop),
                _ => Err(Stop::unsupported("it is not redirected")),
            }
        },
    ),
];
