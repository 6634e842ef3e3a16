//! Conditional requests (RFC 9110, section 13). The specification names them for the tags of referrers.

use super::super::content::Document;
use super::super::received::Received;
use super::super::requirement::{Requirement, may, must, should};
use super::super::stop::Stop;
use super::super::tested::{Left, TestedRegistry};

const ETAG: (&str, &str) = ("end-3", "https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3");
const NONE_MATCH: (&str, &str) = ("end-3", "https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2");
const MATCH: (&str, &str) = ("end-7a", "https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1");
const SUBJECT: (&str, &str) = ("end-7a", "pushing-manifests-with-subject");

/// The validator of a manifest under a tag; unsupported if there is none.
fn etag(registry: &TestedRegistry<'_>, tag: &str) -> Result<String, Stop> {
    let received = registry.get(&format!("manifests/{tag}")).send()?.status(200)?;
    let etag = received.header_if_any("etag")?;
    etag.ok_or_else(|| Stop::unsupported("manifests have no ETag"))
}

/// Sends a conditional PUT of a manifest under a tag.
fn put_if<'c, 'a>(
    registry: &'c TestedRegistry<'a>,
    image: &Document,
    tag: &str,
    condition: (&'static str, &str),
) -> Result<Received<'c, 'a>, Stop> {
    let put = registry.put(&format!("manifests/{tag}")).header(condition.0, condition.1);
    let received = put.body(&image.media_type, image.bytes.clone()).send()?;
    if received.is_success() {
        registry.leaves(Left::Manifest(registry.repository().clone(), image.digest.to_string()));
    }
    Ok(received)
}

pub(super) const REQUIREMENTS: &[Requirement] = &[
    may(
        "conditional-etag",
        ETAG,
        "GET of a manifest has an ETag",
        "An origin server SHOULD send an ETag for any selected representation for which detection of changes can be reasonably and consistently determined.",
        |registry| {
            let (_, tag) = registry.shared_image()?;
            etag(registry, &tag).map(drop)
        },
    ),
    must(
        "conditional-etag-form",
        ETAG,
        "An ETag is in quotes",
        "entity-tag = [ weak ] opaque-tag; opaque-tag = DQUOTE *etagc DQUOTE.",
        |registry| {
            let (_, tag) = registry.shared_image()?;
            let etag = etag(registry, &tag)?;
            let opaque = etag.strip_prefix("W/").unwrap_or(&etag);
            let quoted = opaque.len() >= 2 && opaque.starts_with('"') && opaque.ends_with('"');
            if quoted { Ok(()) } else { Err(Stop::failed("an ETag in quotes", etag)) }
        },
    ),
    should(
        "conditional-none-match",
        NONE_MATCH,
        "GET of a manifest that one has already answers 304",
        "If the condition is false, the origin server MUST NOT perform the requested method; instead, it MUST respond with the 304 (Not Modified) status code if the request method is GET or HEAD.",
        |registry| {
            let (_, tag) = registry.shared_image()?;
            let etag = etag(registry, &tag)?;
            let get = registry.get(&format!("manifests/{tag}")).header("if-none-match", etag).send()?;
            get.status(304)?.body(b"")?;
            Ok(())
        },
    ),
    should(
        "conditional-none-match-head",
        NONE_MATCH,
        "HEAD of a manifest that one has already answers 304",
        "It MUST respond with the 304 (Not Modified) status code if the request method is GET or HEAD.",
        |registry| {
            let (_, tag) = registry.shared_image()?;
            let etag = etag(registry, &tag)?;
            registry.head(&format!("manifests/{tag}")).header("if-none-match", etag).send()?.status(304).map(drop)
        },
    ),
    must(
        "conditional-none-match-other",
        NONE_MATCH,
        "GET of a manifest of which one has another answers 200",
        "If the entity tag does not match, the condition is true.",
        |registry| {
            let (image, tag) = registry.shared_image()?;
            let get = registry.get(&format!("manifests/{tag}")).header("if-none-match", "\"another\"").send()?;
            get.status(200)?.body(&image.bytes)?;
            Ok(())
        },
    ),
    must(
        "conditional-etag-changes",
        ETAG,
        "The ETag of a tag changes with what the tag names",
        "An entity tag is an opaque validator for differentiating between multiple representations of the same resource.",
        |registry| {
            let (_, tag) = registry.tagged_image()?;
            let before = etag(registry, &tag)?;
            let moved = registry.put_document(&registry.image(|_| {})?, &tag)?;
            if !moved.is_success() {
                return Err(Stop::unsupported(format!("tags are not moved: {}", moved.summary())));
            }
            let after = etag(registry, &tag)?;
            if before == after { Err(Stop::failed("another ETag", after)) } else { Ok(()) }
        },
    ),
    may(
        "conditional-put-match",
        SUBJECT,
        "PUT of a manifest with the ETag of what stands there is taken",
        "The client MAY use conditional HTTP requests to prevent overwriting a referrers list that has changed since it was first pulled.",
        |registry| {
            let (_, tag) = registry.tagged_image()?;
            let (etag, other) = (etag(registry, &tag)?, registry.image(|_| {})?);
            put_if(registry, &other, &tag, ("if-match", &etag))?.done()?;
            Ok(())
        },
    ),
    may(
        "conditional-put-stale",
        MATCH,
        "PUT of a manifest with the ETag of what no longer stands there is refused with 412, and changes nothing",
        "An origin server MUST NOT perform the requested method if the condition evaluates to false; it MAY respond with the 412 (Precondition Failed) status code.",
        |registry| {
            let (image, tag) = registry.tagged_image()?;
            let other = registry.image(|_| {})?;
            let put = put_if(registry, &other, &tag, ("if-match", "\"stale\""))?;
            if put.is_success() {
                return Err(Stop::unsupported("If-Match is not heeded"));
            }
            put.status(412)?;
            registry.get(&format!("manifests/{tag}")).send()?.status(200)?.body(&image.bytes).map(drop)
        },
    ),
    may(
        "conditional-put-new",
        NONE_MATCH,
        "PUT of a manifest under a tag that is there already, if it is not, is refused with 412",
        "If-None-Match: * can prevent an unsafe request method from inadvertently modifying an existing representation.",
        |registry| {
            let (image, tag) = registry.tagged_image()?;
            let put = put_if(registry, &registry.image(|_| {})?, &tag, ("if-none-match", "*"))?;
            if put.is_success() {
                return Err(Stop::unsupported("If-None-Match is not heeded"));
            }
            put.status(412)?;
            registry.get(&format!("manifests/{tag}")).send()?.status(200)?.body(&image.bytes).map(drop)
        },
    ),
    must(
        "conditional-put-new-absent",
        NONE_MATCH,
        "PUT of a manifest under a tag that is not there yet, if it is not, is taken",
        "If the field value is *, the condition is true if the origin server has no current representation for the target resource.",
        |registry| {
            let (image, tag) = (registry.image(|_| {})?, registry.tag());
            put_if(registry, &image, &tag, ("if-none-match", "*"))?.done()?;
            Ok(())
        },
    ),
    may(
        "conditional-put-race",
        SUBJECT,
        "Of two PUTs at once that have the same ETag, one is taken",
        "Clients MAY use a conditional HTTP push for registries that support ETag conditions to avoid conflicts with other clients.",
        |registry| {
            let (_, tag) = registry.tagged_image()?;
            let etag = etag(registry, &tag)?;
            let stale = put_if(registry, &registry.image(|_| {})?, &tag, ("if-match", "\"stale\""))?;
            if stale.is_success() {
                return Err(Stop::unsupported("If-Match is not heeded"));
            }
            let images = [registry.image(|_| {})?, registry.image(|_| {})?];
            let put = |image: &Document| {
                let put = registry.put(&format!("manifests/{tag}")).header("if-match", &etag);
                put.body(&image.media_type, image.bytes.clone())
            };
            let taken = registry.send_at_once(images.iter().map(put))?;
            let taken = taken.iter().filter(|received| received.is_success()).count();
            for image in images {
                registry.leaves(Left::Manifest(registry.repository().clone(), image.digest.to_string()));
            }
            if taken == 1 { Ok(()) } else { Err(Stop::failed("one that is taken", taken)) }
        },
    ),
    may(
        "conditional-blob",
        ("end-2", "https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2"),
        "GET of a blob that one has already answers 304",
        "It MUST respond with the 304 (Not Modified) status code if the request method is GET or HEAD.",
        |registry| {
            let blob = registry.shared_blob()?;
            let Some(etag) = registry.get(&blob.path()).send()?.status(200)?.header_if_any("etag")? else {
                return Err(Stop::unsupported("blobs have no ETag"));
            };
            registry.get(&blob.path()).header("if-none-match", etag).send()?.status(304).map(drop)
        },
    ),
];
