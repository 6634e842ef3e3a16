//! `longshore demo`: what a newcomer sees first.

mod common;

use common::{Mock, done, refused};

#[test]
fn the_demonstration_runs_to_its_end_and_fits_a_screen() {
    let out = done(&["demo"]);
    assert!(out.lines().count() <= 40, "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    for part in ["send the program", "send the index", "2. Push again: 3 requests, 0 B sent", "every digest agrees"] {
        assert!(out.contains(part), "{part}: {out}");
    }
}

#[test]
fn the_image_of_the_demonstration_can_be_pushed() {
    let folder = tempfile::tempdir().unwrap();
    let layout = folder.path().join("layout");
    let layout = layout.to_str().unwrap();
    assert!(done(&["demo", "--layout", layout]).contains(&format!("longshore push {layout} ")));
    let mock = Mock::start(&[]);
    assert!(done(&["push", layout, &mock.reference("a:v1")]).ends_with("blobs: 5 sent\n"));
    assert!(refused(1, &["demo", "--layout", layout]).contains("there is a layout in"));
}
