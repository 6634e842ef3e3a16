//! The digest of content that can be read again, computed once while its bytes pass.

use longshore_core::{Algorithm, Digest, Digester};

use super::content::Content;
use super::{DigestMismatch, Ended, SourceError};

/// Follows the bytes of a source as bodies pass them on.
///
/// Each byte is hashed once, however often it is sent: a retry passes the bytes that were hashed already, and bytes that
/// no body has passed (a push that goes on from an offset) are read for the hash alone before the last byte goes out.
pub(crate) struct Hasher {
    content: Content,
    expected: Option<Digest>,
    state: State,
}

enum State {
    Hashing(Digester),
    Done(Digest),
}

/// What is known about a blob's digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verification {
    /// The source is trusted: nothing is computed.
    Trusted,
    /// So many bytes have passed, from the first one on.
    Hashing {
        /// How many, in bytes.
        passed: u64,
    },
    /// All bytes have passed, and no digest was said to compare with.
    Computed(Digest),
    /// All bytes have passed, and they are what the digest says.
    Agreed(Digest),
    /// All bytes have passed, and they are not what the digest says.
    Disagreed {
        /// The digest that was said.
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

    /// Takes a piece that is about to be passed on, from the offset `from`.
    ///
    /// The piece that holds the last byte is passed on only if the whole content is what its digest says.
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

    /// Reads and hashes what no body has passed yet, up to the offset `to`.
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

    /// The whole content's length and digest, once all of it has passed.
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
