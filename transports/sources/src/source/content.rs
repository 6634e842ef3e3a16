//! Content that can be read again, from any offset.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::{PIECE, SourceError};

/// Bytes of a known length that can be read as often as one likes.
#[derive(Clone)]
pub(crate) enum Content {
    /// In memory.
    Bytes(Bytes),
    /// A part of a file.
    File { path: PathBuf, offset: u64, len: u64 },
    /// Whatever the function opens at an offset.
    Opened { what: String, len: u64, open: Arc<OpenAt> },
}

/// Opens content at an offset.
pub(crate) type OpenAt = dyn Fn(u64) -> io::Result<Box<dyn Read + Send>> + Send + Sync;

impl Content {
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { len, .. } | Self::Opened { len, .. } => *len,
        }
    }

    /// The content, in words.
    pub(crate) fn what(&self) -> String {
        match self {
            Self::Bytes(bytes) => format!("a buffer of {} bytes", bytes.len()),
            Self::File { path, offset: 0, .. } => path.display().to_string(),
            Self::File { path, offset, .. } => format!("{} (from byte {offset})", path.display()),
            Self::Opened { what, .. } => what.clone(),
        }
    }

    /// A reader of its own, so that bodies that are read at the same time do not share a cursor.
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
                Reader::Boxed(Box::new(file))
            }
            Self::Opened { open, .. } => Reader::Boxed(open(from).map_err(|error| self.unreadable(error))?),
        };
        Ok(Reopened { content: self.clone(), reader, position: from })
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
}

enum Reader {
    Bytes(Bytes),
    Boxed(Box<dyn Read + Send>),
}

impl Reopened {
    /// The next bytes before `end`: as many as there are, [`PIECE`] at most.
    pub(crate) fn next(&mut self, end: u64) -> Result<Bytes, SourceError> {
        let len = end.saturating_sub(self.position).min(PIECE as u64) as usize;
        let piece = match &mut self.reader {
            Reader::Bytes(bytes) => {
                let from = self.position as usize;
                bytes.slice(from..from + len)
            }
            Reader::Boxed(reader) => {
                let piece = fill(reader, len).map_err(|error| self.content.unreadable(error))?;
                if piece.len() < len {
                    return Err(self.content.shrunk(self.position + piece.len() as u64));
                }
                piece
            }
        };
        self.position += len as u64;
        Ok(piece)
    }
}

/// Reads until `len` bytes are there, or until the end.
pub(super) fn fill(reader: &mut dyn Read, len: usize) -> io::Result<Bytes> {
    let mut piece = BytesMut::zeroed(len);
    let mut filled = 0;
    while filled < len {
        match reader.read(&mut piece[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    piece.truncate(filled);
    Ok(piece.freeze())
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.what(), self.len())
    }
}
