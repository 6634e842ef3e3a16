//! One folder out of its tar+gzip.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use longshore_core::text::{shown, shown_bytes};
use longshore_core::{Algorithm, Digester};
use tar::EntryType;

use super::names::{Kind, Names};
use super::{Limits, Title, UnpackError};
use crate::PortablePath;
use crate::staging::system;

/// The most bytes that the names of an artifact may have together.
const MAX_NAMES: u64 = 64 << 20;

/// Unpacks the layer in the file `blob` below `content`, and gives the number of files.
pub(super) fn unpack(
    blob: &Path,
    title: &Title,
    content: &Path,
    names: &mut Names,
    limits: &Limits,
) -> Result<u64, UnpackError> {
    let folder = || title.path.to_string();
    let file = BufReader::new(File::open(blob).map_err(system(blob))?);
    let algorithm = title.tar_digest.map_or(Algorithm::Sha256, |digest| digest.algorithm());
    let digester = Digester::new(algorithm);
    let mut tar = Bounded { reader: MultiGzDecoder::new(file), left: limits.bytes, is_over: false, digester };
    let mut archive = tar::Archive::new(&mut tar);
    let written = entries(&mut archive, title, content, names, limits);
    // What follows the tar's end counts too, and belongs to its digest.
    let result = written.and_then(|count| match io::copy(&mut tar, &mut io::sink()) {
        Ok(_) => Ok(count),
        Err(error) => Err(UnpackError::Damaged { folder: folder(), error }),
    });
    if tar.is_over {
        return Err(UnpackError::TooMuch { folder: folder(), what: "bytes", limit: limits.bytes });
    }
    let count = result?;
    let found = tar.digester.finish();
    match title.tar_digest {
        Some(expected) if expected != found => Err(UnpackError::OtherTar { folder: folder(), expected, found }),
        _ => Ok(count),
    }
}

fn entries<R: Read>(
    archive: &mut tar::Archive<R>,
    title: &Title,
    content: &Path,
    names: &mut Names,
    limits: &Limits,
) -> Result<u64, UnpackError> {
    let damaged = |error| UnpackError::Damaged { folder: title.path.to_string(), error };
    let too_much = |what, limit| UnpackError::TooMuch { folder: title.path.to_string(), what, limit };
    let top = content.join(title.path.to_path());
    fs::create_dir_all(&top).map_err(system(&top))?;
    let (mut count, mut files) = (0, 0);
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        count += 1;
        if count > limits.entries {
            return Err(too_much("files and folders", limits.entries));
        }
        let kind = entry.header().entry_type();
        // It says something of all entries that follow, and is none.
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let path = path_of(&entry, title)?;
        let kind = kind_of(kind).map_err(|kind| UnpackError::Kind { path: path.to_string(), kind })?;
        names.add(&path, kind)?;
        if names.bytes() > MAX_NAMES {
            return Err(too_much("bytes of names", MAX_NAMES));
        }
        let to = content.join(path.to_path());
        if kind == Kind::Folder {
            fs::create_dir_all(&to).map_err(system(&to))?;
            continue;
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(system(parent))?;
        }
        let mut file = create(&to, entry.header().mode().unwrap_or(0)).map_err(system(&to))?;
        copy(&mut entry, &mut file, &to, title)?;
        files += 1;
    }
    Ok(files)
}

/// Where an entry is to be. ORAS clients begin every path with the folder's title.
fn path_of<R: Read>(entry: &tar::Entry<'_, R>, title: &Title) -> Result<PortablePath, UnpackError> {
    let bytes = entry.path_bytes();
    let refused = |why| UnpackError::Path { what: "path in a folder", path: shown_bytes(&bytes), why };
    let text = std::str::from_utf8(&bytes).map_err(|_| UnpackError::Encoding { path: shown_bytes(&bytes) })?;
    let path = PortablePath::parse(text).map_err(refused)?;
    match path.below(&title.path) {
        Some(_) => Ok(path),
        None => Err(UnpackError::Outside { path: shown(text), folder: title.path.to_string() }),
    }
}

fn kind_of(kind: EntryType) -> Result<Kind, &'static str> {
    match kind {
        EntryType::Regular | EntryType::Continuous => Ok(Kind::File),
        EntryType::Directory => Ok(Kind::Folder),
        EntryType::Symlink => Err("a symbolic link"),
        EntryType::Link => Err("a hard link"),
        EntryType::Char | EntryType::Block => Err("a device"),
        EntryType::Fifo => Err("a named pipe"),
        EntryType::GNUSparse => Err("a sparse file"),
        _ => Err("of a kind that is not known"),
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

/// Whoever failed is named: the tar, or the disk.
fn copy(entry: &mut impl Read, file: &mut File, path: &Path, title: &Title) -> Result<(), UnpackError> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let len = match entry.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(len) => len,
            Err(error) => return Err(UnpackError::Damaged { folder: title.path.to_string(), error }),
        };
        io::Write::write_all(file, &buffer[..len]).map_err(system(path))?;
    }
}

/// A tar that ends with an error where it is longer than allowed, and is hashed on the way.
struct Bounded<R> {
    reader: R,
    left: u64,
    is_over: bool,
    digester: Digester,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.reader.read(buffer)?;
        match self.left.checked_sub(len as u64) {
            Some(left) => self.left = left,
            None => {
                self.is_over = true;
                return Err(io::Error::other("it is too long"));
            }
        }
        self.digester.update(&buffer[..len]);
        Ok(len)
    }
}
