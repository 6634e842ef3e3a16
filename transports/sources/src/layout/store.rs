//! The files of a layout, in a folder or in a tar.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use longshore_core::Digest;

use super::LayoutError;
use super::archive::{self, Entry};
use crate::source::{Source, SourceError};

/// Where the files of a layout are.
pub(super) struct Store {
    /// As it was given, to show.
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    /// A folder, by its real path.
    Folder(PathBuf),
    /// A tar.
    Archive(BTreeMap<String, Entry>),
}

/// Where the bytes of one file are.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) offset: u64,
    pub(super) len: u64,
}

impl Place {
    pub(super) fn source(self) -> Source {
        Source::part_of_file(self.path, self.offset, self.len)
    }
}

impl Store {
    pub(super) fn open(path: &Path) -> Result<Self, LayoutError> {
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => LayoutError::NotFound { path: path.to_owned() },
            _ => LayoutError::Unreadable { path: path.to_owned(), error },
        };
        let real = fs::canonicalize(path).map_err(unreadable)?;
        let kind = if real.is_dir() {
            Kind::Folder(real)
        } else {
            Kind::Archive(archive::index(path, fs::File::open(path).map_err(unreadable)?)?)
        };
        Ok(Self { path: path.to_owned(), kind })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the file `name` is, if it is there. A link may lead to another file of the layout, not out of it.
    pub(super) fn find(&self, name: &str) -> Result<Option<Place>, LayoutError> {
        let link = || LayoutError::Link { path: self.path.clone(), name: name.to_owned() };
        match &self.kind {
            Kind::Archive(entries) => match entries.get(name) {
                Some(Entry::File(place)) => Ok(Some(place.clone())),
                Some(Entry::Link) => Err(link()),
                None => Ok(None),
            },
            Kind::Folder(root) => {
                let path = root.join(name);
                let unreadable = |error| LayoutError::Unreadable { path: path.clone(), error };
                let real = match fs::canonicalize(&path) {
                    Ok(real) if real.starts_with(root) => real,
                    Ok(_) => return Err(link()),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    Err(error) => return Err(unreadable(error)),
                };
                let metadata = fs::metadata(&real).map_err(unreadable)?;
                Ok(metadata.is_file().then_some(Place { path: real, offset: 0, len: metadata.len() }))
            }
        }
    }

    /// Where the manifest or blob of that digest is, if it is there.
    pub(super) fn find_blob(&self, digest: &Digest) -> Result<Option<Place>, LayoutError> {
        self.find(&format!("blobs/{}/{}", digest.algorithm(), digest.hex()))
    }

    /// The bytes of a small file.
    pub(super) fn read(&self, place: Place, name: &str, limit: u64) -> Result<Vec<u8>, LayoutError> {
        if place.len > limit {
            return Err(LayoutError::TooMuch { what: format!("the size of {name}"), limit });
        }
        let (path, len) = (place.path.clone(), place.len);
        let mut bytes = Vec::new();
        place.source().open(0..len)?.read_to_end(&mut bytes).map_err(|error| {
            match error.downcast::<SourceError>() {
                Ok(error) => LayoutError::Source(error),
                Err(error) => LayoutError::Unreadable { path, error },
            }
        })?;
        Ok(bytes)
    }
}
