//! What is known to be there and is not asked about, and what is sent again because it was not there after all.

use http::Method;
use longshore_conformance::Case;
use longshore_conformance::quirk::spec_true;
use longshore_core::{Algorithm, Digest, Platform};
use serde_json::json;

use crate::world::{LAYER, World, descriptor, image, index};

const A: &[u8] = b"the bytes of a layer";
const B: &[u8] = b"the bytes of another layer";
const C: &[u8] = b"the bytes of a third layer";

fn digest(bytes: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, bytes)
}

/// An index under the tag proves nothing about its children: a child that is gone is sent again.
#[test]
fn an_index_proves_nothing_about_its_children() {
    let child = image(&[(LAYER, A)], &[]);
    let old = index(&[child.descriptor()], &[("annotations", json!({ "is": "old" }))]);
    let new = index(&[child.descriptor()], &[]);
    let mut world = World::new();
    world.push(&old, &[&child], &[b"{}", A]).ok();
    // Another client deletes the child, and what it refers to.
    let contents = world.registry.registry.state.repositories.get_mut(&Case::repository()).unwrap();
    contents.manifests.remove(&child.digest()).unwrap();
    world.lose(A);
    let mut other = World::new();
    std::mem::swap(&mut other.registry, &mut world.registry);
    let came = other.push(&new, &[&child], &[b"{}", A]);
    came.ok();
    assert!(other.has(A), "{}", came.transcript);
}

/// The children of the index under the tag are read one by one: those that are ours, and those for the same platform.
#[test]
fn children_are_read_where_they_are_like_ours() {
    let [amd64, arm64] = ["amd64", "arm64"].map(|architecture| Platform::new("linux", architecture, None));
    let entry = |manifest: &longshore_core::Manifest, platform: &Platform| {
        let mut entry = manifest.descriptor();
        entry.platform = Some(platform.clone());
        entry
    };
    let (old, new) = (image(&[(LAYER, A)], &[]), image(&[(LAYER, A), (LAYER, B)], &[]));
    let other = image(&[(LAYER, C)], &[]);
    let standing = index(&[entry(&old, &amd64), entry(&other, &arm64)], &[]);
    let mut world = World::new();
    world.push(&standing, &[&old, &other], &[b"{}", A, C]).ok();
    let mut next = World::new();
    std::mem::swap(&mut next.registry, &mut world.registry);
    let came = next.push(&index(&[entry(&new, &amd64)], &[]), &[&new], &[b"{}", A, B]);
    came.ok();
    assert_eq!(came.count(&Method::GET, format!("manifests/{}", old.digest())), 1, "{}", came.transcript);
    assert_eq!(came.count(&Method::GET, format!("manifests/{}", other.digest())), 0, "{}", came.transcript);
    // Its layers are known by that.
    assert_eq!(came.ok().uploaded, 1, "{}", came.transcript);
    assert_eq!(came.count(&Method::POST, digest(A)) + came.count(&Method::PUT, digest(A)), 0);
}

/// What a client pushed it knows; what the registry then misses is asked about, sent, and no longer known to the others.
#[test]
fn what_was_lost_since_is_sent_again() {
    let mut world = World::new();
    world.push(&image(&[(LAYER, A)], &[]), &[], &[b"{}", A]).ok();
    world.lose(A);
    let came = world.push(&image(&[(LAYER, A), (LAYER, B)], &[]), &[], &[b"{}", A, B]);
    came.ok();
    assert!(world.has(A));
    // It is asked first: it may only be late to be seen.
    assert!(came.count(&Method::HEAD, digest(A)) == 1, "{}", came.transcript);
}

/// A registry that denies for ever what it has acknowledged is not pushed to for ever.
#[test]
fn healing_is_bounded() {
    let mut world = World::new();
    world.registry.registry.options.behaviour.commit.visible_after = u64::MAX / 4;
    let came = world.push(&image(&[(LAYER, A)], &[]), &[], &[b"{}", A]);
    let failure = came.result.as_ref().unwrap_err();
    assert!(failure.refused().is_some_and(|refused| refused.errors.has_code("MANIFEST_BLOB_UNKNOWN")), "{failure}");
    assert!(came.asked().len() < 40, "{}", came.transcript);
    assert_eq!(came.count(&Method::PUT, "manifests/v0"), 4);
}

/// Blobs that turned out to be equal when they had been read are asked about, and sent again, once.
#[test]
fn equal_blobs_are_healed_once() {
    let root = image(&[(LAYER, A)], &[]);
    let mut world = World::new();
    world.registry.registry.options.behaviour.commit.visible_after = 500_000;
    let (config, one, two) = (world.blob(b"{}"), world.pipe(A), world.pipe(A));
    let push = world.empty().blob(config).blob(one).blob(two).root(root).tag("v0".parse().unwrap());
    let came = world.run(push);
    came.ok();
    assert!(came.count(&Method::PUT, "manifests/v0") > 1, "nothing was healed\n{}", came.transcript);
    let healed = came.place(&Method::PUT, "manifests/v0");
    let asked = came.asked().into_iter().skip(healed).filter(|asked| asked.contains(&digest(A).to_string()));
    assert_eq!(asked.count(), 1, "{}", came.transcript);
}

/// One small blob goes ahead to find out whether one POST does, where others can profit by it; alone it has nobody to tell.
#[test]
fn a_scout_goes_ahead_and_alone() {
    let root = image(&[(LAYER, A), (LAYER, B)], &[]);
    let came = World::new().push(&root, &[], &[b"{}", A, B]);
    came.ok();
    let smallest = came.place(&Method::POST, format!("digest={}", digest(b"{}")));
    for other in [A, B] {
        assert!(smallest < came.place(&Method::POST, format!("digest={}", digest(other))), "{}", came.transcript);
    }

    // Where it does not: one POST in vain, and no more.
    let mut options = spec_true();
    options.behaviour.start.single_post = longshore_mock_registry::behaviour::SinglePost::Ignored;
    let came = World::with(options, |_| {}).push(&root, &[], &[b"{}", A, B]);
    came.ok();
    assert_eq!(came.count(&Method::POST, "digest="), 1, "{}", came.transcript);
}

/// A blob of no byte says nothing about one POST of some.
#[test]
fn no_scout_without_a_byte() {
    let empty = descriptor(LAYER, b"");
    let root = image(&[(LAYER, b""), (LAYER, A), (LAYER, B)], &[]);
    assert_eq!(root.blobs().filter(|blob| blob.digest == empty.digest).count(), 1);
    let mut options = spec_true();
    options.behaviour.start.single_post = longshore_mock_registry::behaviour::SinglePost::Ignored;
    let came = World::with(options, |_| {}).push(&root, &[], &[b"{}", b"", A, B]);
    came.ok();
    let posts: Vec<String> = came.asked().into_iter().filter(|asked| asked.contains("uploads/?digest=")).collect();
    assert_eq!(posts.len(), 1, "{posts:?}");
    assert!(!posts[0].contains(&empty.digest.to_string()), "{posts:?}");
}
