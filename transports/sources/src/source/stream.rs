//! A one-shot reader, and the window of its bytes that are buffered.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use longshore_core::{Algorithm, Digester};

use super::buffers::Buffers;
use super::{Ended, PIECE, ReadAhead, SourceError};

/// Bytes of unknown size and digest, from a reader.
///
/// All bytes go through the window, so that several bodies, of which some may be aborted, cannot lose or repeat a byte.
/// The window has the bytes that were read ahead (a chunk), and, while a body streams, as many bytes before the body's
/// position as the largest chunk that was ever requested. So memory does not grow with the blob.
pub(crate) struct Stream {
    reader: Box<dyn Read + Send>,
    buffers: Buffers,
    progress: Progress,
    window: VecDeque<Bytes>,
    /// The position of the window's first byte.
    start: u64,
    /// The position after its last byte: how many bytes were read.
    end: u64,
    /// How many bytes before a streaming body's position stay in the window.
    keep: u64,
}

enum Progress {
    Reading(Digester),
    Ended(Ended),
    Broken(SourceError),
}

impl Stream {
    pub(crate) fn new(reader: Box<dyn Read + Send>, algorithm: Algorithm) -> Self {
        let progress = Progress::Reading(Digester::new(algorithm));
        let buffers = Buffers::default();
        Self { reader, buffers, progress, window: VecDeque::new(), start: 0, end: 0, keep: 0 }
    }

    /// Buffers the bytes from `from` to before `up_to`, or all remaining bytes, and drops the bytes before `from`.
    ///
    /// It reads one byte more than requested, to know whether the blob continues.
    pub(crate) fn read_ahead(&mut self, from: u64, up_to: u64) -> Result<ReadAhead, SourceError> {
        self.check(from)?;
        self.forget(from);
        self.keep = self.keep.max(up_to.saturating_sub(from));
        let wanted = up_to.saturating_add(1);
        while self.end < wanted && self.ended().is_none() {
            self.pull(wanted - self.end)?;
        }
        match self.ended() {
            Some(ended) if self.end <= up_to => Ok(ReadAhead::Ended(ended)),
            _ => Ok(ReadAhead::Filled { len: up_to }),
        }
    }

    /// The next piece from the position `from` and before `end`; `None` at the end of the stream.
    pub(crate) fn next(&mut self, from: u64, end: u64) -> Result<Option<Bytes>, SourceError> {
        self.check(from)?;
        if from == self.end && from < end {
            self.pull(end - from)?;
            self.forget(from.min(self.end.saturating_sub(self.keep)));
        }
        let mut at = self.start;
        for piece in &self.window {
            let behind = at + piece.len() as u64;
            if from < behind {
                let (first, last) = ((from - at) as usize, (end.min(behind) - at) as usize);
                return Ok(Some(piece.slice(first..last)).filter(|piece| !piece.is_empty()));
            }
            at = behind;
        }
        Ok(None)
    }

    /// The whole stream's size and digest, once its end was reached.
    pub(crate) fn ended(&self) -> Option<Ended> {
        match self.progress {
            Progress::Ended(ended) => Some(ended),
            Progress::Reading(_) | Progress::Broken(_) => None,
        }
    }

    /// How many bytes were read so far.
    pub(crate) fn read(&self) -> u64 {
        self.end
    }

    /// How many bytes are in memory.
    pub(crate) fn held(&self) -> u64 {
        self.window.iter().map(|piece| piece.len() as u64).sum()
    }

    pub(crate) fn check(&self, from: u64) -> Result<(), SourceError> {
        if from < self.start {
            return Err(SourceError::Gone { from, first: self.start });
        }
        if from > self.end {
            return Err(SourceError::Ahead { from, read: self.end });
        }
        Ok(())
    }

    /// Reads one piece of at most `len` bytes into the window. A failure is final.
    fn pull(&mut self, len: u64) -> Result<(), SourceError> {
        let digester = match &mut self.progress {
            Progress::Reading(digester) => digester,
            Progress::Ended(_) => return Ok(()),
            Progress::Broken(error) => return Err(error.clone()),
        };
        let len = len.min(PIECE as u64) as usize;
        match self.buffers.fill(&mut self.reader, len) {
            Ok(piece) => {
                digester.update(&piece);
                self.end += piece.len() as u64;
                if piece.len() < len {
                    let digest = digester.clone().finish();
                    self.progress = Progress::Ended(Ended { len: self.end, digest });
                }
                if !piece.is_empty() {
                    self.window.push_back(piece);
                }
                Ok(())
            }
            Err(error) => {
                let error = SourceError::Read { what: "from the reader".to_owned(), error: Arc::new(error) };
                self.progress = Progress::Broken(error.clone());
                Err(error)
            }
        }
    }

    /// Drops all pieces before the position `before`.
    fn forget(&mut self, before: u64) {
        while let Some(piece) = self.window.front_mut() {
            let len = piece.len() as u64;
            if self.start + len <= before {
                self.window.pop_front();
                self.start += len;
            } else {
                break;
            }
        }
    }
}
