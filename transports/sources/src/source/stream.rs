//! A reader that can be read only once, and the window of its bytes that is still in hand.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use longshore_core::{Algorithm, Digester};

use super::buffers::Buffers;
use super::{Ended, PIECE, ReadAhead, SourceError};

/// Bytes of unknown length and digest, from a reader.
///
/// All that is read goes through the window, so that several bodies, one of them long aborted, cannot lose or double a
/// byte. The window holds what was read ahead (a chunk), and while a body streams past it, as many bytes behind as the
/// largest chunk that was ever asked for: memory does not grow with the blob.
pub(crate) struct Stream {
    reader: Box<dyn Read + Send>,
    buffers: Buffers,
    progress: Progress,
    window: VecDeque<Bytes>,
    /// The offset of the window's first byte.
    start: u64,
    /// The offset behind its last byte: how much was read.
    end: u64,
    /// How many bytes stay in the window behind a body that streams.
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

    /// Holds the bytes from the offset `from` on and before `up_to`, or all that are left, and lets go of what lies before.
    ///
    /// It reads one byte further than asked, so that "more to come" is a fact.
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

    /// The next piece at the offset `from` and before `end`; nothing where the stream is at its end.
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

    /// The whole stream's length and digest, once its end was reached.
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

    /// Lets go of all pieces that lie before the offset `before`.
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
