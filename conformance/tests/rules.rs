//! The rules of a client that survives every registry, one property each: random images, orders and faults against
//! registries that have several of a rule's quirks at once.
//!
//! The oracles of every run hold the rules that need no special registry: a lost commit is asked about (4), no chunk is empty
//! (8), headers are what every registry takes (9), children come before parents (12). Rule 10 is in `trust`.

use longshore_conformance::quirk::Outcome::{MayBeRefused, Succeeds};
use longshore_conformance::{Given, property, strategy};
use proptest::strategy::Strategy;

#[test]
fn rule_1_the_url_of_an_upload_is_opaque() {
    let quirks = [
        "post-location-opaque-query",
        "patch-location-changes",
        "status-get-needs-state",
        "post-location-path-unusual",
        "post-location-absolute",
        "post-location-drops-port-443",
        "post-location-other-host",
        "upload-id-not-uuid",
    ];
    property::holds(60, Succeeds, &strategy::case_with(&quirks, 2));
}

#[test]
fn rule_2_own_byte_accounting_and_range_is_a_hint() {
    let quirks = [
        "patch-range-header-stale",
        "patch-range-relative-to-chunk",
        "patch-range-off-by-one-streamed",
        "status-range-exclusive-with-prefix",
        "quay-416-range-off-by-one",
        "status-zero-bytes-ambiguous",
        "patch-range-0--1-breaks-docker",
        "post-range-header-variants",
        "status-without-range",
        "cut-body-dropped",
        "patch-overlap-accepted",
    ];
    let in_chunks = strategy::case_with(&quirks, 2).prop_map(|mut case| {
        case.client.chunk_above = longshore_conformance::CHUNK;
        case
    });
    property::holds(120, Succeeds, &in_chunks);
}

#[test]
fn rule_3_no_infinite_resync() {
    let quirks = [
        "patch-max-4mib-416",
        "patch-range-header-stale",
        "patch-content-range-ignored",
        "patch-out-of-order-500",
        "out-of-order-416-body-varies",
        "status-get-404-live-session",
    ];
    // A simulation that goes round in circles reaches its limit of steps.
    property::holds(60, Succeeds, &strategy::case_with(&quirks, 3));
}

#[test]
fn rule_4_an_ambiguous_commit_is_asked_about() {
    let quirks =
        ["put-commit-status-variants", "status-get-404-live-session", "session-gone-404", "digest-mismatch-500"];
    property::holds(60, Succeeds, &strategy::case_with(&quirks, 4));
}

#[test]
fn rule_5_success_is_a_set_of_statuses() {
    let quirks = ["patch-status-201", "patch-status-204", "put-commit-status-variants", "manifest-put-status-variants"];
    property::holds(60, Succeeds, &strategy::case_with(&quirks, 2));
}

#[test]
fn rule_6_a_mount_is_best_effort() {
    let quirks = [
        "mount-unauthorised-401",
        "mount-forbidden-403",
        "mount-missing-404",
        "mount-ignores-from",
        "mount-only-if-manifest-references-blob",
        "mount-always-202",
        "mount-401-nexus",
        "mount-without-from-rejected",
        "mount-without-from-ok-202",
    ];
    let mounting = strategy::case_with(&quirks, 2).prop_map(|mut case| {
        case.given.extend([Given::Elsewhere, Given::NotThere]);
        case
    });
    property::holds(60, Succeeds, &mounting);
}

const WAYS: [&str; 9] = [
    "patch-unsupported",
    "put-monolithic-unsupported",
    "patch-max-4mib-416",
    "chunk-min-5mib-undeclared",
    "put-empty-body-after-patch-500",
    "patch-body-too-large-413",
    "post-digest-single-unsupported-202",
    "patch-second-stream-400",
    "put-final-chunk-needs-content-range",
];

#[test]
fn rule_7_another_way_of_sending_is_found() {
    // Several at once may leave no way at all.
    property::holds(120, MayBeRefused, &strategy::case_with(&WAYS, 1));
}

/// Where one way alone is closed, another is found for every blob that can be read again.
#[test]
fn rule_7_one_way_that_is_closed_leaves_others() {
    for way in WAYS {
        let ways = [way];
        let cases = strategy::case_with(&ways, 1).prop_map(|mut case| {
            case.given.iter_mut().filter(|given| matches!(given, Given::Once | Given::Unknown)).for_each(|given| {
                *given = Given::Known;
            });
            // The limit on bodies is that of a chunk.
            case.client.chunk = longshore_conformance::CHUNK;
            case
        });
        property::holds(20, Succeeds, &cases);
    }
}

#[test]
fn rule_8_a_blob_of_no_bytes_is_a_put() {
    let quirks = ["post-411-without-content-length", "put-monolithic-unsupported", "patch-unsupported:405"];
    let empty = strategy::case_with(&quirks, 2).prop_map(|mut case| {
        case.plan.blobs.iter_mut().for_each(|blob| blob.len = 0);
        case
    });
    property::holds(60, Succeeds, &empty);
}

#[test]
fn rule_9_headers_are_what_every_registry_takes() {
    let quirks = [
        "post-411-without-content-length",
        "patch-content-type-strict",
        "patch-content-range-format",
        "post-digest-single-supported-201",
        "put-final-chunk-needs-content-range",
    ];
    property::holds(60, Succeeds, &strategy::case_with(&quirks, 2));
}

#[test]
fn rule_11_existence_checks_never_end_a_push() {
    let quirks = [
        "blob-head-401-means-missing",
        "ghcr-head-403-without-write",
        "manifest-head-403-means-missing",
        "manifest-head-500-when-repo-missing",
        "manifest-head-405",
        "blob-head-content-length-zero",
        "blob-head-redirect",
    ];
    property::holds(60, Succeeds, &strategy::case_with(&quirks, 2));
}

#[test]
fn rule_12_children_before_parents_and_a_tag_once() {
    let quirks = ["manifest-duplicate-put-409", "missing-blob-not-checked", "tag-immutable-status-zoo:409"];
    property::holds(60, Succeeds, &strategy::case_with(&quirks, 3));
}

#[test]
fn rule_13_a_refused_manifest_is_looked_into() {
    let quirks = [
        "missing-blob-status-zoo",
        "blob-visible-after-delay",
        // Where another image has the tag already, nothing helps: that is told apart in `quirks`.
        "tag-immutable-status-zoo:409",
        "tag-immutable-status-zoo:412",
        "tag-immutable-status-zoo:403",
        "manifest-duplicate-put-409",
    ];
    property::holds(60, Succeeds, &strategy::case_with(&quirks, 2));
}

#[test]
fn rule_14_referrers_are_listed_whatever_the_registry_has() {
    let quirks = [
        "referrers-404-fallback",
        "referrers-303-to-html",
        "referrers-odd-status-means-unsupported",
        "oci-subject-missing-but-supported",
        "conditional-put-unsupported",
        "etag-format-varies",
        "referrers-without-conditions",
    ];
    let attached = strategy::case_with(&quirks, 2).prop_map(|mut case| {
        case.plan.attached = case.plan.attached.max(1);
        case
    });
    property::holds(60, Succeeds, &attached);
}

#[test]
fn rule_15_the_status_decides_and_a_body_never_fails() {
    let quirks = ["error-body-shapes", "error-codes-non-spec", "warning-header", "manifest-201-with-body"];
    property::holds(60, Succeeds, &strategy::case_with(&quirks, 3));
}
