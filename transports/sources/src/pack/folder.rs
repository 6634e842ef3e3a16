//! Packs a folder into a layer that ORAS clients unpack.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use longshore_core::MediaType;

use super::{Compression, Layer, PackError, PackedLayer};
use crate::PortablePath;
use crate::source::Source;
use crate::unpack::{TAR_DIGEST, TITLE, UNPACK};

/// Packs a folder and everything below it as a tar+gzip into the file `to`. The layer has the annotations with which
/// ORAS clients, and [`unpack`](crate::unpack), unpack it under the name `title`.
///
/// The same folder gives the same bytes: entries are sorted, times and owners are left out, and of the permissions only
/// the executable bit is kept. A link to a file in the folder is packed as that file.
///
/// # Errors
/// If a file cannot be read or written, or if its path could not be unpacked on every system.
pub fn folder(
    folder: &Path,
    title: &str,
    media_type: MediaType,
    to: impl Into<PathBuf>,
) -> Result<PackedLayer, PackError> {
    let top = fs::canonicalize(folder).map_err(|error| PackError::Read { path: folder.to_owned(), error })?;
    let name = PortablePath::parse(title);
    let name = name.map_err(|why| PackError::Path { path: folder.to_owned(), name: title.to_owned(), why })?;
    let mut walk = Walk { top: &top, layer: Layer::new(), folded: BTreeMap::new() };
    walk.folder(&top, &name)?;
    let mut packed = walk.layer.in_file(Compression::Gzip, to)?;
    let annotations =
        [(TITLE, name.to_string()), (UNPACK, "true".to_owned()), (TAR_DIGEST, packed.diff_id.to_string())];
    packed.descriptor.annotations.extend(annotations.map(|(key, value)| (key.to_owned(), value)));
    packed.descriptor.media_type = media_type;
    Ok(packed)
}

struct Walk<'a> {
    top: &'a Path,
    layer: Layer,
    /// The paths, by their folded form.
    folded: BTreeMap<String, String>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, name: &PortablePath) -> Result<(), PackError> {
        let unreadable = |error| PackError::Read { path: folder.to_owned(), error };
        if !name.is_empty() {
            self.take(name)?;
            self.layer = std::mem::take(&mut self.layer).with_folder(name.to_string());
        }
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            self.entry(&path, name)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, folder: &PortablePath) -> Result<(), PackError> {
        let own = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{folder}/{own}");
        let refused = |why| PackError::Path { path: path.to_owned(), name: name.clone(), why };
        if path.file_name().and_then(|name| name.to_str()).is_none() {
            return Err(PackError::Name { name });
        }
        let name = PortablePath::parse(&name).map_err(refused)?;
        let unreadable = |error| PackError::Read { path: path.to_owned(), error };
        let metadata = fs::symlink_metadata(path).map_err(unreadable)?;
        if metadata.is_dir() {
            return self.folder(path, &name);
        }
        let (path, metadata) = if metadata.is_symlink() { self.followed(path)? } else { (path.to_owned(), metadata) };
        if !metadata.is_file() {
            return Err(PackError::Kind(path));
        }
        self.take(&name)?;
        let source = Source::part_of_file(path, 0, metadata.len());
        self.layer = std::mem::take(&mut self.layer).with_file(name.to_string(), source, mode(&metadata));
        Ok(())
    }

    /// Resolves a link to a file in the same folder.
    fn followed(&self, link: &Path) -> Result<(PathBuf, Metadata), PackError> {
        let refused = || PackError::Link(link.to_owned());
        let path = fs::canonicalize(link).map_err(|_| refused())?;
        let metadata = fs::metadata(&path).map_err(|_| refused())?;
        if path.starts_with(self.top) && metadata.is_file() { Ok((path, metadata)) } else { Err(refused()) }
    }

    fn take(&mut self, name: &PortablePath) -> Result<(), PackError> {
        match self.folded.insert(name.folded(), name.to_string()) {
            Some(first) => Err(PackError::Collision { first, second: name.to_string() }),
            None => Ok(()),
        }
    }
}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    if metadata.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 }
}

#[cfg(not(unix))]
fn mode(_: &Metadata) -> u32 {
    0o644
}
