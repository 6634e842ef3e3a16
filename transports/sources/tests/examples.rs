//! The example, run.

#[path = "../examples/what_is_in_a_layout.rs"]
#[expect(dead_code, reason = "a test calls what `main` calls")]
mod what_is_in_a_layout;

use longshore_core::Manifest;
use longshore_sources::layout::LayoutWriter;

#[test]
fn a_layout_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let writer = LayoutWriter::new(folder.path());
    let index = Manifest::index([]).build().unwrap();
    writer.manifest(&index).unwrap();
    writer.finish(&[index.descriptor()], Some("v1")).unwrap();
    let told = what_is_in_a_layout::told(&format!("{}:v1", folder.path().display())).unwrap();
    assert_eq!(told, format!("it names v1\n{}: 1 manifests and 0 blobs of 0 bytes\n", index.digest()));
}
