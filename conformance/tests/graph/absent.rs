//! Blobs that manifests refer to and nobody gives: the repository has them, or another one that they are mounted from.

use http::Method;
use longshore_conformance::Case;
use longshore_core::{Algorithm, Digest, FailureKind, Manifest, Push, Repository};

use crate::world::{LAYER, World, image};

const BASE: &[u8] = b"the layer of a base image";
const OWN: &[u8] = b"the layer of an app";

fn digest(bytes: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, bytes)
}

fn other() -> Repository {
    "library/base".parse().unwrap()
}

/// A world whose registry has the base image in this repository, under no tag, and an app that is made on top of it.
fn world(base: &Repository) -> (World, Manifest) {
    let mut world = World::new();
    let (layer, config) = (world.blob(BASE), world.blob(b"{}"));
    let push = Push::new(Case::registry(), base.clone()).blob(layer).blob(config);
    world.run(push.root(image(&[(LAYER, BASE)], &[]))).ok();
    let mut fresh = World::new();
    std::mem::swap(&mut fresh.registry, &mut world.registry);
    (fresh, image(&[(LAYER, BASE), (LAYER, OWN)], &[]))
}

#[test]
fn what_is_not_given_is_asked_for() {
    let (mut world, app) = world(&Case::repository());
    let came = world.push(&app, &[], &[b"{}", OWN]);
    came.ok();
    assert_eq!(came.count(&Method::HEAD, &digest(BASE)), 1, "{}", came.transcript);
    assert!(world.registry.manifest(&Case::repository(), &app.digest()).is_some());
}

#[test]
fn what_is_not_given_is_mounted_from_where_it_may_be() {
    let (mut world, app) = world(&other());
    let (config, own) = (world.blob(b"{}"), world.blob(OWN));
    let push = world.empty().blob(config).blob(own).root(app.clone()).tag("v0".parse().unwrap());
    let empty: Repository = "library/empty".parse().unwrap();
    let came = world.run(push.mount_absent_from(empty).mount_absent_from(other()));
    came.ok();
    let mount = |from: &str| format!("POST blobs/uploads/?mount={}&from=library%2F{from}", digest(BASE));
    let asked: Vec<String> = came.asked().into_iter().filter(|asked| asked.contains("mount=")).collect();
    assert_eq!(asked, [mount("empty"), mount("base")]);
    assert_eq!(came.count(&Method::DELETE, &"blobs/uploads/"), 1, "the upload of the miss is not left open");
    assert!(world.has(BASE) && world.registry.manifest(&Case::repository(), &app.digest()).is_some());
}

#[test]
fn what_is_nowhere_is_named() {
    for mounts in [&[][..], &["library/empty"]] {
        let (mut world, app) = world(&other());
        let (config, own) = (world.blob(b"{}"), world.blob(OWN));
        let push = world.empty().blob(config).blob(own).root(app.clone()).tag("v0".parse().unwrap());
        let push = mounts.iter().fold(push, |push, from| push.mount_absent_from(from.parse().unwrap()));
        let failure = world.run(push).result.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Incomplete { digest: digest(BASE) });
        assert!(world.registry.manifest(&Case::repository(), &app.digest()).is_none());
    }
}
