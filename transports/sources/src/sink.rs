//! Where the bytes of a pulled blob go.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where the bytes of a pulled blob are written. Each attempt opens it again, empty.
#[derive(Clone)]
pub struct Sink {
    open: Arc<OpenSink>,
}

type OpenSink = dyn Fn() -> io::Result<Box<dyn Write + Send>> + Send + Sync;

impl Sink {
    /// A file, which is created or emptied. After a failure it has the bytes that came so far.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self::opened_by(move || Ok(Box::new(File::create(&path)?)))
    }

    /// Memory for at most `limit` bytes. More bytes are an error.
    #[must_use]
    pub fn memory(limit: usize) -> (Self, Memory) {
        let memory = Memory { bytes: Arc::default(), limit };
        let sink = Self::opened_by({
            let memory = memory.clone();
            move || {
                memory.lock().clear();
                Ok(Box::new(memory.clone()))
            }
        });
        (sink, memory)
    }

    /// Discards the bytes. They are still counted, and their digest is checked.
    #[must_use]
    pub fn null() -> Self {
        Self::opened_by(|| Ok(Box::new(io::sink())))
    }

    /// The writer that the function opens. It must discard everything that was written before.
    #[must_use]
    pub fn opened_by<F>(open: F) -> Self
    where
        F: Fn() -> io::Result<Box<dyn Write + Send>> + Send + Sync + 'static,
    {
        Self { open: Arc::new(open) }
    }

    /// Opens it, empty.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Write + Send>> {
        (self.open)()
    }
}

/// The bytes that were written into a [`Sink::memory`].
#[derive(Clone)]
pub struct Memory {
    bytes: Arc<Mutex<Vec<u8>>>,
    limit: usize,
}

impl Memory {
    /// Takes the bytes, and leaves none.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.lock())
    }
}

impl Memory {
    /// A poisoned lock is no problem: no change of the bytes can panic.
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Memory {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let mut bytes = self.lock();
        if buffer.len() > self.limit - bytes.len() {
            return Err(io::Error::other(format!(
                "it has more than {} bytes, which is what memory was set aside for",
                self.limit
            )));
        }
        bytes.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.lock().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attempt_begins_empty_and_memory_has_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blob");
        let (sink, memory) = Sink::memory(5);
        for sink in [Sink::file(&path), sink.clone(), Sink::null()] {
            sink.open().unwrap().write_all(b"hello").unwrap();
            sink.open().unwrap().write_all(b"bye").unwrap();
        }
        assert_eq!((std::fs::read(&path).unwrap(), memory.take()), (b"bye".to_vec(), b"bye".to_vec()));
        let error = sink.open().unwrap().write_all(b"longer").unwrap_err();
        assert!(error.to_string().contains("more than 5 bytes"), "{error}");
        assert!(Sink::file(folder.path().join("no/such/folder")).open().is_err());
    }
}
