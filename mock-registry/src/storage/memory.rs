//! Storage in memory, up to a limit.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use longshore_core::Digest;

use super::{BlobBytes, Record, Storage, StorageError};
use crate::UploadId;

/// The length of a segment in bytes. The last segment may be shorter.
const SEGMENT: usize = 1 << 20;

/// Storage in memory. Its content ends with the process, so it writes no records.
#[derive(Debug)]
pub struct Memory {
    uploads: BTreeMap<UploadId, Vec<Vec<u8>>>,
    blobs: BTreeMap<Digest, Arc<Vec<Bytes>>>,
    used: u64,
    limit: u64,
}

impl Memory {
    /// Storage for this many bytes of uploads and blobs together.
    #[must_use]
    pub const fn with_limit(limit: u64) -> Self {
        Self { uploads: BTreeMap::new(), blobs: BTreeMap::new(), used: 0, limit }
    }

    /// The number of bytes that are stored.
    #[must_use]
    pub const fn used(&self) -> u64 {
        self.used
    }
}

impl Default for Memory {
    /// Storage for 4 GiB.
    fn default() -> Self {
        Self::with_limit(4 << 30)
    }
}

impl Storage for Memory {
    fn load(&mut self) -> Result<Vec<Record>, StorageError> {
        Ok(Vec::new())
    }

    fn may_block(&self) -> bool {
        false
    }

    fn append(&mut self, upload: &UploadId, mut bytes: &[u8]) -> Result<(), StorageError> {
        let used = self.used.saturating_add(bytes.len() as u64);
        if used > self.limit {
            return Err(StorageError::Full);
        }
        self.used = used;
        let segments = self.uploads.entry(upload.clone()).or_default();
        while !bytes.is_empty() {
            if segments.last().is_none_or(|last| last.len() == SEGMENT) {
                segments.push(Vec::new());
            }
            if let Some(last) = segments.last_mut() {
                let (now, later) = bytes.split_at(bytes.len().min(SEGMENT - last.len()));
                last.extend_from_slice(now);
                bytes = later;
            }
        }
        Ok(())
    }

    fn truncate(&mut self, upload: &UploadId, len: u64) -> Result<(), StorageError> {
        if let Some(segments) = self.uploads.get_mut(upload) {
            let before = total(segments.iter().map(Vec::len));
            if len < before {
                let whole = usize::try_from(len / SEGMENT as u64).unwrap_or(usize::MAX);
                segments.truncate(whole.saturating_add(1));
                if let Some(last) = segments.get_mut(whole) {
                    last.truncate((len % SEGMENT as u64) as usize);
                }
                self.used -= before - len;
            }
        }
        Ok(())
    }

    fn discard(&mut self, upload: &UploadId) {
        if let Some(segments) = self.uploads.remove(upload) {
            self.used -= total(segments.iter().map(Vec::len));
        }
    }

    fn uploaded(&mut self, upload: &UploadId, at: u64, up_to: usize) -> Result<Bytes, StorageError> {
        let piece = self.uploads.get(upload).and_then(|segments| {
            let (segment, offset) = position(at)?;
            let rest = segments.get(segment)?.get(offset..)?;
            Some(Bytes::copy_from_slice(&rest[..rest.len().min(up_to)]))
        });
        Ok(piece.unwrap_or_default())
    }

    fn keep(&mut self, upload: &UploadId, digest: &Digest) -> Result<(), StorageError> {
        let segments = self.uploads.remove(upload).unwrap_or_default();
        let segments: Vec<Bytes> = segments.into_iter().map(Bytes::from).collect();
        if let Some(old) = self.blobs.insert(*digest, Arc::new(segments)) {
            self.used -= total(old.iter().map(Bytes::len));
        }
        Ok(())
    }

    fn blob(&self, digest: &Digest) -> Result<Box<dyn BlobBytes>, StorageError> {
        let segments = self.blobs.get(digest).ok_or_else(|| StorageError::Missing(digest.to_string()))?;
        Ok(Box::new(Segments(Arc::clone(segments))))
    }

    fn remove(&mut self, digest: &Digest) {
        if let Some(segments) = self.blobs.remove(digest) {
            self.used -= total(segments.iter().map(Bytes::len));
        }
    }

    fn record(&mut self, _: &Record) -> Result<(), StorageError> {
        Ok(())
    }

    fn clear(&mut self) -> Result<(), StorageError> {
        *self = Self::with_limit(self.limit);
        Ok(())
    }

    fn erase(&mut self, _: &Record) -> Result<(), StorageError> {
        Ok(())
    }
}

struct Segments(Arc<Vec<Bytes>>);

impl BlobBytes for Segments {
    fn read(&mut self, at: u64, up_to: usize) -> Result<Bytes, StorageError> {
        let piece = position(at).and_then(|(segment, offset)| {
            let segment = self.0.get(segment)?;
            (offset < segment.len()).then(|| segment.slice(offset..segment.len().min(offset.saturating_add(up_to))))
        });
        Ok(piece.unwrap_or_default())
    }
}

/// The segment with the byte at this offset, and the offset in that segment.
fn position(at: u64) -> Option<(usize, usize)> {
    let segment = usize::try_from(at / SEGMENT as u64).ok()?;
    Some((segment, (at % SEGMENT as u64) as usize))
}

fn total(lengths: impl Iterator<Item = usize>) -> u64 {
    lengths.map(|len| len as u64).sum()
}

#[cfg(test)]
mod tests {
    use longshore_core::Algorithm;

    use super::*;

    fn read_all(mut blob: Box<dyn BlobBytes>, up_to: usize) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let piece = blob.read(all.len() as u64, up_to).unwrap();
            if piece.is_empty() {
                return all;
            }
            all.extend_from_slice(&piece);
        }
    }

    #[test]
    fn what_is_appended_is_what_is_read_whatever_the_pieces() {
        let content: Vec<u8> = (0..3 * SEGMENT + 7).map(|i| (i % 251) as u8).collect();
        let digest = Digest::of(Algorithm::Sha256, &content);
        for piece in [1000, SEGMENT - 1, SEGMENT, SEGMENT + 1, content.len()] {
            let mut memory = Memory::default();
            let id = UploadId::from("u");
            for bytes in content.chunks(piece) {
                memory.append(&id, bytes).unwrap();
            }
            memory.append(&id, b"surplus").unwrap();
            memory.truncate(&id, content.len() as u64).unwrap();
            assert_eq!(memory.used(), content.len() as u64);
            memory.keep(&id, &digest).unwrap();
            let blob = memory.blob(&digest).unwrap();
            memory.remove(&digest);
            assert_eq!(memory.used(), 0);
            assert!(read_all(blob, piece) == content, "{piece}");
        }
    }

    #[test]
    fn cutting_back_at_and_around_a_segments_end() {
        for len in [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT] {
            let mut memory = Memory::default();
            let id = UploadId::from("u");
            memory.append(&id, &vec![1; 2 * SEGMENT]).unwrap();
            memory.truncate(&id, len as u64).unwrap();
            memory.append(&id, &[2; 3]).unwrap();
            assert_eq!(memory.used(), len as u64 + 3);
            assert_eq!(memory.uploaded(&id, len as u64, 9).unwrap()[0], 2, "{len}");
            memory.discard(&id);
            assert_eq!(memory.used(), 0);
        }
    }

    #[test]
    fn a_full_memory_says_so_and_keeps_what_it_had() {
        let mut memory = Memory::with_limit(4);
        let id = UploadId::from("u");
        memory.append(&id, b"abc").unwrap();
        assert_eq!(memory.append(&id, b"de"), Err(StorageError::Full));
        assert_eq!(memory.used(), 3);
        assert_eq!(memory.uploaded(&id, 0, 9).unwrap(), "abc");
        assert!(matches!(memory.blob(&Digest::of(Algorithm::Sha256, b"abc")), Err(StorageError::Missing(_))));
    }
}
