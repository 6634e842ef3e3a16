//! A manifest that the registry serves is a list of what it has, except where manifests go unchecked.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use longshore_conformance::quirk::{Outcome, named, spec_true};
use longshore_conformance::{Case, Image, Mock, Run, flow, oracle};
use longshore_core::{Digest, Manifest};
use longshore_memory::Said;
use longshore_mock_registry as mock;

/// A push of an image of three blobs under one tag.
fn an_image() -> Case {
    let mut case = flow::all().into_iter().find(|flow| flow.name == "POST and PUT").unwrap().case;
    case.client.ask_above = 0;
    case.client.learned.self_mount = Some(false);
    case
}

/// A registry that holds this manifest under the tag, and of its blobs all but these.
fn holding(root: &Manifest, image: &Image, options: mock::RegistryOptions, lost: &[Digest]) -> Mock {
    let mut registry = Mock::new(options);
    for blob in image.blobs.iter().filter(|blob| !lost.contains(&blob.digest)) {
        registry.put_blob(&Case::repository(), &blob.digest, &blob.bytes);
    }
    let checks = std::mem::replace(
        &mut registry.registry.options.behaviour.manifests.missing_reference,
        mock::behaviour::MissingReference::Accepted,
    );
    let put = Request::put(format!("/v2/{}/manifests/v0", Case::repository()));
    let put = put.header(CONTENT_TYPE, root.media_type().as_str()).body(root.bytes().clone()).unwrap();
    assert_eq!(registry.registry.answer(mock::Instant::default(), put).unwrap().status(), 201);
    registry.registry.options.behaviour.manifests.missing_reference = checks;
    registry
}

/// The blobs that the push asked about or sent.
fn touched(run: &Run) -> BTreeSet<Digest> {
    let entries = run.simulation.transcript().entries.iter();
    let uris = entries.filter_map(|entry| match &entry.what {
        Said::Asked { head, .. } if head.method != Method::GET => Some(head.uri.to_string().replace("%3A", ":")),
        _ => None,
    });
    let uris: Vec<String> = uris.collect();
    let digests = run.image.blobs.iter().map(|blob| blob.digest);
    digests.filter(|digest| uris.iter().any(|uri| uri.contains(&digest.to_string()))).collect()
}

/// The same image with one layer less: its blobs are all among ours.
fn older(image: &Image) -> Manifest {
    let mut document: serde_json::Value = serde_json::from_slice(image.root.bytes()).unwrap();
    document["annotations"] = serde_json::json!({ "is": "older" });
    Manifest::parse(Bytes::from(document.to_string())).unwrap()
}

#[test]
fn what_a_manifest_refers_to_is_not_asked_about() {
    let case = an_image();
    let image = Image::of(&case.plan);
    let registry = holding(&older(&image), &image, spec_true(), &[]);
    let mut run = case.run_at(registry);
    oracle::judge(&case, Outcome::Succeeds, &mut run).unwrap();
    assert_eq!(touched(&run), BTreeSet::new(), "{}", run.simulation.transcript());
}

/// Where the caller or what was learned says that manifests go unchecked, each blob is asked about, also below the manifest
/// that is pushed and stands already.
#[test]
fn no_list_is_believed_where_manifests_go_unchecked() {
    for is_learned in [true, false] {
        for stands in [true, false] {
            let mut case = an_image();
            named("missing-blob-not-checked").unwrap().apply(&mut case.registry.behaviour);
            case.client.learned.unchecked_manifests = is_learned.then_some(true);
            let image = Image::of(&case.plan);
            let root = if stands { image.root.clone() } else { older(&image) };
            let registry = holding(&root, &image, case.registry.clone(), &[image.blobs[1].digest]);
            let mut run = case.run_at_with(registry, |options| options.trust_manifests = is_learned);
            oracle::judge(&case, Outcome::Succeeds, &mut run).unwrap();
            let all = image.blobs.iter().map(|blob| blob.digest).collect();
            assert_eq!(touched(&run), all, "{}", run.simulation.transcript());
        }
    }
}

/// A blob that a served manifest refers to, and that the registry then misses, is sent; and no list is believed after that.
#[test]
fn a_list_that_was_wrong_is_learned_from() {
    let case = an_image();
    let image = Image::of(&case.plan);
    let lost = image.blobs[1].digest;
    let registry = holding(&older(&image), &image, spec_true(), &[lost]);
    let mut run = case.run_at(registry);
    oracle::judge(&case, Outcome::Succeeds, &mut run).unwrap();
    assert!(touched(&run).contains(&lost), "{}", run.simulation.transcript());
    assert_eq!(run.client.learned(&Case::registry()).unwrap().unchecked_manifests, Some(true));

    // Where nothing was lost, a list stays what it was.
    let registry = holding(&older(&image), &image, spec_true(), &[]);
    assert_eq!(case.run_at(registry).client.learned(&Case::registry()).unwrap().unchecked_manifests, None);
}
