//! The files of a layout, in a folder or in a tar.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _};
use std::path::{Path, PathBuf};

use longshore_core::Digest;

use super::archive::{Entries, Part};
use super::spool::{Compression, Spool};
use super::{LayoutError, LayoutOptions};
use crate::source::{Source, SourceError};

/// The files of a layout, in a folder or a tar.
pub(super) struct Store {
    /// The path as it was given, for messages.
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    Folder {
        /// Its real path.
        root: PathBuf,
        follow_links: bool,
    },
    /// A tar that is read in place.
    Tar(Entries),
    /// A tar from a pipe or a compressed one, in a temporary file.
    Spooled(Entries, Spool),
}

/// The position of one file's bytes.
#[derive(Debug, Clone)]
pub(super) struct Place {
    path: PathBuf,
    spool: Option<Spool>,
    offset: u64,
    pub(super) len: u64,
}

impl Place {
    pub(super) fn source(self, name: &str) -> Source {
        match self.spool {
            None => Source::part_of_file(self.path, self.offset, self.len),
            Some(spool) => spool.source(format!("{name} of {}", self.path.display()), self.offset, self.len),
        }
    }
}

impl Store {
    pub(super) fn open(path: &Path, options: LayoutOptions) -> Result<Self, LayoutError> {
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => LayoutError::NotFound { path: path.to_owned() },
            _ => LayoutError::Unreadable { path: path.to_owned(), error },
        };
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if metadata.is_dir() {
            let root = fs::canonicalize(path).map_err(unreadable)?;
            let kind = Kind::Folder { root, follow_links: options.follow_links };
            return Ok(Self { path: path.to_owned(), kind });
        }
        if metadata.is_file() && metadata.len() == 0 {
            return Err(LayoutError::Nothing { path: path.to_owned() });
        }
        let mut file = File::open(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Self::read(path, file);
        }
        let mut magic = Vec::new();
        (&mut file).take(Compression::MAGIC as u64).read_to_end(&mut magic).map_err(unreadable)?;
        file.rewind().map_err(unreadable)?;
        if Compression::of(&magic) != Compression::None {
            return Self::read(path, file);
        }
        let entries = Entries::index(path, file, metadata.len())?;
        Ok(Self { path: path.to_owned(), kind: Kind::Tar(entries) })
    }

    /// Reads a tar from a reader, compressed or not.
    pub(super) fn read(path: &Path, reader: impl Read) -> Result<Self, LayoutError> {
        let spool = Spool::of(reader, path)?;
        let entries = Entries::index(path, spool.reader(), spool.len)?;
        Ok(Self { path: path.to_owned(), kind: Kind::Spooled(entries, spool) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A warning about the tar.
    pub(super) fn warning(&self) -> Option<String> {
        match &self.kind {
            Kind::Tar(entries) | Kind::Spooled(entries, _) => entries.warning(&self.path),
            Kind::Folder { .. } => None,
        }
    }

    /// The folders of a tar that have a layout each, if there is none at its top.
    pub(super) fn folders(&self) -> &[String] {
        match &self.kind {
            Kind::Tar(entries) | Kind::Spooled(entries, _) => entries.folders(),
            Kind::Folder { .. } => &[],
        }
    }

    /// The size of the temporary file in bytes, if there is one.
    pub(super) const fn spooled(&self) -> Option<u64> {
        match &self.kind {
            Kind::Spooled(_, spool) => Some(spool.len),
            Kind::Folder { .. } | Kind::Tar(_) => None,
        }
    }

    /// The position of the file `name`, if it exists. A link may lead to another file of the layout, and out of it only
    /// if that is allowed.
    pub(super) fn find(&self, name: &str) -> Result<Option<Place>, LayoutError> {
        let place = |Part { offset, len }, spool: Option<&Spool>| Place {
            path: self.path.clone(),
            spool: spool.cloned(),
            offset,
            len,
        };
        match &self.kind {
            Kind::Tar(entries) => Ok(entries.find(&self.path, name)?.map(|part| place(part, None))),
            Kind::Spooled(entries, spool) => Ok(entries.find(&self.path, name)?.map(|part| place(part, Some(spool)))),
            Kind::Folder { root, follow_links } => self.find_in_folder(root, *follow_links, name),
        }
    }

    fn find_in_folder(&self, root: &Path, follow_links: bool, name: &str) -> Result<Option<Place>, LayoutError> {
        let path = root.join(name);
        let unreadable = |error| LayoutError::Unreadable { path: path.clone(), error };
        let real = match fs::canonicalize(&path) {
            Ok(real) if follow_links || real.starts_with(root) => real,
            Ok(_) => {
                return Err(LayoutError::Link { path: self.path.clone(), name: name.to_owned(), is_folder: true });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // The link itself is there.
                return match fs::symlink_metadata(&path) {
                    Ok(_) => Err(LayoutError::Dangling { path: self.path.clone(), name: name.to_owned() }),
                    Err(_) => Ok(None),
                };
            }
            Err(error) => return Err(unreadable(error)),
        };
        let metadata = fs::metadata(&real).map_err(unreadable)?;
        Ok(metadata.is_file().then_some(Place { path: real, spool: None, offset: 0, len: metadata.len() }))
    }

    /// The position of the manifest or blob with this digest, if it exists.
    pub(super) fn find_blob(&self, digest: &Digest) -> Result<Option<Place>, LayoutError> {
        self.find(&format!("blobs/{}/{}", digest.algorithm(), digest.hex()))
    }

    /// The bytes of a small file.
    pub(super) fn read_file(&self, place: Place, name: &str, limit: u64) -> Result<Vec<u8>, LayoutError> {
        if place.len > limit {
            return Err(LayoutError::TooMuch { what: format!("the size of {name}"), limit });
        }
        let (path, len) = (place.path.clone(), place.len);
        let mut bytes = Vec::new();
        place.source(name).open(0..len)?.read_to_end(&mut bytes).map_err(|error| {
            match error.downcast::<SourceError>() {
                Ok(error) => LayoutError::Source(error),
                Err(error) => LayoutError::Unreadable { path, error },
            }
        })?;
        Ok(bytes)
    }
}
