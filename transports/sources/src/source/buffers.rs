//! Buffers that are reused, so that a body neither allocates nor clears memory for each piece.

use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use super::lock;

/// How many free buffers are kept at most.
const MOST: usize = 4;

/// The buffers of one body. A clone shares them.
#[derive(Clone, Default)]
pub(super) struct Buffers {
    free: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// A buffer in use. It becomes free when it is dropped.
struct Lent {
    buffer: Vec<u8>,
    filled: usize,
    free: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Buffers {
    /// Reads `len` bytes, or fewer at the end.
    pub(super) fn fill(&self, reader: &mut dyn Read, len: usize) -> io::Result<Bytes> {
        let mut buffer = lock(&self.free).pop().unwrap_or_default();
        if buffer.len() < len {
            buffer = vec![0; len];
        }
        let filled = fill(reader, &mut buffer[..len])?;
        Ok(Bytes::from_owner(Lent { buffer, filled, free: Arc::clone(&self.free) }))
    }
}

/// Fills the buffer. Returns how many bytes were read, which is less than its length only at the end.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut free = lock(&self.free);
        if free.len() < MOST {
            free.push(std::mem::take(&mut self.buffer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_when_its_last_reader_has_let_go_of_it() {
        let buffers = Buffers::default();
        let first = buffers.fill(&mut &b"first"[..], 5).unwrap();
        let (place, part) = (first.as_ptr(), first.slice(1..3));
        drop(first);
        let second = buffers.fill(&mut &b"second"[..], 5).unwrap();
        assert_ne!(second.as_ptr(), place, "a part of the first piece is still in use");
        assert_eq!((&part[..], &second[..]), (&b"ir"[..], &b"secon"[..]));
        drop((part, second));
        let third = buffers.fill(&mut &b"3"[..], 5).unwrap();
        assert_eq!(&third[..], b"3", "what was in the buffer before is no part of it");
        assert_eq!(lock(&buffers.free).len(), 1, "one buffer is in use, and one waits");
    }
}
