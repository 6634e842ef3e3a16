//! OCI image layouts: a folder of one, or a tar of one.
//!
//! `skopeo copy … oci:`, `docker buildx build --output type=oci` and `docker save` of Docker 25 and later write them
//! ([image spec](https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md)). Nothing is extracted: the blobs of
//! a tar are read from it by offset.
//!
//! ```no_run
//! use longshore_sources::layout::{Layout, SourceArgument};
//!
//! let argument = SourceArgument::parse("image.tar:latest")?;
//! let layout = Layout::open(&argument.path)?;
//! let root = layout.select(&argument.selection, None)?;
//! let closure = layout.closure(&root)?;
//! println!("{} manifests and {} blobs", closure.manifests.len(), closure.blobs.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod archive;
mod argument;
mod closure;
mod error;
mod select;
mod store;

use std::fmt;
use std::path::Path;

use longshore_core::content::Document;
use longshore_core::{Descriptor, Digest, Manifest, MediaType};
use serde::Deserialize;

pub use argument::{ArgumentError, SourceArgument};
pub use closure::{Blob, Closure};
pub use error::LayoutError;
pub use select::Selection;
use store::Store;

use crate::source::{DigestMismatch, SourceError};

/// The largest manifest or index, in bytes: what registries take at most.
pub const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

/// How many manifests one layout may hold.
pub const MAX_MANIFESTS: usize = 10_000;

/// How deep indexes may nest.
pub const MAX_DEPTH: usize = 8;

/// An OCI image layout that was opened: its index was read, its blobs were not.
pub struct Layout {
    store: Store,
    entries: Vec<Descriptor>,
}

impl Layout {
    /// Opens the layout in the folder or tar at `path`.
    ///
    /// # Errors
    /// Where there is none, it is of another version, or its index cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LayoutError> {
        let store = Store::open(path.as_ref())?;
        check_marker(&store)?;
        let entries = read_index(&store)?;
        Ok(Self { store, entries })
    }

    /// Where it is, as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    /// What its `index.json` names, in order.
    #[must_use]
    pub fn entries(&self) -> &[Descriptor] {
        &self.entries
    }

    /// Reads the manifest that a descriptor names, and checks it against the descriptor's size, digest and type.
    ///
    /// # Errors
    /// Where it is not there, is damaged, or is not a manifest.
    pub fn manifest(&self, descriptor: &Descriptor) -> Result<Manifest, LayoutError> {
        self.find_manifest(descriptor)?.ok_or_else(|| LayoutError::MissingManifest {
            digest: descriptor.digest,
            by: "its index".to_owned(),
            platform: descriptor.platform.clone().map(Box::new),
            others: Vec::new(),
        })
    }

    /// [`Layout::manifest`], or nothing where it is not there.
    fn find_manifest(&self, descriptor: &Descriptor) -> Result<Option<Manifest>, LayoutError> {
        let digest = descriptor.digest;
        let Some(bytes) = self.read_blob(descriptor)? else { return Ok(None) };
        let manifest = Manifest::parse_as(descriptor.media_type.clone(), bytes)
            .map_err(|error| LayoutError::Manifest { digest, error })?;
        Ok(Some(manifest.with_algorithm(digest.algorithm())))
    }

    /// A small blob's bytes, checked against its size and digest; nothing where it is not there.
    fn read_blob(&self, descriptor: &Descriptor) -> Result<Option<Vec<u8>>, LayoutError> {
        let digest = descriptor.digest;
        let Some(place) = self.store.find_blob(&digest)? else { return Ok(None) };
        if place.len != descriptor.size {
            return Err(LayoutError::Size { digest, expected: descriptor.size, found: place.len });
        }
        let bytes = self.store.read(place, &digest.to_string(), MAX_MANIFEST)?;
        let found = Digest::of(digest.algorithm(), &bytes);
        if found != digest {
            let what = format!("a file of {}", self.path().display());
            return Err(SourceError::from(Box::new(DigestMismatch { what, expected: digest, found })).into());
        }
        Ok(Some(bytes))
    }
}

impl fmt::Debug for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layout").field("path", &self.path()).field("entries", &self.entries).finish_non_exhaustive()
    }
}

/// The file `oci-layout`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

fn check_marker(store: &Store) -> Result<(), LayoutError> {
    let Some(place) = store.find("oci-layout")? else {
        let path = store.path().to_owned();
        return Err(match store.find("manifest.json")? {
            Some(_) => LayoutError::DockerArchive { path },
            None => LayoutError::NotALayout { path, missing: "oci-layout file" },
        });
    };
    let marker = store.read(place, "oci-layout", MAX_MANIFEST)?;
    let marker: Marker = serde_json::from_slice(&marker).map_err(|error| LayoutError::Marker(error.to_string()))?;
    if marker.image_layout_version.starts_with("1.") {
        Ok(())
    } else {
        Err(LayoutError::Version(marker.image_layout_version))
    }
}

fn read_index(store: &Store) -> Result<Vec<Descriptor>, LayoutError> {
    let place = store
        .find("index.json")?
        .ok_or_else(|| LayoutError::NotALayout { path: store.path().to_owned(), missing: "index.json" })?;
    let index = store.read(place, "index.json", MAX_MANIFEST)?;
    let index = Manifest::parse_as(MediaType::oci_index(), index).map_err(LayoutError::Index)?;
    match index.document() {
        Document::Index(index) => Ok(index.manifests.clone()),
        _ => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests;
