//! Writes an image as a layout.

use std::fs::File;
use std::io;
use std::path::Path;

use longshore_core::Manifest;

use super::PackError;
use super::layer::write_error;
use crate::layout::{Closure, LayoutWriter};

/// Writes an image with its whole closure as a layout into `folder`, where its name is `name`.
///
/// `index.json` is written last, so that an incomplete layout is not mistaken for a complete one.
///
/// # Errors
/// If the folder already has a layout, or a file cannot be read or written.
pub fn write_layout(folder: &Path, image: &Closure, name: &str) -> Result<(), PackError> {
    if folder.join("oci-layout").exists() || folder.join("index.json").exists() {
        return Err(PackError::Exists(folder.to_owned()));
    }
    let writer = LayoutWriter::new(folder);
    for blob in &image.blobs {
        let path = writer.blob(&blob.descriptor.digest)?;
        let failed = |error| write_error(&path.display().to_string(), error);
        io::copy(&mut blob.source.rest(0)?, &mut File::create(&path).map_err(failed)?).map_err(failed)?;
    }
    image.manifests.iter().try_for_each(|manifest| writer.manifest(manifest))?;
    // Only the index leads to a referrer.
    let referrers = image.manifests.iter().filter(|it| it.subject().is_some() && it.digest() != image.root.digest);
    let roots: Vec<_> = std::iter::once(image.root.clone()).chain(referrers.map(Manifest::referrer)).collect();
    Ok(writer.finish(&roots, Some(name))?)
}
