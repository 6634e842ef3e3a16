//! The image that the demonstration pushes: this program, for two platforms.

use std::path::PathBuf;

use longshore_core::content::Platform;
use longshore_core::{Digest, Manifest};
use longshore_sources::Source;
use longshore_sources::layout::Closure;
use longshore_sources::pack::{self, Compression, Layer, PackError};
use tempfile::TempDir;

use super::sequence::Names;
use crate::exit::Error;

/// What the image is tagged.
pub(super) const TAG: &str = "v1";

/// The image, and what people call its parts.
pub(super) struct Image {
    pub(super) closure: Closure,
    pub(super) names: Names,
    /// Holds the layer with the program until the image has been pushed.
    _folder: TempDir,
}

/// Packs the image: an index of two images that share a layer with this program, each with a small layer of its own.
///
/// One program cannot run on both; the second image is there to show what an index costs.
pub(super) fn pack() -> Result<Image, Error> {
    let made = tempfile::tempdir().and_then(|folder| Ok((folder, std::env::current_exe()?)));
    let (folder, program) = made.map_err(|error| Error::failed(format!("cannot pack this program: {error}")))?;
    pack_program(program, folder).map_err(|error| Error::failed(format!("cannot pack this program: {error}")))
}

fn pack_program(program: PathBuf, folder: TempDir) -> Result<Image, PackError> {
    let mut names = Names::new();
    let mut name = |digest: Digest, name: &str| names.push((digest.hex(), name.to_owned()));
    let shared = Layer::new().with_file("usr/bin/longshore", Source::file(program)?, 0o755);
    let shared = shared.in_file(Compression::Gzip, folder.path().join("program"))?;
    name(shared.descriptor.digest, "the program");
    let mut images = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let platform = Platform::new("linux", architecture, None);
        let note = Source::bytes(format!("the demonstration's image for {platform}\n"));
        let own = Layer::new().with_file("etc/longshore-demo", note, 0o644).in_memory(Compression::Gzip)?;
        name(own.descriptor.digest, &format!("layer {architecture}"));
        let image = pack::image(&platform, &[shared.clone(), own], &["/usr/bin/longshore".to_owned()])?;
        for config in image.manifests.iter().flat_map(Manifest::blobs).take(1) {
            name(config.digest, &format!("config {architecture}"));
        }
        name(image.root.digest, &format!("image {architecture}"));
        images.push(image);
    }
    let closure = pack::index(&images)?;
    names.push((format!("manifests/{TAG}"), "the index".to_owned()));
    Ok(Image { closure, names, _folder: folder })
}
