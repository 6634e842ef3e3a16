//! The paths that are in use.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::UnpackError;
use crate::PortablePath;

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
}

/// The paths of one artifact, by their folded form. A folder may occur several times, if its letters have the same
/// case.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: BTreeMap<String, (PortablePath, Kind)>,
    /// How many bytes all of them have.
    bytes: u64,
}

impl Names {
    /// How many bytes all stored paths have.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds a path, and the folders above it.
    pub(super) fn add(&mut self, path: &PortablePath, kind: Kind) -> Result<(), UnpackError> {
        for above in path.ancestors() {
            self.take(above, Kind::Folder)?;
        }
        self.take(path.clone(), kind)
    }

    fn take(&mut self, path: PortablePath, kind: Kind) -> Result<(), UnpackError> {
        match self.taken.entry(path.folded()) {
            Entry::Vacant(place) => {
                self.bytes += place.key().len() as u64;
                place.insert((path, kind));
                Ok(())
            }
            Entry::Occupied(place) if *place.get() == (path.clone(), Kind::Folder) && kind == Kind::Folder => Ok(()),
            Entry::Occupied(place) => {
                Err(UnpackError::Collision { first: place.get().0.to_string(), second: path.to_string() })
            }
        }
    }
}
