//! `longshore mock --load`: what the registry has at the start.

mod common;

use std::fs;

use common::{Layout, Mock, command, done, refused};

/// Renames the images of a layout: each `None` takes the name away.
fn rename(layout: &Layout, name: Option<&str>) {
    let path = std::path::Path::new(layout.path()).join("index.json");
    let mut index: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for entry in index["manifests"].as_array_mut().unwrap() {
        let annotations = entry["annotations"].as_object_mut().unwrap();
        annotations.clear();
        if let Some(name) = name {
            annotations.insert("org.opencontainers.image.ref.name".to_owned(), name.into());
        }
    }
    fs::write(path, index.to_string()).unwrap();
}

#[test]
fn a_layout_is_served_whole_under_the_name_that_was_given() {
    let layout = Layout::two_platforms();
    let mock = Mock::start(&["--load", &format!("{}=team/app:v2", layout.path())]);
    assert_eq!(mock.status("/v2/team/app/manifests/v2"), 200);
    assert_eq!(mock.status(&format!("/v2/team/app/blobs/{}", layout.layer())), 200);
    let pulled = tempfile::tempdir().unwrap();
    done(&["pull", &mock.reference("team/app:v2"), pulled.path().join("out").to_str().unwrap()]);
    let again = done(&["push", layout.path(), &mock.reference("team/app:v2")]);
    assert!(again.contains(" in 3 requests, 0 B sent"), "{again}");
}

#[test]
fn what_a_layout_calls_its_images_is_what_they_are_called() {
    let layout = Layout::two_platforms();
    for (name, argument, path) in [
        (Some("docker.io/library/app:v1"), "", "/v2/library/app/manifests/v1"),
        (Some("team/app:v1"), "", "/v2/team/app/manifests/v1"),
        (Some("v3"), "=other", "/v2/other/manifests/v3"),
        (None, "=other", "/v2/other/manifests/latest"),
        (Some("v3"), ":v3=other", "/v2/other/manifests/v3"),
        (Some("v3"), ":v3=other:v4", "/v2/other/manifests/v4"),
    ] {
        rename(&layout, name);
        let mock = Mock::start(&["--load", &format!("{}{argument}", layout.path())]);
        assert_eq!(mock.status(path), 200, "{name:?} {argument}");
    }
    // A tag alone: the repository has the name of the folder.
    let folder = tempfile::tempdir().unwrap();
    rename(&layout, Some("v1"));
    let copy = folder.path().join("my-app");
    fs::rename(layout.path(), &copy).unwrap();
    let mock = Mock::start(&["--load", copy.to_str().unwrap()]);
    assert_eq!(mock.status("/v2/my-app/manifests/v1"), 200);
}

#[test]
fn several_layouts_are_loaded_from_tars_and_from_the_environment() {
    let (one, other) = (Layout::two_platforms(), Layout::of_file(b"other".to_vec()));
    let folder = tempfile::tempdir().unwrap();
    let tar = folder.path().join("one.tar");
    let mut archive = tar::Builder::new(fs::File::create(&tar).unwrap());
    archive.append_dir_all(".", one.path()).unwrap();
    archive.into_inner().unwrap();
    let mut command = command(&["mock"]);
    command.env("LONGSHORE_MOCK_LOAD", format!("{}=one:v1\n{}=other:v1", tar.display(), other.path()));
    let mock = Mock::spawn(command);
    assert_eq!([mock.status("/v2/one/manifests/v1"), mock.status("/v2/other/manifests/v1")], [200, 200]);
}

#[test]
fn a_layout_that_cannot_be_loaded_is_refused_in_a_sentence() {
    let layout = Layout::two_platforms();
    for (argument, status, words) in [
        ("/not/there=app".to_owned(), 2, "there is no file or folder /not/there"),
        (format!("{}=App", layout.path()), 2, "\"App\" names no repository"),
        (format!("{}:v9=app", layout.path()), 1, "v9"),
        (env!("CARGO_MANIFEST_DIR").to_owned() + "=app", 1, "oci-layout"),
    ] {
        let error = refused(status, &["mock", "--load", &argument]);
        assert!(error.contains("cannot load") && error.contains(words), "{error}");
    }
    rename(&layout, None);
    let error = refused(1, &["mock", "--load", layout.path()]);
    assert!(error.contains("as LAYOUT=NAME"), "{error}");
    layout.damage(&layout.layer());
    let error = refused(1, &["mock", "--load", &format!("{}=app", layout.path())]);
    assert!(error.contains("cannot load"), "{error}");
}
