//! Pushing blobs in one piece: `end-4a`, `end-4b`, `end-4c` and `end-6`.

use http::Method;
use longshore_core::Algorithm;

use super::super::content::Blob;
use super::super::requirement::{Requirement, may, must, should};
use super::super::stop::Stop;
use super::super::version::Version;

const POST: (&str, &str) = ("end-4a", "post-then-put");
const PUT: (&str, &str) = ("end-6", "post-then-put");
const SINGLE: (&str, &str) = ("end-4b", "single-post");
const PUSH: (&str, &str) = ("end-6", "pushing-blobs");
const SHA512: (&str, &str) = ("end-4c", "pushing-a-blob-in-chunks");

pub(super) const REQUIREMENTS: &[Requirement] = &[
    must(
        "push-blob-post",
        POST,
        "POST opens an upload with 202",
        "Upon success, the response MUST have a code of 202 Accepted.",
        |registry| {
            let received = registry.post("blobs/uploads/").send()?.status(202)?;
            registry.opened(registry.repository(), &received).map(drop)
        },
    ),
    must(
        "push-blob-post-location",
        POST,
        "The answer to POST has a Location that leads somewhere",
        "The response MUST include the following header: Location: <blob-push-location>.",
        |registry| {
            let received = registry.post("blobs/uploads/").send()?.status(202)?;
            received.location()?;
            registry.opened(registry.repository(), &received).map(drop)
        },
    ),
    must(
        "push-blob-post-unique",
        POST,
        "Two POSTs open two uploads",
        "The <blob-push-location> MUST contain a UUID representing a unique session ID for the upload to follow.",
        |registry| {
            let (one, two) = (registry.upload()?, registry.upload()?);
            match one.location == two.location {
                true => Err(Stop::failed("two locations", format!("twice {}", one.location))),
                false => Ok(()),
            }
        },
    ),
    must(
        "push-blob-post-malformed-name",
        ("end-4a", "pulling-manifests"),
        "POST to a repository whose name is none is refused",
        "<name> MUST match the following regular expression: [a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*",
        |registry| {
            let path = format!("/v2/{}/Upper_Case/blobs/uploads/", registry.repository());
            registry.request_path(Method::POST, registry.repository(), &path).send()?.status_of(&[400, 401, 403, 404]).map(drop)
        },
    ),
    must(
        "push-blob-put",
        PUT,
        "POST and then PUT of a whole blob answers 201",
        "Upon successful completion of the request, the response MUST have code 201 Created.",
        |registry| {
            let (blob, upload) = (registry.blob(1000), registry.upload()?);
            upload.close_whole(&blob).send()?.status(201)?;
            upload.became(blob.digest);
            Ok(())
        },
    ),
    must(
        "push-blob-put-location",
        PUT,
        "The Location of a stored blob can be pulled",
        "The response MUST have the following header: Location: <blob-location>, with <blob-location> being a pullable blob URL.",
        |registry| {
            let (blob, upload) = (registry.blob(1000), registry.upload()?);
            let location = upload.close_whole(&blob).send()?.status_of(&[201])?.location()?;
            upload.became(blob.digest);
            registry.request_to(Method::GET, registry.repository(), Ok(location)).send()?.status(200)?.body(&blob.bytes).map(drop)
        },
    ),
    must(
        "push-blob-put-digest-right",
        PUT,
        "Where the answer to a stored blob names a digest, it is the blob's",
        "If present, the value of this header MUST be a digest matching that of the response body.",
        |registry| {
            let (blob, upload) = (registry.blob(1000), registry.upload()?);
            let digest = blob.digest.to_string();
            let received = upload.close(&digest).bytes(blob.bytes.clone()).send()?.prepared()?;
            upload.became(&digest);
            received.names_if_any(&blob.digest).map(drop)
        },
    ),
    must(
        "push-blob-put-there",
        PUT,
        "A blob that was answered with 201 is there at once",
        "With <blob-location> being a pullable blob URL.",
        |registry| {
            let (blob, upload) = (registry.blob(1000), registry.upload()?);
            upload.close_whole(&blob).send()?.prepared()?;
            upload.became(blob.digest);
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
    must(
        "push-blob-put-streamed",
        ("end-6", "https://www.rfc-editor.org/rfc/rfc9112#section-7.1"),
        "PUT of a whole blob in the chunked transfer coding answers 201",
        "A recipient MUST be able to parse and decode the chunked transfer coding (RFC 9112, 7.1).",
        |registry| {
            let (blob, upload) = (registry.blob(1000), registry.upload()?);
            upload.close(blob.digest).streamed(blob.bytes.clone()).send()?.status(201)?;
            upload.became(blob.digest);
            Ok(())
        },
    ),
    should(
        "push-blob-put-again",
        ("end-6", "layer-upload-de-duplication"),
        "A blob that is there may be pushed again",
        "If process A and B upload the same layer, both operations will proceed and the first to complete will be stored in the registry.",
        |registry| {
            let blob = registry.stored_blob(200)?;
            let upload = registry.upload()?;
            upload.close_whole(&blob).send()?.done()?;
            upload.became(blob.digest);
            Ok(())
        },
    ),
    must(
        "push-blob-empty",
        PUT,
        "A blob without a byte can be pushed",
        "<length> is its size in bytes: nothing says that it is not 0.",
        |registry| {
            let (blob, upload) = (Blob::of("", Algorithm::Sha256), registry.upload()?);
            upload.close(blob.digest).bytes("").send()?.done()?;
            upload.became(blob.digest);
            registry.get(&blob.path()).send()?.status(200)?.body(b"").map(drop)
        },
    ),
    must(
        "push-blob-mebibyte",
        PUT,
        "A blob of a mebibyte comes back as it was",
        "A GET request to an existing blob URL MUST provide the expected blob.",
        |registry| {
            let blob = registry.stored_blob(1 << 20)?;
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
    must(
        "push-blob-every-byte",
        PUT,
        "A blob of all 256 bytes comes back as it was",
        "A GET request to an existing blob URL MUST provide the expected blob.",
        |registry| {
            let mut bytes = registry.text(64).to_vec();
            bytes.extend(0..=u8::MAX);
            let blob = Blob::of(bytes, Algorithm::Sha256);
            registry.store(registry.repository(), &blob)?;
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
    must(
        "push-blob-other-digest",
        PUSH,
        "A blob under a digest that is not its own is not stored",
        "<digest> MUST match the blob's digest.",
        |registry| {
            let (blob, other, upload) = (registry.blob(100), registry.blob(100), registry.upload()?);
            upload.close(other.digest).bytes(blob.bytes.clone()).send()?.refused()?;
            registry.get(&other.path()).send()?.status(404).map(drop)
        },
    ),
    should(
        "push-blob-other-digest-400",
        PUSH,
        "A blob under a digest that is not its own is refused with 400",
        "If the client provided digest is invalid or uses an unsupported algorithm, the registry SHOULD respond with a response code 400 Bad Request.",
        |registry| {
            let (blob, other, upload) = (registry.blob(100), registry.blob(100), registry.upload()?);
            upload.close(other.digest).bytes(blob.bytes.clone()).send()?.status(400).map(drop)
        },
    ),
    must(
        "push-blob-other-digest-code",
        ("end-6", "error-codes"),
        "Where the refusal of a digest that is not the blob's is JSON, its code is DIGEST_INVALID",
        "DIGEST_INVALID: provided digest did not match uploaded content.",
        |registry| {
            let (blob, other, upload) = (registry.blob(100), registry.blob(100), registry.upload()?);
            let refused = upload.close(other.digest).bytes(blob.bytes.clone()).send()?.refused()?;
            refused.error(&["DIGEST_INVALID"])?;
            Ok(())
        },
    ),
    should(
        "push-blob-malformed-digest",
        PUSH,
        "A blob under what is no digest is refused with 400",
        "If the client provided digest is invalid or uses an unsupported algorithm, the registry SHOULD respond with a response code 400 Bad Request.",
        |registry| {
            let (blob, upload) = (registry.blob(100), registry.upload()?);
            upload.close("sha256:1234").bytes(blob.bytes).send()?.status(400).map(drop)
        },
    ),
    should(
        "push-blob-unknown-algorithm",
        PUSH,
        "A blob under a digest of an algorithm that is not supported is refused with 400",
        "If the client provided digest is invalid or uses an unsupported algorithm, the registry SHOULD respond with a response code 400 Bad Request.",
        |registry| {
            let (blob, upload) = (registry.blob(100), registry.upload()?);
            upload.close("md5:d41d8cd98f00b204e9800998ecf8427e").bytes(blob.bytes).send()?.status(400).map(drop)
        },
    ),
    must(
        "push-blob-without-digest",
        ("end-6", "pushing-a-blob-in-chunks"),
        "PUT without a digest is refused",
        "The closing PUT request MUST include the <digest> of the whole blob (not the final chunk) as a query parameter.",
        |registry| {
            let (blob, upload) = (registry.blob(100), registry.upload()?);
            upload.close_unnamed().bytes(blob.bytes).send()?.refused().map(drop)
        },
    ),
    may(
        "push-blob-single-post",
        SINGLE,
        "A single POST stores a blob with 201, or opens an upload with 202",
        "Registries MAY support pushing blobs using a single POST request. Successful completion MUST return a 201 Created.",
        |registry| {
            let blob = registry.blob(300);
            let digest = blob.digest.to_string();
            let post = registry.post("blobs/uploads/").query("digest", &digest).bytes(blob.bytes.clone());
            let received = post.send()?.status_of(&[201, 202])?;
            if received.code() == 202 {
                registry.opened(registry.repository(), &received)?;
                return Err(Stop::unsupported("a single POST opens an upload"));
            }
            registry.leaves(super::super::tested::Left::Blob(registry.repository().clone(), digest));
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
    must(
        "push-blob-single-post-location",
        SINGLE,
        "Where a single POST stores a blob, its Location can be pulled",
        "Successful completion of the request MUST include the header Location: <blob-location>. Here, <blob-location> is a pullable blob URL.",
        |registry| {
            let blob = registry.blob(300);
            let post = registry.post("blobs/uploads/").query("digest", blob.digest.to_string());
            let received = post.bytes(blob.bytes.clone()).send()?;
            if received.code() != 201 {
                return Err(Stop::unsupported(format!("a single POST does not store: {}", received.summary())));
            }
            registry.leaves(super::super::tested::Left::Blob(registry.repository().clone(), blob.digest.to_string()));
            let location = received.location()?;
            registry.request_to(Method::GET, registry.repository(), Ok(location)).send()?.status(200)?.body(&blob.bytes).map(drop)
        },
    ),
    should(
        "push-blob-single-post-fallback",
        SINGLE,
        "Where a single POST does not store a blob, the upload that it opened takes it",
        "Registries that do not support single request monolithic uploads SHOULD return a 202 Accepted status code and Location header and clients SHOULD proceed with a subsequent PUT request.",
        |registry| {
            let blob = registry.blob(300);
            let digest = blob.digest.to_string();
            let post = registry.post("blobs/uploads/").query("digest", &digest);
            let received = post.bytes(blob.bytes.clone()).send()?.status_of(&[201, 202])?;
            if received.code() == 201 {
                registry.leaves(super::super::tested::Left::Blob(registry.repository().clone(), digest));
                return Ok(());
            }
            let upload = registry.opened(registry.repository(), &received)?;
            upload.close(&digest).bytes(blob.bytes.clone()).send()?.done()?;
            upload.became(&digest);
            Ok(())
        },
    ),
    must(
        "push-blob-single-post-other-digest",
        SINGLE,
        "A single POST under a digest that is not the blob's stores nothing",
        "Likewise, the <digest> MUST match the blob's digest.",
        |registry| {
            let (blob, other) = (registry.blob(300), registry.blob(300));
            let post = registry.post("blobs/uploads/").query("digest", other.digest.to_string());
            let received = post.bytes(blob.bytes).send()?;
            match received.code() {
                202 => registry.opened(registry.repository(), &received).map(drop)?,
                _ => drop(received.refused()?),
            }
            registry.get(&other.path()).send()?.status(404).map(drop)
        },
    ),
    may(
        "push-blob-sha512",
        PUSH,
        "A blob can be pushed under its sha512 digest",
        "In each implementation, an unsupported algorithm SHOULD be 400 Bad Request.",
        |registry| {
            let blob = Blob::of(registry.text(500), Algorithm::Sha512);
            let (upload, digest) = (registry.upload()?, blob.digest.to_string());
            let received = upload.close(&digest).bytes(blob.bytes.clone()).send()?;
            if received.code() == 400 {
                return Err(Stop::unsupported("sha512 is refused with 400"));
            }
            received.done()?;
            upload.became(&digest);
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
    may(
        "push-blob-digest-algorithm",
        SHA512,
        "POST with digest-algorithm=sha512 opens an upload for such a blob",
        "When pushing a blob with a digest algorithm other than sha256, the post request SHOULD include the digest-algorithm parameter.",
        |registry| {
            let blob = Blob::of(registry.text(500), Algorithm::Sha512);
            let received = registry.post("blobs/uploads/").query("digest-algorithm", "sha512").send()?;
            if received.code() == 400 {
                return Err(Stop::unsupported("sha512 is refused with 400"));
            }
            let mut upload = registry.opened(registry.repository(), &received.status(202)?)?;
            upload.send_chunk(0, blob.bytes.clone())?;
            let closed = upload.close(blob.digest).send()?;
            if closed.code() == 400 {
                return Err(Stop::unsupported("sha512 is refused with 400"));
            }
            closed.done()?;
            upload.became(blob.digest);
            Ok(())
        },
    )
    .since(Version::V1_2),
];
