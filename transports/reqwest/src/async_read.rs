//! A source from an async reader.

use std::io::{self, Read};
use std::pin::Pin;

use longshore_core::Algorithm;
use longshore_sources::Source;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::runtime::Handle;

/// Makes a source from an async reader. Like [`Source::reader`], it can be read once, and its size and digest are not
/// known.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use longshore_core::Algorithm;
///
/// let (mut producer, reader) = tokio::io::duplex(64);
/// let source = longshore_reqwest::source_of(reader, Algorithm::Sha256);
/// tokio::spawn(async move { tokio::io::AsyncWriteExt::write_all(&mut producer, b"made while it is sent").await });
/// let ended = tokio::task::spawn_blocking(move || source.read_ahead(0, u64::MAX)).await.unwrap().unwrap();
/// # assert!(matches!(ended, longshore_sources::source::ReadAhead::Ended(ended) if ended.len == 21));
/// # }
/// ```
///
/// # Panics
/// Outside a tokio runtime. The threads that read wait for the reader on the caller's runtime.
#[must_use]
pub fn source_of(reader: impl AsyncRead + Send + 'static, algorithm: Algorithm) -> Source {
    Source::reader(Waiting { runtime: Handle::current(), reader: Box::pin(reader) }, algorithm)
}

struct Waiting {
    runtime: Handle,
    reader: Pin<Box<dyn AsyncRead + Send>>,
}

impl Read for Waiting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.runtime.block_on(self.reader.read(buffer))
    }
}
