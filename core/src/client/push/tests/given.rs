//! What is given to a push, and what is refused.

use super::*;
use crate::{FailureKind, Supply};

#[test]
fn a_length_that_contradicts_a_descriptor_is_an_error_before_anything_is_sent() {
    let mut world = World::new();
    let layer = empty().blob(blob("config", 2)).blob(blob("layer", 10)).root(image(&[("layer", 11)]));
    let failure = world.push(layer.tag("v1".parse().unwrap())).unwrap_err();
    assert_eq!(failure.kind, FailureKind::SizeMismatch { expected: 11, actual: 10 });
    assert_eq!(world.asked, [""; 0]);

    // Two manifests that do not agree, and an index that does not agree with its child.
    let (one, two) = (image(&[("layer", 10)]), image(&[("layer", 12)]));
    let mut entry = one.descriptor();
    entry.size += 1;
    let about = format!(r#","subject":{}"#, serde_json::to_string(&entry).unwrap());
    let signature = image_of(&[], &about);
    for push in [
        empty().manifest(one.clone()).manifest(two),
        empty().manifest(one.clone()).root(index(&[entry])),
        empty().manifest(one.clone()).manifest(signature.clone()),
        empty().manifest(signature).manifest(one),
        empty().manifest(image(&[("layer", 10), ("layer", 11)])),
    ] {
        let failure = world.push(push).unwrap_err();
        assert!(matches!(failure.kind, FailureKind::SizeMismatch { .. }), "{failure}");
        assert_eq!(world.asked, [""; 0]);
    }
}

#[test]
fn a_length_that_is_known_late_is_held_against_the_descriptor() {
    let mut world = World::new();
    let root = image(&[("pipe", 5)]);
    let push = empty().blob(Blob::unknown("pipe", Algorithm::Sha256)).blob(blob("config", 2)).root(root);
    let operation = world.start(push.tag("v1".parse().unwrap()));
    assert_eq!(world.reads, ["pipe"]);
    world.client.handle(Input::Ended { operation, blob: "pipe", len: 6, digest: digest("pipe") });
    world.run();
    let failure = world.done.take().unwrap().unwrap_err();
    assert_eq!(failure.kind, FailureKind::SizeMismatch { expected: 5, actual: 6 });
    assert_eq!(world.count("PUT https://registry.example/v2/a/b/manifests/"), 0);
}

#[test]
fn one_key_names_one_content() {
    let other = || Blob::known("layer", digest("other"), 10);
    let read_once = || Blob::read_once("layer", digest("layer"), 10);
    for second in [other(), read_once()] {
        let failure = World::new().push(empty().blob(blob("layer", 10)).blob(second)).unwrap_err();
        assert!(matches!(&failure.kind, FailureKind::Misuse(text) if text.contains("layer")), "{failure}");
    }
    // The same content under the same key, or under two keys, is sent once.
    let mut world = World::new();
    let push = empty().blob(blob("layer", 10)).blob(blob("layer", 10));
    world.push(push.blob(Blob::known("again", digest("layer"), 10))).unwrap();
    assert_eq!(world.registry.bytes, 10);
}

#[test]
fn a_push_has_one_root() {
    let mut world = World::new();
    let open = world.start(empty().open());
    let image = |name| {
        Manifest::parse(format!(r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"annotations":{{"name":"{name}"}}}}"#)).unwrap()
    };
    world.client.supply(open, Supply::Root(image("one"))).unwrap();
    let failure = world.client.supply(open, Supply::Root(image("two"))).unwrap_err();
    assert!(matches!(&failure.kind, FailureKind::Misuse(text) if text.contains("root")), "{failure}");
    world.client.supply(open, Supply::Root(image("one"))).unwrap();
}

#[test]
fn the_key_of_a_blob_that_can_be_read_once_is_its_own_while_its_push_lives() {
    let mut world = World::new();
    let pipe = || Blob::unknown("pipe", Algorithm::Sha256);
    let first = world.start(empty().blob(pipe()));
    for second in [pipe(), blob("pipe", 10)] {
        let failure = world.push(empty().blob(second)).unwrap_err();
        assert!(matches!(failure.kind, FailureKind::Misuse(_)), "{failure}");
    }
    let open = world.start(empty().open());
    let failure = world.client.supply(open, Supply::Blob(pipe())).unwrap_err();
    assert!(matches!(failure.kind, FailureKind::Misuse(_)), "{failure}");
    // Nothing was lost by that: both pushes go on.
    world.client.supply(open, Supply::End).unwrap();
    world.run();
    world.done.take().unwrap().unwrap();
    world.client.handle(Input::Ended { operation: first, blob: "pipe", len: 4, digest: digest("pipe") });
    world.run();
    world.done.take().unwrap().unwrap();
    world.push(empty().blob(blob("pipe", 4))).unwrap();
}

#[test]
fn as_many_blobs_of_unknown_digest_are_open_as_the_options_allow() {
    let mut world = World::with(|options| options.open_pipes = 2);
    let pipe = |key| Blob::unknown(key, Algorithm::Sha256);
    let operation = world.start(empty().blob(pipe("a")).blob(pipe("b")).blob(pipe("c")).blob(pipe("d")));
    for (ended, open) in [("a", &["a", "b"][..]), ("b", &["a", "b", "c"]), ("c", &["a", "b", "c", "d"]), ("d", &[])] {
        let mut reads = world.reads.clone();
        reads.sort_unstable();
        assert!(open.is_empty() || reads == open, "{reads:?}");
        world.client.handle(Input::Ended { operation, blob: ended, len: 1, digest: digest(ended) });
        world.run();
    }
    world.done.take().unwrap().unwrap();
}

#[test]
fn a_layer_that_was_left_out_is_sent_once_something_refers_to_it_as_ordinary() {
    let mut world = World::new();
    let forbidden = image_of(&[descriptor(FORBIDDEN, "layer", 10)], "");
    let ordinary = image(&[("layer", 10)]);
    let root = index(&[forbidden.descriptor(), ordinary.descriptor()]);
    world.registry.checks_nothing = true;
    let push = empty().blob(blob("layer", 10)).blob(blob("config", 2)).manifest(forbidden);
    let operation = world.start(push.tag("v1".parse().unwrap()).open());
    assert!(!world.registry.blobs.contains(&digest("layer").to_string()));
    world.registry.checks_nothing = false;
    world.client.supply(operation, Supply::Manifest(ordinary)).unwrap();
    world.client.supply(operation, Supply::Root(root)).unwrap();
    world.client.supply(operation, Supply::End).unwrap();
    world.run();
    world.done.take().unwrap().unwrap();
    assert!(world.registry.blobs.contains(&digest("layer").to_string()));
}

#[test]
fn a_docker_manifest_of_schema_1_is_refused_before_anything_is_sent() {
    for kind in [MediaType::DOCKER_SCHEMA1, MediaType::DOCKER_SCHEMA1_UNSIGNED] {
        let mut world = World::new();
        let text = r#"{"schemaVersion":1,"fsLayers":[{"blobSum":"sha256:00"}]}"#;
        let root = Manifest::parse_as(kind.parse().unwrap(), text).unwrap();
        let failure = world.push(empty().root(root).tag("v1".parse().unwrap())).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unsupported { media_type: kind.parse().unwrap() });
        assert_eq!(world.asked, [""; 0]);
    }
}

#[test]
fn an_artifact_manifest_goes_after_its_blobs_and_its_subject() {
    let subject = image(&[("layer", 10)]);
    let entry = serde_json::to_string(&descriptor("application/octet-stream", "bill", 20)).unwrap();
    let about = serde_json::to_string(&subject.descriptor()).unwrap();
    let kind = MediaType::OCI_ARTIFACT;
    let text = format!(r#"{{"mediaType":"{kind}","artifactType":"a/b","blobs":[{entry}],"subject":{about}}}"#);
    let artifact = Manifest::parse(text).unwrap();
    let mut world = World::new();
    let name = artifact.digest().to_string();
    let push = push(&[("layer", 10)], "v1").manifest(artifact).blob(blob("bill", 20));
    world.push(push).unwrap();
    let place = |part: &str| world.asked.iter().position(|asked| asked.contains(part)).unwrap();
    let artifact = place(&format!("PUT https://registry.example/v2/a/b/manifests/{name}"));
    assert!(place(&format!("digest={}", digest("bill"))) < artifact);
    assert!(place("PUT https://registry.example/v2/a/b/manifests/v1") < artifact);
}

/// A document that is not looked into waits for all else, but for what waits for it.
#[test]
fn a_signature_of_a_document_of_another_type_goes_after_it() {
    let kind: MediaType = "application/vnd.example.bill+json".parse().unwrap();
    let subject = Manifest::parse_as(kind, "{}").unwrap();
    let about = format!(r#","subject":{}"#, serde_json::to_string(&subject.descriptor()).unwrap());
    let signature = image_of(&[], &about);
    let name = signature.digest().to_string();
    let mut world = World::new();
    let push = empty().blob(blob("config", 2)).root(subject).manifest(signature).tag("v1".parse().unwrap());
    world.push(push).unwrap();
    let puts: Vec<_> =
        world.asked.iter().filter(|asked| asked.starts_with("PUT") && asked.contains("manifests")).collect();
    assert!(puts[0].ends_with("/manifests/v1") && puts[1].ends_with(&name), "{puts:?}");
}

#[test]
fn an_index_of_indexes_goes_from_the_bottom_up() {
    let leaf = image(&[("layer", 10)]);
    let middle = index(&[leaf.descriptor()]);
    let top = index(&[middle.descriptor()]);
    let root = index(&[top.descriptor(), leaf.descriptor()]);
    let names = [&leaf, &middle, &top].map(|manifest| manifest.digest().to_string());
    let mut world = World::new();
    let push = empty().root(root).manifest(top).manifest(middle).manifest(leaf);
    world.push(push.blob(blob("layer", 10)).blob(blob("config", 2)).tag("v1".parse().unwrap())).unwrap();
    let puts: Vec<_> =
        world.asked.iter().filter(|asked| asked.starts_with("PUT") && asked.contains("manifests")).collect();
    assert_eq!(puts.len(), 4);
    assert!(names.iter().zip(&puts).all(|(name, put)| put.ends_with(name)), "{puts:?}");
}
