//! Whole images over real HTTP, into the mock registry and back.

use std::collections::BTreeMap;

use longshore_core::content::Platform;
use longshore_core::{Algorithm, Digest, Reference};
use longshore_mock_registry::server::{Server, Shared};
use longshore_mock_registry::{Registry, RegistryOptions};
use longshore_reqwest::{Http, ImageError, Session, Sink};
use longshore_sources::Source;
use longshore_sources::layout::Closure;
use longshore_sources::pack::{self, Compression, Layer};

async fn registry() -> (Reference, Shared) {
    let server = Server::bind(Server::LOOPBACK, Registry::new(RegistryOptions::default())).await.unwrap();
    let reference = format!("{}/a/b:v1", server.address()).parse().unwrap();
    let shared = server.shared();
    tokio::spawn(server.serve(std::future::pending()));
    (reference, shared)
}

fn image() -> Closure {
    let layer = |name: &str, len: usize| {
        let content: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
        Layer::new().with_file(name, Source::bytes(content), 0o644).in_memory(Compression::None).unwrap()
    };
    let shared = layer("shared", 3_000_000);
    let images = ["amd64", "arm64"].map(|architecture| {
        let layers = [shared.clone(), layer(architecture, 10_000)];
        pack::image(&Platform::new("linux", architecture, None), &layers, &[]).unwrap()
    });
    pack::index(&images).unwrap()
}

fn http() -> Http {
    Http::builder().no_proxy().build().unwrap()
}

#[tokio::test]
async fn an_image_goes_in_and_comes_back_byte_for_byte() {
    let (reference, _) = registry().await;
    let session = Session::new(http());
    let image = image();
    let pushed = session.push_image(&image, &reference).await.unwrap();
    assert_eq!((pushed.digest, pushed.uploaded), (Some(image.root.digest), 5));

    let again = session.push_image(&image, &reference).await.unwrap();
    assert_eq!((again.uploaded, again.digest), (0, Some(image.root.digest)));

    let mut memories = BTreeMap::new();
    let pulled = session
        .pull_image(&reference, |blob| {
            let (sink, memory) = Sink::memory(blob.size as usize);
            memories.insert(blob.digest, memory);
            sink
        })
        .await
        .unwrap();
    assert_eq!(pulled.manifests.len(), 3);
    assert_eq!(memories.len(), image.blobs.len());
    for blob in &image.blobs {
        let mut body = blob.source.rest(0).unwrap();
        let mut expected = Vec::new();
        while let Some(piece) = body.next_piece().unwrap() {
            expected.extend_from_slice(&piece);
        }
        assert!(memories[&blob.descriptor.digest].take() == expected, "{}", blob.descriptor.digest);
    }
}

#[tokio::test]
async fn a_layout_is_pushed_in_a_line() {
    let (reference, _) = registry().await;
    let folder = tempfile::tempdir().unwrap();
    let image = image();
    pack::write_layout(folder.path(), &image, "v1").unwrap();
    let pushed = longshore_reqwest::push(folder.path().to_str().unwrap(), &reference.to_string()).await.unwrap();
    assert_eq!(pushed.digest, Some(image.root.digest));
    assert_eq!(pushed.tags, [reference.tag.unwrap()]);
}

#[tokio::test]
async fn an_image_of_another_digest_than_the_reference_names_is_not_pushed() {
    let (reference, shared) = registry().await;
    let other = Reference { digest: Some(Digest::of(Algorithm::Sha256, b"other")), ..reference };
    let refused = Session::new(http()).push_image(&image(), &other).await;
    assert!(matches!(refused, Err(ImageError::OtherDigest { .. })), "{refused:?}");
    assert!(shared.lock().state.repositories.is_empty());
}
