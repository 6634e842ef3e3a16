//! Random pushes with faults against every habit of registries that the mock can play, one test each.

use std::collections::BTreeSet;

use longshore_conformance::quirk::{self, Outcome};
use longshore_conformance::{property, strategy};

fn check(id: &str) {
    let quirk = quirk::named(id).unwrap_or_else(|| panic!("there is no quirk {id}"));
    property::holds(12, quirk.outcome, &strategy::case(quirk.registry(), 2));
}

macro_rules! quirks {
    ($($test:ident: $id:literal,)*) => {
        $(#[test]
        fn $test() {
            check($id);
        })*

        /// The ids that have a test.
        const TESTED: &[&str] = &[$($id),*];
    };
}

quirks! {
    manifest_head_403_means_missing: "manifest-head-403-means-missing",
    manifest_head_500_when_repo_missing: "manifest-head-500-when-repo-missing",
    blob_head_401_means_missing: "blob-head-401-means-missing",
    ghcr_head_403_without_write: "ghcr-head-403-without-write",
    manifest_head_405: "manifest-head-405",
    manifest_head_length_differs: "manifest-head-length-differs",
    blob_head_content_length_zero: "blob-head-content-length-zero",
    blob_head_no_content_type: "blob-head-no-content-type",
    blob_head_redirect: "blob-head-redirect",
    redirect_s3_rejects_authorization: "redirect-s3-rejects-authorization",
    manifest_digest_header_unreliable_absent: "manifest-digest-header-unreliable:absent",
    manifest_digest_header_unreliable_wrong: "manifest-digest-header-unreliable:wrong",
    manifest_get_404_accept_filter: "manifest-get-404-accept-filter",
    mount_unauthorised_401: "mount-unauthorised-401",
    mount_forbidden_403: "mount-forbidden-403",
    mount_missing_404: "mount-missing-404",
    mount_missing_404_405: "mount-missing-404:405",
    mount_missing_404_500: "mount-missing-404:500",
    mount_ignores_from: "mount-ignores-from",
    mount_only_if_manifest_references_blob: "mount-only-if-manifest-references-blob",
    mount_always_202: "mount-always-202",
    mount_401_nexus: "mount-401-nexus",
    mount_without_from_rejected: "mount-without-from-rejected",
    mount_existence_check: "mount-existence-check",
    mount_without_from_ok_202: "mount-without-from-ok-202",
    mount_from_without_mount_405: "mount-from-without-mount-405",
    mount_origin_param_breaks_hub: "mount-origin-param-breaks-hub",
    quay_2021: "quay-2021",
    ecr_mounting_off: "ecr:mounting-off",
    ecr_mounting_on: "ecr:mounting-on",
    post_digest_single_unsupported_202: "post-digest-single-unsupported-202",
    post_digest_single_supported_201_strict: "post-digest-single-supported-201:strict",
    post_digest_single_supported_201_upload_location: "post-digest-single-supported-201:upload-location",
    post_location_absolute: "post-location-absolute",
    post_location_http_behind_tls: "post-location-http-behind-tls",
    post_location_drops_port_443: "post-location-drops-port-443",
    post_location_schemeless_host: "post-location-schemeless-host",
    post_location_other_host: "post-location-other-host",
    post_location_missing: "post-location-missing",
    post_location_path_unusual_singular: "post-location-path-unusual:singular",
    post_location_path_unusual_suffixed: "post-location-path-unusual:suffixed",
    post_location_path_unusual_id_in_query: "post-location-path-unusual:id-in-query",
    post_location_opaque_query: "post-location-opaque-query",
    patch_location_changes: "patch-location-changes",
    status_get_needs_state: "status-get-needs-state",
    post_range_header_variants_unit: "post-range-header-variants:unit",
    post_range_header_variants_absent: "post-range-header-variants:absent",
    upload_id_not_uuid: "upload-id-not-uuid",
    oci_chunk_min_length: "oci-chunk-min-length",
    chunk_min_5mib_undeclared: "chunk-min-5mib-undeclared",
    oci_chunk_min_length_max: "oci-chunk-min-length:max",
    post_411_without_content_length: "post-411-without-content-length",
    post_202_with_json_body: "post-202-with-json-body",
    missing_repo_connection_closed: "missing-repo-connection-closed",
    missing_repo_connection_closed_404: "missing-repo-connection-closed:404",
    patch_unsupported_404: "patch-unsupported:404",
    patch_unsupported_405: "patch-unsupported:405",
    patch_unsupported_once: "patch-unsupported:once",
    patch_status_201: "patch-status-201",
    patch_status_204: "patch-status-204",
    patch_range_header_stale: "patch-range-header-stale",
    patch_range_off_by_one_streamed: "patch-range-off-by-one-streamed",
    patch_range_off_by_one_streamed_always: "patch-range-off-by-one-streamed:always",
    patch_range_relative_to_chunk: "patch-range-relative-to-chunk",
    patch_range_0_1_breaks_docker: "patch-range-0--1-breaks-docker",
    status_zero_bytes_ambiguous: "status-zero-bytes-ambiguous",
    patch_location_missing: "patch-location-missing",
    patch_content_range_ignored: "patch-content-range-ignored",
    patch_overlap_accepted: "patch-overlap-accepted",
    patch_content_range_format: "patch-content-range-format",
    patch_out_of_order_500: "patch-out-of-order-500",
    out_of_order_416_body_varies: "out-of-order-416-body-varies",
    quay_416_range_off_by_one: "quay-416-range-off-by-one",
    patch_body_too_large_413: "patch-body-too-large-413",
    patch_max_4mib_416: "patch-max-4mib-416",
    patch_second_stream_400: "patch-second-stream-400",
    patch_content_type_strict: "patch-content-type-strict",
    cut_body_dropped: "cut-body-dropped",
    session_gone_404: "session-gone-404",
    status_get_404_live_session: "status-get-404-live-session",
    status_range_exclusive_with_prefix: "status-range-exclusive-with-prefix",
    status_without_range: "status-without-range",
    upload_cancel_status_200: "upload-cancel-status:200",
    upload_cancel_status_404: "upload-cancel-status:404",
    upload_cancel_status_405: "upload-cancel-status:405",
    put_commit_status_variants_200: "put-commit-status-variants:200",
    put_commit_status_variants_202: "put-commit-status-variants:202",
    put_commit_status_variants_204: "put-commit-status-variants:204",
    put_monolithic_unsupported: "put-monolithic-unsupported",
    put_final_chunk_needs_content_range: "put-final-chunk-needs-content-range",
    put_final_chunk_needs_content_range_fails: "put-final-chunk-needs-content-range:fails",
    put_empty_body_after_patch_500: "put-empty-body-after-patch-500",
    empty_blob_500: "empty-blob-500",
    digest_mismatch_500: "digest-mismatch-500",
    digest_mismatch_code_varies: "digest-mismatch-code-varies",
    digest_mismatch_keeps_session: "digest-mismatch-keeps-session",
    blob_digest_header_absent: "blob-digest-header-absent",
    blob_digest_header_wrong: "blob-digest-header-wrong",
    blob_location_of_upload: "blob-location-of-upload",
    blob_location_absent: "blob-location-absent",
    blob_visible_after_delay: "blob-visible-after-delay",
    manifest_put_status_variants_200: "manifest-put-status-variants:200",
    manifest_put_status_variants_202: "manifest-put-status-variants:202",
    manifest_put_status_variants_204: "manifest-put-status-variants:204",
    manifest_location_bogus: "manifest-location-bogus",
    manifest_location_bogus_absent: "manifest-location-bogus:absent",
    manifest_201_with_body: "manifest-201-with-body",
    manifest_201_with_body_text: "manifest-201-with-body:text",
    etag_format_varies: "etag-format-varies",
    etag_format_varies_absent: "etag-format-varies:absent",
    missing_blob_status_zoo_404: "missing-blob-status-zoo:404",
    missing_blob_status_zoo_blob_unknown: "missing-blob-status-zoo:blob-unknown",
    missing_blob_status_zoo_blob_unknown_404: "missing-blob-status-zoo:blob-unknown-404",
    missing_blob_status_zoo_manifest_invalid: "missing-blob-status-zoo:manifest-invalid",
    missing_blob_not_checked: "missing-blob-not-checked",
    subject_must_exist: "subject-must-exist",
    manifest_mediatype_required: "manifest-mediatype-required",
    manifest_artifacttype_rejected_405: "manifest-artifacttype-rejected-405",
    manifest_docker_types_rejected: "manifest-docker-types-rejected",
    manifest_digest_not_verified: "manifest-digest-not-verified",
    manifest_duplicate_put_409: "manifest-duplicate-put-409",
    tag_immutable_status_zoo_409: "tag-immutable-status-zoo:409",
    tag_immutable_status_zoo_412: "tag-immutable-status-zoo:412",
    tag_immutable_status_zoo_403: "tag-immutable-status-zoo:403",
    tag_immutable_status_zoo_400: "tag-immutable-status-zoo:400",
    conditional_put_unsupported: "conditional-put-unsupported",
    tag_parameter_unsupported: "tag-parameter-unsupported",
    quota_readonly_status_zoo: "quota-readonly-status-zoo",
    proxy_project_push_denied: "proxy-project-push-denied",
    referrers_404_fallback: "referrers-404-fallback",
    referrers_404_fallback_no_route: "referrers-404-fallback:no-route",
    referrers_303_to_html: "referrers-303-to-html",
    referrers_odd_status_means_unsupported_html: "referrers-odd-status-means-unsupported:html",
    referrers_odd_status_means_unsupported_json: "referrers-odd-status-means-unsupported:json",
    referrers_odd_status_means_unsupported_400: "referrers-odd-status-means-unsupported:400",
    referrers_odd_status_means_unsupported_403: "referrers-odd-status-means-unsupported:403",
    referrers_odd_status_means_unsupported_405: "referrers-odd-status-means-unsupported:405",
    referrers_without_conditions: "referrers-without-conditions",
    oci_subject_lies: "oci-subject-lies",
    oci_subject_missing_but_supported: "oci-subject-missing-but-supported",
    referrers_filter_client_side: "referrers-filter-client-side",
    referrers_empty_vs_missing_subject: "referrers-empty-vs-missing-subject",
    referrers_descriptor_shape: "referrers-descriptor-shape",
    error_body_shapes_empty: "error-body-shapes:empty",
    error_body_shapes_html: "error-body-shapes:html",
    error_body_shapes_text: "error-body-shapes:text",
    error_body_shapes_details: "error-body-shapes:details",
    error_body_shapes_without_code: "error-body-shapes:without-code",
    error_body_shapes_message_object: "error-body-shapes:message-object",
    error_codes_non_spec: "error-codes-non-spec",
    warning_header: "warning-header",
}

#[test]
fn every_quirk_has_a_test() {
    let known: BTreeSet<&str> = quirk::all().iter().map(|quirk| quirk.id).collect();
    assert_eq!(known, TESTED.iter().copied().collect());
    assert_eq!(known.len(), TESTED.len(), "an id stands twice");
}

/// Registries have many habits at once.
#[test]
fn three_quirks_at_once() {
    property::holds(200, Outcome::MayBeRefused, &strategy::case_with_quirks(3, 2));
}
