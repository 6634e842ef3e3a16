//! Quirks of reading, manifests, referrers and errors.

use longshore_core::MediaType;
use longshore_mock_registry::Behaviour;
use longshore_mock_registry::behaviour as is;
use longshore_mock_registry::fault::Faults;

use crate::case::Case;
use crate::image::{DocumentPlan, Subject};

use super::{Outcome, Quirk, fine, refusing};

pub(super) fn reading() -> Vec<Quirk> {
    vec![
        fine("manifest-head-403-means-missing", |b| b.read.missing_manifest = 403),
        fine("manifest-head-500-when-repo-missing", |b| b.read.missing_manifest = 500),
        fine("blob-head-401-means-missing", |b| b.read.missing_blob = 401),
        fine("ghcr-head-403-without-write", |b| b.read.missing_blob = 403),
        fine("manifest-head-405", |b| b.read.manifest_head = false),
        fine("manifest-head-length-differs", |b| b.read.manifest_head_length_differs = true),
        fine("blob-head-content-length-zero", |b| b.read.blob_head_length_zero = true),
        fine("blob-head-no-content-type", |b| b.read.blob_content_type = false),
        fine("blob-head-redirect", |b| {
            b.read.blob_redirect = true;
            b.read.blob_digest = is::DigestHeader::Absent;
        }),
        fine("redirect-s3-rejects-authorization", |b| {
            b.read.blob_redirect = true;
            b.read.storage_refuses_authorization = true;
        }),
        fine("manifest-digest-header-unreliable:absent", |b| {
            b.read.manifest_digest = is::DigestHeader::Absent;
            b.manifests.digest = is::DigestHeader::Absent;
        }),
        // A registry that names the digest of other content has changed the content.
        refusing(
            "manifest-digest-header-unreliable:wrong",
            &["end-7a: the registry reports the digest", "end-7b: the registry reports the digest"],
            |b| {
                b.read.manifest_digest = is::DigestHeader::Wrong;
                b.manifests.digest = is::DigestHeader::Wrong;
            },
        ),
        fine("manifest-get-404-accept-filter", |b| b.read.accept_filters = true),
    ]
}

pub(super) fn manifests() -> Vec<Quirk> {
    vec![
        fine("manifest-put-status-variants:200", |b| b.manifests.status = 200),
        fine("manifest-put-status-variants:202", |b| b.manifests.status = 202),
        fine("manifest-put-status-variants:204", |b| b.manifests.status = 204),
        fine("manifest-location-bogus", |b| b.manifests.location = is::ManifestLocation::Upload),
        fine("manifest-location-bogus:absent", |b| b.manifests.location = is::ManifestLocation::Absent),
        fine("location-private-host", |b| b.manifests.location = is::ManifestLocation::PrivateHost),
        fine("location-private-host:other", |b| b.manifests.location = is::ManifestLocation::OtherHost),
        fine("manifest-201-with-body", |b| b.manifests.echo = is::Echo::Manifest),
        fine("manifest-201-with-body:text", |b| b.manifests.echo = is::Echo::Text),
        fine("etag-format-varies", |b| b.manifests.etag = is::EtagForm::Unquoted),
        fine("etag-format-varies:absent", |b| b.manifests.etag = is::EtagForm::Absent),
        fine("missing-blob-status-zoo:404", |b| late(b, is::MissingReference::ManifestBlobUnknownNotFound)),
        fine("missing-blob-status-zoo:blob-unknown", |b| late(b, is::MissingReference::BlobUnknown)),
        fine("missing-blob-status-zoo:blob-unknown-404", |b| late(b, is::MissingReference::BlobUnknownNotFound)),
        fine("missing-blob-status-zoo:manifest-invalid", |b| late(b, is::MissingReference::ManifestInvalid)),
        fine("missing-blob-not-checked", |b| b.manifests.missing_reference = is::MissingReference::Accepted),
        refusing("subject-must-exist", &["push a manifest: 400", "push a manifest and its tags: 400"], |b| {
            b.manifests.subject_must_exist = true;
        }),
        fine("manifest-mediatype-required", |b| b.manifests.media_type_required = true),
        refusing(
            "manifest-artifacttype-rejected-405",
            &["push a manifest: 405", "push a manifest and its tags: 405"],
            |b| b.manifests.artifacts_refused = Some(405),
        ),
        refusing("manifest-content-type-415", &["push a manifest: 415", "push a manifest and its tags: 415"], |b| {
            refuse(b, &[MediaType::OCI_MANIFEST], 415);
        }),
        refusing("manifest-oci-index-rejected", &["push a manifest: 400", "push a manifest and its tags: 400"], |b| {
            refuse(b, &[MediaType::OCI_INDEX], 400);
        }),
        refusing(
            "manifest-oci-index-rejected:500",
            &["push a manifest: 5", "push a manifest: 4", "push a manifest and its tags: 5"],
            |b| refuse(b, &[MediaType::OCI_INDEX, MediaType::OCI_MANIFEST], 500),
        ),
        refusing(
            "manifest-gitea-unsupported-405",
            &["push a manifest: 405", "push a manifest and its tags: 405"],
            |b| refuse(b, &[MediaType::DOCKER_MANIFEST, MediaType::DOCKER_LIST], 405),
        ),
        refusing(
            "manifest-empty-config-rejected",
            &["push a manifest: 400", "push a manifest and its tags: 400"],
            |b| b.manifests.empty_config_refused = true,
        )
        .in_case(attaches),
        refusing(
            "manifest-empty-config-rejected:no-layers",
            &["push a manifest: 400", "push a manifest and its tags: 400"],
            |b| b.manifests.no_layers_refused = true,
        ),
        refusing(
            "manifest-type-change-on-tag-400",
            &["push a manifest: 400", "push a manifest and its tags: 400"],
            |b| b.manifests.type_change_refused = true,
        )
        .in_case(replaces_an_image),
        fine("push-by-digest-temporary", |b| b.manifests.untagged_lifetime = Some(50_000_000))
            .in_case(|case| case.tags = 1),
        fine("manifest-mixed-types-rejected", |b| b.manifests.mixed_types_refused = true),
        fine("manifest-annotations-rejected", |b| b.manifests.annotations_refused = true),
        refusing("manifest-size-limit", &["push a manifest: 413", "push a manifest and its tags: 413"], |_| {})
            .in_case(|case| case.registry.limits.manifest = 600),
        refusing("manifest-size-limit:400", &["push a manifest: 400", "push a manifest and its tags: 400"], |b| {
            b.manifests.over_limit = 400;
        })
        .in_case(|case| case.registry.limits.manifest = 600),
        fine("bad-reference-routing", |b| b.manifests.bad_reference = 404),
        refusing(
            "manifest-docker-types-rejected",
            &["push a manifest: 415", "push a manifest and its tags: 415"],
            |b| {
                refuse(b, &[MediaType::DOCKER_MANIFEST], 415);
            },
        ),
        fine("manifest-digest-not-verified", |b| b.manifests.unverified = true),
        fine("manifest-duplicate-put-409", |b| b.manifests.duplicate = is::DuplicatePut::ConflictWithin(600_000_000)),
        fine("tag-immutable-status-zoo:409", |b| immutable(b, 409, "TAG_IMMUTABLE", true)),
        fine("tag-immutable-status-zoo:412", |b| immutable(b, 412, "PRECONDITION", true)),
        fine("tag-immutable-status-zoo:403", |b| immutable(b, 403, "DENIED", true)),
        refusing(
            "tag-immutable-status-zoo:400",
            &["names another manifest, and the registry does not allow changing it", "it is immutable"],
            |b| immutable(b, 400, "TAG_INVALID", false),
        )
        .in_case(replaces_an_image),
        refusing(
            "tag-immutable-status-zoo:moved",
            &["names another manifest, and the registry does not allow changing it", "it is immutable"],
            |b| {
                immutable(b, 409, "TAG_IMMUTABLE", true);
            },
        )
        .in_case(replaces_an_image),
        fine("conditional-put-unsupported", |b| b.manifests.conditions = false),
        fine("tag-parameter-unsupported", |b| b.manifests.tag_parameters = false),
        refusing(
            "quota-readonly-status-zoo",
            &[
                "begin an upload: 403",
                "upload a blob in one request: 403",
                "push a manifest: 403",
                "push a manifest and its tags: 403",
            ],
            |b| b.manifests.read_only = Some(403),
        ),
        refusing(
            "proxy-project-push-denied",
            &[
                "begin an upload: 405",
                "upload a blob in one request: 405",
                "push a manifest: 405",
                "push a manifest and its tags: 405",
            ],
            |b| b.manifests.read_only = Some(405),
        ),
    ]
}

/// Blobs become visible late, and a manifest that is pushed too early is answered in this way.
fn late(behaviour: &mut Behaviour, missing: is::MissingReference) {
    behaviour.commit.visible_after = 1_000_000;
    behaviour.manifests.missing_reference = missing;
}

fn immutable(behaviour: &mut Behaviour, status: u16, code: &str, same_is_fine: bool) {
    behaviour.manifests.immutable_tags = Some(is::ImmutableTags::new(status, code, same_is_fine));
}

pub(super) fn referrers() -> Vec<Quirk> {
    use is::ReferrersApi as Api;
    const fn without(behaviour: &mut Behaviour, api: Api) {
        behaviour.referrers.api = api;
    }
    vec![
        fine("referrers-404-fallback", |b| without(b, Api::NotFound)),
        fine("referrers-404-fallback:no-route", |b| without(b, Api::NoRoute)),
        fine("referrers-303-to-html", |b| without(b, Api::SeeOther)),
        fine("referrers-odd-status-means-unsupported:html", |b| without(b, Api::Html)),
        fine("referrers-odd-status-means-unsupported:json", |b| without(b, Api::OtherJson)),
        fine("referrers-odd-status-means-unsupported:400", |b| without(b, Api::Refused(400))),
        fine("referrers-odd-status-means-unsupported:403", |b| without(b, Api::Refused(403))),
        fine("referrers-odd-status-means-unsupported:405", |b| without(b, Api::Refused(405))),
        fine("referrers-without-conditions", |b| {
            without(b, Api::NotFound);
            b.manifests.conditions = false;
            b.manifests.etag = is::EtagForm::Absent;
        }),
        Quirk::new("oci-subject-lies", Outcome::SucceedsUnlisted, |b| {
            without(b, Api::NotFound);
            b.referrers.subject = is::SubjectHeader::Always;
        }),
        refusing(
            "fallback-tag-immutable",
            &["cannot be changed: end-7a: the registry refused to push a manifest: 409"],
            |b| {
                without(b, Api::NotFound);
                immutable(b, 409, "TAG_IMMUTABLE", true);
            },
        )
        .in_case(attaches),
        fine("referrers-pagination", |b| b.listing.link = is::LinkForm::Absolute).in_case(|case| {
            attaches(case);
            case.registry.limits.page = 1;
        }),
        fine("oci-subject-missing-but-supported", |b| b.referrers.subject = is::SubjectHeader::Never),
        fine("referrers-filter-client-side", |b| b.referrers.filter = false),
        fine("referrers-empty-vs-missing-subject", |b| b.referrers.unknown_subject = 400),
        fine("referrers-descriptor-shape", |b| b.referrers.artifact_types = false),
    ]
}

pub(super) fn errors() -> Vec<Quirk> {
    vec![
        fine("500-for-client-mistake", |b| {
            b.chunks.malformed = 500;
            b.chunks.out_of_order = 500;
            b.commit.mismatch = 500;
        }),
        fine("416-json-as-text-plain", |b| {
            let errors = "4xx json".parse().unwrap_or_default();
            b.answers.push(is::AnswerChange::to(errors).header("content-type", "text/plain; charset=utf-8"));
        }),
        fine("error-body-shapes:empty", |b| says(b, is::ErrorBody::Empty)),
        fine("error-body-shapes:html", |b| says(b, is::ErrorBody::Html)),
        fine("error-body-shapes:text", |b| says(b, is::ErrorBody::Text)),
        fine("error-body-shapes:details", |b| says(b, is::ErrorBody::Details)),
        fine("error-body-shapes:without-code", |b| says(b, is::ErrorBody::WithoutCode)),
        fine("error-body-shapes:message-object", |b| says(b, is::ErrorBody::MessageObject)),
        fine("error-codes-non-spec", |b| b.errors.body = is::ErrorBody::OtherCodes),
        fine("warning-header", |b| b.errors.warnings = vec!["this registry goes away".to_owned()]),
    ]
}

/// Errors have this body, and some of them matter: a blob is missing when its manifest comes.
fn says(behaviour: &mut Behaviour, body: is::ErrorBody) {
    late(behaviour, is::MissingReference::BlobUnknown);
    behaviour.errors.body = body;
}

fn refuse(behaviour: &mut Behaviour, types: &[&str], status: u16) {
    let types = types.iter().map(|of| (*of).to_owned()).collect();
    behaviour.manifests.refused_types = is::RefusedTypes::new(types, status);
}

fn attaches(case: &mut Case) {
    case.plan.attached = 2;
}

/// Another image has the tags already.
fn replaces_an_image(case: &mut Case) {
    let mut before = case.clone();
    let image = DocumentPlan { blobs: vec![0], children: Vec::new(), docker: false, subject: Subject::None };
    before.plan.documents = vec![image];
    before.plan.attached = 0;
    before.faults = longshore_memory::Schedule::default();
    before.registry.faults = Faults::none();
    case.before = Some(Box::new(before));
}
