//! A tar of a layout: indexed once by its headers, read by offset, never extracted.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use tar::{Archive, EntryType};

use super::LayoutError;
use super::store::Place;

/// How many entries a tar may have.
const MAX_ENTRIES: u64 = 1_000_000;

/// What stands in a tar under one name.
pub(super) enum Entry {
    /// A file's bytes, in the tar itself.
    File(Place),
    /// A link, a sparse file: nothing that can be read by offset.
    Link,
}

/// Reads the headers of the tar at `path`, and seeks over the rest. Only names that a layout gives a meaning are kept.
pub(super) fn index(path: &Path, mut file: File) -> Result<BTreeMap<String, Entry>, LayoutError> {
    let unreadable = |error| LayoutError::Unreadable { path: path.to_owned(), error };
    if let Some(remedy) = unpacked_with(&mut file).map_err(unreadable)? {
        return Err(LayoutError::Compressed { path: path.to_owned(), remedy });
    }
    let end = file.metadata().map_err(unreadable)?.len();
    let not_a_tar = |error: io::Error, entry| match error.raw_os_error() {
        Some(_) => unreadable(error),
        // What the tar crate says quotes the bytes it found.
        None => LayoutError::NotATar { path: path.to_owned(), entry },
    };
    let mut archive = Archive::new(file);
    let mut entries = BTreeMap::new();
    for (count, entry) in (1..).zip(archive.entries_with_seek().map_err(|error| not_a_tar(error, 1))?) {
        if count > MAX_ENTRIES {
            return Err(LayoutError::TooMuch {
                what: "the number of entries in the tar".to_owned(),
                limit: MAX_ENTRIES,
            });
        }
        let entry = entry.map_err(|error| not_a_tar(error, count))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if name.starts_with('/') || name.split('/').any(|part| part == "..") {
            return Err(LayoutError::UnsafeName { path: path.to_owned(), name });
        }
        let name: Vec<_> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        let name = name.join("/");
        if !is_known(&name) {
            continue;
        }
        let found = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {
                let (offset, len) = (entry.raw_file_position(), entry.size());
                if offset.checked_add(len).is_none_or(|behind| behind > end) {
                    return Err(LayoutError::Truncated { path: path.to_owned(), name });
                }
                Entry::File(Place { path: path.to_owned(), offset, len })
            }
            EntryType::Directory => continue,
            _ => Entry::Link,
        };
        // Of two entries of one name the last one counts, as it does when a tar is extracted.
        entries.insert(name, found);
    }
    Ok(entries)
}

fn is_known(name: &str) -> bool {
    matches!(name, "oci-layout" | "index.json" | "manifest.json") || name.starts_with("blobs/")
}

/// What unpacks the file, if it is compressed: then it has no offsets to read at.
fn unpacked_with(file: &mut File) -> io::Result<Option<&'static str>> {
    let mut magic = Vec::new();
    file.take(6).read_to_end(&mut magic)?;
    file.rewind()?;
    Ok(match magic.as_slice() {
        [0x1f, 0x8b, ..] => Some("gunzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("unzstd"),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Some("unxz"),
        [b'B', b'Z', b'h', ..] => Some("bunzip2"),
        _ => None,
    })
}
