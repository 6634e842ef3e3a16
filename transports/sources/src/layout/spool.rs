//! Copies a tar that cannot be read by offset (a pipe, a compressed tar) into a temporary file, uncompressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::bufread::GzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::LayoutError;
use crate::source::Source;

/// The size of the copy buffer in bytes.
const BUFFER: usize = 256 * 1024;

/// How a file is compressed, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
    /// A compression that is not supported, with the command that unpacks it.
    Other(&'static str),
}

impl Compression {
    /// How many bytes at the beginning show the compression.
    pub(super) const MAGIC: usize = 6;

    pub(super) fn of(magic: &[u8]) -> Self {
        match magic {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0] => Self::Other("unxz"),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Other("bunzip2"),
            _ => Self::None,
        }
    }
}

/// A temporary file without a name, which is deleted when its last source is dropped.
#[derive(Debug, Clone)]
pub(super) struct Spool {
    file: Arc<Mutex<File>>,
    pub(super) len: u64,
}

impl Spool {
    /// Copies a whole reader, uncompressed. `path` is its name in messages.
    pub(super) fn of(reader: impl Read, path: &Path) -> Result<Self, LayoutError> {
        let unreadable = |error| LayoutError::Unreadable { path: path.to_owned(), error };
        let mut reader = BufReader::with_capacity(BUFFER, reader);
        let mut magic = Vec::new();
        (&mut reader).take(Compression::MAGIC as u64).read_to_end(&mut magic).map_err(unreadable)?;
        if magic.is_empty() {
            return Err(LayoutError::Nothing { path: path.to_owned() });
        }
        let compression = Compression::of(&magic);
        let mut reader = io::Cursor::new(magic).chain(reader);
        let damaged = |error| LayoutError::NotUnpacked { path: path.to_owned(), error };
        match compression {
            Compression::None => Self::copy(&mut reader, path, unreadable),
            Compression::Gzip => Self::copy(&mut Gzip { member: Some(GzDecoder::new(reader)) }, path, damaged),
            Compression::Zstd => Self::copy(&mut Zstd { source: reader, frame: None, is_begun: false }, path, damaged),
            Compression::Other(remedy) => Err(LayoutError::Compressed { path: path.to_owned(), remedy }),
        }
    }

    fn copy(from: &mut dyn Read, path: &Path, failed: impl Fn(io::Error) -> LayoutError) -> Result<Self, LayoutError> {
        let unwritten = |error| LayoutError::NotKept { path: path.to_owned(), error };
        let mut file = tempfile::tempfile().map_err(unwritten)?;
        let (mut buffer, mut len) = (vec![0; BUFFER], 0);
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(error)),
            };
            file.write_all(&buffer[..read]).map_err(unwritten)?;
            len += read as u64;
        }
        Ok(Self { file: Arc::new(Mutex::new(file)), len })
    }

    /// A new reader over the whole file, with its own position.
    pub(super) fn reader(&self) -> SpoolReader {
        SpoolReader { spool: self.clone(), position: 0 }
    }

    /// A source of `len` bytes from the position `offset` on.
    pub(super) fn source(&self, what: String, offset: u64, len: u64) -> Source {
        let spool = self.clone();
        Source::opened(what, len, move |from| {
            Ok(Box::new(SpoolReader { spool: spool.clone(), position: offset.saturating_add(from) }))
        })
    }
}

/// Reads a spool, with its own position.
pub(super) struct SpoolReader {
    spool: Spool,
    position: u64,
}

impl Read for SpoolReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A poisoned lock is no problem: the position is set before each read.
        let mut file = self.spool.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.position))?;
        let read = file.read(buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl io::Seek for SpoolReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.spool.len.checked_add_signed(by),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

/// Decompresses gzip, one member after another. Bytes after the last member are ignored, as `gzip` does, because tapes
/// and block devices add zeros.
struct Gzip<R> {
    /// `None` after the last member.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let mut source = self.member.take().map(GzDecoder::into_inner);
            let next = source.as_mut().map(BufRead::fill_buf).transpose()?.and_then(|next| next.first());
            if next == Some(&0x1f) {
                self.member = source.map(GzDecoder::new);
            }
        }
        Ok(0)
    }
}

/// Decompresses zstd, one frame after another, as `zstd -T0` and `cat a.zst b.zst` write them.
///
/// Bytes after the last frame are ignored.
struct Zstd<R> {
    source: R,
    frame: Option<FrameDecoder>,
    /// Whether a frame was read.
    is_begun: bool,
}

impl<R: BufRead> Zstd<R> {
    /// Reads the header of the next frame with content, if there is one.
    fn next_frame(&mut self) -> io::Result<Option<FrameDecoder>> {
        while let Some(first) = self.source.fill_buf()?.first() {
            if self.is_begun && !matches!(first, 0x28 | 0x50..=0x5f) {
                return Ok(None);
            }
            self.is_begun = true;
            let mut decoder = FrameDecoder::new();
            match decoder.init(&mut self.source) {
                Ok(()) => return Ok(Some(decoder)),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut (&mut self.source).take(u64::from(length)), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(None)
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(decoder) = &mut self.frame else {
                self.frame = self.next_frame()?;
                if self.frame.is_none() {
                    return Ok(0);
                }
                continue;
            };
            while decoder.can_collect() == 0 && !decoder.is_finished() {
                decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(io::Error::other)?;
            }
            let read = decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.frame = None;
        }
    }
}
