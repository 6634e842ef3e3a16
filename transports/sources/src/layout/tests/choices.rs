//! Which image is meant, and what a message says where that is not clear.

use longshore_core::{Algorithm, Descriptor, Digest, MediaType};
use serde_json::{Value, json};

use super::maker::{Maker, closure, digest, select};
use crate::layout::{LayoutError, Selection};

#[test]
fn one_of_several_is_chosen_by_name_or_digest() {
    let mut maker = Maker::new();
    let (a, b) = (maker.image("linux", "amd64", &["a"]), maker.image("linux", "amd64", &["b"]));
    maker.tag(&a, "a");
    maker.name(
        &b,
        json!({"org.opencontainers.image.ref.name": "v2", "io.containerd.image.name": "docker.io/library/b:v2"}),
    );
    maker.name(&a, json!({}));
    let layout = maker.open().unwrap();
    let error = layout.select(&Selection::Only, None).unwrap_err();
    assert!(error.to_string().ends_with("(PATH@DIGEST): a, docker.io/library/b:v2, v2"), "{error}");
    for (name, expected) in
        [("a", &a), ("v2", &b), ("docker.io/library/b:v2", &b), ("b:v2", &b), ("index.docker.io/b:v2", &b)]
    {
        assert_eq!(layout.select(&Selection::Name(name.to_owned()), None).unwrap().digest, digest(expected), "{name}");
    }
    assert_eq!(layout.select(&Selection::Digest(digest(&b)), None).unwrap().digest, digest(&b));
    for absent in [Selection::Name("b".to_owned()), Selection::Digest(Digest::of(Algorithm::Sha256, b"absent"))] {
        let error = layout.select(&absent, None).unwrap_err();
        assert!(matches!(&error, LayoutError::NoSuch { choices, .. } if choices.len() == 4), "{error}");
    }
    let error =
        layout.closure(&Descriptor::new(MediaType::oci_manifest(), Digest::of(Algorithm::Sha256, b"absent"), 1));
    assert!(matches!(error, Err(LayoutError::MissingManifest { .. })));
}

/// What a registry's mirror looks like: 16,000 tagged images, 4 MB of index, and a message that fits on a screen.
#[test]
fn a_layout_of_thousands_of_images_is_read_and_its_messages_are_short() {
    let mut maker = Maker::new();
    let image = maker.image("linux", "amd64", &["x"]);
    let entry = |tag: usize| {
        let digest = Digest::of(Algorithm::Sha256, tag.to_string().as_bytes());
        json!({"mediaType": MediaType::OCI_MANIFEST, "digest": digest, "size": 1234,
            "platform": {"os": "linux", "architecture": "amd64"},
            "annotations": {"org.opencontainers.image.ref.name": format!("build-{tag}-of-a-long-name")}})
    };
    let entries: Vec<Value> = (0..16_000).map(entry).collect();
    maker.entries(&entries);
    maker.tag(&image, "good");
    assert!(std::fs::metadata(maker.path().join("index.json")).unwrap().len() > 4 * 1024 * 1024);
    let layout = maker.open().unwrap();
    assert_eq!(select(&layout, "good").unwrap(), digest(&image));
    for error in [layout.select(&Selection::Only, None).unwrap_err(), select(&layout, "gone").unwrap_err()] {
        let text = error.to_string();
        assert!(text.lines().count() <= 20 && text.len() < 2000, "{text}");
        assert!(text.ends_with("and 15986 more"), "{text}");
    }
    let root = layout.select(&Selection::Name("good".to_owned()), None).unwrap();
    assert_eq!(layout.closure(&root).unwrap().warnings, Vec::<String>::new(), "what is not there is nobody's business");
}

#[test]
fn what_is_no_manifest_is_named_with_its_type() {
    let mut maker = Maker::new();
    let odd = maker.json("application/vnd.cncf.oras.artifact.manifest.v1+json", &json!({"blobs": []}));
    maker.tag(&odd, "v1");
    let layout = maker.open().unwrap();
    let expected = "v1 is not an image, an index or an artifact that is known here: index.json says that its type is application/vnd.cncf.oras.artifact.manifest.v1+json";
    assert_eq!(closure(&layout).unwrap_err().to_string(), expected);
    assert_eq!(select(&layout, "v1").unwrap_err().to_string(), expected);
    let by_digest = layout.select(&Selection::Digest(digest(&odd)), None).unwrap_err();
    assert_eq!(by_digest.to_string(), expected);
    assert!(matches!(select(&layout, "v2"), Err(LayoutError::NoSuch { .. })));

    let image = maker.image("linux", "amd64", &["x"]);
    maker.tag(&image, "v2");
    assert_eq!(closure(&maker.open().unwrap()).unwrap().root.digest, digest(&image));
}
