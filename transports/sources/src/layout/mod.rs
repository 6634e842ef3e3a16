//! OCI image layouts: a folder of one, or a tar of one.
//!
//! `skopeo copy … oci:`, `docker buildx build --output type=oci` and `docker save` of Docker 25 and later write them
//! ([image spec](https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md)). Nothing is extracted: the blobs of
//! a tar are read from it by offset. A tar that is compressed (gzip, zstd) or comes through a pipe has no offsets: it is copied,
//! unpacked, into a temporary file, which is gone when the last source of it is.
//!
//! Only what was asked for must be whole. What is damaged or odd elsewhere in the layout is a warning
//! ([`Closure::warnings`]).
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
mod choice;
mod closure;
mod error;
mod index;
mod platform;
mod referrers;
mod select;
mod spool;
mod store;
mod walk;
mod write;

use std::fmt;
use std::io::Read;
use std::path::Path;

use longshore_core::{Descriptor, Digest, Manifest};

pub use argument::{ArgumentError, SourceArgument};
pub use closure::{Blob, Closure, Companion, LeftBehind, MissingBlob, MissingManifest};
pub use error::LayoutError;
use index::Entries;
pub use select::Selection;
use store::Store;
use walk::Walk;
pub use write::LayoutWriter;

use crate::source::{DigestMismatch, SourceError};

/// The largest manifest or index, in bytes: what registries take at most.
pub const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

/// The largest file that is read whole and never sent (`index.json`), or not as a manifest (a config), in bytes.
pub const MAX_FILE: u64 = 256 * 1024 * 1024;

/// How many manifests one image may hold, and how many others of a layout are looked at for what refers to it.
pub const MAX_MANIFESTS: usize = 100_000;

/// How deep indexes may nest.
pub const MAX_DEPTH: usize = 8;

/// What names the manifests that a closure begins with.
const BY: &str = "the layout's index";

/// How a layout is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LayoutOptions {
    /// Whether symbolic links in a folder may lead out of it, as Bazel and Nix make them. Whoever made the layout then chooses
    /// which files of this machine are read; their bytes must have the digests that the layout says.
    pub follow_links: bool,
}

impl LayoutOptions {
    /// Whether symbolic links in a folder may lead out of it.
    #[must_use]
    pub const fn follow_links(mut self, follow_links: bool) -> Self {
        self.follow_links = follow_links;
        self
    }
}

/// An OCI image layout that was opened: its index was read, its blobs were not.
pub struct Layout {
    store: Store,
    entries: Entries,
}

impl Layout {
    /// Opens the layout in the folder or tar at `path`. A compressed tar, or one that comes through a pipe, is copied into a
    /// temporary file.
    ///
    /// # Errors
    /// Where there is none, or its index cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LayoutError> {
        Self::open_with(path, LayoutOptions::default())
    }

    /// [`Layout::open`], and how.
    ///
    /// # Errors
    /// As for [`Layout::open`].
    pub fn open_with(path: impl AsRef<Path>, options: LayoutOptions) -> Result<Self, LayoutError> {
        Self::of(Store::open(path.as_ref(), options)?)
    }

    /// Reads a tar of a layout, compressed or not, to its end: it is copied into a temporary file. `name` is what messages call
    /// the reader, such as `standard input`.
    ///
    /// # Errors
    /// As for [`Layout::open`], and where no temporary file can be written.
    pub fn read(reader: impl Read, name: &str) -> Result<Self, LayoutError> {
        Self::of(Store::read(Path::new(name), reader)?)
    }

    fn of(store: Store) -> Result<Self, LayoutError> {
        let entries = index::read(&store)?;
        Ok(Self { store, entries })
    }

    /// Where it is, as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    /// How many bytes of it lie in a temporary file, where it had to be copied into one.
    #[must_use]
    pub const fn spooled(&self) -> Option<u64> {
        self.store.spooled()
    }

    /// What its `index.json` names, in order, as far as it can be read.
    #[must_use]
    pub fn entries(&self) -> &[Descriptor] {
        &self.entries.readable
    }

    /// Reads all manifests that `root` needs, and finds their blobs. Blobs that are there are checked for their size; their
    /// bytes when sent. What refers to any of the manifests is left behind, and named.
    ///
    /// # Errors
    /// Where `root` itself is missing, something is damaged, or it is more than this crate takes.
    pub fn closure(&self, root: &Descriptor) -> Result<Closure, LayoutError> {
        let mut walk = Walk::new(self);
        walk.visit_root(root, BY)?;
        let mut closure = self.with_blobs(root.clone(), walk)?;
        closure.warnings.extend(self.warnings());
        self.leave_referrers(&mut closure);
        Ok(closure)
    }

    /// [`Layout::closure`], with what refers to any of the manifests: by its `subject` (SBOMs, signatures, and what refers to
    /// those), and by its tag or annotation ([`Closure::companions`]).
    ///
    /// A manifest that `root` itself refers to as its subject is not a part of it and stays behind.
    ///
    /// # Errors
    /// As for [`Layout::closure`], of what refers to it too.
    pub fn closure_with_referrers(&self, root: &Descriptor) -> Result<Closure, LayoutError> {
        let mut walk = Walk::new(self);
        walk.visit_root(root, BY)?;
        let (companions, warnings) = self.take_referrers(&mut walk)?;
        let mut closure = self.with_blobs(root.clone(), walk)?;
        closure.companions = companions;
        closure.warnings.extend(self.warnings().into_iter().chain(warnings));
        Ok(closure)
    }

    /// What is not as it should be in the layout itself, and hinders nothing.
    fn warnings(&self) -> Vec<String> {
        let whole = self.store.warning().into_iter().chain(self.entries.marker.clone());
        whole.chain(self.entries.damaged.iter().map(|entry| entry.error().to_string())).collect()
    }

    /// Reads the manifest that a descriptor names, and checks it against the descriptor's size, digest and type.
    ///
    /// # Errors
    /// Where it is not there, is damaged, or is not a manifest.
    pub fn manifest(&self, descriptor: &Descriptor) -> Result<Manifest, LayoutError> {
        self.find_manifest(descriptor)?.ok_or_else(|| LayoutError::MissingManifest {
            digest: descriptor.digest,
            by: "its index".to_owned(),
            platform: descriptor.platform.clone(),
            others: Vec::new(),
        })
    }

    /// [`Layout::manifest`], or nothing where it is not there.
    fn find_manifest(&self, descriptor: &Descriptor) -> Result<Option<Manifest>, LayoutError> {
        let digest = descriptor.digest;
        let Some(bytes) = self.read_blob(descriptor, MAX_MANIFEST)? else { return Ok(None) };
        let manifest = Manifest::parse_as(descriptor.media_type.clone(), bytes)
            .map_err(|error| LayoutError::Manifest { digest, error })?;
        Ok(Some(manifest.with_algorithm(digest.algorithm())))
    }

    /// A small blob's bytes, checked against its size and digest; nothing where it is not there.
    fn read_blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Option<Vec<u8>>, LayoutError> {
        let digest = descriptor.digest;
        let Some(place) = self.store.find_blob(&digest)? else { return Ok(None) };
        if place.len != descriptor.size {
            return Err(LayoutError::Size { digest, expected: descriptor.size, found: place.len });
        }
        let bytes = self.store.read_file(place, &digest.to_string(), limit)?;
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
        let entries = &self.entries.readable;
        f.debug_struct("Layout").field("path", &self.path()).field("entries", entries).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
