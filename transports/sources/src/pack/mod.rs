//! Makes artifacts of files and folders, and small images: layers from files, images from layers, and an index from
//! images.
//!
//! This is not a build tool for images. The same input gives the same bytes: entries are sorted, and every time is the
//! epoch.
//!
//! ```
//! use longshore_core::content::Platform;
//! use longshore_sources::Source;
//! use longshore_sources::pack::{self, Compression, Layer};
//!
//! let layer = Layer::new().with_file("hello.txt", Source::bytes("hello"), 0o644).in_memory(Compression::Gzip)?;
//! let amd = pack::image(&Platform::new("linux", "amd64", None), &[layer.clone()], &[])?;
//! let arm = pack::image(&Platform::new("linux", "arm64", None), &[layer], &[])?;
//! let index = pack::index(&[amd, arm])?;
//! assert_eq!((index.manifests.len(), index.blobs.len()), (3, 3)); // the layer is shared
//! # Ok::<(), pack::PackError>(())
//! ```

mod artifact;
mod folder;
mod image;
mod layer;
mod write;

use std::io;
use std::path::PathBuf;

use longshore_core::content::ManifestError;
use thiserror::Error;

use crate::PortablePathError;
use crate::source::SourceError;
use crate::staging::StagingError;

pub use artifact::{artifact, file};
pub use folder::folder;
pub use image::{image, index};
pub use layer::{Compression, Layer, PackedLayer};
pub use write::write_layout;

/// Why something could not be packed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PackError {
    /// A file's content could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The size of a source is not known, but a tar needs it before the content.
    #[error("the length of {name} is not known: read it into a file first")]
    UnknownLength {
        /// The file in the layer.
        name: String,
    },
    /// The name is not allowed in a layer.
    #[error(
        "{name:?} cannot be the name of a file in a layer: it is written as a path below the root, without .. in it"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Writing failed.
    #[error("cannot write {what}: {error}")]
    Write {
        /// What was written.
        what: String,
        /// The system's error.
        error: io::Error,
    },
    /// A folder or file could not be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// A name in a folder could not be unpacked on every system.
    #[error("{} cannot be packed under the name {name:?}, because it could not be unpacked everywhere: {why}", path.display())]
    Path {
        /// The file or folder.
        path: PathBuf,
        /// Its path in the layer.
        name: String,
        /// What is wrong with it.
        why: PortablePathError,
    },
    /// Two names in a folder differ only in case.
    #[error("{first:?} and {second:?} are one file where case does not count: rename one of them")]
    Collision {
        /// The name that came first.
        first: String,
        /// The other one.
        second: String,
    },
    /// A link leads out of the folder, to a folder, or to nothing.
    #[error(
        "{} is a link that does not lead to a file in the same folder, and links are not unpacked: put there what it leads to (`cp -rL` does)",
        .0.display()
    )]
    Link(PathBuf),
    /// A device, a socket or a pipe.
    #[error("{} is neither a file nor a folder: leave it out", .0.display())]
    Kind(PathBuf),
    /// The folder already has a layout.
    #[error("there is a layout in {} already: name another folder", .0.display())]
    Exists(PathBuf),
    /// A layout could not be written.
    #[error(transparent)]
    Layout(#[from] StagingError),
    /// The packed document is not a valid manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

#[cfg(test)]
mod tests;
