//! Which blobs and manifests are sent, how often, and which before which.

use http::Method;
use longshore_core::{Algorithm, Blob, Descriptor, Digest, Event, FailureKind, Manifest, MediaType, Supply};
use serde_json::json;

use crate::world::{FOREIGN, LAYER, World, descriptor, image, index};

const A: &[u8] = b"the bytes of a layer";
const B: &[u8] = b"the bytes of another layer";

/// Layers that their maker forbids to distribute are left out, unless the caller says otherwise, or they are there as
/// ordinary layers too.
#[test]
fn nondistributable_layers() {
    let foreign = image(&[(LAYER, A), (FOREIGN, B)], &[]);
    let mut world = World::new();
    world.push(&foreign, &[], &[b"{}", A, B]).ok();
    assert!(world.has(A) && !world.has(B));

    let mut world =
        World::with(longshore_conformance::quirk::spec_true(), |options| options.push_nondistributable = true);
    world.push(&foreign, &[], &[b"{}", A, B]).ok();
    assert!(world.has(B));

    let both = image(&[(LAYER, B), (FOREIGN, B)], &[]);
    let mut world = World::new();
    world.push(&both, &[], &[b"{}", B]).ok();
    assert!(world.has(B));
}

/// A layer that nobody may distribute, and that the image under the tag refers to, may be there or not: as an ordinary layer
/// it is asked about.
#[test]
fn nondistributable_layers_below_what_stands_prove_nothing() {
    let mut world = World::new();
    world.push(&image(&[(LAYER, A), (FOREIGN, B)], &[]), &[], &[b"{}", A]).ok();
    let came = world.push(&image(&[(LAYER, B)], &[]), &[], &[b"{}", B]);
    came.ok();
    assert!(world.has(B), "{}", came.transcript);
    assert_eq!(came.count(&Method::PUT, &"manifests/v0"), 1, "{}", came.transcript);
}

/// A registry that misses a layer which nobody may distribute is not sent it.
#[test]
fn a_layer_that_is_left_out_is_not_healed() {
    let foreign = image(&[(LAYER, A), (FOREIGN, B)], &[]);
    let mut world = World::new();
    world.registry.registry.options.behaviour.commit.visible_after = 1_000_000;
    let came = world.push(&foreign, &[], &[b"{}", A, B]);
    came.ok();
    assert!(!world.has(B), "{}", came.transcript);
}

/// The same content under two keys, and the same key twice, is one upload.
#[test]
fn what_is_given_twice_is_sent_once() {
    let root = image(&[(LAYER, A), (LAYER, A)], &[]);
    let mut world = World::new();
    let (config, one, two) = (world.blob(b"{}"), world.blob(A), world.blob(A));
    let push = world.empty().blob(config).blob(one.clone()).blob(two).blob(one).root(root);
    let came = world.run(push);
    assert_eq!(came.ok().uploaded, 2);
    assert_eq!(came.count(&Method::POST, &Digest::of(Algorithm::Sha256, A)), 1, "{}", came.transcript);
}

/// What an index lists need not be a manifest: layers in it are blobs, and go before it.
#[test]
fn an_index_of_blobs() {
    let root = index(&[descriptor(LAYER, A)], &[]);
    let mut world = World::new();
    let came = world.push(&root, &[], &[A]);
    came.ok();
    let blob = came.place(&Method::POST, &Digest::of(Algorithm::Sha256, A));
    assert!(blob < came.place(&Method::PUT, &"manifests/v0"), "{}", came.transcript);
    assert!(world.has(A));
}

/// Children go before parents, also where the parent is given first.
#[test]
fn children_before_parents() {
    let child = image(&[(LAYER, A)], &[]);
    let middle = index(&[child.descriptor()], &[]);
    let root = index(&[middle.descriptor()], &[("annotations", json!({ "is": "the root" }))]);
    let mut world = World::new();
    let came = world.push(&root, &[&middle, &child], &[b"{}", A]);
    came.ok();
    let order: Vec<usize> = [child.digest().to_string(), middle.digest().to_string(), "v0".to_owned()]
        .iter()
        .map(|name| came.place(&Method::PUT, &format!("manifests/{name}")))
        .collect();
    assert!(order.is_sorted(), "{order:?}\n{}", came.transcript);
}

/// A subject of the same push goes first, and one that is elsewhere does not block.
#[test]
fn the_subject_first() {
    // The subject is the later one to be ready: the smallest blob is sent last, and it is the subject's.
    const SMALLEST: &[u8] = b"s";
    let subject = image(&[(LAYER, SMALLEST)], &[]);
    let artifact = |subject: &Descriptor| image(&[(LAYER, B)], &[("subject", json!(subject))]);
    let mut world = World::with(longshore_conformance::quirk::spec_true(), |options| options.in_flight = 1);
    world = world.teach(|learned| learned.single_post = Some(true));
    let with = artifact(&subject.descriptor());
    let came = world.push(&with, &[&subject], &[B, b"{}", SMALLEST]);
    came.ok();
    let first = came.place(&Method::PUT, &format!("manifests/{}", subject.digest()));
    assert!(first < came.place(&Method::PUT, &"manifests/v0"), "{}", came.transcript);

    let nowhere = image(&[(LAYER, b"nowhere")], &[]).descriptor();
    World::new().push(&artifact(&nowhere), &[], &[b"{}", B]).ok();
}

/// What a document refers to that is not looked into, nobody can tell: it goes when all else has gone.
#[test]
fn a_document_of_another_type_goes_last() {
    let other =
        Manifest::parse_as("application/vnd.example.bill+json".parse::<MediaType>().unwrap(), "{\"of\":1}").unwrap();
    let root = image(&[(LAYER, A)], &[]);
    let mut world = World::new();
    world.registry.registry.options.behaviour.manifests.missing_reference =
        longshore_mock_registry::behaviour::MissingReference::Accepted;
    let (config, layer) = (world.blob(b"{}"), world.blob(A));
    let push = world.empty().manifest(other.clone()).blob(config).blob(layer).root(root).tag("v0".parse().unwrap());
    let came = world.run(push);
    let last = came.asked().into_iter().rfind(|asked| asked.starts_with("PUT")).unwrap();
    assert!(last.contains(&other.digest().to_string()), "{:?}\n{}", came.result, came.transcript);
}

/// A tag is put once, however many there are, and whatever ends in between.
#[test]
fn each_tag_is_put_once() {
    for tags in 2..=5 {
        let root = image(&[(LAYER, A)], &[]);
        let mut world = World::new().teach(|learned| learned.tag_parameter = Some(false));
        let (config, layer) = (world.blob(b"{}"), world.blob(A));
        let mut push = world.empty().blob(config).blob(layer).root(root);
        for tag in 0..tags {
            push = push.tag(format!("v{tag}").parse().unwrap());
        }
        let came = world.run(push);
        came.ok();
        for tag in 0..tags {
            assert_eq!(came.count(&Method::PUT, &format!("manifests/v{tag}")), 1, "{}", came.transcript);
        }
        let tagged = came.events.iter().filter(|event| matches!(event, Event::Tagged { .. })).count();
        assert_eq!(tagged, tags);
    }
}

/// Only a push that was left open takes more, and only until it is ended.
#[test]
fn nothing_is_added_to_a_closed_push() {
    let mut world = World::new();
    let is_misuse = |result: Result<(), longshore_core::Failure>| {
        matches!(result.map_err(|failure| failure.kind), Err(FailureKind::Misuse(_)))
    };
    let closed = world.client.start(world.empty());
    let blob = Blob::known(longshore_conformance::Key(0), Digest::of(Algorithm::Sha256, A), A.len() as u64);
    assert!(is_misuse(world.client.supply(closed, Supply::Blob(blob.clone()))));
    let open = world.client.start(world.empty().open());
    world.client.supply(open, Supply::End).unwrap();
    assert!(is_misuse(world.client.supply(open, Supply::Blob(blob))));
}
