//! Why a layout cannot be pushed.

use std::io;
use std::path::PathBuf;

use longshore_core::Digest;
use longshore_core::content::{ManifestError, Platform};
use longshore_core::text::shown;
use thiserror::Error;

use crate::source::SourceError;

/// Why an OCI image layout cannot be used, or not as it was asked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// Nothing is there.
    #[error("there is no file or folder {}", path.display())]
    NotFound {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// What was to be read.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Something else is there.
    #[error("{} is not an OCI image layout: it has no {missing}", path.display())]
    NotALayout {
        /// What was opened.
        path: PathBuf,
        /// What it lacks.
        missing: &'static str,
    },
    /// An archive in the format of Docker before 25.
    #[error(
        "{} is an image archive as Docker before 25 saves it: convert it, for example with skopeo copy docker-archive:{} oci:FOLDER",
        path.display(), path.display()
    )]
    DockerArchive {
        /// The archive.
        path: PathBuf,
    },
    /// A compressed archive, whose blobs could be had only by unpacking all of it.
    #[error("{} is compressed: unpack it first with {remedy}", path.display())]
    Compressed {
        /// The file.
        path: PathBuf,
        /// The command that does it.
        remedy: &'static str,
    },
    /// A file that is no readable tar.
    #[error("{} is not a tar archive, or a damaged one: its entry {entry} cannot be read", path.display())]
    NotATar {
        /// The file.
        path: PathBuf,
        /// The first entry that cannot be read, counted from 1.
        entry: u64,
    },
    /// A tar that ends in the middle of an entry.
    #[error("{} is cut off in the middle of {name:?}: copy or save it again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The entry.
        name: String,
    },
    /// An entry of a tar points out of it.
    #[error("{} has an entry named {name:?}, which points out of the archive", path.display())]
    UnsafeName {
        /// The file.
        path: PathBuf,
        /// The entry.
        name: String,
    },
    /// A link where a file must be, which leads out of the layout or cannot be followed.
    #[error("{name} in {} is a link that leads out of it: copy the layout with its links resolved (cp -rL)", path.display())]
    Link {
        /// The layout.
        path: PathBuf,
        /// The file in it.
        name: String,
    },
    /// More than this crate takes.
    #[error("{what} is more than is taken here ({limit})")]
    TooMuch {
        /// What there is too much of.
        what: String,
        /// The limit, in bytes or as a count.
        limit: u64,
    },
    /// The file `oci-layout` is not what the image spec says.
    #[error("the file oci-layout is malformed: {0}")]
    Marker(String),
    /// A layout of a later version.
    #[error("the layout has the version {0:?}: only 1.x is known")]
    Version(String),
    /// The file `index.json` is not an index.
    #[error("index.json is malformed: {0}")]
    Index(ManifestError),
    /// A manifest is not one.
    #[error("{digest} is malformed: {error}")]
    Manifest {
        /// The manifest.
        digest: Digest,
        /// What is wrong with it.
        error: ManifestError,
    },
    /// A manifest is not there.
    #[error("the layout lacks the manifest {digest}{}, which {by} names{}", for_platform(platform.as_deref()), choose(others))]
    MissingManifest {
        /// The manifest.
        digest: Digest,
        /// What names it.
        by: String,
        /// What machine it is for, where that is known.
        platform: Option<Box<Platform>>,
        /// The platforms beside it that are there.
        others: Vec<Platform>,
    },
    /// A blob is not there.
    #[error("the layout lacks the blob {digest}, which {by} names")]
    MissingBlob {
        /// The blob.
        digest: Digest,
        /// What names it.
        by: String,
    },
    /// A file has another length than its descriptor says.
    #[error("{digest} has {found} bytes, not {expected} as its descriptor says: the layout is damaged")]
    Size {
        /// The manifest or blob.
        digest: Digest,
        /// The length in the descriptor, in bytes.
        expected: u64,
        /// The length of the file, in bytes.
        found: u64,
    },
    /// A manifest has another digest than its name, or could not be read to its end.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Nothing to push.
    #[error("the layout is empty: its index.json names no manifest")]
    Empty,
    /// Several images, and none was chosen.
    #[error("the layout holds several images: choose one by name or digest: {}", list(names))]
    Several {
        /// What can be chosen, in the order of the index.
        names: Vec<String>,
    },
    /// No image of that name or digest.
    #[error("the layout has no {wanted:?}; it has {}", list(names))]
    NoSuch {
        /// What was asked for.
        wanted: String,
        /// What can be chosen, in the order of the index.
        names: Vec<String>,
    },
    /// No image for that platform, or more than one.
    #[error("there is {} image for {wanted} here: there is {}", if *ambiguous { "more than one" } else { "no" }, list(platforms))]
    Platform {
        /// What was asked for.
        wanted: Box<Platform>,
        /// What there is.
        platforms: Vec<Platform>,
        /// Whether several match.
        ambiguous: bool,
    },
}

fn list<T: std::fmt::Display>(names: &[T]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| shown(&name.to_string())).collect::<Vec<_>>().join(", ")
}

fn for_platform(platform: Option<&Platform>) -> String {
    platform.map(|platform| format!(" for {platform}")).unwrap_or_default()
}

fn choose(others: &[Platform]) -> String {
    if others.is_empty() { String::new() } else { format!(": choose a platform that is there: {}", list(others)) }
}
