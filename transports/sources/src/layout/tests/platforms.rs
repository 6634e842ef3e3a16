//! The image for a platform.

use longshore_core::MediaType;
use longshore_core::content::Platform;
use serde_json::{Value, json};

use super::maker::{Maker, digest, platform, two_platforms, with};
use crate::layout::{Layout, LayoutError, Selection};

#[test]
fn a_platform_is_picked() {
    let (maker, [amd, arm, _]) = two_platforms();
    let layout = maker.open().unwrap();
    let select = |platform: &Platform| layout.select(&Selection::Only, Some(platform));
    assert_eq!(select(&platform("linux", "amd64", None)).unwrap().digest, digest(&amd));
    assert_eq!(select(&platform("linux", "arm64", None)).unwrap().digest, digest(&arm));
    assert_eq!(select(&platform("linux", "arm64", Some("v8"))).unwrap().digest, digest(&arm));
    for absent in [platform("linux", "arm64", Some("v9")), platform("windows", "amd64", None)] {
        let error = select(&absent).unwrap_err();
        assert!(error.to_string().ends_with("there is linux/amd64, linux/arm64/v8"), "{error}");
    }
    // An image without an index says its platform in its config.
    let by_digest = |platform: &Platform| layout.select(&Selection::Digest(digest(&amd)), Some(platform));
    assert_eq!(by_digest(&platform("linux", "amd64", None)).unwrap().digest, digest(&amd));
    assert!(matches!(
        by_digest(&platform("linux", "s390x", None)),
        Err(LayoutError::Platform { is_ambiguous: false, .. })
    ));
    let closure = layout.closure(&select(&platform("linux", "arm64", None)).unwrap()).unwrap();
    assert_eq!((closure.manifests.len(), closure.blobs.len()), (1, 3));
}

#[test]
fn a_platform_without_variant_is_the_only_variant() {
    let mut maker = Maker::new();
    let image = maker.image("linux", "arm", &["x"]);
    let other = maker.image("linux", "arm", &["y"]);
    let arm =
        |image, variant| with(image, "platform", json!({"os": "linux", "architecture": "arm", "variant": variant}));
    let both = maker.index(&[arm(&image, "v6"), arm(&other, "v7")]);
    let one = maker.index(&[arm(&other, "v7")]);
    maker.tag(&both, "both");
    maker.tag(&one, "one");
    let layout = maker.open().unwrap();
    let select = |name: &str, variant| {
        layout.select(&Selection::Name(name.to_owned()), Some(&platform("linux", "arm", variant)))
    };
    assert_eq!(select("both", Some("v6")).unwrap().digest, digest(&image));
    assert_eq!(select("one", None).unwrap().digest, digest(&other));
    let error = select("both", None).unwrap_err();
    assert!(error.to_string().contains("more than one image for linux/arm here"), "{error}");
}

/// BuildKit puts attestations beside the images.
#[test]
fn what_is_for_no_machine_is_no_choice() {
    let mut maker = Maker::new();
    let image =
        with(&maker.image("linux", "amd64", &["x"]), "platform", json!({"os": "linux", "architecture": "amd64"}));
    let unknown = json!({"os": "unknown", "architecture": "unknown"});
    let attestation = with(&maker.image("unknown", "unknown", &["y"]), "platform", unknown);
    let index = maker.index(&[image, attestation]);
    maker.tag(&index, "v1");
    let error = for_platform(&maker.open().unwrap(), &platform("linux", "arm64", None)).unwrap_err();
    assert_eq!(error, "there is no image for linux/arm64 here: there is linux/amd64");
}

fn for_platform(layout: &Layout, platform: &Platform) -> Result<String, String> {
    let found = layout.select(&Selection::Only, Some(platform));
    found.map(|root| root.digest.to_string()).map_err(|error| error.to_string())
}

fn text(descriptor: &Value) -> Result<String, String> {
    Ok(digest(descriptor).to_string())
}

/// A bundle: an index of an index, of one of Docker's lists, and of an image that says its platform in its config alone.
#[test]
fn a_platform_is_found_below_nested_indexes_and_in_configs() {
    let mut maker = Maker::new();
    let amd = |maker: &Maker, layer: &str| maker.image("linux", "amd64", &[layer]);
    let [a, b, c] = ["a", "b", "c"].map(|layer| amd(&maker, layer));
    let (arm, s390) = (maker.image("linux", "arm64", &["x"]), maker.image("linux", "s390x", &["y"]));
    let on = |image: &Value, os: &str, architecture: &str| {
        with(image, "platform", json!({"os": os, "architecture": architecture}))
    };
    let inner = maker.index(&[on(&a, "linux", "amd64"), on(&arm, "linux", "arm64")]);
    let list = maker.json(
        MediaType::DOCKER_LIST,
        &json!({"schemaVersion": 2, "mediaType": MediaType::DOCKER_LIST, "manifests": [on(&b, "linux", "amd64"), s390]}),
    );
    let bundle = maker.index(&[inner, list, with(&c, "platform", Value::Null)]);
    maker.tag(&bundle, "bundle");
    let layout = maker.open().unwrap();
    assert_eq!(for_platform(&layout, &platform("linux", "arm64", None)), text(&arm));
    assert_eq!(for_platform(&layout, &platform("linux", "s390x", None)), text(&s390), "its config says so");
    assert_eq!(for_platform(&layout, &platform("linux", "aarch64", None)), text(&arm));
    let several = for_platform(&layout, &platform("linux", "amd64", None)).unwrap_err();
    for image in [&a, &b, &c] {
        assert!(several.contains(&format!("{} (bundle, linux/amd64)", digest(image))), "{several}");
    }
    let none = for_platform(&layout, &platform("plan9", "amd64", None)).unwrap_err();
    assert!(none.ends_with("there is linux/amd64, linux/arm64, linux/s390x"), "{none}");
    let root = layout.select(&Selection::Only, Some(&platform("linux", "arm64", None))).unwrap();
    assert_eq!(layout.closure(&root).unwrap().manifests.len(), 1);
}

#[test]
fn a_partial_platform_is_completed_by_the_config() {
    let mut maker = Maker::new();
    let image = maker.image("linux", "amd64", &["x"]);
    let index = maker.index(&[with(&image, "platform", json!({"architecture": "arm64", "os": null}))]);
    maker.tag(&index, "odd");
    let layout = maker.open().unwrap();
    assert_eq!(for_platform(&layout, &platform("linux", "arm64", None)), text(&image), "what the index says counts");
    let error = for_platform(&layout, &platform("linux", "amd64", None)).unwrap_err();
    assert!(error.ends_with("there is linux/arm64"), "{error}");
}

#[test]
fn versions_and_features_of_a_system_tell_images_apart() {
    let mut maker = Maker::new();
    let windows = |maker: &Maker, version: &str, features: Value| {
        let image = maker.image("windows", "amd64", &[version, &features.to_string()]);
        let platform =
            json!({"os": "windows", "architecture": "amd64", "os.version": version, "os.features": features});
        with(&image, "platform", platform)
    };
    let old = windows(&maker, "10.0.17763.4974", json!(null));
    let new = windows(&maker, "10.0.20348.2031", json!(null));
    let full = windows(&maker, "10.0.20348.2031", json!(["win32k"]));
    let index = maker.index(&[old.clone(), new, full.clone()]);
    maker.tag(&index, "multi");
    let layout = maker.open().unwrap();
    let wanted = |version: Option<&str>, features: &[&str]| {
        let mut wanted = platform("windows", "amd64", None);
        wanted.os_version = version.map(str::to_owned);
        wanted.os_features = features.iter().copied().map(str::to_owned).collect();
        wanted
    };
    for version in ["10.0.17763.4974", "10.0.17763"] {
        assert_eq!(for_platform(&layout, &wanted(Some(version), &[])), text(&old), "{version}");
    }
    assert_eq!(for_platform(&layout, &wanted(None, &["win32k"])), text(&full));
    assert_eq!(for_platform(&layout, &wanted(Some("10.0.20348"), &["win32k"])), text(&full));
    let all = "windows/amd64:10.0.17763.4974, windows/amd64:10.0.20348.2031, windows/amd64:10.0.20348.2031+win32k";
    let several = for_platform(&layout, &wanted(None, &[])).unwrap_err();
    assert!(several.contains("more than one image for windows/amd64 here") && several.ends_with(all), "{several}");
    let several = for_platform(&layout, &wanted(Some("10.0.20348"), &[])).unwrap_err();
    assert!(several.starts_with("there is more than one image for windows/amd64:10.0.20348 here"), "{several}");
    for none in [wanted(Some("10.0.2034"), &[]), wanted(None, &["x"])] {
        let error = for_platform(&layout, &none).unwrap_err();
        assert!(error.starts_with("there is no image") && error.ends_with(all), "{error}");
    }
}

#[test]
fn images_that_the_layouts_own_index_names_are_told_apart_by_platform() {
    let mut maker = Maker::new();
    let (amd, arm) = (maker.image("linux", "amd64", &["x"]), maker.image("linux", "arm64", &["y"]));
    maker.tag(&amd, "v1");
    maker.tag(&arm, "v1");
    let layout = maker.open().unwrap();
    assert_eq!(for_platform(&layout, &platform("linux", "arm64", None)), text(&arm));
    let named = Selection::Name("v1".to_owned());
    let found = layout.select(&named, Some(&platform("linux", "amd64", None))).unwrap();
    assert_eq!(found.digest, digest(&amd));
    let error = layout.select(&named, None).unwrap_err().to_string();
    for image in [&amd, &arm] {
        assert!(error.contains(&format!("{} (v1)", digest(image))), "two of one name: {error}");
    }
}
