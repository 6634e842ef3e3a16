//! Writes the files of an artifact, which its layers' titles name, below one folder.
//!
//! Titles and tars are of unknown origin. So every path must be a [`PortablePath`] (I41), a folder's tar may contain
//! only files and folders and no more than [`Limits`] allow (I42), and either all files are renamed into place at the
//! end or none (I43).
//!
//! ```
//! use longshore_core::MediaType;
//! use longshore_sources::pack;
//! use longshore_sources::unpack::{Files, Limits, Title};
//!
//! let home = tempfile::tempdir()?;
//! let docs = home.path().join("docs");
//! std::fs::create_dir(&docs)?;
//! std::fs::write(docs.join("guide.md"), "# Guide")?;
//! let layer = pack::folder(&docs, "docs", MediaType::OCI_LAYER_GZIP.parse()?, home.path().join("docs.tar.gz"))?;
//!
//! let mut files = Files::create(&home.path().join("out"))?;
//! let title = Title::of(&layer.descriptor)?.expect("it has a title");
//! files.claim(&title)?;
//! files.put(&title, &home.path().join("docs.tar.gz"), &Limits::default())?;
//! files.finish()?;
//! assert_eq!(std::fs::read(home.path().join("out/docs/guide.md"))?, b"# Guide");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod folder;
mod names;
mod place;
mod stop;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use longshore_core::text::shown;
use longshore_core::{Descriptor, Digest};

use crate::PortablePath;
use crate::staging::{Staging, StagingError, system};

pub use error::UnpackError;
use names::{Kind, Names};
pub use place::Unpacked;
pub use stop::Stop;

/// The annotation that names a file (image spec, annotations).
pub const TITLE: &str = "org.opencontainers.image.title";

/// The annotation with which ORAS clients mark a layer as a folder in a tar+gzip. Its value is `true`.
pub const UNPACK: &str = "io.deis.oras.content.unpack";

/// The annotation in which ORAS clients state the digest of a folder's uncompressed tar.
pub const TAR_DIGEST: &str = "io.deis.oras.content.digest";

/// How much a folder may contain, so that a small download does not fill a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest uncompressed tar, in bytes. Default 4 GiB.
    pub bytes: u64,
    /// How many files and folders it may contain. Default 100,000.
    pub entries: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 4 << 30, entries: 100_000 }
    }
}

/// The title of a layer, and whether it is a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Title {
    /// The path below the folder.
    pub path: PortablePath,
    /// Whether the layer is a folder that must be unpacked.
    pub is_folder: bool,
    /// The digest of a folder's tar, if the layer states it.
    pub tar_digest: Option<Digest>,
}

impl Title {
    /// Reads the annotations of a layer; `None` if it has no title.
    ///
    /// # Errors
    /// If its title is not a path below a folder, or if it is the folder itself and the layer is not a folder.
    pub fn of(layer: &Descriptor) -> Result<Option<Self>, UnpackError> {
        let Some(text) = layer.annotations.get(TITLE) else { return Ok(None) };
        let path =
            PortablePath::parse(text).map_err(|why| UnpackError::Path { what: "title", path: shown(text), why })?;
        let is_folder = layer.annotations.get(UNPACK).is_some_and(|value| value == "true");
        if path.is_empty() && !is_folder {
            return Err(UnpackError::NoFile { title: shown(text) });
        }
        let tar_digest = match layer.annotations.get(TAR_DIGEST).filter(|_| is_folder) {
            Some(digest) => Some(digest.parse().map_err(|_| UnpackError::TarDigest { digest: shown(digest) })?),
            None => None,
        };
        Ok(Some(Self { path, is_folder, tar_digest }))
    }
}

/// Writes the files of one artifact into a folder.
#[derive(Debug)]
pub struct Files {
    staging: Staging,
    names: Names,
    /// The paths that are renamed at the end.
    roots: Vec<PortablePath>,
    /// How many files were written.
    count: u64,
    stop: Stop,
}

impl Files {
    /// Starts to write into a folder. It may exist and have other content, which is not changed.
    ///
    /// # Errors
    /// If it is a file, or the system returns an error.
    pub fn create(folder: &Path) -> Result<Self, UnpackError> {
        let staging = Staging::in_folder(folder)?;
        Ok(Self { staging, names: Names::default(), roots: Vec::new(), count: 0, stop: Stop::default() })
    }

    /// A handle that stops [`Files::put`] from another thread.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// A folder for blobs that are being pulled, in the same file system.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.staging.scratch()
    }

    /// Reserves the path of a title, before anything is pulled.
    ///
    /// # Errors
    /// If another title has the path, or if it exists in the folder.
    pub fn claim(&mut self, title: &Title) -> Result<(), UnpackError> {
        let kind = if title.is_folder { Kind::Folder } else { Kind::File };
        self.names.add(&title.path, kind)?;
        if !title.path.is_empty() {
            self.staging.check(&title.path)?;
        }
        Ok(())
    }

    /// Writes a title's content from a file with the layer's verified bytes. The file is moved, or unpacked.
    ///
    /// # Errors
    /// If a folder's tar is refused, if it was [stopped](Files::stop), or if the system returns an error. Drop this
    /// value then.
    pub fn put(&mut self, title: &Title, blob: &Path, limits: &Limits) -> Result<(), UnpackError> {
        let to = self.staging.make_parents(&title.path)?;
        if title.is_folder {
            let file = fs::File::open(blob).map_err(system(blob))?;
            let mut folder = place::Folder { content: self.staging.content() };
            self.count += folder::unpack(file, title, &mut folder, &mut self.names, limits, &self.stop)?;
        } else {
            fs::rename(blob, &to).map_err(|error| StagingError::System { path: to, error })?;
            self.count += 1;
        }
        if title.path.is_empty() {
            self.add_roots()?;
        } else {
            self.roots.push(title.path.clone());
        }
        Ok(())
    }

    /// An ORAS client that was given `.` makes a folder with that title. Then the entries of the folder are renamed.
    fn add_roots(&mut self) -> Result<(), UnpackError> {
        let content = self.staging.content();
        for entry in fs::read_dir(&content).map_err(system(&content))? {
            let name = entry.map_err(system(&content))?.file_name();
            let path = PortablePath::parse(&name.to_string_lossy()).map_err(|why| UnpackError::Path {
                what: "title",
                path: shown(&name.to_string_lossy()),
                why,
            })?;
            if !self.roots.contains(&path) {
                self.roots.push(path);
            }
        }
        Ok(())
    }

    /// Renames everything into place. Returns the number of files.
    ///
    /// # Errors
    /// If a path exists by now, or the system returns an error.
    pub fn finish(self) -> Result<u64, UnpackError> {
        self.staging.finish(&self.roots)?;
        Ok(self.count)
    }
}

/// Lists what a folder's layer would be unpacked into, in the order of its tar. The whole layer is read and checked as
/// in [`Files::put`], but nothing is written.
///
/// ```
/// use longshore_sources::unpack::{Limits, Title, list};
/// # let title = Title::of(&longshore_core::Descriptor::empty()
/// #     .annotation("org.opencontainers.image.title", "docs")
/// #     .annotation("io.deis.oras.content.unpack", "true"))?.unwrap();
///
/// let refused = list(&b"no tar+gzip"[..], &title, &Limits::default()).unwrap_err();
/// assert!(refused.to_string().starts_with("the folder \"docs\" is not a whole tar+gzip"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Those of [`Files::put`], except errors of the system.
pub fn list(layer: impl Read, title: &Title, limits: &Limits) -> Result<Vec<Unpacked>, UnpackError> {
    let (mut list, mut names) = (place::List::default(), Names::default());
    names.add(&title.path, Kind::Folder)?;
    folder::unpack(layer, title, &mut list, &mut names, limits, &Stop::default())?;
    Ok(list.entries)
}

#[cfg(test)]
mod tests;
