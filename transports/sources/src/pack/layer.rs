//! Packs files into a layer.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Component, Path, PathBuf};

use flate2::write::GzEncoder;
use longshore_core::{Algorithm, Descriptor, Digest, Digester, MediaType};
use tar::{EntryType, Header};

use super::PackError;
use crate::source::{Source, SourceError};

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// A plain tar.
    None,
    /// Gzip at its fastest level.
    Gzip,
}

impl Compression {
    fn media_type(self) -> MediaType {
        let text = match self {
            Self::None => "application/vnd.oci.image.layer.v1.tar",
            Self::Gzip => MediaType::OCI_LAYER_GZIP,
        };
        text.parse().expect("a test parses both")
    }
}

/// The files and folders of a layer, by path below the root.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    entries: BTreeMap<String, Content>,
}

#[derive(Debug, Clone)]
enum Content {
    File(Source, u32),
    Folder,
}

/// A packed layer. A clone is another handle to the same bytes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PackedLayer {
    /// The descriptor of the layer in a manifest.
    pub descriptor: Descriptor,
    /// The digest of the uncompressed tar, which the image's config lists. For one [file](super::file), its digest.
    pub diff_id: Digest,
    /// The source of its bytes.
    pub source: Source,
}

impl Layer {
    /// A layer without files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, or replaces the one with this name. `mode` is the permission bits, for example `0o755`.
    #[must_use]
    pub fn with_file(mut self, name: impl Into<String>, content: Source, mode: u32) -> Self {
        self.entries.insert(name.into(), Content::File(content, mode));
        self
    }

    /// Adds a folder. This is needed only if the folder is empty, or if a reader expects an entry for each folder.
    #[must_use]
    pub fn with_folder(mut self, name: impl Into<String>) -> Self {
        self.entries.insert(name.into(), Content::Folder);
        self
    }

    /// Packs the layer into memory.
    ///
    /// # Errors
    /// If a file cannot be read, or its name is not allowed in a layer.
    pub fn in_memory(&self, compression: Compression) -> Result<PackedLayer, PackError> {
        let mut bytes = Vec::new();
        let (descriptor, diff_id) = self.write(compression, &mut bytes)?;
        Ok(PackedLayer { source: Source::bytes(bytes).with_digest(descriptor.digest), descriptor, diff_id })
    }

    /// Packs the layer into a file, which must exist until the layer has been pushed.
    ///
    /// # Errors
    /// If a file cannot be read, its name is not allowed in a layer, or the layer's file cannot be written.
    pub fn in_file(&self, compression: Compression, path: impl Into<PathBuf>) -> Result<PackedLayer, PackError> {
        let path = path.into();
        let failed = |error| PackError::Write { what: path.display().to_string(), error };
        let mut file = BufWriter::new(File::create(&path).map_err(failed)?);
        let (descriptor, diff_id) = self.write(compression, &mut file)?;
        file.flush().map_err(failed)?;
        let source = Source::part_of_file(path, 0, descriptor.size).with_digest(descriptor.digest);
        Ok(PackedLayer { descriptor, diff_id, source })
    }

    /// Writes the layer. Returns its descriptor, and the digest of its uncompressed tar.
    ///
    /// # Errors
    /// If a file cannot be read, its name is not allowed in a layer, or `to` fails.
    pub fn write(&self, compression: Compression, to: &mut dyn Write) -> Result<(Descriptor, Digest), PackError> {
        let failed = |error| PackError::Write { what: "the layer".to_owned(), error };
        let mut compressed = Hashing::new(to);
        let diff_id = match compression {
            Compression::None => {
                let mut tar = Hashing::new(&mut compressed);
                self.write_tar(&mut tar)?;
                tar.digester.finish()
            }
            Compression::Gzip => {
                let mut gzip = GzEncoder::new(&mut compressed, flate2::Compression::fast());
                let mut tar = Hashing::new(&mut gzip);
                self.write_tar(&mut tar)?;
                let diff_id = tar.digester.finish();
                gzip.finish().map_err(failed)?;
                diff_id
            }
        };
        let size = compressed.digester.len();
        Ok((Descriptor::new(compression.media_type(), compressed.digester.finish(), size), diff_id))
    }

    fn write_tar(&self, to: &mut dyn Write) -> Result<(), PackError> {
        let mut tar = tar::Builder::new(to);
        for (name, content) in &self.entries {
            if name.is_empty() || !Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) {
                return Err(PackError::Name { name: name.clone() });
            }
            let failed = |error| write_error("the layer", error);
            match content {
                Content::Folder => {
                    let mut header = header(EntryType::Directory, 0o755, 0);
                    tar.append_data(&mut header, format!("{name}/"), io::empty()).map_err(failed)?;
                }
                Content::File(source, mode) => {
                    let size = source.len().ok_or_else(|| PackError::UnknownLength { name: name.clone() })?;
                    let mut header = header(EntryType::Regular, *mode, size);
                    tar.append_data(&mut header, name, source.rest(0)?).map_err(failed)?;
                }
            }
        }
        tar.finish().map_err(|error| write_error("the layer", error))
    }
}

/// A header without an owner, whose time is the epoch.
fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// The error of a copy from a source: the source's own error, if it failed.
pub(super) fn write_error(what: &str, error: io::Error) -> PackError {
    match error.downcast::<SourceError>() {
        Ok(error) => PackError::Source(error),
        Err(error) => PackError::Write { what: what.to_owned(), error },
    }
}

/// Writes bytes to another writer, and hashes them.
struct Hashing<'a> {
    to: &'a mut dyn Write,
    digester: Digester,
}

impl<'a> Hashing<'a> {
    fn new(to: &'a mut dyn Write) -> Self {
        Self { to, digester: Digester::new(Algorithm::Sha256) }
    }
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.digester.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
