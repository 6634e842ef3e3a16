//! Files that the command writes: only their owner may read them, because paths and names tell what somebody works on.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// A new file, or an old one emptied.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    open(OpenOptions::new().create(true).truncate(true).write(true), path)
}

/// A new file, or the end of an old one.
pub(crate) fn append_to(path: &Path) -> io::Result<File> {
    open(OpenOptions::new().create(true).append(true), path)
}

fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}
