//! Manifests with a subject: `end-7a`.

use super::super::requirement::{Requirement, must};
use super::super::stop::Stop;
use super::super::version::Version;
use super::referrers::{SBOM, artifact, list};

const SUBJECT: (&str, &str) = ("end-7a", "pushing-manifests-with-subject");

pub(super) const REQUIREMENTS: &[Requirement] = &[
    must(
        "subject-there",
        SUBJECT,
        "A manifest with a subject that is there is taken",
        "A registry MUST initially accept an otherwise valid manifest with a subject field.",
        |registry| {
            let subject = registry.stored_image()?;
            let referrer = artifact(registry, &subject, SBOM)?;
            registry.put_document(&referrer, &referrer.digest.to_string())?.done()?;
            Ok(())
        },
    )
    .since(Version::V1_1),
    must(
        "subject-absent",
        ("end-7a", "push"),
        "A manifest with a subject that is not there is taken",
        "A registry MUST initially accept an otherwise valid manifest with a subject field that references a manifest that does not exist in the repository, allowing clients to push a manifest and referrers to that manifest in either order.",
        |registry| {
            let subject = registry.image(|_| {})?;
            let referrer = artifact(registry, &subject, SBOM)?;
            registry.put_document(&referrer, &referrer.digest.to_string())?.done()?;
            Ok(())
        },
    )
    .since(Version::V1_1),
    must(
        "subject-header",
        SUBJECT,
        "A registry with referrers API answers a manifest with a subject with OCI-Subject",
        "A registry implementation that supports the referrers API MUST respond with the response header OCI-Subject: <subject digest>.",
        |registry| {
            let subject = registry.stored_image()?;
            list(registry, &subject)?;
            let referrer = artifact(registry, &subject, SBOM)?;
            let put = registry.put_document(&referrer, &referrer.digest.to_string())?;
            if !put.is_success() {
                return Err(Stop::NotPrepared(put.summary()));
            }
            put.says("oci-subject", &subject.digest.to_string()).map(drop)
        },
    )
    .since(Version::V1_1),
    must(
        "subject-header-honest",
        SUBJECT,
        "A registry without referrers API sends no OCI-Subject",
        "OCI-Subject indicates to the client that the registry processed the request's subject: without it, the client updates the referrers tag.",
        |registry| {
            let subject = registry.stored_image()?;
            match list(registry, &subject) {
                Err(Stop::Unsupported(_) | Stop::Failed(_)) => {}
                Err(other) => return Err(other),
                Ok(_) => return Ok(()),
            }
            let referrer = artifact(registry, &subject, SBOM)?;
            let put = registry.put_document(&referrer, &referrer.digest.to_string())?;
            match put.header_if_any("oci-subject")? {
                None => Ok(()),
                Some(told) => Err(put.fail("no OCI-Subject", told)),
            }
        },
    )
    .since(Version::V1_1),
    must(
        "subject-tag-schema",
        ("end-7a", "referrers-tag-schema"),
        "The tag that clients list referrers under can be pushed and pulled",
        "Client implementations MUST support registries that implement partial or older versions: the referrers tag is the digest with - for the colon.",
        |registry| {
            let subject = registry.stored_image()?;
            let index = registry.index(&[&subject], |_| {});
            let tag = subject.digest.to_string().replace(':', "-");
            registry.put_document(&index, &tag)?.done()?;
            registry.get(&format!("manifests/{tag}")).send()?.status(200)?.body(&index.bytes).map(drop)
        },
    )
    .since(Version::V1_1),
];
