//! Computes the digest of replayable content once, while bodies read it.

use longshore_core::{Algorithm, Digest, Digester};

use super::content::Content;
use super::{DigestMismatch, Ended, SourceError};

/// Hashes the bytes of a source while bodies read them.
///
/// Each byte is hashed once, however often it is sent. Bytes that no body has read, because an upload continued at a
/// later position, are read for the hash before the last byte is sent.
pub(crate) struct Hasher {
    content: Content,
    expected: Option<Digest>,
    state: State,
}

enum State {
    Hashing(Digester),
    Done(Digest),
}

/// The state of a blob's verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verification {
    /// The source is trusted, so nothing is computed.
    Trusted,
    /// This many bytes were hashed, from the first one on.
    Hashing {
        /// The number of bytes.
        passed: u64,
    },
    /// All bytes were hashed, and no digest was given to compare with.
    Computed(Digest),
    /// All bytes were hashed, and have the given digest.
    Agreed(Digest),
    /// All bytes were hashed, and do not have the given digest.
    Disagreed {
        /// The digest that was given.
        expected: Digest,
        /// The digest of the bytes.
        found: Digest,
    },
}

impl Hasher {
    pub(crate) fn new(content: Content, expected: Option<Digest>) -> Self {
        let algorithm = expected.map_or(Algorithm::Sha256, |expected| expected.algorithm());
        Self { content, expected, state: State::Hashing(Digester::new(algorithm)) }
    }

    /// Hashes a piece at the position `from`, before it is sent.
    ///
    /// If the piece has the last byte and the whole content does not have its given digest, this fails.
    pub(crate) fn pass(&mut self, from: u64, piece: &[u8]) -> Result<(), SourceError> {
        let end = from + piece.len() as u64;
        if end == self.content.len() {
            self.catch_up(from)?;
        }
        if let State::Hashing(digester) = &mut self.state
            && (from..end).contains(&digester.len())
        {
            let passed = (digester.len() - from) as usize;
            digester.update(&piece[passed..]);
        }
        self.conclude()
    }

    /// Reads and hashes the bytes up to the position `to` that no body has read yet.
    pub(crate) fn catch_up(&mut self, to: u64) -> Result<(), SourceError> {
        if let State::Hashing(digester) = &mut self.state
            && digester.len() < to
        {
            let mut reader = self.content.open_at(digester.len())?;
            while digester.len() < to {
                digester.update(&reader.next(to)?);
            }
        }
        self.conclude()
    }

    /// The whole content's size and digest, once all of it was hashed.
    pub(crate) fn ended(&self) -> Option<Ended> {
        match self.state {
            State::Hashing(_) => None,
            State::Done(digest) => Some(Ended { len: self.content.len(), digest }),
        }
    }

    pub(crate) fn verification(&self) -> Verification {
        match (&self.state, self.expected) {
            (State::Hashing(digester), _) => Verification::Hashing { passed: digester.len() },
            (State::Done(found), None) => Verification::Computed(*found),
            (State::Done(found), Some(expected)) if *found == expected => Verification::Agreed(expected),
            (State::Done(found), Some(expected)) => Verification::Disagreed { expected, found: *found },
        }
    }

    fn conclude(&mut self) -> Result<(), SourceError> {
        if let State::Hashing(digester) = &self.state
            && digester.len() == self.content.len()
        {
            self.state = State::Done(digester.clone().finish());
        }
        match self.verification() {
            Verification::Disagreed { expected, found } => {
                Err(Box::new(DigestMismatch { what: self.content.what(), expected, found }).into())
            }
            _ => Ok(()),
        }
    }
}
