//! Why the files of an artifact were not written.

use std::io;

use longshore_core::Digest;
use thiserror::Error;

use crate::PortablePathError;
use crate::staging::StagingError;

/// Why the files of an artifact were not written. After an error none of them is in the folder.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// A title, or a path in a folder's tar, could lead out of the folder.
    #[error("the {what} {path:?} is not used as a path: {why}")]
    Path {
        /// The kind of the path.
        what: &'static str,
        /// The path, escaped for display.
        path: String,
        /// What is wrong with it.
        why: PortablePathError,
    },
    /// A path in a folder's tar that is not below the folder's title.
    #[error("the path in a folder {path:?} is not below its title {folder:?}")]
    Outside {
        /// The path, escaped for display.
        path: String,
        /// The folder's title.
        folder: String,
    },
    /// A path in a folder's tar that is not UTF-8.
    #[error("the path in a folder {path:?} is not UTF-8: no system would read it like another")]
    Encoding {
        /// The path, escaped for display.
        path: String,
    },
    /// The title of a file is the folder itself.
    #[error("the title {title:?} names no file")]
    NoFile {
        /// The title, escaped for display.
        title: String,
    },
    /// The annotation with the digest of a folder's tar is not a digest.
    #[error("the layer's annotation for the digest of its folder's tar is {digest:?}, which is not a digest")]
    TarDigest {
        /// The value of the annotation, escaped for display.
        digest: String,
    },
    /// Two paths are the same, or some system treats them as the same.
    #[error("{first:?} and {second:?} are one path, or are one where case does not count")]
    Collision {
        /// The path that came first.
        first: String,
        /// The other one.
        second: String,
    },
    /// An entry is neither a file nor a folder.
    #[error("{path:?} is {kind}: only files and folders are unpacked")]
    Kind {
        /// The path, escaped for display.
        path: String,
        /// What it is, in words.
        kind: &'static str,
    },
    /// A limit is exceeded.
    #[error("{folder:?} has more than {limit} {what}: no more are unpacked")]
    TooMuch {
        /// The folder's title.
        folder: String,
        /// What exceeds the limit.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The tar does not have the digest in the layer's annotation.
    #[error("the tar of {folder:?} has the digest {found}, but the layer says {expected}")]
    OtherTar {
        /// The folder's title.
        folder: String,
        /// The digest in the annotation.
        expected: Digest,
        /// The digest of the tar.
        found: Digest,
    },
    /// The layer is not a tar that was compressed with gzip, or is damaged.
    #[error("the folder {folder:?} is not a whole tar+gzip: {error}")]
    Damaged {
        /// The folder's title.
        folder: String,
        /// The decoder's error.
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
