//! Why the files of an artifact were not written.

use std::io;

use longshore_core::Digest;
use thiserror::Error;

use crate::PortablePathError;
use crate::staging::StagingError;

/// Why the files of an artifact were not written. None of them was then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// A title, or a path in a folder's tar, that could lead elsewhere.
    #[error("the {what} {path:?} is not used as a path (I41): {why}")]
    Path {
        /// Where it stands.
        what: &'static str,
        /// The path, fit to be shown.
        path: String,
        /// What is wrong with it.
        why: PortablePathError,
    },
    /// A path in a folder's tar that is not below the folder's title.
    #[error("the path in a folder {path:?} is not below its title {folder:?} (I41)")]
    Outside {
        /// The path, fit to be shown.
        path: String,
        /// The folder's title.
        folder: String,
    },
    /// A path in a folder's tar that is not UTF-8.
    #[error("the path in a folder {path:?} is not UTF-8: no system would read it like another")]
    Encoding {
        /// The path, fit to be shown.
        path: String,
    },
    /// A title that is the folder itself, of a layer that is not to be unpacked.
    #[error("the title {title:?} names no file")]
    NoFile {
        /// The title, fit to be shown.
        title: String,
    },
    /// The digest of a folder's tar is none.
    #[error("the layer says {digest:?} of its folder's tar, which is no digest")]
    TarDigest {
        /// What it says, fit to be shown.
        digest: String,
    },
    /// Two paths that are one, or that some system takes for one.
    #[error("{first:?} and {second:?} are one path, or are taken for one where case does not count (I41)")]
    Collision {
        /// The path that came first.
        first: String,
        /// The other one.
        second: String,
    },
    /// Something other than a file or a folder.
    #[error("{path:?} is {kind}: only files and folders are unpacked (I42)")]
    Kind {
        /// The path, fit to be shown.
        path: String,
        /// What it is, in words.
        kind: &'static str,
    },
    /// More than is allowed.
    #[error("{folder:?} has more than {limit} {what}: no more are unpacked (I42)")]
    TooMuch {
        /// The folder's title.
        folder: String,
        /// Of what.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
    /// The tar is not what the layer says that it is.
    #[error("the tar of {folder:?} is {found}, but the layer says {expected}")]
    OtherTar {
        /// The folder's title.
        folder: String,
        /// What the layer says.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// It is no tar that was compressed with gzip.
    #[error("the folder {folder:?} is not a whole tar+gzip: {error}")]
    Damaged {
        /// The folder's title.
        folder: String,
        /// What the decoder said.
        error: io::Error,
    },
    /// It was [stopped](super::Files::stop).
    #[error("the unpacking of {folder:?} was stopped")]
    Stopped {
        /// The folder's title.
        folder: String,
    },
    /// The folder could not be written.
    #[error(transparent)]
    Staging(#[from] StagingError),
}
