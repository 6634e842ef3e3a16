//! Whole images over real HTTP, into the mock registry and back.

mod support;

use longshore_core::content::Platform;
use longshore_core::{Algorithm, Blob, Digest, ManifestReference, Operation, Push, Receipt, Reference};
use longshore_sources::Source;
use longshore_sources::layout::Closure;
use longshore_sources::pack::{self, Compression, Layer};
use longshore_ureq::{ImageError, Session, Sink};
use support::{http, registry};

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

#[test]
fn an_image_goes_in_and_comes_back_byte_for_byte() {
    let (address, _) = registry();
    let reference: Reference = format!("{address}/a/b:v1").parse().unwrap();
    let mut session = Session::new(http());
    let image = image();
    let pushed = session.push_image(&image, &reference).unwrap();
    assert_eq!((pushed.digest, pushed.uploaded), (Some(image.root.digest), 5));
    let again = session.push_image(&image, &reference).unwrap();
    assert_eq!((again.digest, again.uploaded), (Some(image.root.digest), 0));
    assert!(session.sources().is_empty());

    let (registry, repository) = (reference.registry, reference.repository);
    let name = ManifestReference::Tag(reference.tag.unwrap());
    let pull = Operation::PullManifest { registry: registry.clone(), repository: repository.clone(), reference: name };
    let Receipt::Pulled(manifest) = session.run(pull).unwrap() else { panic!("no manifest") };
    assert_eq!(manifest.digest(), image.root.digest);
    let mut memories = Vec::new();
    let mut pulls = Vec::new();
    for blob in &image.blobs {
        let (digest, size) = (blob.descriptor.digest, blob.descriptor.size);
        let (sink, memory) = Sink::memory(size as usize);
        session.sinks().insert(digest, sink);
        memories.push(memory);
        let (registry, repository) = (registry.clone(), repository.clone());
        pulls.push(Operation::PullBlob { registry, repository, digest, size: Some(size), sink: digest });
    }
    for ((result, memory), blob) in session.run_all(pulls).into_iter().zip(memories).zip(&image.blobs) {
        result.unwrap();
        let mut expected = Vec::new();
        std::io::Read::read_to_end(&mut blob.source.rest(0).unwrap(), &mut expected).unwrap();
        assert!(memory.take() == expected, "{}", blob.descriptor.digest);
    }
}

#[test]
fn a_layout_is_pushed_in_a_line() {
    let (address, shared) = registry();
    let folder = tempfile::tempdir().unwrap();
    let image = image();
    pack::write_layout(folder.path(), &image, "v1").unwrap();
    let source = folder.path().to_str().unwrap();
    let pushed = longshore_ureq::push(source, &format!("{address}/a:v1")).unwrap();
    assert_eq!(pushed.digest, Some(image.root.digest));

    let other = Digest::of(Algorithm::Sha256, b"other");
    let refused = longshore_ureq::push(source, &format!("{address}/b@{other}"));
    assert!(matches!(refused, Err(ImageError::OtherDigest { .. })), "{refused:?}");
    assert_eq!(shared.lock().state.repositories.len(), 1);
}

#[test]
fn a_blob_of_unknown_length_is_pushed_as_it_comes() {
    let (address, shared) = registry();
    let content: Vec<u8> = (0..20_000_000_u32).map(|i| (i % 251) as u8).collect();
    let digest = Digest::of(Algorithm::Sha256, &content);
    let mut session: Session<&str> = Session::new(http());
    session.sources().insert("pipe", Source::reader(std::io::Cursor::new(content), Algorithm::Sha256));
    let push = Push::new(address.to_string().parse().unwrap(), "a".parse().unwrap())
        .blob(Blob::unknown("pipe", Algorithm::Sha256));
    let Receipt::Pushed(pushed) = session.run(push).unwrap() else { panic!("no push") };
    assert_eq!(pushed.uploaded, 1);
    assert!(shared.lock().state.repositories.values().any(|repository| repository.blobs.contains_key(&digest)));
}
