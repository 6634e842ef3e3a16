//! What refers to an image: taken along where that was asked for, and named where it was not.

use longshore_core::{Digest, Manifest, MediaType};
use serde_json::{Value, json};

use super::maker::{Maker, closure, digest, with};
use crate::layout::{Closure, Layout, LayoutError, Selection};

fn with_referrers(layout: &Layout) -> Result<Closure, LayoutError> {
    layout.closure_with_referrers(&layout.select(&Selection::Only, None)?)
}

fn order(closure: &Closure) -> Vec<Digest> {
    closure.manifests.iter().map(Manifest::digest).collect()
}

fn left(closure: &Closure) -> Vec<(Digest, Option<String>)> {
    closure.left_behind.iter().map(|left| (left.digest, left.tag.as_ref().map(ToString::to_string))).collect()
}

/// An SBOM or signature belongs to what it refers to: asked for, it goes with the image, after its subject.
#[test]
fn referrers_by_subject_go_along_where_asked_for_and_are_named_where_not() {
    let mut maker = Maker::new();
    let image = maker.image("linux", "amd64", &["x"]);
    let sbom = maker.artifact(&image, "sbom");
    let signature = maker.artifact(&sbom, "signature of the sbom");
    maker.tag(&signature, "signature");
    maker.tag(&sbom, "sbom");
    maker.tag(&image, "latest");
    let layout = maker.open().unwrap();
    let whole = with_referrers(&layout).unwrap();
    assert_eq!(whole.root.digest, digest(&image));
    assert_eq!(order(&whole), [digest(&image), digest(&sbom), digest(&signature)]);
    assert!(whole.left_behind.is_empty() && whole.missing.is_empty());
    let alone = closure(&layout).unwrap();
    assert_eq!((order(&alone), alone.blobs.len()), (vec![digest(&image)], 2));
    assert_eq!(left(&alone), [(digest(&sbom), None), (digest(&signature), None)]);
    assert_eq!(alone.left_behind[0].artifact_type.as_deref(), Some("application/spdx+json"));
    // The one that was chosen does not pull in what it refers to.
    let chosen = layout.select(&Selection::Name("sbom".to_owned()), None).unwrap();
    assert_eq!(order(&layout.closure_with_referrers(&chosen).unwrap()), [digest(&sbom), digest(&signature)]);
}

#[test]
fn referrers_are_found_in_a_list_under_the_fallback_tag() {
    let mut maker = Maker::new();
    let image = maker.image("linux", "amd64", &["x"]);
    let sbom = maker.artifact(&image, "sbom");
    let list = maker.index(std::slice::from_ref(&sbom));
    maker.tag(&image, "latest");
    maker.tag(&list, &longshore_core::Tag::of_referrers(&digest(&image)).to_string());
    let closure = with_referrers(&maker.open().unwrap()).unwrap();
    assert_eq!(order(&closure), [digest(&image), digest(&sbom)], "the list itself is the registry's business");
}

fn simple_signature(maker: &Maker, of: &Value) -> Value {
    let config = maker.json(MediaType::OCI_CONFIG, &json!({"architecture": "", "os": ""}));
    let payload = json!({"critical": {"image": {"docker-manifest-digest": of["digest"]}}});
    let layer = maker.json("application/vnd.dev.cosign.simplesigning.v1+json", &payload);
    maker.json(MediaType::OCI_MANIFEST, &json!({"schemaVersion": 2, "config": config, "layers": [layer]}))
}

#[test]
fn signatures_by_tag_keep_their_tags() {
    let mut maker = Maker::new();
    let image = maker.image("linux", "amd64", &["x"]);
    let (signature, sbom) = (simple_signature(&maker, &image), maker.image("", "", &["sbom"]));
    let of_sbom = simple_signature(&maker, &sbom);
    let tag = |of: &Value, suffix: &str| format!("sha256-{}.{suffix}", digest(of).hex());
    maker.tag(&signature, &tag(&image, "sig"));
    maker.tag(&sbom, &format!("localhost:5000/app:{}", tag(&image, "sbom")));
    maker.tag(&of_sbom, &tag(&sbom, "sig"));
    maker.tag(&image, "v1");
    let layout = maker.open().unwrap();
    let alone = closure(&layout).unwrap();
    assert_eq!(alone.root.digest, digest(&image), "a signature is no image to choose");
    let all = [(&signature, tag(&image, "sig")), (&sbom, tag(&image, "sbom")), (&of_sbom, tag(&sbom, "sig"))];
    let expected = all.clone().map(|(of, tag)| (digest(of), Some(tag)));
    assert_eq!(left(&alone), expected);
    let whole = with_referrers(&layout).unwrap();
    assert_eq!(order(&whole), [digest(&image)]);
    let companions: Vec<_> =
        whole.companions.iter().map(|it| (it.closure.root.digest, Some(it.tag.to_string()))).collect();
    assert_eq!(companions, expected);
    assert_eq!(whole.sources().len(), 2 + 1 + 3, "what is about the image shares a config");
}

/// `cosign save` gives all of them the name of the image.
#[test]
fn a_name_that_an_image_shares_with_its_signatures_is_the_images() {
    let mut maker = Maker::new();
    let image = maker.image("linux", "amd64", &["x"]);
    let (signature, other) = (simple_signature(&maker, &image), maker.image("linux", "amd64", &["other"]));
    let kinds = [(&image, "image"), (&signature, "sigs")];
    for (of, kind) in kinds {
        let kind = format!("dev.cosignproject.cosign/{kind}");
        maker.name(of, json!({"kind": kind, "org.opencontainers.image.ref.name": "v1"}));
    }
    let selected = |maker: &Maker| maker.open().unwrap().select(&Selection::Name("v1".to_owned()), None);
    assert_eq!(selected(&maker).unwrap().digest, digest(&image));
    maker.tag(&other, "v1");
    assert!(matches!(selected(&maker), Err(LayoutError::Several { .. })), "two images are two");
}

#[test]
fn an_attestation_is_named_if_the_index_that_lists_it_is_not_pushed() {
    let mut maker = Maker::new();
    let image = maker.image("linux", "amd64", &["x"]);
    let platform = |of: &Value, os: &str, architecture: &str| {
        with(of, "platform", json!({"os": os, "architecture": architecture}))
    };
    let attestation = platform(&maker.image("unknown", "unknown", &["provenance"]), "unknown", "unknown");
    let about =
        json!({"vnd.docker.reference.digest": digest(&image), "vnd.docker.reference.type": "attestation-manifest"});
    let index = maker.index(&[platform(&image, "linux", "amd64"), with(&attestation, "annotations", about)]);
    maker.tag(&index, "v1");
    let layout = maker.open().unwrap();
    let wanted = super::maker::platform("linux", "amd64", None);
    let chosen = layout.select(&Selection::Only, Some(&wanted)).unwrap();
    for closure in [layout.closure(&chosen).unwrap(), layout.closure_with_referrers(&chosen).unwrap()] {
        assert_eq!((order(&closure), closure.attestations), (vec![digest(&image)], vec![digest(&attestation)]));
    }
    let whole = closure(&layout).unwrap();
    assert_eq!((whole.manifests.len(), whole.attestations), (3, vec![]));
}

/// As `cosign save` writes them.
#[test]
fn signatures_by_annotation_get_the_tag_that_they_have_in_a_registry() {
    let mut maker = Maker::new();
    let image = maker.image("linux", "amd64", &["x"]);
    let index = maker.index(std::slice::from_ref(&image));
    let (signature, attestation) = (simple_signature(&maker, &index), maker.image("", "", &["att"]));
    let entry =
        |of: &Value, kind: &str| with(of, "annotations", json!({"kind": format!("dev.cosignproject.cosign/{kind}")}));
    maker.entries(&[entry(&index, "imageIndex"), entry(&signature, "sigs"), entry(&attestation, "atts")]);
    let layout = maker.open().unwrap();
    assert_eq!(closure(&layout).unwrap().left_behind.len(), 2);
    let whole = with_referrers(&layout).unwrap();
    assert_eq!(whole.root.digest, digest(&index));
    let tags: Vec<String> = whole.companions.iter().map(|companion| companion.tag.to_string()).collect();
    assert_eq!(tags, ["sig", "att"].map(|suffix| format!("sha256-{}.{suffix}", digest(&index).hex())));
}
