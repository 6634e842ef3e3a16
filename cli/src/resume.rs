//! `--resume FILE`: how far a push is, for the next process to go on with.

use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use longshore_core::{Checkpoint, Digest, Push};

use crate::exit::Error;
use crate::files;

/// The file, and what was last written to it.
pub(crate) struct Resume {
    path: PathBuf,
    written: Vec<u8>,
}

impl Resume {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), written: Vec::new() }
    }

    /// The push, resumed from the file; unchanged if there is no file yet.
    pub(crate) fn prepare(&self, push: Push<Digest>) -> Result<Push<Digest>, Error> {
        let json = match files::read(&self.path) {
            Ok(json) => json,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(push),
            Err(error) => return Err(Error::failed(format!("cannot read {}: {error}", self.path.display()))),
        };
        let resumed = Checkpoint::from_json(&json).and_then(|checkpoint| push.resume(checkpoint));
        resumed.map_err(|error| Error::failed(format!("cannot go on from {}: {error}", self.path.display())))
    }

    /// Writes how far the push is, whole or not at all.
    pub(crate) fn save(&mut self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let json = checkpoint.to_json();
        if json != self.written {
            self.replace(&json)
                .map_err(|error| Error::failed(format!("cannot write {}: {error}", self.path.display())))?;
            self.written = json;
        }
        Ok(())
    }

    /// The push is done: nobody can go on with it.
    pub(crate) fn remove(&self) -> Result<(), Error> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::failed(format!("pushed, but cannot remove {}: {error}", self.path.display())))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn replace(&self, json: &[u8]) -> io::Result<()> {
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        let new = PathBuf::from(name);
        files::create(&new)?.write_all(json)?;
        std::fs::rename(new, &self.path)
    }
}
