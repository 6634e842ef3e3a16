//! Referrers: `end-12a` and `end-12b`.

use http::Method;
use longshore_core::MediaType;
use serde_json::{Value, json};

use super::super::content::Document;
use super::super::received::Received;
use super::super::requirement::{Requirement, may, must, should};
use super::super::stop::Stop;
use super::super::tested::TestedRegistry;
use super::super::version::Version;

const LIST: (&str, &str) = ("end-12a", "listing-referrers");
const FILTER: (&str, &str) = ("end-12b", "listing-referrers");

pub(super) const SBOM: &str = "application/vnd.longshore.sbom.v1";
const SIGNATURE: &str = "application/vnd.longshore.signature.v1";

/// An artifact of this type that refers to a subject.
pub(super) fn artifact(registry: &TestedRegistry<'_>, subject: &Document, kind: &str) -> Result<Document, Stop> {
    registry.image(|image| {
        image["artifactType"] = json!(kind);
        image["subject"] = subject.descriptor();
    })
}

/// The referrers of a subject; unsupported if there is no referrers API.
pub(super) fn list<'c, 'a>(
    registry: &'c TestedRegistry<'a>,
    subject: &Document,
) -> Result<(Received<'c, 'a>, Vec<Value>), Stop> {
    let received = registry.get(&format!("referrers/{}", subject.digest)).send()?;
    if received.code() == 404 {
        return Err(Stop::unsupported("there is no referrers API"));
    }
    let received = received.status(200)?;
    let entries = entries(&received)?;
    Ok((received, entries))
}

fn entries(received: &Received<'_, '_>) -> Result<Vec<Value>, Stop> {
    let body = received.json()?;
    match &body["manifests"] {
        Value::Array(entries) => Ok(entries.clone()),
        other => Err(received.fail("a list under \"manifests\"", other)),
    }
}

/// The entry of a referrer in the list.
fn entry(registry: &TestedRegistry<'_>, subject: &Document, referrer: &Document) -> Result<Value, Stop> {
    let (received, entries) = list(registry, subject)?;
    let digest = referrer.digest.to_string();
    let found = entries.into_iter().find(|entry| entry["digest"].as_str() == Some(&digest));
    found.ok_or_else(|| received.fail(format!("{digest} in the list"), "none"))
}

/// Stores a subject and a referrer of this type.
fn referred(registry: &TestedRegistry<'_>, kind: &str) -> Result<(Document, Document), Stop> {
    let subject = registry.stored_image()?;
    let referrer = artifact(registry, &subject, kind)?;
    registry.store_document(&referrer)?;
    Ok((subject, referrer))
}

fn field_is(entry: &Value, field: &str, expected: &Value) -> Result<(), Stop> {
    match &entry[field] == expected {
        true => Ok(()),
        false => Err(Stop::failed(format!("{field}: {expected}"), format!("{field}: {}", entry[field]))),
    }
}

pub(super) const REQUIREMENTS: &[Requirement] = &[
    may(
        "referrers-api",
        LIST,
        "GET of referrers answers 200",
        "Assuming a repository is found, this request MUST return a 200 OK response code. Registries see Enabling the Referrers API before enabling this.",
        |registry| {
            let subject = registry.stored_image()?;
            list(registry, &subject).map(drop)
        },
    )
    .since(Version::V1_1),
    must(
        "referrers-answer",
        LIST,
        "GET of referrers answers 200, or 404 where there is no API",
        "If the referrers API returns a 404, the client MUST fallback to pulling the referrers tag schema: any other refusal leaves it in the dark.",
        |registry| {
            let subject = registry.stored_image()?;
            let get = registry.get(&format!("referrers/{}", subject.digest));
            get.unfollowed().send()?.status_of(&[200, 404]).map(drop)
        },
    )
    .since(Version::V1_1),
    must(
        "referrers-type",
        LIST,
        "The list of referrers has the type of an index",
        "The Content-Type header MUST be set to application/vnd.oci.image.index.v1+json.",
        |registry| {
            let subject = registry.stored_image()?;
            list(registry, &subject)?.0.says("content-type", MediaType::OCI_INDEX).map(drop)
        },
    )
    .since(Version::V1_1),
    must(
        "referrers-index",
        LIST,
        "The list of referrers is an index",
        "Upon success, the response MUST be a JSON body with an image index containing a list of descriptors.",
        |registry| {
            let subject = registry.stored_image()?;
            let body = list(registry, &subject)?.0.json()?;
            field_is(&body, "schemaVersion", &json!(2))?;
            field_is(&body, "mediaType", &json!(MediaType::OCI_INDEX))
        },
    )
    .since(Version::V1_1),
    must(
        "referrers-none",
        LIST,
        "The list of a manifest without referrers is empty",
        "If a query results in no matching referrers, an empty manifest list MUST be returned.",
        |registry| {
            let subject = registry.stored_image()?;
            let (received, entries) = list(registry, &subject)?;
            if entries.is_empty() { Ok(()) } else { Err(received.fail("an empty list", json!(entries))) }
        },
    )
    .since(Version::V1_1),
    must(
        "referrers-absent-subject",
        LIST,
        "The list of a manifest that is not there is empty",
        "If the registry supports the referrers API, the registry MUST NOT return a 404 Not Found to a referrers API requests.",
        |registry| {
            list(registry, &registry.stored_image()?)?;
            let absent = registry.image(|_| {})?;
            let received = registry.get(&format!("referrers/{}", absent.digest)).send()?.status(200)?;
            let entries = entries(&received)?;
            if entries.is_empty() { Ok(()) } else { Err(received.fail("an empty list", json!(entries))) }
        },
    )
    .since(Version::V1_1),
    must(
        "referrers-malformed-digest",
        LIST,
        "GET of the referrers of what is no digest answers 400",
        "If the request is invalid, such as a <digest> with an invalid syntax, a 400 Bad Request MUST be returned.",
        |registry| {
            list(registry, &registry.stored_image()?)?;
            registry.get("referrers/sha256:totallywrong").send()?.status(400).map(drop)
        },
    )
    .since(Version::V1_1),
    must(
        "referrers-listed",
        LIST,
        "A referrer is listed with its type, its size and its digest",
        "Each descriptor is of an image manifest or index in the same <name> namespace with a subject field that specifies the value of <digest>.",
        |registry| {
            let (subject, referrer) = referred(registry, SBOM)?;
            let entry = entry(registry, &subject, &referrer)?;
            field_is(&entry, "mediaType", &json!(referrer.media_type))?;
            field_is(&entry, "size", &json!(referrer.bytes.len()))
        },
    )
    .since(Version::V1_1),
    must(
        "referrers-artifact-type",
        LIST,
        "A referrer is listed with its artifactType",
        "The descriptors MUST include an artifactType field that is set to the value of the artifactType in the image manifest or index, if present.",
        |registry| {
            let (subject, referrer) = referred(registry, SBOM)?;
            field_is(&entry(registry, &subject, &referrer)?, "artifactType", &json!(SBOM))
        },
    )
    .since(Version::V1_1),
    must(
        "referrers-config-type",
        LIST,
        "A referrer without artifactType is listed with the type of its config",
        "If the artifactType is empty or missing in the image manifest, the value of artifactType MUST be set to the config descriptor mediaType value.",
        |registry| {
            let subject = registry.stored_image()?;
            let referrer = registry.image(|image| image["subject"] = subject.descriptor())?;
            registry.store_document(&referrer)?;
            let expected = json!("application/vnd.oci.image.config.v1+json");
            field_is(&entry(registry, &subject, &referrer)?, "artifactType", &expected)
        },
    )
    .since(Version::V1_1),
    must(
        "referrers-annotations",
        LIST,
        "A referrer is listed with its annotations",
        "The descriptors MUST include annotations from the image manifest or index.",
        |registry| {
            let subject = registry.stored_image()?;
            let annotations = json!({ "org.longshore.one": registry.unique(), "org.longshore.two": "2" });
            let referrer = registry.image(|image| {
                image["subject"] = subject.descriptor();
                image["annotations"] = annotations.clone();
            })?;
            registry.store_document(&referrer)?;
            field_is(&entry(registry, &subject, &referrer)?, "annotations", &annotations)
        },
    )
    .since(Version::V1_1),
    must(
        "referrers-index-listed",
        LIST,
        "An index with a subject is listed",
        "Each descriptor is of an image manifest or index in the same <name> namespace with a subject field.",
        |registry| {
            let subject = registry.stored_image()?;
            let referrer = registry.index(&[&registry.stored_image()?], |index| {
                index["subject"] = subject.descriptor();
                index["artifactType"] = json!(SBOM);
            });
            registry.store_document(&referrer)?;
            let entry = entry(registry, &subject, &referrer)?;
            field_is(&entry, "mediaType", &json!(MediaType::OCI_INDEX))?;
            field_is(&entry, "artifactType", &json!(SBOM))
        },
    )
    .since(Version::V1_1),
    must(
        "referrers-index-without-type",
        LIST,
        "An index without artifactType is listed without one",
        "If the artifactType is empty or missing in an index, the artifactType MUST be omitted.",
        |registry| {
            let subject = registry.stored_image()?;
            let referrer =
                registry.index(&[&registry.stored_image()?], |index| index["subject"] = subject.descriptor());
            registry.store_document(&referrer)?;
            field_is(&entry(registry, &subject, &referrer)?, "artifactType", &Value::Null)
        },
    )
    .since(Version::V1_1),
    must(
        "referrers-before-subject",
        ("end-12a", "push"),
        "A referrer that came before its subject is listed",
        "Allowing clients to push a manifest and referrers to that manifest in either order.",
        |registry| {
            let subject = registry.image(|_| {})?;
            let referrer = artifact(registry, &subject, SBOM)?;
            registry.store_document(&referrer)?;
            registry.store_document(&subject)?;
            entry(registry, &subject, &referrer).map(drop)
        },
    )
    .since(Version::V1_1),
    should(
        "referrers-filter",
        FILTER,
        "The list of one artifact type has referrers of that type only",
        "The registry SHOULD support filtering on artifactType.",
        |registry| {
            let (subject, sbom) = referred(registry, SBOM)?;
            registry.store_document(&artifact(registry, &subject, SIGNATURE)?)?;
            list(registry, &subject)?;
            let get = registry.get(&format!("referrers/{}", subject.digest)).query("artifactType", SBOM);
            let received = get.send()?.status(200)?;
            let entries = entries(&received)?;
            let digest = json!(sbom.digest.to_string());
            match entries.len() == 1 && entries[0]["digest"] == digest {
                true => Ok(()),
                false => Err(received.fail(format!("one entry, {digest}"), json!(entries))),
            }
        },
    )
    .since(Version::V1_1),
    must(
        "referrers-filter-header",
        FILTER,
        "A list that was filtered says so, and one that was not does not",
        "If filtering is requested and applied, the response MUST include a header OCI-Filters-Applied: artifactType.",
        |registry| {
            let (subject, _) = referred(registry, SBOM)?;
            registry.store_document(&artifact(registry, &subject, SIGNATURE)?)?;
            list(registry, &subject)?;
            let get = registry.get(&format!("referrers/{}", subject.digest)).query("artifactType", SBOM);
            let received = get.send()?.status(200)?;
            let filtered = entries(&received)?.len() == 1;
            match (filtered, received.header_if_any("oci-filters-applied")?.as_deref()) {
                (true, Some("artifactType")) | (false, None) => Ok(()),
                (filtered, told) => {
                    let expected = if filtered { "OCI-Filters-Applied: artifactType" } else { "no OCI-Filters-Applied" };
                    Err(received.fail(expected, told.unwrap_or("none")))
                }
            }
        },
    )
    .since(Version::V1_1),
    must(
        "referrers-deleted",
        LIST,
        "A referrer that was deleted is no longer listed",
        "Each descriptor is of an image manifest or index in the same <name> namespace.",
        |registry| {
            let (subject, referrer) = referred(registry, SBOM)?;
            entry(registry, &subject, &referrer)?;
            let deleted = registry.delete(&referrer.path()).send()?;
            if !deleted.is_success() {
                return Err(Stop::unsupported(format!("manifests are not deleted: {}", deleted.summary())));
            }
            let (received, entries) = list(registry, &subject)?;
            if entries.is_empty() { Ok(()) } else { Err(received.fail("an empty list", json!(entries))) }
        },
    )
    .since(Version::V1_1),
    must(
        "referrers-other-repository",
        LIST,
        "A referrer is listed in its own repository only",
        "Each descriptor is of an image manifest or index in the same <name> namespace.",
        |registry| {
            let (subject, referrer) = referred(registry, SBOM)?;
            entry(registry, &subject, &referrer)?;
            let path = format!("referrers/{}", subject.digest);
            let received = registry.request(Method::GET, registry.second(), &path).send()?;
            match received.code() {
                404 => Ok(()),
                _ if entries(&received)?.is_empty() => Ok(()),
                _ => Err(received.fail("an empty list", "the other repository's referrer")),
            }
        },
    )
    .since(Version::V1_1),
];
