//! Storage in a folder, with which a registry keeps its content after a restart.
//!
//! ```text
//! longshore-mock-registry      says whose folder it is, and is locked while one uses it
//! blobs/sha256/<hex>           a blob, whole
//! manifests/sha256/<hex>       a manifest, whole
//! records/<hex>                one record as JSON; named by the hash of its key
//! temporary/<id>               an upload, or a file not yet whole; emptied at the start
//! ```
//! No file name comes from a client: all are made from digests and from the registry's own ids. A file is written under
//! a temporary name and then renamed, so a file under its final name is whole. Nothing is synchronised to the disk:
//! content that was damaged by a crash of the machine is left out when the folder is opened again.

mod line;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use longshore_core::{Digest, Digester};

use super::{BlobBytes, Record, Storage, StorageError};
use crate::UploadId;
use line::Line;

/// The file that marks the folder as one of a mock registry.
const MARKER: &str = "longshore-mock-registry";
const FOLDERS: [&str; 6] =
    ["blobs/sha256", "blobs/sha512", "manifests/sha256", "manifests/sha512", "records", "temporary"];

/// The function that is called with each record that is left out.
struct Teller(Box<dyn FnMut(&str) + Send>);

/// Storage in a folder.
pub struct Directory {
    root: PathBuf,
    /// Whether blobs are verified at the start.
    check: bool,
    tell: Option<Teller>,
    /// Kept open, because it holds the lock.
    _marker: File,
}

impl Directory {
    /// Opens a folder. It is created if it does not exist.
    ///
    /// # Errors
    /// If the folder has other content, is in use, or cannot be read and written.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, StorageError> {
        let root = root.into();
        let failed = |error: io::Error| StorageError::Failed(format!("{}: {error}", root.display()));
        fs::create_dir_all(&root).map_err(failed)?;
        let marker = root.join(MARKER);
        // Files with other names are not changed. Files in folders with these names are, so these must not exist yet in
        // a folder without the marker.
        let own = ["blobs", "manifests", "records", "temporary"];
        if let Some(taken) = own.into_iter().find(|name| !marker.exists() && root.join(name).exists()) {
            let message = format!("{} holds {taken} of something else: choose another folder", root.display());
            return Err(StorageError::Failed(message));
        }
        let marker = OpenOptions::new().create(true).truncate(false).write(true).open(&marker).map_err(failed)?;
        if marker.try_lock().is_err() {
            let message = format!("{} is used by another registry: stop that one first", root.display());
            return Err(StorageError::Failed(message));
        }
        let temporary = root.join("temporary");
        if temporary.exists() {
            fs::remove_dir_all(&temporary).map_err(failed)?;
        }
        for folder in FOLDERS {
            fs::create_dir_all(root.join(folder)).map_err(failed)?;
        }
        Ok(Self { root, check: false, tell: None, _marker: marker })
    }

    /// Verifies every blob at the start. A blob whose bytes have changed is left out.
    #[must_use]
    pub fn with_check(mut self) -> Self {
        self.check = true;
        self
    }

    /// Calls a function for every record that is left out at the start because its content is not whole.
    #[must_use]
    pub fn telling(mut self, tell: impl FnMut(&str) + Send + 'static) -> Self {
        self.tell = Some(Teller(Box::new(tell)));
        self
    }

    /// Whether the bytes of a blob match its digest.
    fn is_intact(&self, digest: &Digest) -> bool {
        let Ok(file) = File::open(self.content("blobs", digest)) else { return false };
        let (mut blob, mut digester) = (OpenBlob(file), Digester::new(digest.algorithm()));
        loop {
            match blob.read(digester.len(), 1 << 20) {
                Ok(piece) if piece.is_empty() => return digester.finish() == *digest,
                Ok(piece) => digester.update(&piece),
                Err(_) => return false,
            }
        }
    }

    fn content(&self, kind: &str, digest: &Digest) -> PathBuf {
        self.root.join(kind).join(digest.algorithm().as_str()).join(digest.hex())
    }

    /// The path of the bytes of an upload. Only ids that this registry made are used as names of files.
    fn upload(&self, id: &UploadId) -> Result<PathBuf, StorageError> {
        let id = id.as_str();
        if id.is_empty() || id.len() > 64 || !id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
            return Err(StorageError::Failed("an upload's id is made of hex digits and dashes".to_owned()));
        }
        Ok(self.root.join("temporary").join(id))
    }

    /// Writes a file under a temporary name and renames it.
    fn write(&self, path: &Path, content: &[u8]) -> Result<(), StorageError> {
        let temporary = self.root.join("temporary").join("file");
        let written = fs::write(&temporary, content).and_then(|()| fs::rename(&temporary, path));
        written.map_err(|error| {
            drop(fs::remove_file(&temporary));
            failed(&error)
        })
    }

    /// The record in a file, if the record and its content are whole.
    fn read_record(&self, path: &Path) -> Option<Record> {
        let line: Line = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let content = match &line {
            Line::Manifest { digest, .. } => Bytes::from(fs::read(self.content("manifests", digest)).ok()?),
            _ => Bytes::new(),
        };
        let record = line.into_record(content)?;
        let whole = match &record {
            Record::Blob { digest, size, .. } => {
                fs::metadata(self.content("blobs", digest)).is_ok_and(|file| file.len() == *size)
                    && (!self.check || self.is_intact(digest))
            }
            Record::Manifest { digest, content: (_, bytes), .. } => digest.matches(bytes),
            Record::Tag { .. } => true,
        };
        whole.then_some(record)
    }

    fn tell_dropped(&mut self, path: &Path) {
        let what = fs::read_to_string(path).unwrap_or_default();
        if let Some(Teller(tell)) = &mut self.tell {
            tell(&format!("left out {}, because what it names is not whole: {what}", path.display()));
        }
    }

    fn files(&self, folder: &str) -> Result<Vec<PathBuf>, StorageError> {
        let entries = fs::read_dir(self.root.join(folder)).map_err(|error| failed(&error))?;
        entries.map(|entry| entry.map(|entry| entry.path()).map_err(|error| failed(&error))).collect()
    }

    /// Removes content that no record names. A file whose name is not the name of content belongs to someone else and
    /// stays.
    fn sweep(&self, records: &[Record]) -> Result<(), StorageError> {
        let named: BTreeSet<PathBuf> = records
            .iter()
            .filter_map(|record| match record {
                Record::Blob { digest, .. } => Some(self.content("blobs", digest)),
                Record::Manifest { digest, .. } => Some(self.content("manifests", digest)),
                Record::Tag { .. } => None,
            })
            .collect();
        for folder in &FOLDERS[..4] {
            let own = self.files(folder)?.into_iter().filter(|path| is_content(path));
            for path in own.filter(|path| !named.contains(path)) {
                fs::remove_file(path).map_err(|error| failed(&error))?;
            }
        }
        Ok(())
    }
}

/// Whether the name of a file is the name of content: the hex digits of a digest.
fn is_content(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    path.is_file() && matches!(name.len(), 64 | 128) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Storage for Directory {
    fn load(&mut self) -> Result<Vec<Record>, StorageError> {
        let mut records = Vec::new();
        for path in self.files("records")? {
            match self.read_record(&path) {
                Some(record) => records.push(record),
                None => self.tell_dropped(&path),
            }
        }
        self.sweep(&records)?;
        Ok(records)
    }

    fn append(&mut self, upload: &UploadId, bytes: &[u8]) -> Result<(), StorageError> {
        let file = OpenOptions::new().create(true).append(true).open(self.upload(upload)?);
        file.and_then(|mut file| file.write_all(bytes)).map_err(|error| failed(&error))
    }

    fn truncate(&mut self, upload: &UploadId, len: u64) -> Result<(), StorageError> {
        match OpenOptions::new().write(true).open(self.upload(upload)?) {
            Ok(file) => file.set_len(len).map_err(|error| failed(&error)),
            Err(error) if error.kind() == ErrorKind::NotFound && len == 0 => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }

    fn discard(&mut self, upload: &UploadId) {
        if let Ok(path) = self.upload(upload) {
            drop(fs::remove_file(path));
        }
    }

    fn uploaded(&mut self, upload: &UploadId, at: u64, up_to: usize) -> Result<Bytes, StorageError> {
        match File::open(self.upload(upload)?) {
            Ok(file) => OpenBlob(file).read(at, up_to),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Bytes::new()),
            Err(error) => Err(failed(&error)),
        }
    }

    fn keep(&mut self, upload: &UploadId, digest: &Digest) -> Result<(), StorageError> {
        let path = self.upload(upload)?;
        // An empty upload has no file yet.
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|_| fs::rename(&path, self.content("blobs", digest))).map_err(|error| failed(&error))
    }

    fn blob(&self, digest: &Digest) -> Result<Box<dyn BlobBytes>, StorageError> {
        match File::open(self.content("blobs", digest)) {
            Ok(file) => Ok(Box::new(OpenBlob(file))),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(StorageError::Missing(digest.to_string())),
            Err(error) => Err(failed(&error)),
        }
    }

    fn remove(&mut self, digest: &Digest) {
        drop(fs::remove_file(self.content("blobs", digest)));
    }

    fn record(&mut self, record: &Record) -> Result<(), StorageError> {
        if let Record::Manifest { digest, content: (_, bytes), .. } = record {
            self.write(&self.content("manifests", digest), bytes)?;
        }
        let line = serde_json::to_vec(&Line::of(record)).map_err(|error| StorageError::Failed(error.to_string()))?;
        self.write(&self.root.join("records").join(line::name(record)), &line)
    }

    fn clear(&mut self) -> Result<(), StorageError> {
        for folder in FOLDERS {
            for path in self.files(folder)? {
                fs::remove_file(path).map_err(|error| failed(&error))?;
            }
        }
        Ok(())
    }

    /// The bytes of a manifest stay until the folder is opened again, because another repository may have the same
    /// manifest.
    fn erase(&mut self, record: &Record) -> Result<(), StorageError> {
        match fs::remove_file(self.root.join("records").join(line::name(record))) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&error)),
            _ => Ok(()),
        }
    }
}

struct OpenBlob(File);

impl BlobBytes for OpenBlob {
    fn read(&mut self, at: u64, up_to: usize) -> Result<Bytes, StorageError> {
        let mut piece = BytesMut::zeroed(up_to.min(1 << 20));
        let mut filled = 0;
        self.0.seek(SeekFrom::Start(at)).map_err(|error| failed(&error))?;
        while filled < piece.len() {
            match self.0.read(&mut piece[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(&error)),
            }
        }
        piece.truncate(filled);
        Ok(piece.freeze())
    }
}

fn failed(error: &io::Error) -> StorageError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => StorageError::Full,
        _ => StorageError::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
