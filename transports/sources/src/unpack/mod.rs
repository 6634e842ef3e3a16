//! The files of an artifact: what its titles name, written below one folder and nowhere else.
//!
//! Titles and tars are what somebody else wrote. So every path is a [`PortablePath`] (I41), a folder's tar holds
//! files and folders only and no more than [`Limits`] allow (I42), and all of it is renamed into place at the end, or
//! nothing is (I43).
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

/// The annotation by which ORAS clients say that a layer is a folder, as tar+gzip: `true`.
pub const UNPACK: &str = "io.deis.oras.content.unpack";

/// The annotation by which ORAS clients say the digest of a folder's tar, before it was compressed.
pub const TAR_DIGEST: &str = "io.deis.oras.content.digest";

/// How much a folder may hold, so that a small download does not fill a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes in the uncompressed tar. Default 4 GiB.
    pub bytes: u64,
    /// Files and folders in it. Default 100,000.
    pub entries: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 4 << 30, entries: 100_000 }
    }
}

/// What a layer is called, and whether it is a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Title {
    /// Where it is to be.
    pub path: PortablePath,
    /// Whether it is to be unpacked.
    pub is_folder: bool,
    /// The digest of a folder's tar, where the layer says it.
    pub tar_digest: Option<Digest>,
}

impl Title {
    /// What the annotations of a layer say; nothing where it has no title.
    ///
    /// # Errors
    /// Where its title is no path below a folder, or is the folder itself without being one to unpack.
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

/// The files of one artifact on their way into a folder.
#[derive(Debug)]
pub struct Files {
    staging: Staging,
    names: Names,
    /// What is renamed at the end.
    roots: Vec<PortablePath>,
    /// Files that were written.
    count: u64,
    stop: Stop,
}

impl Files {
    /// Begins to fill a folder. It may be there, and hold other things: those are not touched.
    ///
    /// # Errors
    /// Where it is a file, or the system refuses.
    pub fn create(folder: &Path) -> Result<Self, UnpackError> {
        let staging = Staging::in_folder(folder)?;
        Ok(Self { staging, names: Names::default(), roots: Vec::new(), count: 0, stop: Stop::default() })
    }

    /// A handle that stops [`Files::put`] from another thread.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// A folder for blobs on their way, in the same file system.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.staging.scratch()
    }

    /// Finds out whether there is room for a title: before anything is pulled.
    ///
    /// # Errors
    /// Where another title has it, or something in the folder.
    pub fn claim(&mut self, title: &Title) -> Result<(), UnpackError> {
        let kind = if title.is_folder { Kind::Folder } else { Kind::File };
        self.names.add(&title.path, kind)?;
        if !title.path.is_empty() {
            self.staging.check(&title.path)?;
        }
        Ok(())
    }

    /// Writes what a title names, out of a file with the layer's bytes, which were verified. The file is moved, or read.
    ///
    /// # Errors
    /// Where it is a folder's tar that may not be unpacked, it was [stopped](Files::stop), or the system refuses. Drop all of it
    /// then.
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

    /// An ORAS client that was given `.` made a folder that is called so: what is in it is what there is to rename.
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

    /// Renames everything into place, and gives the number of files.
    ///
    /// # Errors
    /// Where something stands in the way by now, or the system refuses.
    pub fn finish(self) -> Result<u64, UnpackError> {
        self.staging.finish(&self.roots)?;
        Ok(self.count)
    }
}

/// What a folder's layer would be unpacked into, in the order of its tar: it is read to its end and held against everything that
/// [`Files::put`] holds it against, and nothing is written.
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
/// As for [`Files::put`], but for what the system says.
pub fn list(layer: impl Read, title: &Title, limits: &Limits) -> Result<Vec<Unpacked>, UnpackError> {
    let (mut list, mut names) = (place::List::default(), Names::default());
    names.add(&title.path, Kind::Folder)?;
    folder::unpack(layer, title, &mut list, &mut names, limits, &Stop::default())?;
    Ok(list.entries)
}

#[cfg(test)]
mod tests;
