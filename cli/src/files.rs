//! Files that the command writes: only their owner may read them, because paths and names tell what somebody works on. And
//! files that it reads whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

/// The longest file that is read whole, in bytes: certificates, users, checkpoints.
const LONGEST: u64 = 16 * 1024 * 1024;

/// All of a file, if it is not longer than what is read here can be.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::other(format!("it has more than {LONGEST} bytes: it is probably the wrong file")));
    }
    Ok(bytes)
}

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
