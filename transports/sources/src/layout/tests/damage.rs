//! What is missing or damaged.

use std::fs;

use longshore_core::{Algorithm, Digest, MediaType};
use serde_json::{Value, json};

use super::maker::{Maker, closure, digest, platform, select, two_platforms};
use crate::layout::{Layout, LayoutError, LayoutOptions, MAX_DEPTH, MAX_MANIFEST, Selection};
use crate::source::SourceError;

#[cfg(unix)]
#[test]
fn a_link_that_leads_to_nothing_is_named() {
    let mut maker = Maker::new();
    let image = maker.image("linux", "amd64", &["layer"]);
    maker.tag(&image, "latest");
    let layer = maker.file(&maker.blob(MediaType::OCI_LAYER_GZIP, b"layer"));
    fs::remove_file(&layer).unwrap();
    std::os::unix::fs::symlink("gone", &layer).unwrap();
    let error = closure(&maker.open().unwrap()).unwrap_err();
    assert!(matches!(&error, LayoutError::Dangling { name, .. } if layer.ends_with(name)), "{error}");
}

#[test]
fn what_is_damaged_is_named() {
    let image = |maker: &mut Maker| {
        let image = maker.image("linux", "amd64", &["layer"]);
        maker.tag(&image, "latest");
        image
    };
    let fails = |damage: &dyn Fn(&Maker, &Value, &Value)| {
        let mut maker = Maker::new();
        let (image, layer) = (image(&mut maker), maker.blob(MediaType::OCI_LAYER_GZIP, b"layer"));
        damage(&maker, &image, &layer);
        let result = maker.open().and_then(|layout| closure(&layout));
        match result {
            Err(error) => (error.to_string(), error),
            Ok(closure) => {
                let mut body = closure.blobs[1].source.rest(0).unwrap();
                let error = LayoutError::from(body.next_piece().unwrap_err());
                (error.to_string(), error)
            }
        }
    };
    type E = LayoutError;
    let remove = |name: &'static str| {
        move |maker: &Maker, _: &Value, _: &Value| fs::remove_file(maker.path().join(name)).unwrap()
    };
    let write = |name: &'static str, bytes: &'static str| {
        move |maker: &Maker, _: &Value, _: &Value| maker.write(name, bytes.as_bytes())
    };
    let check = |(text, error): (String, E), expected: fn(&E) -> bool| assert!(expected(&error), "{text}");

    check(fails(&remove("index.json")), |e| matches!(e, E::NotALayout { missing: "index.json", .. }));
    check(fails(&write("index.json", "[]")), |e| matches!(e, E::Index(_)));
    check(fails(&write("index.json", r#"{"manifests":[],"manifests":[]}"#)), |e| matches!(e, E::Index(_)));
    check(fails(&write("index.json", r#"{"manifests":[]}"#)), |e| matches!(e, E::Empty));
    check(fails(&|maker, image, _| fs::remove_file(maker.file(image)).unwrap()), |e| {
        matches!(e, E::MissingManifest { .. })
    });
    check(fails(&|maker, _, layer| fs::write(maker.file(layer), b"longer").unwrap()), |e| {
        matches!(e, E::Size { expected: 5, found: 6, .. })
    });
    check(fails(&|maker, _, layer| fs::write(maker.file(layer), b"other").unwrap()), |e| {
        matches!(e, E::Source(SourceError::DigestMismatch(_)))
    });
    check(
        fails(&|maker, image, _| {
            let text = fs::read_to_string(maker.file(image)).unwrap();
            fs::write(maker.file(image), text.replace("schemaVersion\":2", "schemaVersion\":3")).unwrap();
        }),
        |e| matches!(e, E::Source(SourceError::DigestMismatch(_))),
    );
}

#[test]
fn blobs_that_are_not_there_are_named_and_are_the_registrys_to_have() {
    let mut maker = Maker::new();
    let image = maker.image("linux", "amd64", &["base", "own"]);
    maker.tag(&image, "latest");
    let base = maker.blob(MediaType::OCI_LAYER_GZIP, b"base");
    fs::remove_file(maker.file(&base)).unwrap();
    let shallow = closure(&maker.open().unwrap()).unwrap();
    let missing: Vec<_> =
        shallow.missing.iter().map(|blob| (blob.descriptor.digest, blob.descriptor.size, blob.by)).collect();
    assert_eq!((missing, shallow.blobs.len()), (vec![(digest(&base), 4, digest(&image))], 2));
    fs::create_dir(maker.file(&base)).unwrap();
    assert_eq!(closure(&maker.open().unwrap()).unwrap().missing.len(), 1, "a folder is no blob");
}

#[test]
fn manifests_that_are_not_there_are_named_and_are_the_registrys_to_have() {
    let (maker, [amd, arm, index]) = two_platforms();
    fs::remove_file(maker.file(&arm)).unwrap();
    let layout = maker.open().unwrap();
    let shallow = closure(&layout).unwrap();
    let [missing] = shallow.missing_manifests.as_slice() else { panic!("{:?}", shallow.missing_manifests) };
    assert_eq!((missing.descriptor.digest, missing.by), (digest(&arm), digest(&index)));
    assert_eq!(missing.others.iter().map(ToString::to_string).collect::<Vec<_>>(), ["linux/amd64"]);
    assert_eq!((shallow.manifests.len(), shallow.blobs.len()), (2, 3), "the index, and all of the other image");
    let select = |os, architecture| layout.select(&Selection::Only, Some(&platform(os, architecture, None)));
    assert_eq!(select("linux", "amd64").unwrap().digest, digest(&amd));
    let gone = layout.closure(&select("linux", "arm64").unwrap()).unwrap_err().to_string();
    let expected = "for linux/arm64/v8, which the layout's index names: choose a platform that is there: linux/amd64";
    assert!(gone.ends_with(expected), "{gone}");
    let s390x = select("linux", "s390x").unwrap_err().to_string();
    assert!(s390x.ends_with("there is linux/amd64, linux/arm64/v8"), "{s390x}");
    // What is meant itself cannot be had elsewhere: nobody knows its bytes.
    fs::remove_file(maker.file(&index)).unwrap();
    let error = closure(&layout).unwrap_err();
    assert!(matches!(error, LayoutError::MissingManifest { .. }), "{error}");
}

/// Something that is wrong with another image of a layout.
struct Damage {
    /// What that image is called.
    name: &'static str,
    /// What the warning says.
    warning: &'static str,
    damage: fn(&mut Maker, &Value),
}

const DAMAGES: [Damage; 4] = [
    Damage { name: "bad", warning: "has 1 bytes, not ", damage: |maker, bad| fs::write(maker.file(bad), "x").unwrap() },
    Damage {
        name: "bad",
        warning: "the blob is damaged",
        damage: |maker, bad| {
            let text = fs::read_to_string(maker.file(bad)).unwrap();
            fs::write(maker.file(bad), text.replace("Version\":2", "Version\":3")).unwrap();
        },
    },
    Damage {
        name: "odd",
        warning: "is malformed",
        damage: |maker, _| {
            let odd = maker.json(MediaType::OCI_MANIFEST, &json!({"config": {"digest": "sha256:0", "size": -1}}));
            maker.tag(&odd, "odd");
        },
    },
    Damage {
        name: "odd",
        warning: "entry 3 of index.json (odd) is malformed",
        damage: |maker, _| {
            maker.entries(&[json!({"size": "large", "annotations": {"org.opencontainers.image.ref.name": "odd"}})]);
        },
    },
];

/// Only what was asked for must be whole.
#[test]
fn a_damaged_neighbour_is_a_warning() {
    for Damage { name, warning, damage } in DAMAGES {
        let mut maker = Maker::new();
        let (good, bad) = (maker.image("linux", "amd64", &["good"]), maker.image("linux", "amd64", &["bad"]));
        maker.tag(&good, "good");
        maker.tag(&bad, "bad");
        damage(&mut maker, &bad);
        let layout = maker.open().unwrap();
        assert_eq!(select(&layout, "good").unwrap(), digest(&good));
        let closure = layout.select(&Selection::Digest(digest(&good)), None).and_then(|root| layout.closure(&root));
        let closure = closure.unwrap();
        assert_eq!((closure.manifests.len(), closure.blobs.len()), (1, 2));
        assert!(matches!(closure.warnings.as_slice(), [one] if one.contains(warning)), "{:?}", closure.warnings);
        // It is refused where it is what was asked for.
        let asked = layout.select(&Selection::Name(name.to_owned()), None).and_then(|root| layout.closure(&root));
        let error = asked.unwrap_err();
        assert!(!matches!(error, LayoutError::NoSuch { .. }), "{error}");
    }
}

#[test]
fn an_entry_that_has_no_name_is_known_by_its_place() {
    let mut maker = Maker::new();
    let image = maker.image("linux", "amd64", &["x"]);
    maker.entries(&[json!({"digest": "sha256:0", "size": -1})]);
    let error = closure(&maker.open().unwrap()).unwrap_err().to_string();
    assert!(error.starts_with("entry 1 of index.json is malformed: "), "{error}");
    maker.tag(&image, "v1");
    let warnings = closure(&maker.open().unwrap()).unwrap().warnings;
    assert!(warnings[0].starts_with("entry 1 of index.json is malformed: "), "{warnings:?}");
}

#[test]
fn a_layout_without_its_marker_is_read_as_other_tools_read_it() {
    let mut maker = Maker::new();
    let image = maker.image("linux", "amd64", &["x"]);
    maker.tag(&image, "v1");
    fs::remove_file(maker.path().join("oci-layout")).unwrap();
    let warning = |maker: &Maker| closure(&maker.open().unwrap()).unwrap().warnings.join("");
    assert!(warning(&maker).contains("no oci-layout file"), "{}", warning(&maker));
    for (marker, expected) in [
        ("", "is malformed"),
        ("{}", "is malformed"),
        (r#"{"imageLayoutVersion":null}"#, "is malformed"),
        (r#"{"imageLayoutVersion":"2.0.0"}"#, "has the version \"2.0.0\", and only 1.x is known"),
        (r#"{"imageLayoutVersion":"1.1.0","unknown":null}"#, ""),
    ] {
        maker.write("oci-layout", marker.as_bytes());
        assert!(warning(&maker).contains(expected), "{marker}: {}", warning(&maker));
    }
    assert!(warning(&maker).is_empty());
}

#[test]
fn a_layer_that_may_not_be_pushed_may_be_absent() {
    let mut maker = Maker::new();
    let config = maker.json(MediaType::OCI_CONFIG, &json!({}));
    let foreign = json!({"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "digest": Digest::of(Algorithm::Sha256, b"windows"), "size": 7});
    let image =
        maker.json(MediaType::OCI_MANIFEST, &json!({"schemaVersion": 2, "config": config, "layers": [foreign]}));
    maker.tag(&image, "latest");
    let absent = closure(&maker.open().unwrap()).unwrap();
    assert_eq!((absent.blobs.len(), absent.missing.len(), absent.nondistributable.len()), (1, 0, 1));
    maker.blob("application/octet-stream", b"windows");
    let present = closure(&maker.open().unwrap()).unwrap();
    assert_eq!((present.blobs.len(), present.missing.len(), present.nondistributable.len()), (2, 0, 1));
}

#[test]
fn bounds_hold() {
    let nested = |depth: usize| {
        let mut maker = Maker::new();
        let mut inner = maker.image("linux", "amd64", &["x"]);
        for _ in 0..depth {
            inner = maker.index(&[inner]);
        }
        maker.tag(&inner, "deep");
        closure(&maker.open().unwrap()).map(|closure| closure.manifests.len())
    };
    assert_eq!(nested(MAX_DEPTH).unwrap(), MAX_DEPTH + 1);
    assert!(matches!(nested(MAX_DEPTH + 1), Err(LayoutError::TooMuch { .. })));

    let mut maker = Maker::new();
    let padding = " ".repeat(MAX_MANIFEST as usize);
    let large = maker.blob(MediaType::OCI_INDEX, format!(r#"{{"manifests":[]}}{padding}"#).as_bytes());
    maker.tag(&large, "large");
    assert!(matches!(closure(&maker.open().unwrap()), Err(LayoutError::TooMuch { .. })));
}

#[test]
fn a_link_out_of_the_layout_is_followed_where_that_is_allowed() {
    let mut maker = Maker::new();
    let outside = tempfile::NamedTempFile::new().unwrap();
    fs::write(outside.path(), b"layer").unwrap();
    let image = maker.image("linux", "amd64", &["layer"]);
    maker.tag(&image, "latest");
    let layer = maker.file(&maker.blob(MediaType::OCI_LAYER_GZIP, b"layer"));
    let elsewhere = maker.path().join("blobs/elsewhere");
    fs::rename(&layer, &elsewhere).unwrap();
    std::os::unix::fs::symlink("../elsewhere", &layer).unwrap();
    assert_eq!(closure(&maker.open().unwrap()).unwrap().blobs.len(), 2, "a link within the layout is followed");
    fs::remove_file(&layer).unwrap();
    std::os::unix::fs::symlink(outside.path(), &layer).unwrap();
    let error = closure(&maker.open().unwrap()).unwrap_err();
    assert!(matches!(error, LayoutError::Link { is_folder: true, .. }), "{error}");
    let followed = Layout::open_with(maker.path(), LayoutOptions::default().follow_links(true)).unwrap();
    let closure = closure(&followed).unwrap();
    assert_eq!(closure.blobs.len(), 2);
    // Whatever it leads to, only the bytes that the layout says are sent.
    fs::write(outside.path(), b"other").unwrap();
    let mut body = closure.blobs[1].source.rest(0).unwrap();
    assert!(matches!(body.next_piece(), Err(SourceError::DigestMismatch(_))));
}
