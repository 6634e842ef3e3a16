//! A tar of a layout: indexed once by its headers, read by offset, never extracted.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};
use std::path::Path;

use longshore_core::text::shown;
use tar::{Archive, EntryType};

use super::LayoutError;

/// How many entries a tar may have.
const MAX_ENTRIES: u64 = 1_000_000;

/// How many links may lead from one to the next.
const MAX_LINKS: usize = 16;

/// What stands in a tar under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// A file's bytes, in the tar itself.
    File(Part),
    /// A hard or symbolic link to another entry.
    Link(String),
    /// A link that leads out of the tar, or something that is neither file nor link.
    Other,
    /// A file with holes: its bytes do not lie in one piece.
    Sparse,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) offset: u64,
    pub(super) len: u64,
}

/// What stands in a tar, by name.
pub(super) struct Entries {
    by_name: BTreeMap<String, Entry>,
    /// The folder that the layout is in, with its slash: `tar -c FOLDER` writes one, and `tar -C FOLDER -c .` does not.
    folder: String,
    /// The first name that leads out of the tar: what has such a name is not read.
    outside: Option<String>,
}

impl Entries {
    /// Reads the headers of a tar of `end` bytes, and seeks over the rest. `path` is what messages call it.
    pub(super) fn index(path: &Path, file: impl Read + Seek, end: u64) -> Result<Self, LayoutError> {
        let not_a_tar = |error: io::Error, entry| match error.raw_os_error() {
            Some(_) => LayoutError::Unreadable { path: path.to_owned(), error },
            // What the tar crate says quotes the bytes it found.
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
                // Of two entries of one name the last one counts, as it does when a tar is extracted.
                entries.insert(name, found);
            }
        }
        let folder = only_folder(&entries);
        Ok(Self { by_name: entries, folder, outside })
    }

    /// What is odd in the tar, and hinders nothing: nothing of it is extracted.
    pub(super) fn warning(&self, path: &Path) -> Option<String> {
        let name = shown(self.outside.as_ref()?);
        Some(format!("{} has an entry named {name:?}, which leads out of the archive: it is not read", path.display()))
    }

    /// Where the file of that name is, if it is there.
    pub(super) fn find(&self, path: &Path, name: &str) -> Result<Option<Part>, LayoutError> {
        let mut at = format!("{}{name}", self.folder);
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

    /// Where a name leads to, one of whose folders is a link: the outermost of them.
    fn through_a_folder(&self, name: &str) -> Option<String> {
        name.match_indices('/').find_map(|(end, _)| match self.by_name.get(&name[..end]) {
            Some(Entry::Link(to)) => Some(format!("{to}{}", &name[end..])),
            _ => None,
        })
    }
}

/// The folder of the only layout in a tar that has none at its top.
fn only_folder(entries: &BTreeMap<String, Entry>) -> String {
    if entries.contains_key("index.json") || entries.contains_key("manifest.json") {
        return String::new();
    }
    let markers = entries.keys().filter_map(|name| name.strip_suffix("oci-layout"));
    let mut folders = markers.filter(|folder| folder.ends_with('/'));
    match (folders.next(), folders.next()) {
        (Some(only), None) => only.to_owned(),
        _ => String::new(),
    }
}

fn read<R: Read>(entry: &tar::Entry<'_, R>, name: &str) -> Entry {
    let target = entry.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned());
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => {
            Entry::File(Part { offset: entry.raw_file_position(), len: entry.size() })
        }
        // A hard link says the name of another entry, a symbolic one the way from its own folder.
        EntryType::Link => target.and_then(|target| followed("", &target)).map_or(Entry::Other, Entry::Link),
        EntryType::Symlink => {
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            let target = target.filter(|target| !target.starts_with('/'));
            target.and_then(|target| followed(folder, &target)).map_or(Entry::Other, Entry::Link)
        }
        _ => Entry::Other,
    }
}

/// The name of a file with holes, as GNU tar writes it in one of three ways: an entry type, or a `PAX` header of two kinds.
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

/// Where a name leads from a folder, without `.`, `..` and empty parts; nothing where it leads out.
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
