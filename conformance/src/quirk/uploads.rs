//! Quirks of mounts and uploads.

use longshore_mock_registry::Behaviour;
use longshore_mock_registry::behaviour as is;
use longshore_mock_registry::profile::Profile;

use super::{Quirk, fine, refusing};
use crate::case::{CHUNK, let_in};
use crate::case::{Case, Given};

pub(super) fn mounting() -> Vec<Quirk> {
    vec![
        fine("mount-unauthorised-401", |b| b.mount.missing = 401),
        fine("mount-forbidden-403", |b| b.mount.missing = 403),
        fine("mount-missing-404", |b| b.mount.missing = 404),
        fine("mount-missing-404:405", |b| b.mount.missing = 405),
        fine("mount-missing-404:500", |b| b.mount.missing = 500),
        fine("mount-ignores-from", |b| b.mount.policy = is::MountPolicy::AnyRepository),
        fine("mount-only-if-manifest-references-blob", |b| b.mount.policy = is::MountPolicy::Referenced),
        fine("mount-always-202", |b| b.mount.policy = is::MountPolicy::Never),
        fine("mount-202-session-lost-blob", |b| b.mount.policy = is::MountPolicy::Never).in_case(mounts),
        fine("mount-token-fetch-fails:400", |b| b.auth.foreign_scope_refused = Some(400)).in_case(mounts_from_others),
        fine("mount-token-fetch-fails:401", |b| b.auth.foreign_scope_refused = Some(401)).in_case(mounts_from_others),
        fine("mount-cancel-needs-delete", |b| b.auth.cancel_needs_delete = true).in_case(mounts_from_others),
        fine("mount-401-nexus", |b| b.mount.policy = is::MountPolicy::Refused(401)),
        fine("mount-without-from-rejected", |b| b.mount.without_from = is::WithoutFrom::Refused(400)),
        fine("mount-existence-check", |b| b.mount.without_from = is::WithoutFrom::Target),
        fine("mount-without-from-ok-202", |b| b.mount.without_from = is::WithoutFrom::Upload),
        fine("mount-from-without-mount-405", |b| b.mount.from_alone = 405),
        fine("mount-origin-param-breaks-hub", |b| b.mount.refuses_origin = true),
        fine("ecr-public-mount-202", |b| {
            b.mount.policy = is::MountPolicy::Never;
            b.start.location = is::LocationForm::Absolute;
        })
        .in_case(mounts),
        fine("quay-2021", |b| *b = profile("quay-2021")),
        fine("ecr:mounting-off", |b| *b = small_ecr(false)),
        fine("ecr:mounting-on", |b| *b = small_ecr(true)),
    ]
}

/// The text of the failure of an upload that never succeeds.
const ENDED_BY_500: &str = "was begun 5 times and never finished, and the last answer was 500";

fn profile(name: &str) -> Behaviour {
    let profile = Profile::named(name).expect("the mock registry has this profile");
    profile.behaviour().clone()
}

/// ECR accepts no chunk under 5 MiB, which is replaced here by a smaller limit for small blobs. It does not accept an
/// empty blob either, which no client can change.
fn small_ecr(mounting: bool) -> Behaviour {
    let mut ecr = profile(if mounting { "ecr-blob-mounting" } else { "ecr" });
    ecr.start.chunk_min = Some(is::ChunkMin::new(CHUNK, false));
    ecr.commit.empty_blob_refused = None;
    ecr
}

pub(super) fn starting() -> Vec<Quirk> {
    vec![
        fine("post-digest-single-unsupported-202", |b| b.start.single_post = is::SinglePost::Ignored),
        fine("post-digest-single-supported-201:strict", |b| b.start.single_post = is::SinglePost::Strict),
        fine("post-digest-single-supported-201:upload-location", |b| {
            b.start.single_post = is::SinglePost::UploadLocation;
        }),
        fine("post-location-relative", |b| b.start.location = is::LocationForm::Path),
        fine("post-trailing-slash", |b| b.start.trailing_slash = is::TrailingSlash::Required),
        fine("post-trailing-slash:redirected", |b| b.start.trailing_slash = is::TrailingSlash::Redirected),
        refusing("redirect-changes-method", &["with status 301, which would make it a GET"], |b| {
            b.chunks.redirected = Some(301);
        }),
        fine("redirect-changes-method:308", |b| b.chunks.redirected = Some(308)),
        fine("post-location-absolute", |b| b.start.location = is::LocationForm::Absolute),
        refusing("post-location-http-behind-tls", &["plain HTTP"], |b| b.start.location = is::LocationForm::Downgraded),
        fine("post-location-drops-port-443", |b| b.start.location = is::LocationForm::WithoutPort),
        refusing(
            "post-location-schemeless-host",
            &["BLOB_UPLOAD_UNKNOWN", "404 Not Found", "can be read only once"],
            |b| {
                // If the refusal was cut, the failure has only its status.
                b.start.location = is::LocationForm::WithoutScheme;
            },
        ),
        fine("post-location-other-host", |b| b.start.location = is::LocationForm::Storage),
        refusing("post-location-missing", &["begin an upload (202 Accepted) is malformed: it has no Location"], |b| {
            b.start.location_missing = true;
        }),
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
            b.start.chunk_min = Some(is::ChunkMin::new(2 * CHUNK, true));
        }),
        refusing("chunk-min-5mib-undeclared", &["send a chunk: 400"], |b| {
            b.start.chunk_min = Some(is::ChunkMin::new(CHUNK, false));
        }),
        fine("oci-chunk-min-length:max", |b| b.start.chunk_max = Some(CHUNK / 2)),
        fine("post-411-without-content-length", |b| b.start.needs_content_length = true),
        fine("post-202-with-json-body", |b| b.start.json_body = true),
        refusing(
            "missing-repo-connection-closed",
            &["the connection was lost", "too many requests have failed", "begin an upload: 4", "begin an upload: 5"],
            |b| b.start.creation = is::Creation::ConnectionClosed,
        ),
        refusing(
            "missing-repo-connection-closed:404",
            &["begin an upload: 404", "upload a blob in one request: 404"],
            |b| b.start.creation = is::Creation::Refused,
        ),
    ]
}

pub(super) fn chunks() -> Vec<Quirk> {
    vec![
        refusing("patch-unsupported:404", &["send a chunk: 404", "can be read only once"], |b| {
            b.chunks.patch = is::Patch::Refused(404);
        }),
        refusing("patch-unsupported:405", &["send a chunk: 405", "can be read only once"], |b| {
            b.chunks.patch = is::Patch::Refused(405);
        }),
        refusing("patch-unsupported:once", &["send a chunk: 405", "can be read only once"], |b| {
            b.chunks.patch = is::Patch::Once(405);
        }),
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
        fine("patch-range-constant", |b| b.chunks.range = is::PatchRange::Constant),
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
        refusing(
            "patch-body-too-large-413",
            &["send a chunk: 413", "finish an upload: 413", "can be read only once"],
            |b| {
                b.chunks.max = Some(is::BodyMax::new(CHUNK, 413, is::MaxOf::AllBodies));
            },
        ),
        fine("patch-max-4mib-416", |b| {
            // After a refusal the client tries 4 MiB, which is more than any blob here, so no chunk is refused.
            b.chunks.max = Some(is::BodyMax::new(2 * CHUNK, 416, is::MaxOf::SizedChunks));
        }),
        fine("patch-second-stream-400", |b| b.chunks.one_stream = true),
        fine("patch-content-type-strict", |b| b.chunks.strict_type = true),
        fine("patch-zero-length", |b| b.chunks.empty_refused = Some(416)).in_case(goes_in_chunks),
        fine("parallel-upload-resets", |b| b.chunks.at_once = Some(4)).in_case(|case| case.client.in_flight = 8),
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

pub(super) fn committing() -> Vec<Quirk> {
    vec![
        fine("put-commit-status-variants:200", |b| b.commit.status = 200),
        fine("put-commit-status-variants:202", |b| b.commit.status = 202),
        fine("put-commit-status-variants:204", |b| b.commit.status = 204),
        fine("put-monolithic-unsupported", |b| b.commit.monolithic_refused = Some(404)),
        fine("put-final-chunk-needs-content-range", |b| b.commit.final_chunk = is::FinalChunk::AtZero),
        fine("put-final-chunk-needs-content-range:fails", |b| b.commit.final_chunk = is::FinalChunk::Fails),
        fine("put-empty-body-after-patch-500", |b| b.commit.empty_put_fails = true),
        fine("put-empty-needs-content-length-0", |b| b.commit.needs_content_length = true),
        fine("digest-mismatch-kills-session", |b| {
            b.chunks.content_range = is::ContentRange::Ignored;
            b.commit.mismatch_keeps_upload = false;
        })
        .in_case(goes_in_chunks),
        fine("put-ignores-content-range", |b| b.commit.ignores_content_range = true).in_case(goes_in_chunks),
        fine("content-range-on-monolithic-put", |b| {
            b.chunks.max = Some(is::BodyMax::new(2 * CHUNK, 413, is::MaxOf::SizedChunks));
        }),
        fine("proxy-499-408-on-large-body:499", |b| b.chunks.max = large_body(499)),
        fine("proxy-499-408-on-large-body:408", |b| b.chunks.max = large_body(408)),
        fine("blob-digest-not-verified", |b| b.commit.unverified = true),
        refusing("large-layer-upload-unknown", &["finish an upload: 404", "can be read only once"], |b| {
            b.commit.lost_above = Some(3 * CHUNK);
        }),
        refusing("empty-blob-unsupported-cloudflare", &["finish an upload: 500", ENDED_BY_500], |b| {
            b.commit.empty_blob_refused = Some(500);
            b.commit.final_chunk = is::FinalChunk::Fails;
            b.commit.mismatch = 500;
        }),
        refusing("empty-blob-500", &["finish an upload: 500", ENDED_BY_500], |b| {
            b.commit.empty_blob_refused = Some(500);
        }),
        fine("digest-mismatch-500", |b| b.commit.mismatch = 500),
        fine("digest-mismatch-code-varies", |b| b.commit.mismatch_code = "BLOB_UPLOAD_INVALID".to_owned()),
        fine("digest-mismatch-keeps-session", |b| b.commit.mismatch_keeps_upload = true),
        fine("blob-digest-header-absent", |b| b.commit.digest = is::DigestHeader::Absent),
        refusing(
            "blob-digest-header-wrong",
            &[
                "end-6: the registry reports the digest",
                "end-4b: the registry reports the digest",
                "can be read only once",
            ],
            |b| b.commit.digest = is::DigestHeader::Wrong,
        ),
        fine("blob-location-of-upload", |b| b.commit.location = is::BlobLocation::Upload),
        fine("blob-location-absent", |b| b.commit.location = is::BlobLocation::Absent),
        fine("blob-visible-after-delay", |b| b.commit.visible_after = 2_000_000),
    ]
}

fn large_body(status: u16) -> Option<is::BodyMax> {
    Some(is::BodyMax::new(2 * CHUNK, status, is::MaxOf::AllBodies))
}

fn mounts(case: &mut Case) {
    case.given.extend([Given::Elsewhere, Given::NotThere]);
}

/// Its user may not read the repository to mount from, nor delete.
fn mounts_from_others(case: &mut Case) {
    mounts(case);
    let_in(case, "library/app=*");
}

fn goes_in_chunks(case: &mut Case) {
    case.client.chunk_above = CHUNK;
}
