//! Unpacks one folder from its tar+gzip.

use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;
use longshore_core::text::{shown, shown_bytes};
use longshore_core::{Algorithm, Digester};
use tar::EntryType;

use super::names::{Kind, Names};
use super::place::{NoFile, Place};
use super::{Limits, Stop, Title, UnpackError};
use crate::PortablePath;

/// How many bytes all names of an artifact may have together.
const MAX_NAMES: u64 = 64 << 20;

/// Unpacks a layer into a place. Returns the number of files.
pub(super) fn unpack(
    layer: impl Read,
    title: &Title,
    place: &mut dyn Place,
    names: &mut Names,
    limits: &Limits,
    stop: &Stop,
) -> Result<u64, UnpackError> {
    let folder = || title.path.to_string();
    let algorithm = title.tar_digest.map_or(Algorithm::Sha256, |digest| digest.algorithm());
    let digester = Digester::new(algorithm);
    let reader = MultiGzDecoder::new(BufReader::new(layer));
    let mut tar = Bounded { reader, left: limits.bytes, is_over: false, digester, stop };
    let mut archive = tar::Archive::new(&mut tar);
    let written = entries(&mut archive, title, place, names, limits);
    // Bytes after the end of the tar count too, because they are part of its digest.
    let result = written.and_then(|count| match io::copy(&mut tar, &mut io::sink()) {
        Ok(_) => Ok(count),
        Err(error) => Err(UnpackError::Damaged { folder: folder(), error }),
    });
    if stop.is_wanted() {
        return Err(UnpackError::Stopped { folder: folder() });
    }
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
    place: &mut dyn Place,
    names: &mut Names,
    limits: &Limits,
) -> Result<u64, UnpackError> {
    let damaged = |error| UnpackError::Damaged { folder: title.path.to_string(), error };
    let too_much = |what, limit| UnpackError::TooMuch { folder: title.path.to_string(), what, limit };
    place.folder(&title.path)?;
    let (mut count, mut files) = (0, 0);
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        count += 1;
        if count > limits.entries {
            return Err(too_much("files and folders", limits.entries));
        }
        let kind = entry.header().entry_type();
        // It is no file: it has attributes of all entries that follow.
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let path = path_of(&entry, title)?;
        let kind = kind_of(kind).map_err(|kind| UnpackError::Kind { path: path.to_string(), kind })?;
        names.add(&path, kind)?;
        if names.bytes() > MAX_NAMES {
            return Err(too_much("bytes of names", MAX_NAMES));
        }
        if kind == Kind::Folder {
            place.folder(&path)?;
            continue;
        }
        let mode = entry.header().mode().unwrap_or(0);
        place.file(&path, mode, &mut entry).map_err(|error| match error {
            NoFile::Tar(error) => damaged(error),
            NoFile::Disk(error) => error.into(),
        })?;
        files += 1;
    }
    Ok(files)
}

/// The path of an entry. ORAS clients begin every path with the folder's title.
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

/// Reads and hashes a tar. Fails if it is longer than allowed, or was stopped.
struct Bounded<'a, R> {
    reader: R,
    left: u64,
    is_over: bool,
    digester: Digester,
    stop: &'a Stop,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_wanted() {
            return Err(io::Error::other("it was stopped"));
        }
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
