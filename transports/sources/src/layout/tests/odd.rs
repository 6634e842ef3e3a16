//! Documents that are not as the spec has them, and that other tools read all the same.

use longshore_core::MediaType;
use serde_json::{Value, json};

use super::maker::{Maker, closure, digest, with};
use crate::layout::Closure;

/// The closure of a layout whose one image is changed as a document, or whose entry in `index.json` is.
fn changed(image: impl Fn(&mut Value), entry: impl Fn(&mut Value)) -> Closure {
    let mut maker = Maker::new();
    let config = maker.json(
        MediaType::OCI_CONFIG,
        &json!({"os": "linux", "architecture": "amd64", "config": {"Labels": {"Name": "x"}}}),
    );
    let layer = maker.blob(MediaType::OCI_LAYER_GZIP, b"layer");
    let mut document =
        json!({"schemaVersion": 2, "mediaType": MediaType::OCI_MANIFEST, "config": config, "layers": [layer]});
    image(&mut document);
    let bytes = document.to_string();
    let mut found = maker.json(MediaType::OCI_MANIFEST, &document);
    entry(&mut found);
    maker.entries(&[found]);
    let closure = closure(&maker.open().unwrap()).unwrap();
    assert_eq!(closure.manifests[0].bytes(), bytes.as_bytes(), "what is pushed is the bytes");
    assert_eq!((closure.manifests[0].media_type().as_str(), closure.blobs.len()), (MediaType::OCI_MANIFEST, 2));
    assert!(closure.warnings.is_empty() && closure.missing.is_empty());
    closure
}

fn nothing(_: &mut Value) {}

#[test]
fn entries_of_the_index_may_say_little() {
    for (key, value) in [
        ("mediaType", json!(null)),
        ("mediaType", json!("")),
        ("annotations", json!(null)),
        ("annotations", json!({"a": null, "Name": "x"})),
        ("platform", json!(null)),
        ("platform", json!({"architecture": "arm64"})),
        ("platform", json!({"os": "linux", "architecture": null, "os.features": null, "variant": ""})),
        ("urls", json!(null)),
        ("unknown", json!({"Size": 1})),
    ] {
        changed(nothing, |entry| entry[key] = value.clone());
    }
    changed(nothing, |entry| drop(entry.as_object_mut().unwrap().remove("mediaType")));
}

#[test]
fn manifests_may_say_little_and_much() {
    for (key, value) in [
        ("mediaType", json!(null)),
        ("mediaType", json!("")),
        ("subject", json!(null)),
        ("artifactType", json!(null)),
        ("manifests", json!(null)),
        ("annotations", json!({"Name": "demo", "OS": "linux", "Size": "12", "org.example.Tag": "x", "k": null})),
        ("unknown", json!({"Digest": 1, "digest": 2})),
    ] {
        changed(|image| image[key] = value.clone(), nothing);
    }
    for (key, value) in
        [("mediaType", json!("")), ("mediaType", json!(null)), ("urls", json!(null)), ("annotations", json!(null))]
    {
        changed(|image| image["layers"][0][key] = value.clone(), nothing);
        changed(|image| image["config"][key] = value.clone(), nothing);
    }
}

/// `index.json` is never sent: what it says of itself decides nothing.
#[test]
fn the_index_may_be_of_any_type() {
    for media_type in [json!(MediaType::DOCKER_LIST), json!(null), json!(""), json!("application/json")] {
        let maker = Maker::new();
        let image = maker.image("linux", "amd64", &["x"]);
        let entry = with(&image, "platform", json!({"os": "linux", "architecture": "amd64"}));
        let index = json!({"schemaVersion": 2, "mediaType": media_type, "manifests": [entry], "layers": null});
        maker.write("index.json", index.to_string().as_bytes());
        assert_eq!(closure(&maker.open().unwrap()).unwrap().root.digest, digest(&image));
    }
}

#[test]
fn an_index_may_not_say_what_its_entries_are() {
    let mut maker = Maker::new();
    let image = maker.image("linux", "amd64", &["x"]);
    let mut entry = image.clone();
    entry.as_object_mut().unwrap().remove("mediaType");
    let index = maker.index(&[entry]);
    maker.tag(&index, "v1");
    let closure = closure(&maker.open().unwrap()).unwrap();
    let found: Vec<_> = closure.manifests.iter().map(longshore_core::Manifest::digest).collect();
    assert_eq!(found, [digest(&image), digest(&index)]);
}
