//! What real registries were seen to do, one by one: each is a switch of the mock registry's, by the id of the quirk.
//!
//! Lengths are those of random cases: a few times [`CHUNK`] bytes stand for megabytes.

use longshore_mock_registry::behaviour as is;
use longshore_mock_registry::{Behaviour, Options};

use crate::strategy::CHUNK;

/// One habit of some registry.
#[derive(Debug, Clone, Copy)]
pub struct Quirk {
    /// Its id; where one quirk shows in several ways, what tells this way from the others follows after a colon.
    pub id: &'static str,
    /// What must become of a push.
    pub outcome: Outcome,
    change: fn(&mut Behaviour),
}

/// What must become of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeds.
    Succeeds,
    /// It succeeds, but nobody could know that the list of referrers must be kept under a tag.
    SucceedsUnlisted,
    /// The registry does not take everything: the push may fail with an error that says so.
    MayBeRefused,
}

impl Quirk {
    /// Makes a behaviour have this quirk too.
    pub fn apply(&self, behaviour: &mut Behaviour) {
        (self.change)(behaviour);
    }

    /// A registry that has this quirk and no other.
    #[must_use]
    pub fn registry(&self) -> Options {
        let mut options = spec_true();
        self.apply(&mut options.behaviour);
        options
    }
}

/// A registry that does what the spec says, and knows where it is reached.
///
/// # Panics
/// Never: its origins are URLs.
#[must_use]
pub fn spec_true() -> Options {
    let origin = |host: &str| host.parse::<longshore_core::Registry>().expect("this is a registry").origin();
    Options { origin: Some(origin("registry.example")), storage: Some(origin("storage.example")), ..Options::default() }
}

/// The quirk of this id.
#[must_use]
pub fn named(id: &str) -> Option<Quirk> {
    all().into_iter().find(|quirk| quirk.id == id)
}

/// All of them.
#[must_use]
pub fn all() -> Vec<Quirk> {
    [reading(), mounting(), starting(), chunks(), committing(), manifests(), referrers(), errors()].concat()
}

const fn fine(id: &'static str, change: fn(&mut Behaviour)) -> Quirk {
    Quirk { id, outcome: Outcome::Succeeds, change }
}

const fn refusing(id: &'static str, change: fn(&mut Behaviour)) -> Quirk {
    Quirk { id, outcome: Outcome::MayBeRefused, change }
}

fn reading() -> Vec<Quirk> {
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
        // A registry that names other content than was sent has changed it.
        refusing("manifest-digest-header-unreliable:wrong", |b| {
            b.read.manifest_digest = is::DigestHeader::Wrong;
            b.manifests.digest = is::DigestHeader::Wrong;
        }),
        fine("manifest-get-404-accept-filter", |b| b.read.accept_filters = true),
    ]
}

fn mounting() -> Vec<Quirk> {
    vec![
        fine("mount-unauthorised-401", |b| b.mount.missing = 401),
        fine("mount-forbidden-403", |b| b.mount.missing = 403),
        fine("mount-missing-404", |b| b.mount.missing = 404),
        fine("mount-missing-404:405", |b| b.mount.missing = 405),
        fine("mount-missing-404:500", |b| b.mount.missing = 500),
        fine("mount-ignores-from", |b| b.mount.policy = is::MountPolicy::AnyRepository),
        fine("mount-only-if-manifest-references-blob", |b| b.mount.policy = is::MountPolicy::Referenced),
        fine("mount-always-202", |b| b.mount.policy = is::MountPolicy::Never),
        fine("mount-401-nexus", |b| b.mount.policy = is::MountPolicy::Refused(401)),
        fine("mount-without-from-rejected", |b| b.mount.without_from = is::WithoutFrom::Refused(400)),
        fine("mount-existence-check", |b| b.mount.without_from = is::WithoutFrom::Target),
        fine("mount-without-from-ok-202", |b| b.mount.without_from = is::WithoutFrom::Upload),
        fine("mount-from-without-mount-405", |b| b.mount.from_alone = 405),
        fine("mount-origin-param-breaks-hub", |b| b.mount.refuses_origin = true),
        fine("quay-2021", |b| *b = Behaviour::quay_2021()),
        fine("ecr:mounting-off", |b| *b = small_ecr(false)),
        fine("ecr:mounting-on", |b| *b = small_ecr(true)),
    ]
}

/// ECR takes no chunk under 5 MiB; of small blobs, so many bytes stand for that. It takes no blob without a byte either,
/// which no client can help.
fn small_ecr(mounting: bool) -> Behaviour {
    let mut ecr = Behaviour::ecr(mounting);
    ecr.start.chunk_min = Some(is::ChunkMin { bytes: CHUNK, announced: false });
    ecr.commit.empty_blob_refused = None;
    ecr
}

fn starting() -> Vec<Quirk> {
    vec![
        fine("post-digest-single-unsupported-202", |b| b.start.single_post = is::SinglePost::Ignored),
        fine("post-digest-single-supported-201:strict", |b| b.start.single_post = is::SinglePost::Strict),
        fine("post-digest-single-supported-201:upload-location", |b| {
            b.start.single_post = is::SinglePost::UploadLocation;
        }),
        fine("post-location-absolute", |b| b.start.location = is::LocationForm::Absolute),
        refusing("post-location-http-behind-tls", |b| b.start.location = is::LocationForm::Downgraded),
        fine("post-location-drops-port-443", |b| b.start.location = is::LocationForm::WithoutPort),
        refusing("post-location-schemeless-host", |b| b.start.location = is::LocationForm::WithoutScheme),
        fine("post-location-other-host", |b| b.start.location = is::LocationForm::Storage),
        refusing("post-location-missing", |b| b.start.location_missing = true),
        fine("post-location-path-unusual:singular", |b| b.start.path = is::UploadPath::Singular),
        fine("post-location-path-unusual:suffixed", |b| b.start.path = is::UploadPath::Suffixed),
        fine("post-location-path-unusual:id-in-query", |b| b.start.path = is::UploadPath::IdInQuery),
        fine("post-location-opaque-query", |b| b.start.state = is::StateQuery::Ignored),
        fine("patch-location-changes", |b| b.start.state = is::StateQuery::Newest),
        fine("status-get-needs-state", |b| b.start.state = is::StateQuery::NewestOrGone),
        fine("post-range-header-variants:unit", |b| b.start.range = is::PostRange::Unit),
        fine("post-range-header-variants:absent", |b| b.start.range = is::PostRange::Absent),
        fine("upload-id-not-uuid", |b| b.start.id = is::IdForm::Short),
        fine("oci-chunk-min-length", |b| {
            b.start.chunk_min = Some(is::ChunkMin { bytes: 2 * CHUNK, announced: true });
        }),
        refusing("chunk-min-5mib-undeclared", |b| {
            b.start.chunk_min = Some(is::ChunkMin { bytes: CHUNK, announced: false });
        }),
        fine("oci-chunk-min-length:max", |b| b.start.chunk_max = Some(CHUNK / 2)),
        fine("post-411-without-content-length", |b| b.start.needs_content_length = true),
        fine("post-202-with-json-body", |b| b.start.json_body = true),
        refusing("missing-repo-connection-closed", |b| b.start.creation = is::Creation::ConnectionClosed),
        refusing("missing-repo-connection-closed:404", |b| b.start.creation = is::Creation::Refused),
    ]
}

fn chunks() -> Vec<Quirk> {
    vec![
        refusing("patch-unsupported:404", |b| b.chunks.patch = is::Patch::Refused(404)),
        refusing("patch-unsupported:405", |b| b.chunks.patch = is::Patch::Refused(405)),
        refusing("patch-unsupported:once", |b| b.chunks.patch = is::Patch::Once(405)),
        fine("patch-status-201", |b| b.chunks.status = 201),
        fine("patch-status-204", |b| b.chunks.status = 204),
        fine("patch-range-header-stale", |b| b.chunks.range = is::PatchRange::FirstChunk),
        fine("patch-range-off-by-one-streamed", |b| b.chunks.range = is::PatchRange::OffByOneStreamed),
        fine("patch-range-off-by-one-streamed:always", |b| b.chunks.range = is::PatchRange::OffByOne),
        fine("patch-range-relative-to-chunk", |b| b.chunks.range = is::PatchRange::OfChunk),
        fine("patch-range-0--1-breaks-docker", |b| {
            b.chunks.range = is::PatchRange::Absent;
            b.chunks.empty_range = is::EmptyRange::MinusOne;
        }),
        fine("status-zero-bytes-ambiguous", |b| b.chunks.empty_range = is::EmptyRange::Absent),
        fine("patch-location-missing", |b| b.chunks.location_missing = true),
        fine("patch-content-range-ignored", |b| b.chunks.content_range = is::ContentRange::Ignored),
        fine("patch-overlap-accepted", |b| b.chunks.content_range = is::ContentRange::Overlapping),
        fine("patch-content-range-format", |b| b.chunks.malformed = 500),
        fine("patch-out-of-order-500", |b| b.chunks.out_of_order = 500),
        fine("out-of-order-416-body-varies", |b| {
            b.chunks.out_of_order_range = is::OutOfOrderRange::Absent;
            b.chunks.out_of_order_code = Some(String::new());
        }),
        fine("quay-416-range-off-by-one", |b| b.chunks.out_of_order_range = is::OutOfOrderRange::OffByOne),
        refusing("patch-body-too-large-413", |b| {
            b.chunks.max = Some(is::BodyMax { bytes: CHUNK, status: 413, of: is::MaxOf::AllBodies });
        }),
        fine("patch-max-4mib-416", |b| {
            // The 4 MiB that a client tries when more was refused are more than any blob here, so no chunk is refused.
            b.chunks.max = Some(is::BodyMax { bytes: 2 * CHUNK, status: 416, of: is::MaxOf::SizedChunks });
        }),
        fine("patch-second-stream-400", |b| b.chunks.one_stream = true),
        fine("patch-content-type-strict", |b| b.chunks.strict_type = true),
        fine("cut-body-dropped", |b| b.chunks.cut = is::CutBody::Dropped),
        fine("session-gone-404", |b| b.chunks.cut = is::CutBody::Gone),
        fine("status-get-404-live-session", |b| b.status.status = 404),
        fine("status-range-exclusive-with-prefix", |b| {
            b.status.range = is::StatusRange::Exclusive;
            b.status.location = false;
        }),
        fine("status-without-range", |b| b.status.range = is::StatusRange::Absent),
        fine("upload-cancel-status:200", |b| b.status.cancel = 200),
        fine("upload-cancel-status:404", |b| b.status.cancel = 404),
        fine("upload-cancel-status:405", |b| b.status.cancel = 405),
    ]
}

fn committing() -> Vec<Quirk> {
    vec![
        fine("put-commit-status-variants:200", |b| b.commit.status = 200),
        fine("put-commit-status-variants:202", |b| b.commit.status = 202),
        fine("put-commit-status-variants:204", |b| b.commit.status = 204),
        fine("put-monolithic-unsupported", |b| b.commit.monolithic_refused = Some(404)),
        fine("put-final-chunk-needs-content-range", |b| b.commit.final_chunk = is::FinalChunk::AtZero),
        fine("put-final-chunk-needs-content-range:fails", |b| b.commit.final_chunk = is::FinalChunk::Fails),
        fine("put-empty-body-after-patch-500", |b| b.commit.empty_put_fails = true),
        refusing("empty-blob-500", |b| b.commit.empty_blob_refused = Some(500)),
        fine("digest-mismatch-500", |b| b.commit.mismatch = 500),
        fine("digest-mismatch-code-varies", |b| b.commit.mismatch_code = "BLOB_UPLOAD_INVALID".to_owned()),
        fine("digest-mismatch-keeps-session", |b| b.commit.mismatch_keeps_upload = true),
        fine("blob-digest-header-absent", |b| b.commit.digest = is::DigestHeader::Absent),
        refusing("blob-digest-header-wrong", |b| b.commit.digest = is::DigestHeader::Wrong),
        fine("blob-location-of-upload", |b| b.commit.location = is::BlobLocation::Upload),
        fine("blob-location-absent", |b| b.commit.location = is::BlobLocation::Absent),
        fine("blob-visible-after-delay", |b| b.commit.visible_after = 2_000_000),
    ]
}

fn manifests() -> Vec<Quirk> {
    vec![
        fine("manifest-put-status-variants:200", |b| b.manifests.status = 200),
        fine("manifest-put-status-variants:202", |b| b.manifests.status = 202),
        fine("manifest-put-status-variants:204", |b| b.manifests.status = 204),
        fine("manifest-location-bogus", |b| b.manifests.location = is::ManifestLocation::Upload),
        fine("manifest-location-bogus:absent", |b| b.manifests.location = is::ManifestLocation::Absent),
        fine("manifest-201-with-body", |b| b.manifests.echo = is::Echo::Manifest),
        fine("manifest-201-with-body:text", |b| b.manifests.echo = is::Echo::Text),
        fine("etag-format-varies", |b| b.manifests.etag = is::EtagForm::Unquoted),
        fine("etag-format-varies:absent", |b| b.manifests.etag = is::EtagForm::Absent),
        fine("missing-blob-status-zoo:404", |b| late(b, is::MissingReference::ManifestBlobUnknownNotFound)),
        fine("missing-blob-status-zoo:blob-unknown", |b| late(b, is::MissingReference::BlobUnknown)),
        fine("missing-blob-status-zoo:blob-unknown-404", |b| late(b, is::MissingReference::BlobUnknownNotFound)),
        fine("missing-blob-status-zoo:manifest-invalid", |b| late(b, is::MissingReference::ManifestInvalid)),
        fine("missing-blob-not-checked", |b| b.manifests.missing_reference = is::MissingReference::Unchecked),
        refusing("subject-must-exist", |b| b.manifests.subject_must_exist = true),
        fine("manifest-mediatype-required", |b| b.manifests.media_type_required = true),
        refusing("manifest-artifacttype-rejected-405", |b| b.manifests.artifacts_refused = Some(405)),
        refusing("manifest-docker-types-rejected", |b| {
            let types = ["application/vnd.docker.distribution.manifest.v2+json"].map(str::to_owned).to_vec();
            b.manifests.refused_types = is::RefusedTypes { types, status: 415 };
        }),
        fine("manifest-digest-not-verified", |b| b.manifests.unverified = true),
        fine("manifest-duplicate-put-409", |b| b.manifests.duplicate = is::DuplicatePut::ConflictWithin(600_000_000)),
        fine("tag-immutable-status-zoo:409", |b| immutable(b, 409, "TAG_IMMUTABLE", true)),
        fine("tag-immutable-status-zoo:412", |b| immutable(b, 412, "PRECONDITION", true)),
        fine("tag-immutable-status-zoo:403", |b| immutable(b, 403, "DENIED", true)),
        refusing("tag-immutable-status-zoo:400", |b| immutable(b, 400, "TAG_INVALID", false)),
        fine("conditional-put-unsupported", |b| b.manifests.conditions = false),
        fine("tag-parameter-unsupported", |b| b.manifests.tag_parameters = false),
        refusing("quota-readonly-status-zoo", |b| b.manifests.read_only = Some(403)),
        refusing("proxy-project-push-denied", |b| b.manifests.read_only = Some(405)),
    ]
}

/// Blobs come to be there late, and this is what a manifest that comes too early leads to.
fn late(behaviour: &mut Behaviour, missing: is::MissingReference) {
    behaviour.commit.visible_after = 1_000_000;
    behaviour.manifests.missing_reference = missing;
}

fn immutable(behaviour: &mut Behaviour, status: u16, code: &str, same_is_fine: bool) {
    behaviour.manifests.immutable_tags = Some(is::ImmutableTags { status, code: code.to_owned(), same_is_fine });
}

fn referrers() -> Vec<Quirk> {
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
        Quirk {
            id: "oci-subject-lies",
            outcome: Outcome::SucceedsUnlisted,
            change: |b| {
                without(b, Api::NotFound);
                b.referrers.subject = is::SubjectHeader::Always;
            },
        },
        fine("oci-subject-missing-but-supported", |b| b.referrers.subject = is::SubjectHeader::Never),
        fine("referrers-filter-client-side", |b| b.referrers.filter = false),
        fine("referrers-empty-vs-missing-subject", |b| b.referrers.unknown_subject = 400),
        fine("referrers-descriptor-shape", |b| b.referrers.artifact_types = false),
    ]
}

fn errors() -> Vec<Quirk> {
    vec![
        fine("error-body-shapes:empty", |b| b.errors.body = is::ErrorBody::Empty),
        fine("error-body-shapes:html", |b| b.errors.body = is::ErrorBody::Html),
        fine("error-body-shapes:text", |b| b.errors.body = is::ErrorBody::Text),
        fine("error-body-shapes:details", |b| b.errors.body = is::ErrorBody::Details),
        fine("error-body-shapes:without-code", |b| b.errors.body = is::ErrorBody::WithoutCode),
        fine("error-body-shapes:message-object", |b| b.errors.body = is::ErrorBody::MessageObject),
        fine("error-codes-non-spec", |b| b.errors.body = is::ErrorBody::OtherCodes),
        fine("warning-header", |b| b.errors.warnings = vec!["this registry goes away".to_owned()]),
    ]
}
