//! `longshore push` of what a layout has only in part, or names without having it.

mod common;

use std::fs;

use common::raw::{RawLayout, digest, with};
use common::{Mock, command, done, refused, run, run_with_bytes, sentence};
use longshore_core::MediaType;
use serde_json::{Value, json};

fn platform(architecture: &str) -> Value {
    json!({"os": "linux", "architecture": architecture})
}

/// An index of two images, and the second of them: `docker save` of the first platform writes the index, and not the second image.
fn index_of_two() -> (RawLayout, Value, Value) {
    let mut layout = RawLayout::new();
    let [here, gone] = ["amd64", "arm64"].map(|architecture| {
        let platform = platform(architecture);
        with(&layout.image(&platform, &[architecture]), "platform", platform)
    });
    let index = layout.index(&[here, gone.clone()]);
    layout.tag(&index, "v1");
    (layout, index, gone)
}

#[test]
fn images_of_an_index_that_the_layout_lacks_are_the_registrys_to_have() {
    let mock = Mock::start(&[]);
    let (layout, index, gone) = index_of_two();
    let index = digest(&index);
    let reference = mock.reference("a:v1");
    done(&["push", layout.path(), &reference, "--progress", "none"]);
    assert_eq!(mock.request("DELETE", &format!("/v2/a/manifests/{index}")), 202);
    fs::remove_file(layout.file(&gone)).unwrap();
    let said = done(&["push", layout.path(), &reference, "--progress", "none"]);
    assert_eq!(said.lines().next(), Some(index));
    assert_eq!(mock.status("/v2/a/manifests/v1"), 200);

    // With --recheck it is asked about too, and one that was lost is named.
    let rechecked = done(&["push", layout.path(), &reference, "--recheck", "--progress", "none"]);
    assert!(!rechecked.contains("not asked about"), "{rechecked}");
    let lost = digest(&gone);
    assert_eq!(mock.request("DELETE", &format!("/v2/a/manifests/{lost}")), 202);
    let error = refused(1, &["push", layout.path(), &reference, "--recheck", "--progress", "none"]);
    assert!(error.contains(&format!("has the manifest {lost} for linux/arm64")), "{error}");
}

#[test]
fn an_image_that_nobody_has_is_named_with_what_can_be_done() {
    let mock = Mock::start(&[]);
    let (layout, index, gone) = index_of_two();
    fs::remove_file(layout.file(&gone)).unwrap();
    let reference = mock.reference("b:v1");
    let error = refused(1, &["push", layout.path(), &reference, "--progress", "none"]);
    let (index, lost) = (digest(&index), digest(&gone));
    let repository = mock.reference("b");
    assert_eq!(
        error,
        format!(
            "neither the layout nor {repository} has the manifest {lost} for linux/arm64, which the index {index} names: push \
             from a layout that has it, or only an image that this one has (--platform linux/amd64)"
        )
    );
    assert_eq!(mock.status("/v2/b/manifests/v1"), 404);
    done(&["push", layout.path(), &reference, "--platform", "linux/amd64", "--progress", "none"]);
    let error = refused(1, &["push", layout.path(), &reference, "--platform", "linux/arm64"]);
    assert!(error.ends_with("choose a platform that is there: linux/amd64"), "{error}");
}

#[test]
fn an_image_is_chosen_out_of_a_tar_on_standard_input() {
    let mock = Mock::start(&[]);
    let mut layout = RawLayout::new();
    let [first, second] = ["first", "second"].map(|name| {
        let image = layout.image(&platform("amd64"), &[name]);
        layout.tag(&image, name);
        digest(&image).to_owned()
    });
    let tar = layout.tar();
    let push = |source: &str| {
        let reference = mock.reference("in:v1");
        run_with_bytes(command(&["push", source, &reference, "--progress", "none"]), &tar)
    };
    for (source, expected) in [("-:second".to_owned(), &second), (format!("-@{first}"), &first)] {
        let output = push(&source);
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8(output.stdout).unwrap().starts_with(expected.as_str()), "{source}");
    }
    let error = sentence(1, &push("-:third"));
    assert_eq!(error, "the layout has no \"third\"; it has first, second");
    let typo = run(&["push", "--platfrom", "linux/amd64", "layout", "localhost:1/a"]);
    assert_eq!(typo.status.code(), Some(2));
    assert!(String::from_utf8(typo.stderr).unwrap().contains("there is no such option"));
}

#[test]
fn a_forbidden_layer_is_offered_only_where_it_is_there() {
    let mock = Mock::start(&[]);
    let mut layout = RawLayout::new();
    let config = layout.json(MediaType::OCI_CONFIG, &platform("amd64"));
    let foreign = layout.blob("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", b"windows");
    let image = json!({"schemaVersion": 2, "config": config, "layers": [foreign]});
    let image = layout.json(MediaType::OCI_MANIFEST, &image);
    layout.tag(&image, "v1");
    let said = |name: &str| {
        let output = run(&["push", layout.path(), &mock.reference(name), "--progress", "none"]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said("there:v1").ends_with("--push-nondistributable sends it\n"));
    fs::remove_file(layout.file(&foreign)).unwrap();
    assert!(said("absent:v1").ends_with("the layout does not have it either\n"));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_no_part_of_an_artifact() {
    let mock = Mock::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let arguments = ["artifact", &mock.reference("pipe:v1"), pipe.to_str().unwrap(), "--artifact-type", "text/plain"];
    let error = refused(1, &arguments);
    assert!(
        error.ends_with("is not a file; `longshore push --stdin-layer` pushes what comes through a pipe"),
        "{error}"
    );
}
