//! What is pushed in each row.

use longshore_core::{Algorithm, Blob, Descriptor, Digest, Manifest, MediaType, Push};

use super::simulation::{Measured, Simulation};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

fn descriptor(media_type: &str, name: u64, size: u64) -> Descriptor {
    let media_type: MediaType = media_type.parse().expect("a constant");
    Descriptor::new(media_type, Digest::of(Algorithm::Sha256, &name.to_be_bytes()), size)
}

/// The size of a layer: from 1 to 100 KB.
fn size(name: u64) -> u64 {
    1000 + name.wrapping_mul(104_729) % 100_000
}

fn blob(name: u64, size: u64) -> Blob<u64> {
    Blob::known(name, Digest::of(Algorithm::Sha256, &name.to_be_bytes()), size)
}

/// An image of these layers; all have one config.
fn image(layers: impl Iterator<Item = u64>, more: &str) -> Manifest {
    let config = descriptor("application/vnd.oci.image.config.v1+json", u64::MAX, 2);
    let layers: Vec<Descriptor> = layers.map(|name| descriptor(LAYER, name, size(name))).collect();
    let config = serde_json::to_string(&config).expect("a descriptor");
    let layers = serde_json::to_string(&layers).expect("descriptors");
    Manifest::parse(format!(r#"{{"schemaVersion":2,"config":{config},"layers":{layers}{more}}}"#)).expect("an image")
}

fn index(entries: &[Descriptor]) -> Manifest {
    let entries = serde_json::to_string(entries).expect("descriptors");
    Manifest::parse(format!(r#"{{"schemaVersion":2,"manifests":{entries}}}"#)).expect("an index")
}

fn push(repository: &str, layers: std::ops::Range<u64>) -> Push<u64> {
    let push = empty(repository).root(image(layers.clone(), "")).tag("v1".parse().expect("a constant"));
    layers.fold(push, |push, name| push.blob(blob(name, size(name))))
}

/// A push of the config alone.
fn empty(repository: &str) -> Push<u64> {
    let registry = "registry.example".parse().expect("a constant");
    Push::new(registry, repository.parse().expect("a repository")).blob(blob(u64::MAX, 2))
}

/// Blobs in images of 1,000 layers, below one index.
pub(super) fn one_of_blobs(blobs: u64) -> Measured {
    let mut simulation = Simulation::new();
    simulation.begin();
    let images: Vec<Manifest> =
        (0..blobs.div_ceil(1000)).map(|i| image(i * 1000..blobs.min((i + 1) * 1000), "")).collect();
    let root = index(&images.iter().map(Manifest::descriptor).collect::<Vec<_>>());
    let push = (0..blobs).fold(empty("team/app"), |push, name| push.blob(blob(name, size(name))));
    let push = images.into_iter().fold(push, Push::manifest).root(root).tag("v1".parse().expect("a constant"));
    simulation.start(push);
    simulation.run();
    simulation.measured()
}

pub(super) fn many_at_once(pushes: u64) -> Measured {
    let mut simulation = Simulation::new();
    simulation.begin();
    for i in 0..pushes {
        simulation.start(push(&format!("team/app{i}"), i * 9..(i + 1) * 9));
    }
    simulation.run();
    simulation.measured()
}

pub(super) fn one_after_another(pushes: u64, repository: impl Fn(u64) -> String) -> Measured {
    let mut simulation = Simulation::new();
    simulation.begin();
    for i in 0..pushes {
        simulation.start(push(&repository(i), i * 9..(i + 1) * 9));
        simulation.run();
    }
    simulation.measured()
}

pub(super) fn many_where_much_is_known(pushes: u64) -> Measured {
    let mut simulation = Simulation::new();
    for i in 0..10 {
        simulation.start(push("team/app", i * 1000..(i + 1) * 1000));
        simulation.run();
    }
    simulation.begin();
    for i in 0..pushes {
        simulation.start(push("team/app", 1_000_000 + i..1_000_000 + i + 1));
    }
    simulation.run();
    simulation.measured()
}

pub(super) fn referrers(artifacts: u64) -> Measured {
    let mut simulation = Simulation::new();
    simulation.begin();
    let subject = image(0..1, "");
    let about = serde_json::to_string(&subject.descriptor()).expect("a descriptor");
    let artifact = |i| image(0..0, &format!(r#","subject":{about},"annotations":{{"number":"{i}"}}"#));
    simulation.start((0..artifacts).map(artifact).fold(push("team/app", 0..1), Push::manifest));
    simulation.run();
    simulation.measured()
}

/// Images of one layer that all have, below one index.
pub(super) fn images(images: u64) -> Measured {
    let mut simulation = Simulation::new();
    simulation.begin();
    let images: Vec<Manifest> =
        (0..images).map(|i| image(0..1, &format!(r#","annotations":{{"number":"{i}"}}"#))).collect();
    let root = index(&images.iter().map(Manifest::descriptor).collect::<Vec<_>>());
    let push = images.into_iter().fold(empty("team/app").blob(blob(0, size(0))), Push::manifest);
    simulation.start(push.root(root).tag("v1".parse().expect("a constant")));
    simulation.run();
    simulation.measured()
}
