//! Writing an image as a layout.

use std::fs::File;
use std::io;
use std::path::Path;

use longshore_core::Manifest;

use super::PackError;
use super::layer::write_error;
use crate::layout::{Closure, LayoutWriter};

/// Writes an image, with all that is in its closure, as a layout into `folder`; it is called `name` there.
///
/// `index.json` is written last, so that a layout that was cut short is not taken for a whole one.
///
/// # Errors
/// Where a layout stands there already, or something cannot be read or written.
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
    // Nothing in the layout leads to a referrer but the index.
    let referrers = image.manifests.iter().filter(|it| it.subject().is_some() && it.digest() != image.root.digest);
    let roots: Vec<_> = std::iter::once(image.root.clone()).chain(referrers.map(Manifest::referrer)).collect();
    Ok(writer.finish(&roots, Some(name))?)
}
