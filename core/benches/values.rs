//! What is read and computed for every push: `cargo bench -p longshore-core --bench values`.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use http::{HeaderMap, HeaderValue};
use longshore_core::auth::Challenges;
use longshore_core::{Algorithm, Digest, Manifest, Reference, Target};

fn main() {
    divan::main();
}

/// A mebibyte through the digester.
#[divan::bench(args = [Algorithm::Sha256, Algorithm::Sha512])]
fn digest_1_mib(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    let content = vec![7; 1024 * 1024];
    bencher.counter(BytesCount::new(content.len())).bench(|| Digest::of(algorithm, black_box(&content)));
}

/// An image manifest, with so many layers; its digest is part of it.
#[divan::bench(args = [1, 10, 100, 1_000])]
fn manifest(bencher: Bencher<'_, '_>, layers: usize) {
    let digest = Digest::of(Algorithm::Sha256, b"");
    let blob = format!(r#"{{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{digest}","size":0}}"#);
    let layers = vec![blob.as_str(); layers].join(",");
    let manifest = bytes::Bytes::from(format!(r#"{{"schemaVersion":2,"config":{blob},"layers":[{layers}]}}"#));
    bencher
        .counter(BytesCount::new(manifest.len()))
        .bench(|| Manifest::parse(black_box(manifest.clone())).expect("an image"));
}

/// A location that goes on in the state of the upload, as distribution gives it.
#[divan::bench]
fn resolve_a_location(bencher: Bencher<'_, '_>) {
    let from = Target::parse("https://registry.example/v2/a/b/blobs/uploads/").expect("a constant");
    let state = "A".repeat(200);
    let location = format!("https://registry.example/v2/a/b/blobs/uploads/7fd3a8e4-5a0e?_state={state}%3D");
    bencher.bench(|| from.resolve(black_box(&location)).expect("a location"));
}

/// A challenge, as most registries give it.
#[divan::bench]
fn challenge(bencher: Bencher<'_, '_>) {
    let from = Target::parse("https://registry.example/v2/").expect("a constant");
    let bearer =
        r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#;
    let headers = HeaderMap::from_iter([(http::header::WWW_AUTHENTICATE, HeaderValue::from_static(bearer))]);
    bencher.bench(|| Challenges::of(from.origin(), &from, black_box(&headers)).expect("the registry's own"));
}

/// A reference, as a person writes it.
#[divan::bench]
fn reference() -> Reference {
    black_box("registry.example:5000/team/application:v1.2.3").parse().expect("a reference")
}
