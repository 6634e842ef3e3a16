//! The work that the kit gives to a driver: operations, the bytes to send, and the sinks for received bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use longshore_core::auth::Credentials;
use longshore_core::driver::AskFailed;
use longshore_core::{Algorithm, Digest, Digester, Operation, Options, Registry, Repository};

/// Operations for a new client with these options, to be started together and driven until the client is idle.
///
/// The key of a blob is a number.
#[non_exhaustive]
pub struct Work {
    /// The options of the client.
    pub options: Options,
    /// The operations, in order.
    pub operations: Vec<Operation<u32>>,
    /// The bytes of the blobs that are sent.
    pub contents: BTreeMap<u32, Content>,
    /// The sinks for the bytes of pulled blobs.
    pub sinks: BTreeMap<u32, Sink>,
    /// The answers to [`Output::Ask`](longshore_core::driver::Output::Ask).
    pub credentials: CredentialLookup,
}

/// Looks up credentials. A clone is another handle on the same look-up.
#[derive(Clone)]
pub struct CredentialLookup(Arc<LookUp>);

type LookUp = dyn Fn(&Registry, Option<&Repository>, bool) -> Result<Option<Credentials>, AskFailed> + Send + Sync;

impl CredentialLookup {
    pub(crate) fn by(
        look_up: impl Fn(&Registry, Option<&Repository>, bool) -> Result<Option<Credentials>, AskFailed>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self(Arc::new(look_up))
    }

    /// Looks up credentials for what the core passes: the registry, the repository, and whether the earlier credentials
    /// were refused.
    ///
    /// # Errors
    /// If the check tests how the driver handles an error here.
    pub fn look_up(
        &self,
        registry: &Registry,
        repository: Option<&Repository>,
        stale: bool,
    ) -> Result<Option<Credentials>, AskFailed> {
        (self.0)(registry, repository, stale)
    }
}

impl fmt::Debug for CredentialLookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialLookup")
    }
}

impl Work {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            operations: Vec::new(),
            contents: BTreeMap::new(),
            sinks: BTreeMap::new(),
            credentials: CredentialLookup::by(|_, _, _| Ok(None)),
        }
    }

    pub(crate) fn operation(mut self, operation: impl Into<Operation<u32>>) -> Self {
        self.operations.push(operation.into());
        self
    }

    pub(crate) fn content(mut self, key: u32, content: Content) -> Self {
        self.contents.insert(key, content);
        self
    }

    pub(crate) fn sink(mut self, key: u32, sink: Sink) -> Self {
        self.sinks.insert(key, sink);
        self
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work").field("operations", &self.operations).finish_non_exhaustive()
    }
}

/// The bytes of one blob. A clone is another handle on the same blob.
#[derive(Clone)]
pub struct Content {
    len: u64,
    is_one_shot: bool,
    open: Arc<Open>,
    /// How far the driver has read.
    read: Arc<AtomicU64>,
}

type Open = dyn Fn(u64) -> io::Result<Box<dyn Read + Send>> + Send + Sync;

impl Content {
    /// This many bytes without a simple pattern.
    pub(crate) fn made(len: u64) -> Self {
        Self::opened_by(len, move |from| Ok(Box::new(Made { at: from, end: len })))
    }

    pub(crate) fn opened_by(
        len: u64,
        open: impl Fn(u64) -> io::Result<Box<dyn Read + Send>> + Send + Sync + 'static,
    ) -> Self {
        Self { len, is_one_shot: false, open: Arc::new(open), read: Arc::default() }
    }

    /// Makes it readable only once, from its beginning and with an unknown length.
    pub(crate) fn one_shot(mut self) -> Self {
        self.is_one_shot = true;
        self
    }

    /// The length in bytes; `None` if the blob can be read only once, like a pipe, whose end is found by reading.
    #[must_use]
    pub const fn len(&self) -> Option<u64> {
        if self.is_one_shot { None } else { Some(self.len) }
    }

    /// Whether it is known to be empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        matches!(self.len(), Some(0))
    }

    /// Opens the bytes from an offset on. Content that can be read only once is opened at 0.
    ///
    /// # Errors
    /// If the check tests how the driver handles an error here.
    pub fn open(&self, from: u64) -> io::Result<Box<dyn Read + Send>> {
        let reader = (self.open)(from)?;
        Ok(Box::new(Watched { reader, at: from, read: Arc::clone(&self.read) }))
    }

    /// How far the driver has read.
    pub(crate) fn read(&self) -> u64 {
        self.read.load(Ordering::SeqCst)
    }

    pub(crate) fn digest(&self) -> Digest {
        let mut digester = Digester::new(Algorithm::Sha256);
        let (mut reader, mut buffer) = (Made { at: 0, end: self.len }, vec![0; 1 << 16]);
        while let Ok(len @ 1..) = reader.read(&mut buffer) {
            digester.update(&buffer[..len]);
        }
        digester.finish()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len)
    }
}

/// The bytes that [`Content::made`] is made of.
pub(crate) fn made(len: u64) -> Bytes {
    let mut bytes = Vec::new();
    Made { at: 0, end: len }.read_to_end(&mut bytes).unwrap_or_default();
    bytes.into()
}

/// A period that is no power of two, so that bytes that are lost or doubled are seen.
pub(crate) const PERIOD: u64 = 65_521;

fn pattern() -> &'static [u8] {
    static PATTERN: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    PATTERN.get_or_init(|| {
        let mut state = 7_u32;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..PERIOD).map(next).collect()
    })
}

struct Made {
    at: u64,
    end: u64,
}

impl Read for Made {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = (self.at % PERIOD) as usize;
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let len = buffer.len().min(left).min(PERIOD as usize - start);
        buffer[..len].copy_from_slice(&pattern()[start..start + len]);
        self.at += len as u64;
        Ok(len)
    }
}

struct Watched {
    reader: Box<dyn Read + Send>,
    at: u64,
    read: Arc<AtomicU64>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.reader.read(buffer)?;
        self.at += len as u64;
        self.read.fetch_max(self.at, Ordering::SeqCst);
        Ok(len)
    }
}

/// The sink for the bytes of a pulled blob. A clone is another handle on the same sink.
#[derive(Clone)]
pub struct Sink {
    open: Arc<OpenSink>,
    written: Arc<AtomicU64>,
}

type OpenSink = dyn Fn() -> io::Result<Box<dyn Write + Send>> + Send + Sync;

impl Sink {
    pub(crate) fn opened_by(open: impl Fn() -> io::Result<Box<dyn Write + Send>> + Send + Sync + 'static) -> Self {
        Self { open: Arc::new(open), written: Arc::default() }
    }

    pub(crate) fn memory() -> (Self, Memory) {
        let memory = Memory::default();
        let sink = Self::opened_by({
            let memory = memory.clone();
            move || {
                memory.lock().clear();
                Ok(Box::new(memory.clone()))
            }
        });
        (sink, memory)
    }

    /// Opens the sink empty. A driver must open it again for each attempt.
    ///
    /// # Errors
    /// If the check tests how the driver handles an error here.
    pub fn open(&self) -> io::Result<Box<dyn Write + Send>> {
        self.written.store(0, Ordering::SeqCst);
        Ok(Box::new(Counted { writer: (self.open)()?, written: Arc::clone(&self.written) }))
    }

    /// The number of bytes that the driver has written since it opened the sink.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}

struct Counted {
    writer: Box<dyn Write + Send>,
    written: Arc<AtomicU64>,
}

impl Write for Counted {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let len = self.writer.write(buffer)?;
        self.written.fetch_add(len as u64, Ordering::SeqCst);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The bytes in a sink in memory.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        lock(&self.0)
    }
}

impl Write for Memory {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.lock().extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A panic in another thread leaves no half-changed state behind these locks.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
