//! Layouts as they should be.

use std::io::Read;

use longshore_core::Manifest;

use super::maker::{closure, digest, two_platforms};
use crate::layout::Layout;

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
