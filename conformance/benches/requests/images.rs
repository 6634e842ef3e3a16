//! Images of a given shape, whose bytes are made as they are asked for.

use longshore_core::{Algorithm, Blob, Digest, Digester, Manifest, Push, Registry};
use longshore_memory::Source;

/// Where all is pushed to.
pub(super) const REPOSITORY: &str = "library/app";
/// Where blobs are mounted from.
pub(super) const BASE: &str = "library/base";

/// The registry of the simulation.
pub(super) fn registry() -> Registry {
    "registry.example".parse().expect("a constant")
}

/// An image, or an index of some.
#[derive(Clone)]
pub(super) struct Image {
    /// The length of each blob is also its key and what its bytes are made from.
    blobs: Vec<(u64, Digest)>,
    manifests: Vec<Manifest>,
    root: Manifest,
}

impl Image {
    /// An image with a config and layers of these lengths in bytes.
    pub(super) fn new(config: u64, layers: impl IntoIterator<Item = u64>) -> Self {
        let blobs: Vec<(u64, Digest)> = std::iter::once(config).chain(layers).map(|len| (len, digest(len))).collect();
        let root = manifest(&blobs);
        Self { blobs, manifests: Vec::new(), root }
    }

    /// An index of images that share a base layer and a layer of their own's like, as multi-platform images do: a config and
    /// a layer each, and two layers that all have.
    pub(super) fn index(platforms: u64) -> Self {
        let shared = [(3_000_000, digest(3_000_000)), (200_000, digest(200_000))];
        let own = |i: u64| [(1000 + i, digest(1000 + i)), (500_000 + i, digest(500_000 + i))];
        let manifests: Vec<Manifest> =
            (0..platforms).map(|i| manifest(&own(i).into_iter().chain(shared).collect::<Vec<_>>())).collect();
        let entry = |(i, manifest): (usize, &Manifest)| {
            format!(
                r#"{{"mediaType":"{}","digest":"{}","size":{},"platform":{{"os":"linux","architecture":"arch{i}"}}}}"#,
                manifest.media_type(),
                manifest.digest(),
                manifest.bytes().len()
            )
        };
        let entries: Vec<String> = manifests.iter().enumerate().map(entry).collect();
        let root = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{}]}}"#,
            entries.join(",")
        );
        let root = Manifest::parse(root).expect("an index");
        let blobs = (0..platforms).flat_map(own).chain(shared).collect();
        Self { blobs, manifests, root }
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = (u64, Source)> + '_ {
        self.blobs.iter().map(|(len, _)| (*len, Source::made(*len, fill)))
    }

    pub(super) fn push(&self, repository: &str, mounts: bool, tag: &str) -> Push<u64> {
        let push = Push::new(registry(), repository.parse().expect("a constant"));
        let push = self.blobs.iter().fold(push, |push, (len, digest)| {
            let blob = Blob::known(*len, *digest, *len);
            push.blob(if mounts { blob.mount_from(BASE.parse().expect("a constant")) } else { blob })
        });
        let push = self.manifests.iter().cloned().fold(push, Push::manifest);
        push.root(self.root.clone()).tag(tag.parse().expect("a constant"))
    }
}

fn manifest(blobs: &[(u64, Digest)]) -> Manifest {
    let descriptor = |media_type: &str, (len, digest): (u64, Digest)| {
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{len}}}"#)
    };
    let (config, layers) = blobs.split_first().expect("a config");
    let config = descriptor("application/vnd.oci.image.config.v1+json", *config);
    let layers: Vec<String> =
        layers.iter().map(|blob| descriptor("application/vnd.oci.image.layer.v1.tar", *blob)).collect();
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{config},"layers":[{}]}}"#,
        layers.join(",")
    );
    Manifest::parse(manifest).expect("an image")
}

/// Every blob begins alike, so its length alone tells it from the others.
fn fill(offset: u64, out: &mut [u8]) {
    for (i, byte) in (offset..).zip(out) {
        *byte = (i % 251) as u8;
    }
}

fn digest(len: u64) -> Digest {
    let mut digester = Digester::new(Algorithm::Sha256);
    let mut piece = vec![0; 64 * 1024];
    let mut offset = 0;
    while offset < len {
        let want = usize::try_from(len - offset).unwrap_or(usize::MAX).min(piece.len());
        fill(offset, &mut piece[..want]);
        digester.update(&piece[..want]);
        offset += want as u64;
    }
    digester.finish()
}
