//! Pushing manifests: `end-7a` and `end-7b`.

use http::Method;
use longshore_core::{Algorithm, MediaType};
use serde_json::json;

use super::super::content::Document;
use super::super::requirement::{Requirement, may, must, should};
use super::super::stop::Stop;
use super::super::tested::{Left, TestedRegistry};
use super::super::version::Version;

const PUSH: (&str, &str) = ("end-7a", "pushing-manifests");
const TAGS: (&str, &str) = ("end-7b", "pushing-manifests");
const MISSING: (&str, &str) = ("end-7a", "push");

/// A new image with white space at unusual places.
fn unusual(registry: &TestedRegistry<'_>) -> Result<Document, Stop> {
    let image = registry.image(|_| {})?;
    let text = String::from_utf8_lossy(&image.bytes).replace("\":", "\" :\t").replacen('{', "{\r\n  ", 1) + "\n";
    Ok(Document::of_bytes(&image.media_type, text, Algorithm::Sha256))
}

pub(super) const REQUIREMENTS: &[Requirement] = &[
    must(
        "push-manifest-by-tag",
        PUSH,
        "PUT of a manifest under a tag answers 201",
        "Upon a successful upload, the registry MUST return response code 201 Created.",
        |registry| {
            let image = registry.image(|_| {})?;
            registry.put_document(&image, &registry.tag())?.status(201)?;
            Ok(())
        },
    ),
    must(
        "push-manifest-by-digest",
        PUSH,
        "PUT of a manifest under its digest answers 201",
        "<tag-or-digest> MUST be either a) a digest or b) a tag.",
        |registry| {
            let image = registry.image(|_| {})?;
            registry.put_document(&image, &image.digest.to_string())?.status(201)?;
            Ok(())
        },
    ),
    must(
        "push-manifest-location",
        PUSH,
        "The Location of a stored manifest can be pulled",
        "The registry MUST have the following header: Location: <location>. The <location> is a pullable manifest URL.",
        |registry| {
            let image = registry.image(|_| {})?;
            let put = registry.put_document(&image, &registry.tag())?;
            if !put.is_success() {
                return Err(Stop::NotPrepared(put.summary()));
            }
            let location = put.location();
            let get = registry.request_to(Method::GET, registry.repository(), location);
            get.send()?.status(200)?.body(&image.bytes).map(drop)
        },
    ),
    must(
        "push-manifest-digest-right",
        PUSH,
        "Where the answer to PUT of a manifest names a digest, it is the manifest's",
        "The Docker-Content-Digest header returns the digest of the uploaded blob, and MUST be equal to the client provided digest.",
        |registry| {
            let image = registry.image(|_| {})?;
            let put = registry.put_document(&image, &image.digest.to_string())?;
            if !put.is_success() {
                return Err(Stop::NotPrepared(put.summary()));
            }
            put.names_if_any(&image.digest).map(drop)
        },
    ),
    must(
        "push-manifest-bytes",
        PUSH,
        "A manifest is stored in exactly the bytes that came",
        "The registry MUST store the manifest in the exact byte representation provided by the client.",
        |registry| {
            let image = unusual(registry)?;
            registry.store_document(&image)?;
            registry.serves(&image.path(), &image.bytes)
        },
    ),
    must(
        "push-manifest-tagged-bytes",
        PUSH,
        "A manifest that is pushed under a tag is stored in exactly the bytes that came",
        "The registry MUST store the manifest in the exact byte representation provided by the client.",
        |registry| {
            let (image, tag) = (unusual(registry)?, registry.tag());
            registry.store_tagged(&image, &tag)?;
            registry.serves(&format!("manifests/{tag}"), &image.bytes)?;
            registry.serves(&image.path(), &image.bytes)
        },
    ),
    must(
        "push-manifest-untagged-there",
        PUSH,
        "A manifest that was pushed by digest is there under no tag",
        "A GET request to an existing manifest URL MUST provide the expected manifest.",
        |registry| {
            let image = registry.image(|_| {})?;
            let put = registry.put_document(&image, &image.digest.to_string())?;
            if !put.is_success() {
                return Err(Stop::NotPrepared(put.summary()));
            }
            registry.serves(&image.path(), &image.bytes)
        },
    ),
    must(
        "push-manifest-tagged-by-digest",
        PUSH,
        "A manifest that was pushed under a tag is there under its digest",
        "A GET request to an existing manifest URL MUST provide the expected manifest.",
        |registry| {
            let (image, _) = registry.tagged_image()?;
            registry.serves(&image.path(), &image.bytes)
        },
    ),
    must(
        "push-manifest-again",
        PUSH,
        "The same manifest under the same tag may be pushed again",
        "Upon a successful upload, the registry MUST return response code 201 Created.",
        |registry| {
            let (image, tag) = registry.tagged_image()?;
            registry.put_document(&image, &tag)?.done()?;
            Ok(())
        },
    ),
    should(
        "push-manifest-tag-moves",
        PUSH,
        "A tag may be moved to another manifest",
        "Clients push manifests to tags; nothing says that a tag is for ever. Registries with immutable tags refuse.",
        |registry| {
            let (_, tag) = registry.tagged_image()?;
            let other = registry.image(|_| {})?;
            registry.put_document(&other, &tag)?.done()?;
            registry.get(&format!("manifests/{tag}")).send()?.status(200)?.body(&other.bytes).map(drop)
        },
    ),
    must(
        "push-manifest-moved-stays",
        PUSH,
        "A manifest whose tag was moved stays under its digest",
        "A GET request to an existing manifest URL MUST provide the expected manifest.",
        |registry| {
            let (image, tag) = registry.tagged_image()?;
            let other = registry.image(|_| {})?;
            let moved = registry.put_document(&other, &tag)?;
            if !moved.is_success() {
                return Err(Stop::unsupported(format!("tags are not moved: {}", moved.summary())));
            }
            registry.serves(&image.path(), &image.bytes)
        },
    ),
    must(
        "push-manifest-two-tags",
        PUSH,
        "A manifest may have two tags",
        "<tag-or-digest> MUST be either a) a digest or b) a tag.",
        |registry| {
            let (image, one) = registry.tagged_image()?;
            let two = registry.tag();
            registry.put_document(&image, &two)?.done()?;
            for tag in [one, two] {
                registry.get(&format!("manifests/{tag}")).send()?.status(200)?.body(&image.bytes)?;
            }
            Ok(())
        },
    ),
    must(
        "push-manifest-long-tag",
        ("end-7a", "pulling-manifests"),
        "A tag may have 128 characters",
        "<tag-or-digest> as a tag MUST be at most 128 characters in length and MUST match [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}.",
        |registry| {
            let image = registry.image(|_| {})?;
            let tag = format!("{:_<128}", format!("L.{}-", registry.unique()));
            registry.put_document(&image, &tag)?.done()?;
            registry.get(&format!("manifests/{tag}")).send()?.status(200).map(drop)
        },
    ),
    must(
        "push-manifest-tag-case",
        ("end-7a", "https://www.rfc-editor.org/rfc/rfc9110#section-4.2.3"),
        "Tags that differ only in case are different tags",
        "The scheme and host are case-insensitive and normally provided in lowercase; all other components are compared in a case-sensitive manner (RFC 9110, 4.2.3).",
        |registry| {
            let (one, other, name) = (registry.image(|_| {})?, registry.image(|_| {})?, registry.unique());
            let (upper, lower) = (format!("T-{name}"), format!("t-{name}"));
            registry.store_tagged(&one, &upper)?;
            registry.put_document(&other, &lower)?.done()?;
            registry.serves(&format!("manifests/{upper}"), &one.bytes)?;
            registry.serves(&format!("manifests/{lower}"), &other.bytes)
        },
    ),
    must(
        "push-manifest-malformed-reference",
        PUSH,
        "PUT of a manifest under what is neither tag nor digest is refused",
        "The <tag-or-digest> MUST NOT be in any other format.",
        |registry| {
            let image = registry.image(|_| {})?;
            registry.put_document(&image, ".not-a-tag")?.refused()?;
            Ok(())
        },
    ),
    must(
        "push-manifest-other-digest",
        PUSH,
        "PUT of a manifest under a digest that is not its own is refused",
        "Docker-Content-Digest MUST be equal to the client provided digest.",
        |registry| {
            let (image, other) = (registry.image(|_| {})?, registry.image(|_| {})?);
            registry.put_document(&image, &other.digest.to_string())?.refused()?;
            registry.get(&other.path()).send()?.status(404).map(drop)
        },
    ),
    should(
        "push-manifest-malformed-digest",
        PUSH,
        "PUT of a manifest under a malformed digest is refused with 400",
        "If the client provided digest is invalid or uses an unsupported algorithm, the registry SHOULD respond with a response code 400 Bad Request.",
        |registry| {
            let image = registry.image(|_| {})?;
            registry.put_document(&image, "sha256:totallywrong")?.status(400)?;
            Ok(())
        },
    ),
    should(
        "push-manifest-no-json",
        ("end-7a", "error-codes"),
        "What is no JSON is refused with 400",
        "MANIFEST_INVALID: manifest invalid.",
        |registry| {
            let text = Document::of_bytes(MediaType::OCI_MANIFEST, registry.text(100), Algorithm::Sha256);
            registry.put_document(&text, &registry.tag())?.status(400)?;
            Ok(())
        },
    ),
    must(
        "push-manifest-missing-code",
        MISSING,
        "Where a manifest is refused because a layer is not there, its code is MANIFEST_BLOB_UNKNOWN",
        "When a manifest is rejected for this reason, it MUST result in one or more MANIFEST_BLOB_UNKNOWN errors.",
        |registry| {
            let layer = registry.blob(100).descriptor("application/vnd.oci.image.layer.v1.tar");
            let image = registry.image(|image| image["layers"] = json!([layer]))?;
            let put = registry.put_document(&image, &image.digest.to_string())?;
            if put.is_success() {
                return Err(Stop::unsupported("a manifest without its layers is taken"));
            }
            if put.error_codes().is_empty() {
                return Err(put.fail("the error code MANIFEST_BLOB_UNKNOWN", put.summary()));
            }
            put.refused()?.error(&["MANIFEST_BLOB_UNKNOWN"]).map(drop)
        },
    ),
    may(
        "push-manifest-missing-config",
        MISSING,
        "A manifest whose config is not there is refused",
        "A registry MAY reject a manifest with descriptors that reference a manifest or blob that does not exist in the registry.",
        |registry| {
            let config = registry.blob(100).descriptor("application/vnd.oci.image.config.v1+json");
            let image = registry.image(|image| image["config"] = config)?;
            let put = registry.put_document(&image, &image.digest.to_string())?;
            match put.is_success() {
                true => Err(Stop::unsupported("it is taken")),
                false => put.status_of(&[400, 404]).map(drop),
            }
        },
    ),
    may(
        "push-manifest-other-repository-blob",
        MISSING,
        "A manifest whose layer is in another repository only is refused",
        "A registry MAY reject a manifest with descriptors that reference a manifest or blob that does not exist in the registry.",
        |registry| {
            let layer = registry.blob(100);
            registry.store(registry.second(), &layer)?;
            let layer = layer.descriptor("application/vnd.oci.image.layer.v1.tar");
            let image = registry.image(|image| image["layers"] = json!([layer]))?;
            let put = registry.put_document(&image, &image.digest.to_string())?;
            match put.is_success() {
                true => Err(Stop::unsupported("it is taken")),
                false => put.status_of(&[400, 404]).map(drop),
            }
        },
    ),
    may(
        "push-manifest-tag-parameter",
        TAGS,
        "PUT by digest with two tags in the query stores both, and says so",
        "When pushing a manifest by digest, the registry MAY support the pushing of tags specified by addition of tag query parameters. It MUST include an OCI-Tag response header for each accepted tag.",
        |registry| {
            let (image, one, two) = (registry.image(|_| {})?, registry.tag(), registry.tag());
            let put = registry.put(&image.path()).query("tag", &one).query("tag", &two);
            let put = put.body(&image.media_type, image.bytes.clone()).send()?.status_of(&[201, 414])?;
            registry.leaves(Left::Manifest(registry.repository().clone(), image.digest.to_string()));
            let told: Vec<String> = put.header_values("oci-tag");
            if told.is_empty() {
                return Err(Stop::unsupported("there is no OCI-Tag"));
            }
            for tag in [one, two] {
                if !told.contains(&tag) {
                    return Err(put.fail(format!("OCI-Tag: {tag}"), told.join(", ")));
                }
                registry.get(&format!("manifests/{tag}")).send()?.status(200)?.body(&image.bytes)?;
            }
            Ok(())
        },
    )
    .since(Version::V1_2),
    should(
        "push-manifest-ten-tags",
        TAGS,
        "PUT by digest with ten tags in the query stores all",
        "If a registry supports this, it SHOULD support pushing at least 10 tags per request.",
        |registry| {
            let image = registry.image(|_| {})?;
            let tags: Vec<String> = (0..10).map(|_| registry.tag()).collect();
            let put = tags.iter().fold(registry.put(&image.path()), |put, tag| put.query("tag", tag));
            let put = put.body(&image.media_type, image.bytes.clone()).send()?.status_of(&[201, 414])?;
            registry.leaves(Left::Manifest(registry.repository().clone(), image.digest.to_string()));
            let told = put.header_values("oci-tag");
            if put.code() == 201 && told.is_empty() {
                return Err(Stop::unsupported("there is no OCI-Tag"));
            }
            match tags.iter().all(|tag| told.contains(tag)) {
                true => Ok(()),
                false => Err(put.fail("ten tags in OCI-Tag", told.join(", "))),
            }
        },
    )
    .since(Version::V1_2),
    should(
        "push-manifest-type-parameters",
        PUSH,
        "Parameters of a manifest's Content-Type are not minded",
        "The registry SHOULD ignore parameters on the Content-Type header.",
        |registry| {
            let image = registry.image(|_| {})?;
            let put = registry.put(&image.path());
            let put = put.body(&format!("{}; charset=utf-8", image.media_type), image.bytes.clone()).send()?;
            put.done()?;
            registry.leaves(Left::Manifest(registry.repository().clone(), image.digest.to_string()));
            Ok(())
        },
    )
    .since(Version::V1_1),
];
