//! Where the files of a folder go: into a folder, or nowhere.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use super::UnpackError;
use crate::PortablePath;
use crate::staging::{StagingError, system};

/// Takes what a tar holds, entry by entry.
pub(super) trait Place {
    /// A folder, which may be there already.
    fn folder(&mut self, path: &PortablePath) -> Result<(), UnpackError>;

    /// A new file, with the permissions that the tar says.
    fn file(&mut self, path: &PortablePath, mode: u32, content: &mut dyn Read) -> Result<(), NoFile>;
}

/// Why a file was not written: whoever failed is named.
pub(super) enum NoFile {
    /// The tar could not be read.
    Tar(io::Error),
    /// The disk could not be written.
    Disk(StagingError),
}

/// A folder of the file system.
pub(super) struct Folder {
    pub(super) content: PathBuf,
}

/// One thing that a folder's layer would be unpacked into.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unpacked {
    /// Where: its title and what is below.
    pub path: PortablePath,
    /// A file's length in bytes; nothing for a folder.
    pub len: Option<u64>,
}

/// Writes down what would be written.
#[derive(Default)]
pub(super) struct List {
    pub(super) entries: Vec<Unpacked>,
}

impl Place for Folder {
    fn folder(&mut self, path: &PortablePath) -> Result<(), UnpackError> {
        let to = self.content.join(path.to_path());
        Ok(fs::create_dir_all(&to).map_err(system(&to))?)
    }

    fn file(&mut self, path: &PortablePath, mode: u32, content: &mut dyn Read) -> Result<(), NoFile> {
        let to = self.content.join(path.to_path());
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(system(parent)).map_err(NoFile::Disk)?;
        }
        let mut file = create(&to, mode).map_err(system(&to)).map_err(NoFile::Disk)?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match content.read(&mut buffer).map_err(NoFile::Tar)? {
                0 => return Ok(()),
                len => file.write_all(&buffer[..len]).map_err(system(&to)).map_err(NoFile::Disk)?,
            }
        }
    }
}

impl Place for List {
    fn folder(&mut self, path: &PortablePath) -> Result<(), UnpackError> {
        self.entries.push(Unpacked { path: path.clone(), len: None });
        Ok(())
    }

    fn file(&mut self, path: &PortablePath, _: u32, content: &mut dyn Read) -> Result<(), NoFile> {
        let len = io::copy(content, &mut io::sink()).map_err(NoFile::Tar)?;
        self.entries.push(Unpacked { path: path.clone(), len: Some(len) });
        Ok(())
    }
}

/// A new file, never one that is there: not what another entry made, and nothing through a link. Of its permissions, only
/// whether it can be run is taken.
fn create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if mode & 0o100 == 0 { 0o666 } else { 0o777 });
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}
