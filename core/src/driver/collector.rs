//! Reads an answer as far as the core wants it. Every driver needs this.

use bytes::Bytes;
use http::Response;

use super::{End, Input, Keep, Limits, NoAnswer, RequestId};
use crate::Digester;

/// Applies [`Keep`] and [`Limits`] to an answer while it arrives.
///
/// A driver gives it the head, then each piece of the body, and finally whether the body arrived completely:
///
/// ```
/// use longshore_core::driver::{Collector, End, Keep, Limits};
/// use longshore_core::http::Response;
///
/// let mut collector = Collector::new(Keep::<u32>::UpTo(5), Limits::default());
/// let sink = collector.head(Response::new(()))?;
/// assert_eq!(sink, None, "this answer is not written to a sink");
/// assert!(collector.take(b"hel"));
/// assert!(!collector.take(b"lo and more"), "the limit is reached: stop reading");
/// let (answer, end) = collector.finish(false);
/// assert_eq!((&answer.body()[..], end), (&b"hello"[..], End::OverLimit));
/// # Ok::<(), longshore_core::driver::NoAnswer>(())
/// ```
#[derive(Debug)]
pub struct Collector<K> {
    keep: Keep<K>,
    limits: Limits,
    head: Response<()>,
    kept: Vec<u8>,
    /// Computes the digest of the bytes that are written into a sink.
    poured: Option<Digester>,
    is_over: bool,
}

impl<K: Clone> Collector<K> {
    /// A collector for the answer to one request, with the values of its [`Output::Send`](super::Output::Send).
    #[must_use]
    pub fn new(keep: Keep<K>, limits: Limits) -> Self {
        Self { keep, limits, head: Response::new(()), kept: Vec::new(), poured: None, is_over: false }
    }

    /// Takes the head of the final answer. If the body is to be written to a sink, returns the sink's key: open it,
    /// empty.
    ///
    /// # Errors
    /// [`NoAnswer::Lost`] if the head has more fields or bytes than the limits allow.
    pub fn head(&mut self, head: Response<()>) -> Result<Option<K>, NoAnswer> {
        let Limits { head_bytes, head_fields, .. } = self.limits;
        // A field counts as its name, its value, and four bytes for `: ` and the line end.
        let bytes = head.headers().iter().fold(0, |sum: usize, (name, value)| {
            sum.saturating_add(name.as_str().len()).saturating_add(value.len()).saturating_add(4)
        });
        if bytes > head_bytes || head.headers().len() > head_fields {
            let why = format!("the head of the answer has more than {head_bytes} bytes or {head_fields} fields");
            return Err(NoAnswer::Lost(why));
        }
        self.head = head;
        let sink = match &self.keep {
            Keep::Into { key, algorithm, .. } if self.head.status().is_success() => Some((key.clone(), *algorithm)),
            Keep::UpTo(_) | Keep::Into { .. } => None,
        };
        self.poured = sink.as_ref().map(|(_, algorithm)| Digester::new(*algorithm));
        Ok(sink.map(|(key, _)| key))
    }

    /// Takes a piece of the body. `false` means that the limit is exceeded: stop reading, and write no byte of this
    /// piece to the sink.
    #[must_use]
    pub fn take(&mut self, piece: &[u8]) -> bool {
        if self.is_over {
            return false;
        }
        if let Some(digester) = &mut self.poured {
            let size = if let Keep::Into { size: Some(size), .. } = &self.keep { *size } else { u64::MAX };
            self.is_over = digester.len().saturating_add(piece.len() as u64) > size;
            if !self.is_over {
                digester.update(piece);
            }
            return !self.is_over;
        }
        let (Keep::UpTo(limit) | Keep::Into { if_error: limit, .. }) = &self.keep;
        let left = limit.saturating_sub(self.kept.len());
        self.is_over = piece.len() > left;
        self.kept.extend_from_slice(piece.get(..left).unwrap_or(piece));
        !self.is_over
    }

    /// Returns the answer, and how its body ended. `is_whole` states whether the end of the body was received; it is
    /// ignored if the limit was exceeded.
    #[must_use]
    pub fn finish(self, is_whole: bool) -> (Response<Bytes>, End) {
        let poured = self.poured.map(|digester| (digester.len(), digester.finish()));
        let end = match poured {
            _ if self.is_over => End::OverLimit,
            _ if !is_whole => End::Cut,
            Some((len, digest)) => End::Poured { len, digest },
            None => End::Complete,
        };
        (self.head.map(|()| Bytes::from(self.kept)), end)
    }

    /// The same as [`Collector::finish`], as an input for the core.
    #[must_use]
    pub fn answered(self, id: RequestId, is_whole: bool) -> Input<K> {
        let (response, end) = self.finish(is_whole);
        Input::Answered { id, response, end }
    }
}

#[cfg(test)]
mod tests;
