//! OCI image layouts, in a folder or a tar.
//!
//! `skopeo copy … oci:`, `docker buildx build --output type=oci` and `docker save` of Docker 25 and later write them
//! ([image spec](https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md)). Nothing is extracted: the
//! blobs of a tar are read by offset. A tar that is compressed (gzip, zstd) or comes through a pipe is first copied
//! into a temporary file, uncompressed. The file is deleted when its last source is dropped.
//!
//! Only the requested content must be complete. Damage in other parts of the layout is a warning
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

/// The largest manifest or index, in bytes: registries accept no larger ones.
pub const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

/// The largest other file that is read into memory (`index.json`, or a config), in bytes.
pub const MAX_FILE: u64 = 256 * 1024 * 1024;

/// How many manifests one image may have at most, and how many others of a layout are searched for its referrers.
pub const MAX_MANIFESTS: usize = 100_000;

/// How many levels indexes may nest.
pub const MAX_DEPTH: usize = 8;

/// What refers to the root of a closure, for messages.
const BY: &str = "the layout's index";

/// How a layout is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LayoutOptions {
    /// Whether symbolic links in a folder may lead out of it, as Bazel and Nix create them. Then the author of the
    /// layout decides which files of this machine are read, although their content must have the digests in the layout.
    pub follow_links: bool,
}

impl LayoutOptions {
    /// Sets whether symbolic links in a folder may lead out of it. The default is `false`.
    #[must_use]
    pub const fn follow_links(mut self, follow_links: bool) -> Self {
        self.follow_links = follow_links;
        self
    }
}

/// An open OCI image layout. Its index was read, its blobs were not.
pub struct Layout {
    store: Store,
    entries: Entries,
}

impl Layout {
    /// Opens the layout in the folder or tar at `path`. A compressed tar, or one from a pipe, is copied into a
    /// temporary file.
    ///
    /// # Errors
    /// If there is no layout, or its index cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LayoutError> {
        Self::open_with(path, LayoutOptions::default())
    }

    /// [`Layout::open`] with options.
    ///
    /// # Errors
    /// Those of [`Layout::open`].
    pub fn open_with(path: impl AsRef<Path>, options: LayoutOptions) -> Result<Self, LayoutError> {
        Self::of(Store::open(path.as_ref(), options)?)
    }

    /// Reads a tar of a layout, compressed or not, from a reader, and copies it into a temporary file. `name` is the
    /// reader's name in messages, such as `standard input`.
    ///
    /// # Errors
    /// Those of [`Layout::open`], and if no temporary file can be written.
    pub fn read(reader: impl Read, name: &str) -> Result<Self, LayoutError> {
        Self::of(Store::read(Path::new(name), reader)?)
    }

    fn of(store: Store) -> Result<Self, LayoutError> {
        let entries = index::read(&store)?;
        Ok(Self { store, entries })
    }

    /// The path of the layout, as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    /// The size of its temporary file in bytes, if it was copied into one.
    #[must_use]
    pub const fn spooled(&self) -> Option<u64> {
        self.store.spooled()
    }

    /// The valid entries of its `index.json`, in order.
    #[must_use]
    pub fn entries(&self) -> &[Descriptor] {
        &self.entries.readable
    }

    /// Reads all manifests that `root` needs, and finds their blobs. The size of each blob is checked now, its digest
    /// when it is sent. Referrers of the manifests are listed in [`Closure::left_behind`].
    ///
    /// # Errors
    /// If `root` itself is missing, a file is damaged, or a limit of this crate is exceeded.
    pub fn closure(&self, root: &Descriptor) -> Result<Closure, LayoutError> {
        let mut walk = Walk::new(self);
        walk.visit_root(root, BY)?;
        let mut closure = self.with_blobs(root.clone(), walk)?;
        closure.warnings.extend(self.warnings());
        self.leave_referrers(&mut closure);
        closure.attestations = self.attestations(&closure);
        Ok(closure)
    }

    /// [`Layout::closure`] with the referrers of all its manifests: those by `subject` (SBOMs, signatures, and their
    /// referrers), and those by tag or annotation ([`Closure::companions`]).
    ///
    /// The subject of `root` itself is not part of the closure.
    ///
    /// # Errors
    /// Those of [`Layout::closure`], for the referrers too.
    pub fn closure_with_referrers(&self, root: &Descriptor) -> Result<Closure, LayoutError> {
        let mut walk = Walk::new(self);
        walk.visit_root(root, BY)?;
        let (companions, warnings) = self.take_referrers(&mut walk)?;
        let mut closure = self.with_blobs(root.clone(), walk)?;
        closure.companions = companions;
        closure.attestations = self.attestations(&closure);
        closure.warnings.extend(self.warnings().into_iter().chain(warnings));
        Ok(closure)
    }

    /// Warnings about the layout itself.
    fn warnings(&self) -> Vec<String> {
        let whole = self.store.warning().into_iter().chain(self.entries.marker.clone());
        whole.chain(self.entries.damaged.iter().map(|entry| entry.error().to_string())).collect()
    }

    /// Reads the manifest that a descriptor refers to, and checks it against the descriptor's size, digest and type.
    ///
    /// # Errors
    /// If it does not exist, is damaged, or is not a manifest.
    pub fn manifest(&self, descriptor: &Descriptor) -> Result<Manifest, LayoutError> {
        self.find_manifest(descriptor)?.ok_or_else(|| LayoutError::MissingManifest {
            digest: descriptor.digest,
            by: "its index".to_owned(),
            platform: descriptor.platform.clone(),
            others: Vec::new(),
        })
    }

    /// [`Layout::manifest`], but `None` if it does not exist.
    fn find_manifest(&self, descriptor: &Descriptor) -> Result<Option<Manifest>, LayoutError> {
        let digest = descriptor.digest;
        let Some(bytes) = self.read_blob(descriptor, MAX_MANIFEST)? else { return Ok(None) };
        let manifest = Manifest::parse_as(descriptor.media_type.clone(), bytes)
            .map_err(|error| LayoutError::Manifest { digest, error })?;
        Ok(Some(manifest.with_algorithm(digest.algorithm())))
    }

    /// The bytes of a small blob, checked against its size and digest; `None` if it does not exist.
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
