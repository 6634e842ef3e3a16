//! Writing an OCI image layout into a folder.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use longshore_core::{Digest, MediaType};

use super::PackError;
use super::image::{ImageIndex, json};
use super::layer::write_error;
use crate::layout::Closure;

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
    for blob in &image.blobs {
        store(folder, &blob.descriptor.digest, &mut blob.source.rest(0)?)?;
    }
    for manifest in &image.manifests {
        store(folder, &manifest.digest(), &mut &manifest.bytes()[..])?;
    }
    let mut root = image.root.clone();
    root.annotations.insert("org.opencontainers.image.ref.name".to_owned(), name.to_owned());
    // Nothing in the layout leads to a referrer but the index.
    let referrers = image.manifests.iter().filter(|it| it.subject().is_some() && it.digest() != root.digest);
    let referrers: Vec<_> = referrers.map(longshore_core::Manifest::referrer).collect();
    let manifests = std::iter::once(&root).chain(&referrers).collect();
    write(&folder.join("oci-layout"), &mut &br#"{"imageLayoutVersion":"1.0.0"}"#[..])?;
    let index = json(&ImageIndex { schema_version: 2, media_type: MediaType::OCI_INDEX, manifests });
    write(&folder.join("index.json"), &mut index.as_slice())
}

fn store(folder: &Path, digest: &Digest, content: &mut dyn io::Read) -> Result<(), PackError> {
    let folder = folder.join("blobs").join(digest.algorithm().as_str());
    fs::create_dir_all(&folder).map_err(|error| write_error(&folder.display().to_string(), error))?;
    write(&folder.join(digest.hex()), content)
}

fn write(path: &Path, content: &mut dyn io::Read) -> Result<(), PackError> {
    let failed = |error| write_error(&path.display().to_string(), error);
    io::copy(content, &mut File::create(path).map_err(failed)?).map_err(failed)?;
    Ok(())
}
