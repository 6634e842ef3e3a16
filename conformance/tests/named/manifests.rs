//! Quirks of manifests and of lists of referrers, one a test, by the id of its quirk.

use http::Method;
use longshore_conformance::quirk::{Outcome, spec_true};
use longshore_conformance::{BlobPlan, Case, DocumentPlan, Image, Plan, Run, Subject, oracle};
use longshore_core::{FailureKind, Manifest};
use longshore_mock_registry as mock;
use longshore_mock_registry::behaviour as is;

use crate::pushing::Pushing;

/// A push of an image of two blobs, and of so many artifacts that are attached to it.
fn image(attached: usize, change: impl FnOnce(&mut mock::Behaviour)) -> Case {
    let blobs = (0..2).map(|fill| BlobPlan { len: 20, fill, sha512: false }).collect();
    let image = DocumentPlan { blobs: vec![0, 1], children: Vec::new(), docker: false, subject: Subject::None };
    let mut case = Case::new(Plan { blobs, documents: vec![image], attached });
    change(&mut case.registry.behaviour);
    case
}

/// That all of it stands.
fn stands(case: &Case) -> Run {
    let mut run = case.run();
    let transcript = run.simulation.transcript().to_string();
    assert_eq!(oracle::judge(case, Outcome::Succeeds, &mut run), Ok(()), "{transcript}");
    run
}

/// The same push once more, after this one.
fn again(case: &Case) -> Case {
    Case { before: Some(Box::new(case.clone())), ..case.clone() }
}

/// A list of referrers is an index, so a client that accepts no index finds none, and writes the list anew.
#[test]
fn manifest_get_404_accept_filter() {
    let listed = |attached| {
        image(attached, |b| {
            b.read.accept_filters = true;
            b.referrers.api = is::ReferrersApi::NotFound;
            b.manifests.conditions = false;
        })
    };
    stands(&Case { before: Some(Box::new(listed(1))), ..listed(2) });
}

/// An index lists a manifest that is neither given nor there: that is what is said, and not that HEAD was refused.
#[test]
fn manifest_head_403_means_missing() {
    for status in [401, 403, 405] {
        let mut case = image(0, |b| b.read.missing_manifest = status);
        case.plan.documents.push(DocumentPlan {
            blobs: Vec::new(),
            children: vec![0],
            ..case.plan.documents[0].clone()
        });
        let mut image = Image::of(&case.plan);
        image.manifests.clear();
        let came =
            Pushing { image, ..Pushing::new(case.registry) }.with_blobs_in(Case::repository().as_str()).run(|_| None);
        let failure = came.result.unwrap_err();
        assert!(matches!(failure.kind, FailureKind::Incomplete { .. }), "{failure}\n{}", came.transcript);
    }
}

/// The success is doubted, and what the registry says about the tag has no digest: so it is read.
#[test]
fn manifest_digest_header_unreliable() {
    for status in [200, 202, 204] {
        let case = image(0, |b| {
            b.read.manifest_digest = is::DigestHeader::Absent;
            b.manifests.digest = is::DigestHeader::Absent;
            b.manifests.status = status;
        });
        stands(&case);
        stands(&again(&case));
    }
}

#[test]
fn manifest_duplicate_put_409() {
    for attached in [0, 1] {
        let case = image(attached, |b| b.manifests.duplicate = is::DuplicatePut::ConflictWithin(600_000_000));
        stands(&again(&case));
    }
}

/// What the client makes itself: an image of the builder's, an index, and a list of referrers.
#[test]
fn manifest_mediatype_required() {
    let mut options = spec_true();
    options.behaviour.manifests.media_type_required = true;
    options.behaviour.referrers.api = is::ReferrersApi::NotFound;
    let mut pushing = Pushing::new(options);
    let layers = pushing.image.root.blobs().cloned().collect::<Vec<_>>();
    let made = Manifest::image(layers[0].clone(), layers[1..].to_vec()).build().unwrap();
    let artifact = Manifest::image(layers[0].clone(), []).artifact_type("application/vnd.example");
    let artifact = artifact.subject(made.descriptor()).build().unwrap();
    pushing.image.root = Manifest::index([made.descriptor()]).build().unwrap();
    pushing.image.manifests = vec![made, artifact];
    let image = pushing.image.clone();
    pushing.run(|_| None).stands(&image);
}

/// A registry that lists referrers gets no list under a tag.
#[test]
fn oci_subject_missing_but_supported() {
    let run = stands(&image(2, |b| b.referrers.subject = is::SubjectHeader::Never));
    let repository = &run.simulation.handler.registry.state.repositories[&Case::repository()];
    let tags: Vec<_> = repository.tags.keys().map(ToString::to_string).collect();
    assert_eq!(tags, ["v0"], "{}", run.simulation.transcript());
}

/// The subject is part of the push.
#[test]
fn subject_must_exist() {
    for in_flight in [1, 8] {
        let mut case = image(2, |b| b.manifests.subject_must_exist = true);
        case.client.in_flight = in_flight;
        let run = stands(&case);
        assert!(run.result.is_ok(), "{:?}\n{}", run.result, run.simulation.transcript());
    }
}

#[test]
fn tag_immutable_status_zoo() {
    let forms =
        [(400, "TAG_INVALID"), (403, "DENIED"), (409, "TAG_IMMUTABLE"), (409, "CONFLICT"), (412, "PRECONDITION")];
    for (status, code) in forms {
        let locked = |fill| {
            let mut case = image(0, |b| b.manifests.immutable_tags = Some(is::ImmutableTags::new(status, code, false)));
            case.plan.blobs[1].fill = fill;
            case
        };
        // What the tag names already stands.
        stands(&again(&locked(1)));
        let moved = Case { before: Some(Box::new(locked(1))), ..locked(2) }.run();
        let failure = moved.result.unwrap_err();
        let transcript = moved.simulation.transcript();
        assert!(matches!(failure.kind, FailureKind::ImmutableTag { .. }), "{status} {code}: {failure}\n{transcript}");
    }
}

/// Bytes that are not those of the digest: the registry takes them, and the client says so and sends no manifest.
#[test]
fn blob_digest_not_verified() {
    let mut options = spec_true();
    options.behaviour.commit.unverified = true;
    for changed in 0..3 {
        let mut pushing = Pushing { once: true, ..Pushing::new(options.clone()) };
        let blob = &mut pushing.image.blobs[changed];
        blob.bytes = vec![b'x'; blob.bytes.len()].into();
        let came = pushing.run(|_| None);
        let failure = came.result.as_ref().unwrap_err();
        assert!(matches!(failure.kind, FailureKind::DigestMismatch { .. }), "{failure}\n{}", came.transcript);
        assert_eq!(came.asked(&Method::PUT, "/manifests/"), [""; 0], "{}", came.transcript);
    }
}
