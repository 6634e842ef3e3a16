//! What is known to be there and is not asked about, and what is sent again because it was not there after all.

use http::Method;
use longshore_conformance::Case;
use longshore_conformance::quirk::spec_true;
use longshore_core::{Algorithm, Digest, FailureKind, Platform};
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
    // The registry need not say so first.
    assert_eq!(came.count(&Method::PUT, &"manifests/v0"), 1, "{}", came.transcript);
}

/// Nor does the root itself, where there is another tag to give it: that would name what is not there.
#[test]
fn an_index_that_stands_proves_nothing_for_another_tag() {
    let child = image(&[(LAYER, A)], &[]);
    let root = index(&[child.descriptor()], &[]);
    let mut world = World::new();
    world.push(&root, &[&child], &[b"{}", A]).ok();
    let contents = world.registry.registry.state.repositories.get_mut(&Case::repository()).unwrap();
    contents.manifests.remove(&child.digest()).unwrap();
    let mut other = World::new();
    std::mem::swap(&mut other.registry, &mut world.registry);
    let (config, layer) = (other.blob(b"{}"), other.blob(A));
    let push = other.empty().blob(config).blob(layer).manifest(child.clone()).root(root);
    let came = other.run(push.tag("v0".parse().unwrap()).tag("v1".parse().unwrap()));
    came.ok();
    assert!(other.registry.manifest(&Case::repository(), &child.digest()).is_some());
    assert_eq!(came.count(&Method::PUT, &"manifests/v1"), 1, "{}", came.transcript);
}

/// A manifest that this client has pushed may have been deleted since: it is asked about or sent each time.
#[test]
fn a_manifest_is_never_taken_for_granted() {
    let root = image(&[(LAYER, A)], &[]);
    let mut world = World::new();
    world.push(&root, &[], &[b"{}", A]).ok();
    let contents = world.registry.registry.state.repositories.get_mut(&Case::repository()).unwrap();
    contents.manifests.remove(&root.digest()).unwrap();
    contents.tags.clear();
    world.push(&root, &[], &[b"{}", A]).ok();
    assert!(world.registry.manifest(&Case::repository(), &root.digest()).is_some());
}

/// The children of the index under the tag are read one by one: those that are ours, and those for the same platform.
#[test]
fn children_are_read_where_they_are_like_ours() {
    let [amd64, arm64] = ["amd64", "arm64"].map(|architecture| Platform::new("linux", architecture, None));
    let entry = |manifest: &longshore_core::Manifest, platform: &Platform| {
        let mut entry = manifest.descriptor();
        entry.platform = Some(Box::new(platform.clone()));
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
    assert_eq!(came.count(&Method::GET, &format!("manifests/{}", old.digest())), 1, "{}", came.transcript);
    assert_eq!(came.count(&Method::GET, &format!("manifests/{}", other.digest())), 0, "{}", came.transcript);
    // Its layers are known by that.
    assert_eq!(came.ok().uploaded, 1, "{}", came.transcript);
    assert_eq!(came.count(&Method::POST, &digest(A)) + came.count(&Method::PUT, &digest(A)), 0);
}

/// What a client pushed it knows; what the registry then misses is asked about, sent, and no longer known to the others.
#[test]
fn what_was_lost_since_is_sent_again() {
    // It is looked for first, because it was stored a moment ago and may only be late to be seen; and with a HEAD, not with what
    // is to find it unseen.
    let mut world = World::new().teach(|learned| learned.self_mount = Some(true));
    world.push(&image(&[(LAYER, A)], &[]), &[], &[b"{}", A]).ok();
    world.lose(A);
    let came = world.push(&image(&[(LAYER, A), (LAYER, B)], &[]), &[], &[b"{}", A, B]);
    came.ok();
    assert!(world.has(A));
    assert_eq!(came.count(&Method::HEAD, &digest(A)), 3, "{}", came.transcript);
    assert_eq!(came.count(&Method::POST, &"mount="), 0, "{}", came.transcript);
    // The manifest waits for it.
    assert_eq!(came.count(&Method::PUT, &"manifests/v0"), 2, "{}", came.transcript);
}

/// What the registry lost in one push, the next one of the same client does not rely on.
#[test]
fn what_was_lost_is_told_to_the_next_push() {
    let mut world = World::new();
    world.push(&image(&[(LAYER, A)], &[]), &[], &[b"{}", A]).ok();
    world.lose(A);
    // This one cannot mend it: it was not given the blob.
    let came = world.push(&image(&[(LAYER, A), (LAYER, B)], &[]), &[], &[b"{}", B]);
    assert!(
        matches!(&came.result.as_ref().unwrap_err().kind, FailureKind::Incomplete { digest: of } if *of == digest(A))
    );
    let push = world.empty().root(image(&[(LAYER, A), (LAYER, C)], &[]));
    let (config, layer, other) = (world.blob(b"{}"), world.blob(A), world.blob(C));
    let came = world.run(push.blob(config).blob(layer).blob(other));
    came.ok();
    assert_eq!(came.count(&Method::PUT, &"manifests/"), 1, "{}", came.transcript);
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
    // After the first refusal each blob is sent once more, and then it is over.
    assert_eq!(came.count(&Method::PUT, &"manifests/v0"), 2);
}

/// A mount that did not help once is not tried again when the blob is looked for.
#[test]
fn what_was_not_mounted_is_not_mounted_again() {
    let mut world = World::new();
    world.registry.registry.options.behaviour.commit.visible_after = 500_000;
    let (config, layer) = (world.blob(b"{}"), world.blob(A).mount_from(Case::elsewhere()));
    let push = world.empty().blob(config).blob(layer).root(image(&[(LAYER, A)], &[]));
    let came = world.run(push.tag("v0".parse().unwrap()));
    came.ok();
    assert!(came.count(&Method::PUT, &"manifests/v0") > 1, "nothing was healed\n{}", came.transcript);
    assert_eq!(came.count(&Method::POST, &"mount="), 1, "{}", came.transcript);
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
    assert!(came.count(&Method::PUT, &"manifests/v0") > 1, "nothing was healed\n{}", came.transcript);
    let healed = came.place(&Method::PUT, &"manifests/v0");
    let asked = came.asked().into_iter().skip(healed).filter(|asked| asked.contains(&digest(A).to_string()));
    assert_eq!(asked.count(), 1, "{}", came.transcript);
}

/// One small blob goes ahead to find out whether one POST does, where others can profit by it; alone it has nobody to tell.
#[test]
fn a_scout_goes_ahead_and_alone() {
    let root = image(&[(LAYER, A), (LAYER, B)], &[]);
    let came = World::new().push(&root, &[], &[b"{}", A, B]);
    came.ok();
    let smallest = came.place(&Method::POST, &format!("digest={}", digest(b"{}")));
    for other in [A, B] {
        assert!(smallest < came.place(&Method::POST, &format!("digest={}", digest(other))), "{}", came.transcript);
    }

    // Where it does not: one POST in vain, and no more.
    let mut options = spec_true();
    options.behaviour.start.single_post = longshore_mock_registry::behaviour::SinglePost::Ignored;
    let came = World::with(options, |_| {}).push(&root, &[], &[b"{}", A, B]);
    came.ok();
    assert_eq!(came.count(&Method::POST, &"digest="), 1, "{}", came.transcript);
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

/// One self-mount of what is there finds out whether such a POST answers questions; where it opens an upload, it does not.
#[test]
fn a_self_mount_that_opens_an_upload_answers_nothing() {
    let large = [vec![1; 100], vec![2; 100], vec![3; 100]];
    let layers: Vec<(&str, &[u8])> = large.iter().map(|bytes| (LAYER, bytes.as_slice())).collect();
    for (policy, answers) in [
        (longshore_mock_registry::behaviour::MountPolicy::Never, false),
        (longshore_mock_registry::behaviour::MountPolicy::Source, true),
    ] {
        let mut options = spec_true();
        options.behaviour.mount.policy = policy;
        let mut world = World::with(options, |options| options.ask_above = 50);
        let came = world.push(&image(&layers, &[]), &[], &[b"{}", &large[0], &large[1], &large[2]]);
        came.ok();
        assert_eq!(world.client.learned(&Case::registry()).unwrap().self_mount, Some(answers), "{}", came.transcript);
        assert_eq!(came.count(&Method::HEAD, &"blobs/"), if answers { 0 } else { 3 }, "{}", came.transcript);
        assert!(world.registry.registry.state.uploads.is_empty());
    }
}
