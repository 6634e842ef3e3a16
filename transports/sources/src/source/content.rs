//! Content that can be read again, from any position.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use super::buffers::Buffers;
use super::{PIECE, SourceError};

/// Bytes of a known size that can be read any number of times.
#[derive(Clone)]
pub(crate) enum Content {
    /// In memory.
    Bytes(Bytes),
    /// A part of a file.
    File { path: PathBuf, offset: u64, len: u64 },
    /// The reader that the function opens at a position.
    Opened { what: String, len: u64, open: Arc<OpenAt> },
}

/// Opens content at a position.
pub(crate) type OpenAt = dyn Fn(u64) -> io::Result<Box<dyn Read + Send>> + Send + Sync;

impl Content {
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { len, .. } | Self::Opened { len, .. } => *len,
        }
    }

    /// The name of the content in messages.
    pub(crate) fn what(&self) -> String {
        match self {
            Self::Bytes(bytes) => format!("a buffer of {} bytes", bytes.len()),
            Self::File { path, offset: 0, .. } => path.display().to_string(),
            Self::File { path, offset, .. } => format!("{} (from byte {offset})", path.display()),
            Self::Opened { what, .. } => what.clone(),
        }
    }

    /// Opens a new reader, so that bodies that are read at the same time do not share a position.
    pub(crate) fn open_at(&self, from: u64) -> Result<Reopened, SourceError> {
        let reader = match self {
            Self::Bytes(bytes) => Reader::Bytes(bytes.clone()),
            Self::File { path, offset, len } => {
                let failed = |error| SourceError::Open { path: path.clone(), error: Arc::new(error) };
                let mut file = File::open(path).map_err(failed)?;
                let found = file.metadata().map_err(failed)?.len().saturating_sub(*offset);
                if found < *len {
                    return Err(self.shrunk(found));
                }
                file.seek(SeekFrom::Start(offset.saturating_add(from))).map_err(failed)?;
                Reader::File(file)
            }
            Self::Opened { open, .. } => Reader::Boxed(open(from).map_err(|error| self.unreadable(error))?),
        };
        Ok(Reopened { content: self.clone(), reader, position: from, buffers: Buffers::default() })
    }

    fn unreadable(&self, error: io::Error) -> SourceError {
        SourceError::Read { what: self.what(), error: Arc::new(error) }
    }

    fn shrunk(&self, found: u64) -> SourceError {
        SourceError::Shrunk { what: self.what(), expected: self.len(), found }
    }
}

/// A reader over content, at a position.
pub(crate) struct Reopened {
    content: Content,
    reader: Reader,
    position: u64,
    buffers: Buffers,
}

enum Reader {
    Bytes(Bytes),
    File(File),
    Boxed(Box<dyn Read + Send>),
}

impl Reopened {
    /// Whether the bytes are in memory or in a file.
    pub(crate) const fn is_at_hand(&self) -> bool {
        matches!(self.reader, Reader::Bytes(_) | Reader::File(_))
    }

    /// The next bytes before `end`, at most [`PIECE`].
    pub(crate) fn next(&mut self, end: u64) -> Result<Bytes, SourceError> {
        let len = end.saturating_sub(self.position).min(PIECE as u64) as usize;
        let reader: &mut dyn Read = match &mut self.reader {
            Reader::Bytes(bytes) => {
                let from = self.position as usize;
                self.position += len as u64;
                return Ok(bytes.slice(from..from + len));
            }
            Reader::File(file) => file,
            Reader::Boxed(reader) => reader,
        };
        let piece = self.buffers.fill(reader, len).map_err(|error| self.content.unreadable(error))?;
        self.position += piece.len() as u64;
        if piece.len() < len { Err(self.content.shrunk(self.position)) } else { Ok(piece) }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.what(), self.len())
    }
}
