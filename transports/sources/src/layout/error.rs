//! Why a layout cannot be pushed.

use std::io;
use std::path::{Path, PathBuf};

use longshore_core::content::{ManifestError, Platform};
use longshore_core::text::shown;
use longshore_core::{Digest, MediaType};
use thiserror::Error;

use crate::source::SourceError;

/// Why an OCI image layout cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// The path does not exist.
    #[error("there is no file or folder {}", path.display())]
    NotFound {
        /// The path.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The path is not an OCI image layout.
    #[error("{} is not an OCI image layout: it has no {missing}", path.display())]
    NotALayout {
        /// The path.
        path: PathBuf,
        /// The file that is missing.
        missing: &'static str,
    },
    /// A tar has several layouts, each in a folder of its own.
    #[error("{} has several OCI image layouts: unpack it, and name the folder of one of them:{}", path.display(), list(folders))]
    SeveralLayouts {
        /// The tar.
        path: PathBuf,
        /// The folders in it.
        folders: Vec<String>,
    },
    /// An archive in the format of Docker before 25, or a folder that it was unpacked into.
    #[error("{} is an image archive as Docker before 25 and podman save it: {}", path.display(), converted(path))]
    DockerArchive {
        /// The archive, its folder, or the name of what was read.
        path: PathBuf,
    },
    /// A folder in the format `dir:` of skopeo.
    #[error("{} is an image as skopeo's dir: writes it: convert it with skopeo copy dir:{} oci:FOLDER", path.display(), path.display())]
    SkopeoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// An archive with a compression that is not supported.
    #[error("{} is compressed, neither with gzip nor with zstd: unpack it first with {remedy}", path.display())]
    Compressed {
        /// The file.
        path: PathBuf,
        /// The command that unpacks it.
        remedy: &'static str,
    },
    /// A pipe or a file is empty.
    #[error("{} is empty: a tar of an image was expected", path.display())]
    Nothing {
        /// What was read.
        path: PathBuf,
    },
    /// A compressed archive that cannot be unpacked.
    #[error("{} cannot be unpacked: {error}", path.display())]
    NotUnpacked {
        /// The file.
        path: PathBuf,
        /// The error.
        error: io::Error,
    },
    /// A temporary file is needed and cannot be written.
    #[error(
        "{} cannot be copied into a temporary file: {error}; the variable TMPDIR says where such files go",
        path.display()
    )]
    NotKept {
        /// The file or pipe to copy.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The file is not a readable tar.
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
    /// A file is a link that leads out of the layout or to nothing.
    #[error("{} in {} is a link that leads {}", shown(name), path.display(), resolved(*is_folder))]
    Link {
        /// The layout.
        path: PathBuf,
        /// The file in it.
        name: String,
        /// Whether the layout is a folder: then links out of it can be [allowed](super::LayoutOptions::follow_links).
        is_folder: bool,
    },
    /// A file in a folder is a link to nothing.
    #[error("{} in {} is a link that leads to nothing: copy the layout again, with its links resolved (cp -rL)", shown(name), path.display())]
    Dangling {
        /// The layout.
        path: PathBuf,
        /// The file in it.
        name: String,
    },
    /// An entry of a tar is a sparse file.
    #[error("{} in {} is stored as a sparse file, whose bytes do not lie in one piece: make the tar without --sparse", shown(name), path.display())]
    Sparse {
        /// The tar.
        path: PathBuf,
        /// The entry.
        name: String,
    },
    /// A limit of this crate is exceeded.
    #[error("{what} is above the limit of {limit}")]
    TooMuch {
        /// What exceeds the limit.
        what: String,
        /// The limit, in bytes or as a count.
        limit: u64,
    },
    /// The file `index.json` is not an index.
    #[error("index.json is malformed: {0}")]
    Index(String),
    /// An entry of `index.json` is not a descriptor.
    #[error("entry {place} of index.json{} is malformed: {error}", in_brackets(name.as_deref()))]
    Entry {
        /// Its position, counted from 1.
        place: usize,
        /// Its name, if it can be read.
        name: Option<String>,
        /// What is wrong with it.
        error: String,
    },
    /// `index.json` names something whose type is not that of a manifest.
    #[error(
        "{} is not an image, an index or an artifact that is known here: index.json says that its type is {media_type}",
        shown(name)
    )]
    UnknownType {
        /// Its name, or its digest.
        name: String,
        /// Its type.
        media_type: MediaType,
    },
    /// A manifest is malformed.
    #[error("{digest}: {error}")]
    Manifest {
        /// The manifest.
        digest: Digest,
        /// What is wrong with it.
        error: ManifestError,
    },
    /// A manifest is missing.
    #[error("the layout lacks the manifest {digest}{}, which {by} names{}", for_platform(platform.as_deref()), choose(others))]
    MissingManifest {
        /// The manifest.
        digest: Digest,
        /// What names it.
        by: String,
        /// Its platform, if it is known.
        platform: Option<Box<Platform>>,
        /// The other platforms, which the layout has.
        others: Vec<Platform>,
    },
    /// A file has another size than its descriptor states.
    #[error("{digest} has {found} bytes, not {expected} as its descriptor says: the layout is damaged")]
    Size {
        /// The manifest or blob.
        digest: Digest,
        /// The size in the descriptor, in bytes.
        expected: u64,
        /// The size of the file, in bytes.
        found: u64,
    },
    /// A manifest has another digest than its file name, or could not be read completely.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Nothing to push.
    #[error("the layout is empty: its index.json names no manifest")]
    Empty,
    /// Several images, and none was chosen.
    #[error(
        "the layout holds several images: choose one by name (PATH:NAME) or digest (PATH@DIGEST):{}",
        list(choices)
    )]
    Several {
        /// What can be chosen, in the order of the index: names, and digests if names are ambiguous.
        choices: Vec<String>,
    },
    /// No image of that name or digest.
    #[error("the layout has no {wanted:?}; it has{}", list(choices))]
    NoSuch {
        /// What was asked for.
        wanted: String,
        /// What can be chosen, in the order of the index: names, and digests if names are ambiguous.
        choices: Vec<String>,
    },
    /// No image for that platform, or more than one.
    #[error("there is {} image for {wanted} here: {}{}", how_many(*is_ambiguous), choose_or_there_is(*is_ambiguous), list(choices))]
    Platform {
        /// What was asked for.
        wanted: Box<Platform>,
        /// The platforms that the layout has. If several match, these, with digests if they are ambiguous.
        choices: Vec<String>,
        /// Whether several match.
        is_ambiguous: bool,
    },
}

/// How many lines of choices a message shows at most.
const MAX_LINES: usize = 16;

/// The longest list that is shown in one line, in bytes.
const MAX_LINE: usize = 160;

/// Formats choices in the same line, or in lines of their own.
fn list<T: std::fmt::Display>(choices: &[T]) -> String {
    if choices.is_empty() {
        return " nothing".to_owned();
    }
    // If there are more, the last line states how many.
    let taken = if choices.len() > MAX_LINES { MAX_LINES - 1 } else { MAX_LINES };
    let texts: Vec<String> = choices.iter().take(taken).map(|choice| shown(&choice.to_string())).collect();
    let line = texts.join(", ");
    match choices.len() - texts.len() {
        0 if line.len() <= MAX_LINE => format!(" {line}"),
        0 => format!("\n  {}", texts.join("\n  ")),
        more => format!("\n  {}\n  and {more} more", texts.join("\n  ")),
    }
}

const fn how_many(is_ambiguous: bool) -> &'static str {
    if is_ambiguous { "more than one" } else { "no" }
}

const fn choose_or_there_is(is_ambiguous: bool) -> &'static str {
    if is_ambiguous { "say more of the platform, or the digest (PATH@DIGEST):" } else { "there is" }
}

/// How an archive of Docker becomes a layout. skopeo reads one from a file only.
fn converted(path: &Path) -> String {
    let shown = path.display();
    if path.is_dir() {
        format!("pack it and convert that: tar -cf FILE -C {shown} . && skopeo copy docker-archive:FILE oci:FOLDER")
    } else if path.is_file() {
        format!(
            "convert it, for example with skopeo copy docker-archive:{shown} oci:FOLDER; podman save --format oci-archive writes a layout"
        )
    } else {
        "write it into a file and convert that, for example with skopeo copy docker-archive:FILE oci:FOLDER; podman save --format oci-archive writes a layout".to_owned()
    }
}

const fn resolved(is_folder: bool) -> &'static str {
    if is_folder {
        "out of it: copy the layout with its links resolved (cp -rL)"
    } else {
        "out of it or to nothing: make the tar with its links resolved (tar --dereference --hard-dereference)"
    }
}

fn in_brackets(name: Option<&str>) -> String {
    name.map(|name| format!(" ({})", shown(name))).unwrap_or_default()
}

fn for_platform(platform: Option<&Platform>) -> String {
    platform.map(|platform| format!(" for {platform}")).unwrap_or_default()
}

fn choose(others: &[Platform]) -> String {
    if others.is_empty() { String::new() } else { format!(": choose a platform that is there:{}", list(others)) }
}
