//! Mounting blobs: `end-11`.

use http::Method;
use longshore_core::{Algorithm, Digest, Repository};

use super::super::content::Blob;
use super::super::received::Received;
use super::super::requirement::{Requirement, may, must, should};
use super::super::stop::Stop;
use super::super::tested::{Left, TestedRegistry};

const MOUNT: (&str, &str) = ("end-11", "mounting-a-blob-from-another-repository");

/// Sends a POST that mounts a blob into a repository.
fn mount<'c, 'a>(
    registry: &'c TestedRegistry<'a>,
    into: &Repository,
    digest: &Digest,
    from: Option<&Repository>,
) -> Result<Received<'c, 'a>, Stop> {
    let mut post = registry.request(Method::POST, into, "blobs/uploads/").query("mount", digest.to_string());
    if let Some(from) = from {
        post = post.query("from", from.as_str()).reading(from);
    }
    let received = post.send()?;
    match received.code() {
        201 => registry.leaves(Left::Blob(into.clone(), digest.to_string())),
        202 => drop(registry.opened(into, &received)),
        _ => {}
    }
    Ok(received)
}

/// Mounts a blob of the first repository into the second; unsupported if the registry does not mount it.
fn mounted<'c, 'a>(registry: &'c TestedRegistry<'a>) -> Result<(Blob, Received<'c, 'a>), Stop> {
    let blob = registry.stored_blob(200)?;
    let received = mount(registry, registry.second(), &blob.digest, Some(registry.repository()))?;
    match received.code() {
        201 => Ok((blob, received)),
        _ => Err(Stop::unsupported(format!("nothing is mounted: {}", received.summary()))),
    }
}

/// Checks that an impossible mount opens an upload, which accepts the blob.
fn opens_an_upload(
    registry: &TestedRegistry<'_>,
    into: &Repository,
    blob: &Blob,
    received: &Received<'_, '_>,
) -> Result<(), Stop> {
    let upload = registry.opened(into, received)?;
    upload.close_whole(blob).send()?.done()?;
    upload.became(blob.digest);
    Ok(())
}

pub(super) const REQUIREMENTS: &[Requirement] = &[
    must(
        "mount-answer",
        MOUNT,
        "A mount of a blob that is there is answered with 201 or 202",
        "The response to a successful mount MUST be 201 Created. If a registry does not support cross-repository mounting or is unable to mount the requested blob, it SHOULD return a 202.",
        |registry| {
            let blob = registry.stored_blob(200)?;
            let from = registry.repository();
            mount(registry, registry.second(), &blob.digest, Some(from))?.status_of(&[201, 202])?;
            Ok(())
        },
    ),
    may(
        "mount-supported",
        MOUNT,
        "A blob that is there is mounted",
        "If a necessary blob exists already in another repository within the same registry, it can be mounted into a different repository.",
        |registry| mounted(registry).map(drop),
    ),
    must(
        "mount-there",
        MOUNT,
        "A blob that was mounted is there, byte for byte",
        "The Location header will contain the registry URL to access the accepted layer file.",
        |registry| {
            let (blob, _) = mounted(registry)?;
            let get = registry.request(Method::GET, registry.second(), &blob.path());
            get.send()?.status(200)?.body(&blob.bytes).map(drop)
        },
    ),
    must(
        "mount-location",
        MOUNT,
        "The Location of a mount can be pulled",
        "The response to a successful mount MUST contain the following header: Location: <blob-location>.",
        |registry| {
            let (blob, received) = mounted(registry)?;
            let location = received.location();
            let get = registry.request_to(Method::GET, registry.second(), location);
            get.send()?.status(200)?.body(&blob.bytes).map(drop)
        },
    ),
    must(
        "mount-digest-right",
        MOUNT,
        "Where the answer to a mount names a digest, it is the blob's",
        "The Docker-Content-Digest header returns the digest of the uploaded blob.",
        |registry| {
            let (blob, received) = mounted(registry)?;
            received.names_if_any(&blob.digest).map(drop)
        },
    ),
    must(
        "mount-source-stays",
        MOUNT,
        "A blob that was mounted elsewhere stays where it was",
        "The blob is mounted into a different repository: nothing is moved.",
        |registry| {
            let (blob, _) = mounted(registry)?;
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
    must(
        "mount-outlives-source",
        MOUNT,
        "A blob that was mounted stays when its source is deleted",
        "<name> is the namespace to which the blob will be mounted: it is that repository's own then.",
        |registry| {
            let (blob, _) = mounted(registry)?;
            let deleted = registry.delete(&blob.path()).send()?;
            if !deleted.is_success() {
                return Err(Stop::unsupported(format!("blobs are not deleted: {}", deleted.summary())));
            }
            let get = registry.request(Method::GET, registry.second(), &blob.path());
            get.send()?.status(200)?.body(&blob.bytes).map(drop)
        },
    ),
    should(
        "mount-absent-blob",
        MOUNT,
        "A mount of a blob that its source does not have opens an upload with 202",
        "If a registry is unable to mount the requested blob, it SHOULD return a 202.",
        |registry| {
            registry.shared_blob()?;
            let blob = registry.blob(200);
            let from = registry.repository();
            mount(registry, registry.second(), &blob.digest, Some(from))?.status(202)?;
            Ok(())
        },
    ),
    must(
        "mount-absent-blob-upload",
        MOUNT,
        "The upload that a mount opened takes the blob",
        "This indicates that the upload session has begun and that the client MAY proceed with the upload.",
        |registry| {
            registry.shared_blob()?;
            let blob = registry.blob(200);
            let received = mount(registry, registry.second(), &blob.digest, Some(registry.repository()))?;
            if received.code() != 202 {
                return Err(Stop::unsupported(format!("no upload is opened: {}", received.summary())));
            }
            opens_an_upload(registry, registry.second(), &blob, &received)
        },
    ),
    must(
        "mount-absent-blob-not-there",
        MOUNT,
        "A mount of a blob that is nowhere makes none",
        "If the blob is not found in the repository, the response code MUST be 404 Not Found.",
        |registry| {
            registry.shared_blob()?;
            let blob = registry.blob(200);
            mount(registry, registry.second(), &blob.digest, Some(registry.repository()))?;
            registry.request(Method::HEAD, registry.second(), &blob.path()).send()?.status(404).map(drop)
        },
    ),
    must(
        "mount-absent-blob-not-mounted",
        MOUNT,
        "A mount of a blob that is nowhere is not answered with 201, whatever it names as its source",
        "The response to a successful mount MUST be 201 Created. The Location header will contain the registry URL to access the accepted layer file.",
        |registry| {
            registry.shared_blob()?;
            let absent = registry.absent();
            for from in [Some(registry.repository()), Some(registry.second()), Some(&absent), None] {
                let received = mount(registry, registry.second(), &registry.blob(200).digest, from)?;
                if received.code() == 201 {
                    return Err(received.fail("no mount", "status 201"));
                }
            }
            Ok(())
        },
    ),
    should(
        "mount-absent-source",
        MOUNT,
        "A mount from a repository that is not there opens an upload with 202",
        "If a registry is unable to mount the requested blob, it SHOULD return a 202.",
        |registry| {
            let (blob, absent) = (registry.blob(200), registry.absent());
            mount(registry, registry.second(), &blob.digest, Some(&absent))?.status(202)?;
            Ok(())
        },
    ),
    may(
        "mount-without-from",
        MOUNT,
        "A mount without from finds the blob in another repository",
        "The registry MAY treat the from parameter as optional, and it MAY cross-mount the blob if it can be found.",
        |registry| {
            let blob = registry.stored_blob(200)?;
            let received = mount(registry, registry.second(), &blob.digest, None)?;
            if received.code() == 202 {
                return Err(Stop::unsupported("it opens an upload"));
            }
            received.status(201)?;
            let get = registry.request(Method::GET, registry.second(), &blob.path());
            get.send()?.status(200)?.body(&blob.bytes).map(drop)
        },
    ),
    should(
        "mount-without-from-upload",
        MOUNT,
        "A mount without from of a blob that is nowhere opens an upload with 202, which takes the blob",
        "If a registry does not support cross-repository mounting or is unable to mount the requested blob, it SHOULD return a 202.",
        |registry| {
            let blob = registry.blob(200);
            let received = mount(registry, registry.second(), &blob.digest, None)?.status(202)?;
            opens_an_upload(registry, registry.second(), &blob, &received)
        },
    ),
    should(
        "mount-itself",
        MOUNT,
        "A mount of a blob from its own repository is answered with 201, or opens an upload with 202",
        "<other_name> is the namespace from which the blob should be mounted: nothing says that it is another.",
        |registry| {
            let blob = registry.stored_blob(200)?;
            let own = registry.repository();
            mount(registry, own, &blob.digest, Some(own))?.status_of(&[201, 202])?;
            Ok(())
        },
    ),
    should(
        "mount-itself-absent",
        MOUNT,
        "A mount of a blob that is not there from its own repository opens an upload with 202",
        "If a registry is unable to mount the requested blob, it SHOULD return a 202.",
        |registry| {
            let (blob, own) = (registry.blob(200), registry.repository());
            mount(registry, own, &blob.digest, Some(own))?.status(202)?;
            Ok(())
        },
    ),
    should(
        "mount-malformed-digest",
        ("end-11", "pushing-blobs"),
        "A mount of what is no digest is refused or opens an upload",
        "If the client provided digest is invalid or uses an unsupported algorithm, the registry SHOULD respond with a response code 400 Bad Request.",
        |registry| {
            let post = registry.post("blobs/uploads/").query("mount", "sha256:1234");
            let received = post.query("from", registry.second().as_str()).reading(registry.second()).send()?;
            match received.code() {
                202 => registry.opened(registry.repository(), &received).map(drop),
                _ => received.refused().map(drop),
            }
        },
    ),
    may(
        "mount-sha512",
        MOUNT,
        "A blob under its sha512 digest is mounted",
        "<digest> is the digest of the blob to mount.",
        |registry| {
            let blob = Blob::of(registry.text(200), Algorithm::Sha512);
            if registry.store(registry.repository(), &blob).is_err() {
                return Err(Stop::unsupported("sha512 is not taken"));
            }
            let received = mount(registry, registry.second(), &blob.digest, Some(registry.repository()))?;
            match received.code() {
                202 => Err(Stop::unsupported("it opens an upload")),
                _ => received.status(201).map(drop),
            }
        },
    ),
    must(
        "mount-no-right",
        MOUNT,
        "A blob that the credentials may not read is not mounted, whatever the source says",
        "A mount MUST NOT give away what a pull would not: a registry that is unable to mount the requested blob SHOULD return a 202.",
        |registry| {
            let Some(private) = &registry.around.options.private else {
                return Err(Stop::unsupported("no private blob was named"));
            };
            let received = mount(registry, registry.repository(), &private.digest, Some(&private.repository))?;
            if received.code() == 201 {
                return Err(received.fail("no mount", "status 201"));
            }
            let path = format!("blobs/{}", private.digest);
            registry.head(&path).send()?.status(404).map(drop)
        },
    ),
    must(
        "mount-no-right-without-from",
        MOUNT,
        "A blob that the credentials may not read is not mounted without from either",
        "The registry MAY cross-mount the blob if it can be found: not where the client may not look.",
        |registry| {
            let Some(private) = &registry.around.options.private else {
                return Err(Stop::unsupported("no private blob was named"));
            };
            let received = mount(registry, registry.repository(), &private.digest, None)?;
            if received.code() == 201 { Err(received.fail("no mount", "status 201")) } else { Ok(()) }
        },
    ),
];
