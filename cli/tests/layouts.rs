//! `longshore push` with what people really have: odd documents, damaged neighbours, shallow layouts, tars of all kinds.

mod common;

use std::fs;
use std::process::Output;

use common::raw::{RawLayout, digest, read, with};
use common::{Mock, command, refused, run, run_with_bytes};
use longshore_core::MediaType;
use serde_json::{Value, json};

fn linux() -> Value {
    json!({"os": "linux", "architecture": "amd64"})
}

/// Standard output and standard error of what must succeed.
fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{err}");
    (out, err)
}

fn push(source: &str, reference: &str, more: &[&str]) -> (String, String) {
    said(&run(&[&["push", source, reference], more].concat()))
}

/// Whether what the registry serves under a name is these bytes.
fn assert_stored(mock: &Mock, name: &str, bytes: &[u8]) {
    assert_eq!(mock.get(&format!("/v2/{name}")), bytes, "{name}");
}

#[test]
fn documents_that_other_tools_read_are_pushed_with_their_bytes_unchanged() {
    let mock = Mock::start(&[]);
    let odd: [fn(&mut Value, &mut Value); 7] = [
        |_, entry| entry["annotations"] = json!(null),
        |_, entry| drop(entry.as_object_mut().unwrap().remove("mediaType")),
        |_, entry| entry["platform"] = json!({"architecture": "arm64"}),
        |image, _| image["layers"][0]["mediaType"] = json!(""),
        |image, _| image["layers"][0]["urls"] = json!(null),
        |image, _| image["annotations"] = json!({"Name": "demo", "OS": "linux", "Size": "12", "org.example.Tag": "x"}),
        |image, _| image["unknown"] = json!({"Digest": 1}),
    ];
    for (number, change) in odd.iter().enumerate() {
        let mut layout = RawLayout::new();
        let config = layout.json(MediaType::OCI_CONFIG, &linux());
        let layer = layout.blob(MediaType::OCI_LAYER_GZIP, b"layer");
        let mut image = json!({"schemaVersion": 2, "config": config, "layers": [layer]});
        change(&mut image, &mut json!({}));
        let mut entry = layout.json(MediaType::OCI_MANIFEST, &image);
        change(&mut json!({"layers": [{}]}), &mut entry);
        layout.entry(entry);
        let (printed, warned) =
            push(layout.path(), &mock.reference(&format!("odd{number}:v1")), &["--progress", "none"]);
        assert_eq!(warned, "", "case {number}");
        assert!(printed.contains("blobs: 2 sent"), "case {number}: {printed}");
        assert_stored(&mock, &format!("odd{number}/manifests/v1"), image.to_string().as_bytes());
    }
    let mut layout = RawLayout::new();
    let image = layout.image(&linux(), &[]);
    layout.entry(image.clone());
    let list = json!({"schemaVersion": 2, "mediaType": MediaType::DOCKER_LIST, "manifests": [image]});
    layout.write_index(&list);
    push(layout.path(), &mock.reference("list:v1"), &[]);
}

#[test]
fn a_damaged_neighbour_is_a_warning_and_an_odd_one_is_nothing() {
    let mock = Mock::start(&[]);
    let mut layout = RawLayout::new();
    let (good, bad) = (layout.image(&linux(), &["good"]), layout.image(&linux(), &["bad"]));
    let config = json!({"mediaType": "", "digest": format!("sha256:{}", "0".repeat(64)), "size": 0});
    let odd = layout.json(MediaType::OCI_MANIFEST, &json!({"schemaVersion": 2, "config": config, "layers": []}));
    layout.tag(&good, "good");
    layout.tag(&odd, "odd");
    let named = format!("{}:good", layout.path());
    assert_eq!(push(&named, &mock.reference("a:v1"), &["--progress", "none"]).1, "");
    layout.tag(&bad, "bad");
    fs::write(layout.file(&bad), "{").unwrap();
    let (_, warned) = push(&named, &mock.reference("b:v1"), &["--progress", "none"]);
    assert!(warned.starts_with("warning: index.json names bad too, which cannot be read: "), "{warned}");
    assert_eq!(warned.lines().count(), 1);
    let error = refused(1, &["push", &format!("{}:bad", layout.path()), &mock.reference("c:v1")]);
    assert!(error.ends_with("the layout is damaged"), "{error}");
}

#[test]
fn a_platform_is_found_wherever_it_is_said() {
    let mock = Mock::start(&[]);
    let mut layout = RawLayout::new();
    let windows = |version: &str| {
        let platform = json!({"os": "windows", "architecture": "amd64", "os.version": version});
        with(&layout.image(&linux(), &[version]), "platform", platform)
    };
    let (old, new) = (windows("10.0.17763.4974"), windows("10.0.20348.2031"));
    let arm = layout.image(&json!({"os": "linux", "architecture": "arm64"}), &["arm"]);
    let inner = layout.index(&[arm.clone(), old, new.clone()]);
    let bundle = layout.index(&[inner]);
    layout.tag(&bundle, "bundle");
    let push = |platform: &str| push(layout.path(), &mock.reference("a:v1"), &["--platform", platform]).0;
    assert!(push("linux/arm64").starts_with(digest(&arm)));
    assert!(push("windows/amd64:10.0.20348").starts_with(digest(&new)));
    let error = refused(1, &["push", layout.path(), &mock.reference("a:v1"), "--platform", "windows/amd64"]);
    assert!(error.ends_with("windows/amd64:10.0.17763.4974, windows/amd64:10.0.20348.2031"), "{error}");
}

#[test]
fn blobs_that_the_layout_lacks_are_the_registrys_to_have() {
    let mock = Mock::start(&[]);
    let mut base = RawLayout::new();
    let image = base.image(&linux(), &["base"]);
    base.entry(image);
    let mut layout = RawLayout::new();
    let image = layout.image(&linux(), &["base", "own"]);
    layout.entry(image.clone());
    let lacking = layout.blob(MediaType::OCI_LAYER_GZIP, b"base");
    fs::remove_file(layout.file(&lacking)).unwrap();
    let error = refused(1, &["push", layout.path(), &mock.reference("a:v1")]);
    let expected = format!(
        "neither the layout nor {} has the blob {} (4 B), which {} refers to: push from a layout that has it, or name a repository of this registry that has it with --mount-from",
        mock.reference("a"),
        digest(&lacking),
        digest(&image)
    );
    assert_eq!(error, expected);
    assert_eq!(mock.status("/v2/a/manifests/v1"), 404);
    push(base.path(), &mock.reference("base:v1"), &[]);
    push(layout.path(), &mock.reference("a:v1"), &["--mount-from", "base"]);
    push(base.path(), &mock.reference("b:base"), &[]);
    push(layout.path(), &mock.reference("b:v1"), &[]);
    for repository in ["a", "b"] {
        assert_stored(&mock, &format!("{repository}/blobs/{}", digest(&lacking)), b"base");
        assert_eq!(mock.status(&format!("/v2/{repository}/manifests/v1")), 200);
    }
}

#[test]
fn layers_that_may_not_be_distributed_are_left_out_with_a_word_or_sent_with_a_flag() {
    let mock = Mock::start(&[]);
    let mut layout = RawLayout::new();
    let config = layout.json(MediaType::OCI_CONFIG, &linux());
    let foreign = layout.blob("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", b"windows");
    let foreign = with(&foreign, "urls", json!(["https://mirror.example/layer"]));
    let image = json!({"schemaVersion": 2, "config": config, "layers": [foreign]});
    let image = layout.json(MediaType::OCI_MANIFEST, &image);
    layout.entry(image);
    let blob = |repository: &str| mock.status(&format!("/v2/{repository}/blobs/{}", digest(&foreign)));
    let (_, left) = push(layout.path(), &mock.reference("a:v1"), &["--progress", "none"]);
    let short = digest(&foreign).get(..19).unwrap();
    let expected = format!(
        "left out: 1 layer whose maker forbids to distribute it: {short} (7 B); --push-nondistributable sends it\n"
    );
    assert_eq!((left, blob("a")), (expected, 404));
    let flags = ["--push-nondistributable", "--progress", "none"];
    let (_, left) = push(layout.path(), &mock.reference("b:v1"), &flags);
    assert_eq!((left.as_str(), blob("b")), ("", 200));
}

#[test]
fn signatures_come_along_where_that_was_asked_for_and_are_named_where_not() {
    let mock = Mock::start(&[]);
    for by_annotation in [false, true] {
        let mut layout = RawLayout::new();
        let (image, signature) = (layout.image(&linux(), &["x"]), layout.image(&json!({}), &["signature"]));
        let sbom = layout.blob("application/spdx+json", b"{}");
        let sbom = json!({"schemaVersion": 2, "artifactType": "application/spdx+json", "config": sbom, "layers": [], "subject": image});
        let sbom = layout.json(MediaType::OCI_MANIFEST, &sbom);
        let tag = format!("{}.sig", digest(&image).replace(':', "-"));
        if by_annotation {
            let kind = |of: &Value, kind: &str| {
                with(of, "annotations", json!({"kind": format!("dev.cosignproject.cosign/{kind}")}))
            };
            layout.entry(kind(&image, "image"));
            layout.entry(kind(&signature, "sigs"));
        } else {
            layout.tag(&image, "v1");
            layout.tag(&signature, &tag);
        }
        layout.entry(sbom.clone());
        let reference = mock.reference(&format!("by-annotation-{by_annotation}:v1"));
        let (printed, left) = push(layout.path(), &reference, &["--progress", "none"]);
        assert!(printed.starts_with(digest(&image)), "{printed}");
        let short = digest(&sbom).get(..19).unwrap();
        let expected = format!(
            "left behind: application/spdx+json ({short}), {tag}, which refer to the image; --with-referrers takes them along\n"
        );
        assert_eq!(left, expected);
        let name = |name: &str| mock.status(&format!("/v2/by-annotation-{by_annotation}/manifests/{name}"));
        assert_eq!((name(&tag), name(digest(&sbom))), (404, 404));
        let (printed, left) = push(layout.path(), &reference, &["--with-referrers", "--progress", "none"]);
        assert!(
            printed.ends_with(&format!("and what refers to it: :{tag}, application/spdx+json ({short})\n")),
            "{printed}"
        );
        assert_eq!((left.as_str(), name(&tag), name(digest(&sbom))), ("", 200, 200));
    }
}

#[test]
fn an_attestation_that_only_the_index_refers_to_is_named() {
    let mock = Mock::start(&[]);
    let mut layout = RawLayout::new();
    let image = with(&layout.image(&linux(), &["x"]), "platform", linux());
    let unknown = json!({"os": "unknown", "architecture": "unknown"});
    let attestation = with(&layout.image(&unknown, &["provenance"]), "platform", unknown);
    let about = json!({"vnd.docker.reference.digest": digest(&image)});
    let attestation = with(&attestation, "annotations", about);
    let index = layout.index(&[image, attestation.clone()]);
    layout.tag(&index, "v1");
    let short = digest(&attestation).get(..19).unwrap();
    let expected = format!(
        "left behind: 1 attestation of BuildKit about the image ({short}); only the image's index refers to it: to take it along, push the index\n"
    );
    for more in [&[][..], &["--with-referrers"]] {
        let flags = [&["--platform", "linux/amd64", "--progress", "none"], more].concat();
        assert_eq!(push(layout.path(), &mock.reference("a:v1"), &flags).1, expected);
    }
    assert_eq!(push(layout.path(), &mock.reference("a:v1"), &["--progress", "none"]).1, "");
}

#[test]
fn what_is_no_manifest_is_named_with_its_type() {
    let mut layout = RawLayout::new();
    let odd = layout.json("application/vnd.cncf.oras.artifact.manifest.v1+json", &json!({"blobs": []}));
    layout.tag(&odd, "v1");
    let error = refused(1, &["push", layout.path(), "localhost:1/a"]);
    assert!(error.starts_with("v1 is not an image, an index or an artifact that is known here"), "{error}");
    assert!(error.ends_with("its type is application/vnd.cncf.oras.artifact.manifest.v1+json"), "{error}");
}

#[test]
fn a_message_about_thousands_of_images_fits_on_a_screen() {
    let layout = RawLayout::new();
    let image = layout.image(&linux(), &["x"]);
    let named = |number: usize| {
        let entry = with(&image, "digest", json!(format!("sha256:{number:064x}")));
        with(&entry, "annotations", json!({"org.opencontainers.image.ref.name": format!("build-{number}")}))
    };
    layout.write_index(&json!({"schemaVersion": 2, "manifests": (0..16_000).map(named).collect::<Vec<_>>()}));
    for source in [layout.path().to_owned(), format!("{}:gone", layout.path())] {
        let output = run(&["push", &source, "localhost:1/a"]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(error.lines().count() <= 20 && error.ends_with("and 15985 more\n"), "{error}");
    }
}

#[test]
fn a_tar_comes_through_a_pipe_or_compressed() {
    let mock = Mock::start(&[]);
    let mut layout = RawLayout::new();
    let image = layout.image(&linux(), &["x"]);
    layout.entry(image.clone());
    let tar = layout.tar();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &tar).unwrap();
    let gzip = gzip.finish().unwrap();
    for (number, (source, bytes)) in [("-", &tar), ("-", &gzip), ("/dev/stdin", &tar)].into_iter().enumerate() {
        let reference = mock.reference(&format!("pipe{number}:v1"));
        let (printed, noted) = said(&run_with_bytes(command(&["push", source, &reference]), bytes));
        assert!(printed.starts_with(digest(&image)), "{printed}");
        assert!(noted.contains("temporary file"), "people are told: {noted}");
    }
    let file = layout.file(&image).with_file_name("layout.tar.gz");
    fs::write(&file, &gzip).unwrap();
    let (_, noted) = push(file.to_str().unwrap(), &mock.reference("gz:v1"), &[]);
    assert!(noted.contains("layout.tar.gz was copied, unpacked, into a temporary file"), "{noted}");
    assert_stored(&mock, "gz/manifests/v1", &read(&layout.file(&image)));

    let nothing = run_with_bytes(command(&["push", "-", &mock.reference("a:v1")]), b"");
    assert_eq!(common::sentence(1, &nothing), "standard input is empty: a tar of an image was expected");
    let twice = ["push", "-", "localhost:1/a", "--username", "me", "--password-stdin"];
    assert!(refused(2, &twice).contains("cannot be both"));
}

#[cfg(unix)]
#[test]
fn links_out_of_a_layout_are_followed_with_a_flag() {
    let mock = Mock::start(&[]);
    let mut layout = RawLayout::new();
    let image = layout.image(&linux(), &["x"]);
    layout.entry(image);
    let layer = layout.file(&layout.blob(MediaType::OCI_LAYER_GZIP, b"x"));
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("x");
    fs::rename(&layer, &target).unwrap();
    std::os::unix::fs::symlink(&target, &layer).unwrap();
    let error = refused(1, &["push", layout.path(), &mock.reference("a:v1")]);
    assert!(error.ends_with("(cp -rL); or --follow-links follows it"), "{error}");
    push(layout.path(), &mock.reference("a:v1"), &["--follow-links"]);
}

#[test]
fn an_image_that_lost_a_layer_is_repaired_where_that_is_asked_for() {
    let mock = Mock::start(&[]);
    let mut layout = RawLayout::new();
    let image = layout.image(&linux(), &["a", "b"]);
    layout.entry(image);
    let layer = layout.blob(MediaType::OCI_LAYER_GZIP, b"b");
    let reference = mock.reference("a:v1");
    push(layout.path(), &reference, &[]);
    let blob = format!("/v2/a/blobs/{}", digest(&layer));
    assert_eq!(mock.request("DELETE", &blob), 202);
    let (printed, _) = push(layout.path(), &reference, &[]);
    assert!(printed.contains("blobs: 3 there already (not asked about; --recheck asks)"), "{printed}");
    assert_eq!(mock.status(&blob), 404, "one request was sent, and no more was asked for");
    let (printed, _) = push(layout.path(), &reference, &["--recheck"]);
    assert!(printed.contains("blobs: 1 sent, 2 there already\n"), "{printed}");
    assert_eq!(mock.status(&blob), 200);
}

#[test]
fn what_a_tag_like_it_has_is_not_sent() {
    let mock = Mock::start(&[]);
    let layers: Vec<String> = (0..20).map(|number| format!("layer {number}")).collect();
    let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
    for (tag, layers, more) in [("v1", &layers[..19], &[][..]), ("v2", &layers[..], &["--like", "v1"])] {
        let mut layout = RawLayout::new();
        let image = layout.image(&linux(), layers);
        layout.entry(image);
        let (printed, _) = push(layout.path(), &mock.reference(&format!("a:{tag}")), more);
        let expected = if tag == "v1" { "blobs: 20 sent\n" } else { "blobs: 1 sent, 20 there already" };
        assert!(printed.contains(expected), "{printed}");
    }
}

#[test]
fn annotations_of_an_artifact_may_have_any_key() {
    let mock = Mock::start(&[]);
    let mut layout = RawLayout::new();
    let image = layout.image(&linux(), &["x"]);
    layout.entry(image.clone());
    push(layout.path(), &mock.reference("a:v1"), &[]);
    let file = layout.file(&image);
    let file = file.to_str().unwrap();
    let subject = mock.reference("a:v1");
    let annotations = ["--annotation", "Name=x", "--annotation", "Digest=y"];
    said(&run(&[&["attach", &subject, file, "--artifact-type", "a/b"][..], &annotations].concat()));
}

/// A digest of another algorithm is not what a registry computes by itself.
#[test]
fn a_document_of_another_type_is_pushed_with_what_it_refers_to_or_not_at_all() {
    let mock = Mock::start(&[]);
    let mut layout = RawLayout::new();
    let blob = layout.blob(MediaType::OCTET_STREAM, b"content");
    let artifact = json!({"mediaType": MediaType::OCI_ARTIFACT, "artifactType": "a/b", "blobs": [blob]});
    let artifact = layout.json(MediaType::OCI_ARTIFACT, &artifact);
    layout.tag(&artifact, "v1");
    push(layout.path(), &mock.reference("artifact:v1"), &[]);
    assert_stored(&mock, &format!("artifact/blobs/{}", digest(&blob)), b"content");
    assert_stored(&mock, "artifact/manifests/v1", &read(&layout.file(&artifact)));

    let mut layout = RawLayout::new();
    let layers = json!([{"blobSum": digest(&layout.blob(MediaType::OCTET_STREAM, b"layer"))}]);
    let schema1 = json!({"schemaVersion": 1, "name": "library/x", "tag": "1", "fsLayers": layers, "signatures": []});
    let schema1 = layout.json(MediaType::DOCKER_SCHEMA1, &schema1);
    layout.tag(&schema1, "v1");
    let error = refused(1, &["push", layout.path(), &mock.reference("schema1:v1")]);
    assert!(error.contains("are not pushed; convert the image"), "{error}");
    assert_eq!(mock.status("/v2/schema1/tags/list"), 404, "nothing was sent");
}
