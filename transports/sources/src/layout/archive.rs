//! A tar of a layout. Its headers are read once, its files are read by offset, and nothing is extracted.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};
use std::path::Path;

use longshore_core::text::shown;
use tar::{Archive, EntryType};

use super::LayoutError;

/// How many entries a tar may have at most.
const MAX_ENTRIES: u64 = 1_000_000;

/// How many links may follow each other at most.
const MAX_LINKS: usize = 16;

/// An entry of a tar.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// A file's bytes, in the tar itself.
    File(Part),
    /// A hard or symbolic link to another entry.
    Link(String),
    /// A link out of the tar, or an entry that is neither a file nor a link.
    Other,
    /// A sparse file, whose bytes are not contiguous.
    Sparse,
}

/// The position of a file's bytes in the tar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) offset: u64,
    pub(super) len: u64,
}

/// The entries of a tar, by name.
pub(super) struct Entries {
    by_name: BTreeMap<String, Entry>,
    /// The folders that layouts are in, with their slashes, if there is none at the top. `tar -c FOLDER` writes one,
    /// `tar -C FOLDER -c .` does not.
    folders: Vec<String>,
    /// The first name that leads out of the tar. Entries with such names are not read.
    outside: Option<String>,
}

impl Entries {
    /// Reads the headers of a tar of `end` bytes, and skips the contents. `path` is its name in messages.
    pub(super) fn index(path: &Path, file: impl Read + Seek, end: u64) -> Result<Self, LayoutError> {
        let not_a_tar = |error: io::Error, entry| match error.raw_os_error() {
            Some(_) => LayoutError::Unreadable { path: path.to_owned(), error },
            // The tar crate's own error is dropped, because it quotes bytes of the file.
            None => LayoutError::NotATar { path: path.to_owned(), entry },
        };
        let mut archive = Archive::new(file);
        let (mut entries, mut outside) = (BTreeMap::new(), None);
        for (count, entry) in (1..).zip(archive.entries_with_seek().map_err(|error| not_a_tar(error, 1))?) {
            if count > MAX_ENTRIES {
                let what = "the number of entries in the tar".to_owned();
                return Err(LayoutError::TooMuch { what, limit: MAX_ENTRIES });
            }
            let mut entry = entry.map_err(|error| not_a_tar(error, count))?;
            let sparse = sparse_name(&mut entry).map_err(|error| not_a_tar(error, count))?;
            let name = match &sparse {
                Some(name) => name.clone(),
                None => String::from_utf8_lossy(&entry.path_bytes()).into_owned(),
            };
            let Some(name) = followed("", &name) else {
                outside.get_or_insert(name);
                continue;
            };
            let found = if sparse.is_some() { Entry::Sparse } else { read(&entry, &name) };
            if let Entry::File(part) = &found
                && part.offset.checked_add(part.len).is_none_or(|behind| behind > end)
            {
                return Err(LayoutError::Truncated { path: path.to_owned(), name });
            }
            if entry.header().entry_type() != EntryType::Directory {
                // Of two entries with the same name the last one counts, as when a tar is extracted.
                entries.insert(name, found);
            }
        }
        let folders = folders(&entries);
        Ok(Self { by_name: entries, folders, outside })
    }

    /// The folders that layouts are in, if there is none at the top.
    pub(super) fn folders(&self) -> &[String] {
        &self.folders
    }

    /// A warning about the tar. It is no error, because nothing is extracted.
    pub(super) fn warning(&self, path: &Path) -> Option<String> {
        let name = shown(self.outside.as_ref()?);
        Some(format!("{} has an entry named {name:?}, which leads out of the archive: it is not read", path.display()))
    }

    /// The position of the file with this name, if it exists.
    pub(super) fn find(&self, path: &Path, name: &str) -> Result<Option<Part>, LayoutError> {
        let mut at = match self.folders.as_slice() {
            [only] => format!("{only}{name}"),
            _ => name.to_owned(),
        };
        for followed in 0..MAX_LINKS {
            match self.by_name.get(&at) {
                Some(Entry::File(part)) => return Ok(Some(*part)),
                Some(Entry::Sparse) => return Err(LayoutError::Sparse { path: path.to_owned(), name: at }),
                Some(Entry::Link(to)) => at.clone_from(to),
                Some(Entry::Other) => break,
                None => match self.through_a_folder(&at) {
                    Some(other) => at = other,
                    None if followed == 0 => return Ok(None),
                    None => break,
                },
            }
        }
        Err(LayoutError::Link { path: path.to_owned(), name: name.to_owned(), is_folder: false })
    }

    /// Resolves the outermost folder in a name that is a link.
    fn through_a_folder(&self, name: &str) -> Option<String> {
        name.match_indices('/').find_map(|(end, _)| match self.by_name.get(&name[..end]) {
            Some(Entry::Link(to)) => Some(format!("{to}{}", &name[end..])),
            _ => None,
        })
    }
}

/// The folders of the layouts in a tar that has no layout at its top. One in another layout's folder belongs to that.
fn folders(entries: &BTreeMap<String, Entry>) -> Vec<String> {
    if entries.contains_key("index.json") || entries.contains_key("manifest.json") {
        return Vec::new();
    }
    let markers = entries.keys().filter_map(|name| name.strip_suffix("oci-layout"));
    let all: Vec<&str> = markers.filter(|folder| folder.ends_with('/')).collect();
    let is_inside = |folder: &str| all.iter().any(|other| *other != folder && folder.starts_with(other));
    all.iter().filter(|folder| !is_inside(folder)).map(|&folder| folder.to_owned()).collect()
}

fn read<R: Read>(entry: &tar::Entry<'_, R>, name: &str) -> Entry {
    let target = entry.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned());
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => {
            Entry::File(Part { offset: entry.raw_file_position(), len: entry.size() })
        }
        // A hard link has the name of another entry, a symbolic link a path that is relative to its own folder.
        EntryType::Link => target.and_then(|target| followed("", &target)).map_or(Entry::Other, Entry::Link),
        EntryType::Symlink => {
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            let target = target.filter(|target| !target.starts_with('/'));
            target.and_then(|target| followed(folder, &target)).map_or(Entry::Other, Entry::Link)
        }
        _ => Entry::Other,
    }
}

/// The name of a sparse file. GNU tar writes it in three ways: as an entry type, or with two kinds of `PAX` headers.
fn sparse_name<R: Read>(entry: &mut tar::Entry<'_, R>) -> io::Result<Option<String>> {
    let is_sparse = entry.header().entry_type() == EntryType::GNUSparse;
    let mut name = is_sparse.then(|| String::from_utf8_lossy(&entry.path_bytes()).into_owned());
    let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    for extension in entry.pax_extensions()?.into_iter().flatten() {
        let extension = extension?;
        if extension.key_bytes() == b"GNU.sparse.name" {
            name = Some(String::from_utf8_lossy(extension.value_bytes()).into_owned());
        } else if extension.key_bytes().starts_with(b"GNU.sparse.") {
            name.get_or_insert_with(|| path.clone());
        }
    }
    Ok(name)
}

/// Resolves a path from a folder, without `.`, `..` and empty parts. `None` if it leads out of the tar.
fn followed(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
