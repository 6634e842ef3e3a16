//! Where the files of a folder are written: into a folder, or into a list.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use super::UnpackError;
use crate::PortablePath;
use crate::staging::{StagingError, system};

/// Receives the entries of a tar.
pub(super) trait Place {
    /// A folder, which may exist already.
    fn folder(&mut self, path: &PortablePath) -> Result<(), UnpackError>;

    /// A new file, with the permissions in the tar.
    fn file(&mut self, path: &PortablePath, mode: u32, content: &mut dyn Read) -> Result<(), NoFile>;
}

/// Why a file was not written: reading or writing failed.
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

/// A file or folder that a layer would be unpacked into.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unpacked {
    /// Its path, which begins with the title.
    pub path: PortablePath,
    /// A file's size in bytes; `None` for a folder.
    pub len: Option<u64>,
}

/// Records what would be written.
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

/// Creates a new file. It must not exist, so it can overwrite no other entry and follow no link. Of the permissions
/// only the executable bit is used.
fn create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if mode & 0o100 == 0 { 0o666 } else { 0o777 });
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}
