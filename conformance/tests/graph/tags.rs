//! A tag that holds something else, in registries that do not let it be moved.

use longshore_conformance::quirk::spec_true;
use longshore_conformance::{Case, Mock};
use longshore_core::{FailureKind, Manifest};
use longshore_mock_registry::behaviour::ImmutableTags;
use serde_json::json;

use crate::world::{LAYER, World, image};

const A: &[u8] = b"the bytes of a layer";

fn immutable(status: u16, code: &str, same_is_fine: bool) -> World {
    let mut options = spec_true();
    options.behaviour.manifests.immutable_tags = Some(ImmutableTags::new(status, code, same_is_fine));
    World::with(options, |_| {})
}

const CODES: [(u16, &str); 4] =
    [(409, "TAG_IMMUTABLE"), (412, "PRECONDITION"), (403, "TAG_IMMUTABLE"), (400, "TAG_INVALID")];

/// quirk `tag-immutable-status-zoo`: what stands there stays, and the failure names the tag.
#[test]
fn a_tag_that_cannot_be_moved() {
    for (status, code) in CODES {
        let (old, new) = (image(&[(LAYER, A)], &[]), image(&[(LAYER, A)], &[("annotations", json!({ "is": "new" }))]));
        let mut world = immutable(status, code, true);
        world.push(&old, &[], &[b"{}", A]).ok();
        let came = world.push(&new, &[], &[b"{}", A]);
        let failure = came.result.as_ref().unwrap_err();
        let tag = "v0".parse().unwrap();
        assert_eq!(failure.kind, FailureKind::ImmutableTag { tag }, "{status} {code}: {failure}");
        let standing = world.registry.tagged(&Case::repository(), &"v0".parse().unwrap());
        assert_eq!(standing, Some(old.digest()));
    }
}

/// The same manifest under the same tag is a success, also where it may not be put there twice: here with a second tag, for
/// which the root is sent again.
#[test]
fn a_tag_that_holds_the_same() {
    for (status, code) in CODES {
        let root = image(&[(LAYER, A)], &[]);
        let mut world = immutable(status, code, false);
        world.push(&root, &[], &[b"{}", A]).ok();
        let push = world.empty().root(root).tag("v1".parse().unwrap()).tag("v0".parse().unwrap());
        world.run(push).ok();
    }
}

/// A list of referrers whose tag cannot be moved fails alone: what was to come after it is pushed.
#[test]
fn a_list_that_fails_ends_nothing_else() {
    const LAST: [&[u8]; 8] = [b"s", b"t", b"u", b"v", b"w", b"x", b"y", b"z"];
    let mut options = spec_true();
    options.behaviour.referrers.api = longshore_mock_registry::behaviour::ReferrersApi::NotFound;
    options.behaviour.manifests.immutable_tags = Some(ImmutableTags::new(403, "DENIED", true));
    let subject = image(&[(LAYER, b"nowhere")], &[]).descriptor();
    let about = |name: &str| image(&[], &[("subject", json!(subject)), ("annotations", json!({ "name": name }))]);
    let (one, two, root) = (about("one"), about("two"), image(&LAST.map(|bytes| (LAYER, bytes)), &[]));
    // The list stands, so it would have to be changed.
    let before = world_of_one_list(options.clone(), &about("before"));
    // One request at a time, manifests and lists before the smallest blobs: the root's are sent last of all.
    let mut world = World::with(options, |options| options.in_flight = 1);
    world = world.teach(|learned| learned.single_post = Some(true));
    world.registry = before;
    let came = world.push(&root, &[&one, &two], &[&[b"{}".as_slice()], LAST.as_slice()].concat());
    let failure = came.result.as_ref().unwrap_err();
    assert!(matches!(failure.kind, FailureKind::ReferrersRefused { .. }), "{failure}");
    assert_eq!(world.registry.tagged(&Case::repository(), &"v0".parse().unwrap()), Some(root.digest()));
}

/// A registry that keeps a list of this artifact's subject under a tag.
fn world_of_one_list(options: longshore_mock_registry::RegistryOptions, artifact: &Manifest) -> Mock {
    let mut world = World::with(options, |_| {});
    let push = world.empty().blob(world.blob(b"{}")).root(artifact.clone());
    world.run(push).ok();
    world.registry
}
