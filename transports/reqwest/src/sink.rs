//! Where the bytes of a pulled blob go.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::session::lock;

/// Where the bytes of a pulled blob go. Each attempt opens it anew and empty.
#[derive(Clone)]
pub struct Sink {
    open: Arc<OpenSink>,
}

type OpenSink = dyn Fn() -> io::Result<Box<dyn Write + Send>> + Send + Sync;

impl Sink {
    /// A file, made or emptied. After a failure what came so far stands in it.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self::opened_by(move || Ok(Box::new(File::create(&path)?)))
    }

    /// Bytes in memory, as many as `limit`; more is an error.
    #[must_use]
    pub fn memory(limit: usize) -> (Self, Memory) {
        let memory = Memory { bytes: Arc::default(), limit };
        let sink = Self::opened_by({
            let memory = memory.clone();
            move || {
                lock(&memory.bytes).clear();
                Ok(Box::new(memory.clone()))
            }
        });
        (sink, memory)
    }

    /// Nowhere: the bytes are counted and their digest is checked, no more.
    #[must_use]
    pub fn null() -> Self {
        Self::opened_by(|| Ok(Box::new(io::sink())))
    }

    /// Whatever the function opens. All that was written before must be gone then.
    #[must_use]
    pub fn opened_by<F>(open: F) -> Self
    where
        F: Fn() -> io::Result<Box<dyn Write + Send>> + Send + Sync + 'static,
    {
        Self { open: Arc::new(open) }
    }

    pub(crate) fn open(&self) -> io::Result<Box<dyn Write + Send>> {
        (self.open)()
    }
}

/// The bytes that a [`Sink::memory`] took.
#[derive(Clone)]
pub struct Memory {
    bytes: Arc<Mutex<Vec<u8>>>,
    limit: usize,
}

impl Memory {
    /// Takes the bytes out.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *lock(&self.bytes))
    }
}

impl Write for Memory {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let mut bytes = lock(&self.bytes);
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
        write!(f, "{} bytes", lock(&self.bytes).len())
    }
}
