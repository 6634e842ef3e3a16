//! Authentication. The specification leaves it to HTTP and to Docker's token service, so the requirements are from
//! these.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use longshore_core::auth::{Bearer, Challenges, Credentials};
use longshore_core::{Origin, Target};

use super::super::received::Received;
use super::super::requirement::{Requirement, must, should};
use super::super::stop::Stop;
use super::super::tested::TestedRegistry;

const CHALLENGE: (&str, &str) = ("", "https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1");
const STATUS: (&str, &str) = ("", "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2");
const TOKEN: (&str, &str) = ("token", "https://distribution.github.io/distribution/spec/auth/token/");
const BEARER: (&str, &str) = ("", "https://www.rfc-editor.org/rfc/rfc6750#section-3.1");
const BASE: (&str, &str) = ("end-1", "determining-support");

/// Sends a write without credentials, which must be refused with 401; unsupported if anonymous clients may write.
fn challenged<'c, 'a>(registry: &'c TestedRegistry<'a>) -> Result<Received<'c, 'a>, Stop> {
    let post = registry.post("blobs/uploads/").anonymously().send()?;
    match post.code() {
        401 => Ok(post),
        202 => {
            registry.opened(registry.repository(), &post)?;
            Err(Stop::unsupported("everybody may write"))
        }
        _ => Err(Stop::unsupported(format!("nobody is asked who they are: {}", post.summary()))),
    }
}

/// The challenges of a refusal.
fn challenges(registry: &TestedRegistry<'_>, refused: &Received<'_, '_>) -> Result<Challenges, Stop> {
    let origin = registry.around.signer.registry();
    let found = Challenges::of(origin, refused.from(), refused.headers());
    found.map_err(|error| refused.fail("a challenge of the registry's own", error))
}

/// The Bearer challenge of a refused write; unsupported if there is no such challenge.
fn bearer(registry: &TestedRegistry<'_>) -> Result<Bearer, Stop> {
    let refused = challenged(registry)?;
    let challenges = challenges(registry, &refused)?;
    challenges.bearer().cloned().ok_or_else(|| Stop::unsupported("no token is wanted"))
}

/// The URL of the token service.
fn realm(registry: &TestedRegistry<'_>) -> Result<Target, Stop> {
    let bearer = bearer(registry)?;
    let realm = bearer.realm().ok_or_else(|| Stop::failed("a realm", "none"))?;
    Target::parse(realm).map_err(|error| Stop::failed("a realm that is a URL", format!("{realm}: {error}")))
}

/// Sends a request with this `Authorization`, which is invalid.
fn sent_with<'c, 'a>(registry: &'c TestedRegistry<'a>, authorization: &str) -> Result<Received<'c, 'a>, Stop> {
    challenged(registry)?;
    registry.post("blobs/uploads/").anonymously().header("authorization", authorization).send()
}

fn is_secure(origin: &Origin) -> bool {
    origin.scheme() == longshore_core::Scheme::Https
}

pub(super) const REQUIREMENTS: &[Requirement] = &[
    must(
        "authentication-base",
        BASE,
        "GET of /v2/ without credentials answers 200 or 401",
        "end-1: success 200, failure 404/401. This endpoint MAY be used for authentication/authorization purposes.",
        |registry| {
            let get = registry.request_path(Method::GET, registry.repository(), "/v2/");
            get.anonymously().send()?.status_of(&[200, 401]).map(drop)
        },
    ),
    must(
        "authentication-base-challenge",
        CHALLENGE,
        "A 401 to GET of /v2/ has a challenge",
        "A server generating a 401 (Unauthorized) response MUST send a WWW-Authenticate header field containing at least one challenge.",
        |registry| {
            let get = registry.request_path(Method::GET, registry.repository(), "/v2/").anonymously().send()?;
            match get.code() {
                401 if get.headers().contains_key("www-authenticate") => Ok(()),
                401 => Err(get.fail("a WWW-Authenticate", "none")),
                _ => Err(Stop::unsupported("nobody is asked there who they are")),
            }
        },
    ),
    must(
        "authentication-challenge",
        CHALLENGE,
        "A 401 to a write has a challenge",
        "A server generating a 401 (Unauthorized) response MUST send a WWW-Authenticate header field containing at least one challenge.",
        |registry| {
            let refused = challenged(registry)?;
            match refused.headers().contains_key("www-authenticate") {
                true => Ok(()),
                false => Err(refused.fail("a WWW-Authenticate", "none")),
            }
        },
    ),
    must(
        "authentication-scheme",
        CHALLENGE,
        "A challenge is Bearer or Basic, and can be read",
        "challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ]; clients of registries know Bearer and Basic.",
        |registry| {
            let refused = challenged(registry)?;
            let found = challenges(registry, &refused)?;
            match found.bearer().is_some() || found.basic() {
                true => Ok(()),
                false => Err(refused.fail("Bearer or Basic", "neither")),
            }
        },
    ),
    should(
        "authentication-code",
        ("", "error-codes"),
        "Where a 401 has a body of JSON, its code is UNAUTHORIZED or DENIED",
        "UNAUTHORIZED: authentication required. DENIED: requested access to the resource is denied.",
        |registry| challenged(registry)?.error(&["UNAUTHORIZED", "DENIED"]).map(drop),
    ),
    must(
        "authentication-realm",
        TOKEN,
        "The realm of a Bearer challenge is a URL",
        "The client makes a request to the URL in the realm: https://auth.docker.io/token.",
        |registry| realm(registry).map(drop),
    ),
    must(
        "authentication-realm-secure",
        TOKEN,
        "The realm of a registry behind TLS is behind TLS",
        "Since it may carry credentials, this MUST be over TLS: RFC 6750, 5.3, Always use TLS (https) or equivalent.",
        |registry| {
            let realm = realm(registry)?;
            let own = registry.around.signer.registry();
            match is_secure(own) && !is_secure(realm.origin()) {
                true => Err(Stop::failed("an https URL", realm.origin())),
                false => Ok(()),
            }
        },
    ),
    should(
        "authentication-service",
        TOKEN,
        "A Bearer challenge names a service",
        "service: the name of the service which hosts the resource.",
        |registry| match bearer(registry)?.service() {
            Some(service) if !service.is_empty() => Ok(()),
            _ => Err(Stop::failed("a service", "none")),
        },
    ),
    should(
        "authentication-scope",
        TOKEN,
        "The scope of a Bearer challenge names the repository and what is needed",
        "scope: the resource in question, formatted as one of the space-delimited entries from the scope parameters: repository:<name>:pull,push.",
        |registry| {
            let bearer = bearer(registry)?;
            let scopes = bearer.scopes();
            let begin = format!("repository:{}:", registry.repository());
            let names = scopes.iter().any(|scope| {
                scope.strip_prefix(&begin).is_some_and(|actions| actions.split(',').any(|action| action == "push"))
            });
            if names { Ok(()) } else { Err(Stop::failed(format!("{begin}pull,push"), scopes.join(" "))) }
        },
    ),
    must(
        "authentication-token",
        TOKEN,
        "With credentials, a token is given that opens an upload",
        "The authorization service returns a Bearer token representing the client's authorized access; the client retries the original request with the Bearer token.",
        |registry| {
            bearer(registry)?;
            if registry.around.signer.credentials().is_none() {
                return Err(Stop::unsupported("the suite has no credentials"));
            }
            let post = registry.post("blobs/uploads/").send()?.status(202)?;
            registry.opened(registry.repository(), &post).map(drop)
        },
    ),
    must(
        "authentication-basic",
        ("", "https://www.rfc-editor.org/rfc/rfc7617"),
        "With credentials, a registry that wants Basic opens an upload",
        "The Basic authentication scheme: user-ID and password.",
        |registry| {
            let refused = challenged(registry)?;
            let found = challenges(registry, &refused)?;
            if found.bearer().is_some() || !found.basic() {
                return Err(Stop::unsupported("it does not want Basic"));
            }
            if !matches!(registry.around.signer.credentials(), Some(Credentials::Basic { .. })) {
                return Err(Stop::unsupported("the suite has no password"));
            }
            let post = registry.post("blobs/uploads/").send()?.status(202)?;
            registry.opened(registry.repository(), &post).map(drop)
        },
    ),
    must(
        "authentication-invented-token",
        BEARER,
        "An invented token is refused with 401",
        "invalid_token: the access token provided is expired, revoked, malformed, or invalid for other reasons. The resource SHOULD respond with the HTTP 401 (Unauthorized) status code.",
        |registry| {
            sent_with(registry, "Bearer bG9uZ3Nob3JlLWludmVudGVk")?.status_of(&[401, 403])?;
            Ok(())
        },
    ),
    must(
        "authentication-invented-password",
        STATUS,
        "An invented password is refused with 401 or 403",
        "401: the request has not been applied because it lacks valid authentication credentials for the target resource.",
        |registry| {
            let pair = STANDARD.encode(format!("longshore-{}:invented", registry.unique()));
            sent_with(registry, &format!("Basic {pair}"))?.status_of(&[401, 403])?;
            Ok(())
        },
    ),
    should(
        "authentication-malformed",
        STATUS,
        "A malformed Authorization is refused, not an error of the server's",
        "401: the request has not been applied because it lacks valid authentication credentials for the target resource.",
        |registry| sent_with(registry, "Basic not-base64!")?.refused().map(drop),
    ),
    must(
        "authentication-manifest",
        STATUS,
        "Where a write needs credentials, so does PUT of a manifest",
        "401: the request has not been applied because it lacks valid authentication credentials for the target resource.",
        |registry| {
            challenged(registry)?;
            let image = registry.image(|_| {})?;
            let put = registry.put(&image.path()).anonymously().body(&image.media_type, image.bytes.clone());
            put.send()?.status_of(&[401, 403]).map(drop)
        },
    ),
    must(
        "authentication-delete",
        STATUS,
        "Where a write needs credentials, so does DELETE of a manifest, and it stays",
        "401: the request has not been applied because it lacks valid authentication credentials for the target resource.",
        |registry| {
            challenged(registry)?;
            let (image, _) = registry.tagged_image()?;
            registry.delete(&image.path()).anonymously().send()?.refused()?;
            registry.serves(&image.path(), &image.bytes)
        },
    ),
    must(
        "authentication-mount",
        STATUS,
        "Where a write needs credentials, so does a mount",
        "401: the request has not been applied because it lacks valid authentication credentials for the target resource.",
        |registry| {
            challenged(registry)?;
            let blob = registry.shared_blob()?;
            let post = registry.request(Method::POST, registry.second(), "blobs/uploads/").anonymously();
            let post = post.query("mount", blob.digest.to_string()).query("from", registry.repository().as_str());
            post.send()?.status_of(&[401, 403]).map(drop)
        },
    ),
    must(
        "authentication-upload",
        STATUS,
        "Where a write needs credentials, an upload of somebody's takes nothing from nobody",
        "401: the request has not been applied because it lacks valid authentication credentials for the target resource.",
        |registry| {
            challenged(registry)?;
            let upload = registry.upload()?;
            if upload.location.origin() != registry.around.signer.registry() {
                return Err(Stop::unsupported("uploads go to another origin, which knows no users"));
            }
            upload.chunk(0, registry.text(100)).anonymously().send()?.status_of(&[401, 403]).map(drop)
        },
    ),
];
