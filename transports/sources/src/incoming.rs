//! Reads an answer. Every driver needs this.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};

use longshore_core::driver::{Collector, Input, Keep, Limits, NoAnswer, RequestId};
use longshore_core::http::Response;

use crate::sink::Sink;

/// How many bytes of a body are read at once.
const PIECE: usize = 64 * 1024;

/// The answer to one request while it arrives: a [`Collector`], and the sink that the body is written to if the core wants that.
///
/// ```
/// # use longshore_core::driver::{Input, Keep, Limits, NoAnswer, RequestId};
/// # use longshore_core::http::Response;
/// use longshore_sources::{IncomingAnswer, Sink};
///
/// /// `id`, `keep` and `limits` are those of the core's `Output::Send`; the driver has read the head.
/// fn answered(
///     id: RequestId,
///     keep: Keep<u32>,
///     limits: Limits,
///     head: Response<()>,
///     body: impl std::io::Read,
/// ) -> Result<Input<u32>, NoAnswer> {
///     let answer = IncomingAnswer::new(id, head, keep, limits, |_key| Some(Sink::null()))?;
///     answer.read(body, None)
/// }
/// ```
pub struct IncomingAnswer<K> {
    id: RequestId,
    collector: Collector<K>,
    /// The sink of the body, if it has one.
    sink: Option<Sink>,
    /// The opened sink. Opening may block, so it is opened when the first bytes or the end have arrived.
    writer: Option<Box<dyn Write + Send>>,
}

impl<K: Clone> IncomingAnswer<K> {
    /// Takes the head of the final answer, and the values of the request's
    /// [`Output::Send`](longshore_core::driver::Output::Send). If the body is to be written to a sink, `find` returns the sink.
    /// Nothing blocks yet.
    ///
    /// # Errors
    /// [`NoAnswer::Lost`] if the head is larger than the limits allow, [`NoAnswer::Sink`] if there is no sink.
    pub fn new(
        id: RequestId,
        head: Response<()>,
        keep: Keep<K>,
        limits: Limits,
        find: impl FnOnce(&K) -> Option<Sink>,
    ) -> Result<Self, NoAnswer> {
        let mut collector = Collector::new(keep, limits);
        let missing = || NoAnswer::Sink("no sink was given for this blob: add one before it is pulled".to_owned());
        let sink = match collector.head(head)? {
            Some(key) => Some(find(&key).ok_or_else(missing)?),
            None => None,
        };
        Ok(Self { id, collector, sink, writer: None })
    }

    /// Whether the body is written to a sink, so that [`take`](Self::take) may block.
    #[must_use]
    pub const fn is_poured(&self) -> bool {
        self.sink.is_some()
    }

    /// Takes a piece of the body. `false` means that the limit is exceeded: stop reading, and [finish](Self::finish).
    ///
    /// # Errors
    /// [`NoAnswer::Sink`] if the sink cannot be opened or written.
    pub fn take(&mut self, piece: &[u8]) -> Result<bool, NoAnswer> {
        if !self.collector.take(piece) {
            return Ok(false);
        }
        if let Some(writer) = self.writer()? {
            writer.write_all(piece).map_err(|error| failed(&error))?;
        }
        Ok(true)
    }

    /// Returns the input for the core. `is_whole` states whether the end of the body was received.
    ///
    /// # Errors
    /// [`NoAnswer::Sink`] if the sink cannot be opened or written.
    pub fn finish(mut self, is_whole: bool) -> Result<Input<K>, NoAnswer> {
        if is_whole && let Some(writer) = self.writer()? {
            writer.flush().map_err(|error| failed(&error))?;
        }
        Ok(self.collector.answered(self.id, is_whole))
    }

    /// Reads the part of the body that the core wants, and finishes. `len` is the length of the body in bytes, if it is known. A
    /// body that ends before that length, or that cannot be read, is reported as cut.
    ///
    /// # Errors
    /// [`NoAnswer::Sink`] if the sink cannot be opened or written.
    pub fn read(mut self, body: impl Read, len: Option<u64>) -> Result<Input<K>, NoAnswer> {
        let mut body = body.take(len.unwrap_or(u64::MAX));
        let mut buffer = vec![0; PIECE];
        loop {
            match body.read(&mut buffer) {
                Ok(0) => return self.finish(len.is_none() || body.limit() == 0),
                Ok(read) if self.take(&buffer[..read])? => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => return self.finish(false),
            }
        }
    }

    fn writer(&mut self) -> Result<Option<&mut Box<dyn Write + Send>>, NoAnswer> {
        if let (None, Some(sink)) = (&self.writer, &self.sink) {
            self.writer = Some(sink.open().map_err(|error| failed(&error))?);
        }
        Ok(self.writer.as_mut())
    }
}

fn failed(error: &io::Error) -> NoAnswer {
    NoAnswer::Sink(error.to_string())
}

impl<K: fmt::Debug> fmt::Debug for IncomingAnswer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingAnswer").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
