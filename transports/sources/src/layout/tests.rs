use std::fs;
use std::io::Read;
use std::path::PathBuf;

use longshore_core::Algorithm;
use longshore_core::content::Platform;
use serde_json::{Value, json};
use tar::EntryType;
use tempfile::TempDir;

use super::*;
use crate::source::SourceError;

/// A layout in the making.
struct Maker {
    folder: TempDir,
    entries: Vec<Value>,
}

impl Maker {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("blobs/sha256")).unwrap();
        let maker = Self { folder, entries: Vec::new() };
        maker.write("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
        maker.write("index.json", br#"{"schemaVersion":2,"manifests":[]}"#);
        maker
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path().join(name), bytes).unwrap();
    }

    fn file(&self, descriptor: &Value) -> PathBuf {
        self.path().join(format!("blobs/{}", descriptor["digest"].as_str().unwrap().replace(':', "/")))
    }

    /// Stores a blob and gives its descriptor.
    fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let descriptor =
            json!({"mediaType": media_type, "digest": Digest::of(Algorithm::Sha256, bytes), "size": bytes.len()});
        fs::write(self.file(&descriptor), bytes).unwrap();
        descriptor
    }

    fn json(&self, media_type: &str, document: &Value) -> Value {
        self.blob(media_type, document.to_string().as_bytes())
    }

    fn image(&self, os: &str, architecture: &str, layers: &[&str]) -> Value {
        let config = self.json(MediaType::OCI_CONFIG, &json!({"os": os, "architecture": architecture}));
        let layers: Vec<_> = layers.iter().map(|it| self.blob(MediaType::OCI_LAYER_GZIP, it.as_bytes())).collect();
        let image = json!({"schemaVersion": 2, "config": config, "layers": layers});
        self.json(MediaType::OCI_MANIFEST, &image)
    }

    fn artifact(&self, subject: &Value, content: &str) -> Value {
        let empty = self.blob(MediaType::OCI_EMPTY, b"{}");
        let layer = self.blob("application/spdx+json", content.as_bytes());
        let artifact = json!({"schemaVersion": 2, "artifactType": "application/spdx+json", "config": empty, "layers": [layer], "subject": subject});
        self.json(MediaType::OCI_MANIFEST, &artifact)
    }

    fn index(&self, entries: &[Value]) -> Value {
        self.json(MediaType::OCI_INDEX, &json!({"schemaVersion": 2, "manifests": entries}))
    }

    /// Names a manifest in `index.json`.
    fn name(&mut self, descriptor: &Value, annotations: Value) {
        let mut entry = descriptor.clone();
        entry["annotations"] = annotations;
        self.entries.push(entry);
        let index = json!({"schemaVersion": 2, "manifests": self.entries});
        self.write("index.json", index.to_string().as_bytes());
    }

    fn tag(&mut self, descriptor: &Value, tag: &str) {
        self.name(descriptor, json!({"org.opencontainers.image.ref.name": tag}));
    }

    fn open(&self) -> Result<Layout, LayoutError> {
        Layout::open(self.path())
    }

    /// The same layout as a tar, with `prefix` before every name.
    fn tar(&self, prefix: &str) -> PathBuf {
        let path = self.path().join("layout.tar");
        let mut tar = tar::Builder::new(fs::File::create(&path).unwrap());
        append(&mut tar, &format!("{prefix}manifest.json"), b"[]");
        let blobs = fs::read_dir(self.path().join("blobs/sha256")).unwrap();
        let blobs = blobs.map(|entry| format!("blobs/sha256/{}", entry.unwrap().file_name().display()));
        for name in blobs.chain(["index.json".to_owned(), "oci-layout".to_owned()]) {
            append(&mut tar, &format!("{prefix}{name}"), &fs::read(self.path().join(&name)).unwrap());
        }
        tar.finish().unwrap();
        path
    }
}

/// Names of any kind, as no well-behaved writer makes them.
fn append(tar: &mut tar::Builder<fs::File>, name: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(bytes.len() as u64);
    header.set_cksum();
    tar.append(&header, bytes).unwrap();
}

fn with(descriptor: &Value, key: &str, value: Value) -> Value {
    let mut descriptor = descriptor.clone();
    descriptor[key] = value;
    descriptor
}

fn platform(os: &str, architecture: &str, variant: Option<&str>) -> Platform {
    Platform::new(os, architecture, variant.map(str::to_owned))
}

fn digest(descriptor: &Value) -> Digest {
    descriptor["digest"].as_str().unwrap().parse().unwrap()
}

fn closure(layout: &Layout) -> Result<Closure, LayoutError> {
    layout.closure(&layout.select(&Selection::Only, None)?)
}

/// An index of two images that share a layer, with a name.
fn two_platforms() -> (Maker, [Value; 3]) {
    let mut maker = Maker::new();
    let amd = maker.image("linux", "amd64", &["base", "amd"]);
    let arm = maker.image("linux", "arm64", &["base", "arm"]);
    let index = maker.index(&[
        with(&amd, "platform", json!({"os": "linux", "architecture": "amd64"})),
        with(&arm, "platform", json!({"os": "linux", "architecture": "arm64", "variant": "v8"})),
    ]);
    maker.tag(&index, "v1");
    (maker, [amd, arm, index])
}

#[test]
fn a_folder_and_its_tar_are_the_same() {
    let (maker, [amd, arm, index]) = two_platforms();
    let tars = [maker.tar(""), maker.tar("./")];
    for path in [maker.path().to_owned()].into_iter().chain(tars) {
        let layout = Layout::open(&path).unwrap();
        assert_eq!(layout.names(), ["v1"]);
        let closure = closure(&layout).unwrap();
        assert_eq!(closure.root.digest, digest(&index));
        let order: Vec<_> = closure.manifests.iter().map(Manifest::digest).collect();
        assert_eq!(order, [digest(&amd), digest(&arm), digest(&index)], "children before parents");
        assert_eq!(closure.blobs.len(), 5, "two configs, two layers and one that is shared");
        let sources = closure.sources();
        for blob in &closure.blobs {
            let mut bytes = Vec::new();
            sources.rest(&blob.descriptor.digest, 0).unwrap().read_to_end(&mut bytes).unwrap();
            assert!(blob.descriptor.digest.matches(&bytes));
        }
    }
}

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
        Err(LayoutError::Platform { ambiguous: false, .. })
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
    assert!(error.to_string().ends_with("choose one by name or digest: a, docker.io/library/b:v2, v2"), "{error}");
    for (name, expected) in
        [("a", &a), ("v2", &b), ("docker.io/library/b:v2", &b), ("b:v2", &b), ("index.docker.io/b:v2", &b)]
    {
        assert_eq!(layout.select(&Selection::Name(name.to_owned()), None).unwrap().digest, digest(expected), "{name}");
    }
    assert_eq!(layout.select(&Selection::Digest(digest(&b)), None).unwrap().digest, digest(&b));
    for absent in [Selection::Name("b".to_owned()), Selection::Digest(Digest::of(Algorithm::Sha256, b"absent"))] {
        let error = layout.select(&absent, None).unwrap_err();
        assert!(matches!(&error, LayoutError::NoSuch { names, .. } if names.len() == 4), "{error}");
    }
    let error =
        layout.closure(&Descriptor::new(MediaType::oci_manifest(), Digest::of(Algorithm::Sha256, b"absent"), 1));
    assert!(matches!(error, Err(LayoutError::MissingManifest { .. })));
}

/// An SBOM or signature belongs to what it refers to: a push of the image takes it along, after its subject.
#[test]
fn referrers_go_with_their_subject() {
    let mut maker = Maker::new();
    let image = maker.image("linux", "amd64", &["x"]);
    let sbom = maker.artifact(&image, "sbom");
    let signature = maker.artifact(&sbom, "signature of the sbom");
    maker.tag(&signature, "signature");
    maker.tag(&sbom, "sbom");
    maker.tag(&image, "latest");
    let layout = maker.open().unwrap();
    let whole = closure(&layout).unwrap();
    assert_eq!(whole.root.digest, digest(&image));
    let order: Vec<_> = whole.manifests.iter().map(Manifest::digest).collect();
    assert_eq!(order, [digest(&image), digest(&sbom), digest(&signature)]);
    // The one that was chosen does not pull in what it refers to.
    let chosen = layout.select(&Selection::Name("sbom".to_owned()), None).unwrap();
    let order: Vec<_> = layout.closure(&chosen).unwrap().manifests.iter().map(Manifest::digest).collect();
    assert_eq!(order, [digest(&sbom), digest(&signature)]);
}

#[test]
fn referrers_are_found_in_a_list_under_the_fallback_tag() {
    let mut maker = Maker::new();
    let image = maker.image("linux", "amd64", &["x"]);
    let sbom = maker.artifact(&image, "sbom");
    let list = maker.index(std::slice::from_ref(&sbom));
    maker.tag(&image, "latest");
    maker.tag(&list, &longshore_core::Tag::of_referrers(&digest(&image)).to_string());
    let closure = closure(&maker.open().unwrap()).unwrap();
    let order: Vec<_> = closure.manifests.iter().map(Manifest::digest).collect();
    assert_eq!(order, [digest(&image), digest(&sbom)], "the list itself is the registry's business");
}

/// `docker save` writes the whole index and the images of one platform.
#[test]
fn an_index_whose_images_are_not_all_there_says_which_are() {
    let (maker, [amd, arm, _]) = two_platforms();
    fs::remove_file(maker.file(&arm)).unwrap();
    let layout = maker.open().unwrap();
    let error = closure(&layout).unwrap_err().to_string();
    assert!(error.contains(&format!("lacks the manifest {} for linux/arm64/v8", digest(&arm))), "{error}");
    assert!(error.ends_with("choose a platform that is there: linux/amd64"), "{error}");
    let root = layout.select(&Selection::Only, Some(&platform("linux", "amd64", None))).unwrap();
    assert_eq!(layout.closure(&root).unwrap().manifests[0].digest(), digest(&amd));
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

    check(fails(&remove("oci-layout")), |e| matches!(e, E::NotALayout { missing: "oci-layout file", .. }));
    check(fails(&remove("index.json")), |e| matches!(e, E::NotALayout { missing: "index.json", .. }));
    check(fails(&write("oci-layout", "{}")), |e| matches!(e, E::Marker(_)));
    check(
        fails(&write("oci-layout", r#"{"imageLayoutVersion":"2.0.0"}"#)),
        |e| matches!(e, E::Version(v) if v == "2.0.0"),
    );
    check(fails(&write("index.json", "[]")), |e| matches!(e, E::Index(_)));
    check(fails(&write("index.json", r#"{"manifests":[],"manifests":[]}"#)), |e| matches!(e, E::Index(_)));
    check(fails(&write("index.json", r#"{"manifests":[]}"#)), |e| matches!(e, E::Empty));
    check(fails(&|maker, image, _| fs::remove_file(maker.file(image)).unwrap()), |e| {
        matches!(e, E::MissingManifest { .. })
    });
    check(fails(&|maker, _, layer| fs::remove_file(maker.file(layer)).unwrap()), |e| {
        matches!(e, E::MissingBlob { .. })
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
    check(
        fails(&|maker, _, layer| {
            fs::remove_file(maker.file(layer)).unwrap();
            fs::create_dir(maker.file(layer)).unwrap();
        }),
        |e| matches!(e, E::MissingBlob { .. }),
    );
}

#[test]
fn a_layer_that_may_not_be_pushed_may_be_absent() {
    let mut maker = Maker::new();
    let config = maker.json(MediaType::OCI_CONFIG, &json!({}));
    let foreign = json!({"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "digest": Digest::of(Algorithm::Sha256, b"windows"), "size": 7});
    let image =
        maker.json(MediaType::OCI_MANIFEST, &json!({"schemaVersion": 2, "config": config, "layers": [foreign]}));
    maker.tag(&image, "latest");
    assert_eq!(closure(&maker.open().unwrap()).unwrap().blobs.len(), 1);
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
fn a_link_out_of_the_layout_is_refused() {
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
    assert!(matches!(closure(&maker.open().unwrap()), Err(LayoutError::Link { .. })));
}

#[test]
fn other_files_are_not_layouts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let open = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        Layout::open(&path).unwrap_err()
    };
    assert!(matches!(Layout::open(folder.path().join("gone")), Err(LayoutError::NotFound { .. })));
    assert!(matches!(Layout::open(folder.path()), Err(LayoutError::NotALayout { .. })));
    assert!(matches!(open(b""), LayoutError::NotALayout { .. }));
    assert!(matches!(open(&[b'x'; 2000]), LayoutError::NotATar { entry: 1, .. }));
    for (magic, remedy) in
        [(b"\x1f\x8b\x08\0\0\0", "gunzip"), (b"\x28\xb5\x2f\xfd\0\0", "unzstd"), (b"\xfd7zXZ\0", "unxz")]
    {
        let error = open(magic).to_string();
        assert!(error.ends_with(&format!("is compressed: unpack it first with {remedy}")), "{error}");
    }
}

#[test]
fn tars_that_lie_are_refused() {
    let (maker, _) = two_platforms();
    let whole = fs::read(maker.tar("")).unwrap();
    let path = maker.path().join("other.tar");
    let made = |entries: &[(&str, &[u8])]| {
        let mut tar = tar::Builder::new(fs::File::create(&path).unwrap());
        entries.iter().for_each(|(name, bytes)| append(&mut tar, name, bytes));
        tar.finish().unwrap();
        Layout::open(&path).unwrap_err()
    };
    for name in ["../oci-layout", "blobs/../../x", "/etc/passwd", "a/.."] {
        assert!(matches!(made(&[(name, b"")]), LayoutError::UnsafeName { .. }), "{name}");
    }
    assert!(matches!(made(&[("manifest.json", b"[]"), ("repositories", b"{}")]), LayoutError::DockerArchive { .. }));
    assert!(matches!(made(&[("readme", b"hello")]), LayoutError::NotALayout { .. }));

    let mut tar = tar::Builder::new(fs::File::create(&path).unwrap());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(EntryType::Symlink);
    header.set_size(0);
    tar.append_link(&mut header, "oci-layout", "/etc/hostname").unwrap();
    tar.finish().unwrap();
    assert!(matches!(Layout::open(&path), Err(LayoutError::Link { .. })));

    fs::write(&path, &whole[..whole.len() - 1024 - 500]).unwrap();
    let error = Layout::open(&path).unwrap_err();
    assert!(matches!(&error, LayoutError::Truncated { name, .. } if name == "oci-layout"), "{error}");

    // Cut anywhere, a tar is refused or what is missing is named; it never reads as a whole one.
    for len in (0..=whole.len() - 1024 - 1024).step_by(512) {
        fs::write(&path, &whole[..len]).unwrap();
        assert!(Layout::open(&path).is_err(), "oci-layout stands at the end");
        fs::write(&path, &whole[..len + 100]).unwrap();
        assert!(Layout::open(&path).is_err());
    }
}
