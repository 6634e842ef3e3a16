//! The bytes of blobs.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use longshore_core::driver::{Input, OperationId};
use longshore_core::{Algorithm, Digester};

/// The size of a piece in bytes.
pub(crate) const PIECE: u64 = 64 * 1024;

/// The bytes of one blob, in memory or generated.
#[derive(Clone)]
pub struct Source {
    len: u64,
    content: Content,
    one_shot: Option<Hand>,
    breaks_at: u64,
}

/// Writes the bytes from a position on.
type Fill = dyn Fn(u64, &mut [u8]) + Send + Sync;

#[derive(Clone)]
enum Content {
    Bytes(Bytes),
    Made(Arc<Fill>),
}

/// Why bytes cannot be read.
pub(crate) enum NoBytes {
    /// The source fails.
    Source(String),
    /// The client breaks its contract with a driver.
    Contract(String),
}

/// The buffered bytes of a one-shot blob.
#[derive(Clone)]
struct Hand {
    from: u64,
    bytes: BytesMut,
    digester: Digester,
    ended: bool,
    most: usize,
}

impl Source {
    /// These bytes.
    #[must_use]
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { len: bytes.len() as u64, content: Content::Bytes(bytes), one_shot: None, breaks_at: u64::MAX }
    }

    /// `len` bytes that `fill(offset, into)` generates each time they are needed, so that a blob of many GiB needs no
    /// memory.
    #[must_use]
    pub fn made(len: u64, fill: impl Fn(u64, &mut [u8]) + Send + Sync + 'static) -> Self {
        Self { len, content: Content::Made(Arc::new(fill)), one_shot: None, breaks_at: u64::MAX }
    }

    /// Makes the blob readable only once, like a pipe: bytes that were dropped cannot be read again.
    #[must_use]
    pub fn one_shot(mut self, algorithm: Algorithm) -> Self {
        let digester = Digester::new(algorithm);
        self.one_shot = Some(Hand { from: 0, bytes: BytesMut::new(), digester, ended: false, most: 0 });
        self
    }

    /// Makes reading fail from this byte on.
    #[must_use]
    pub const fn breaking_at(mut self, byte: u64) -> Self {
        self.breaks_at = byte;
        self
    }

    /// The highest number of bytes that were buffered of a one-shot blob.
    #[must_use]
    pub fn most_in_hand(&self) -> usize {
        self.one_shot.as_ref().map_or(0, |hand| hand.most)
    }

    /// Buffers more of a one-shot blob, and drops the bytes before `from`.
    pub(crate) fn read<K>(
        &mut self,
        operation: OperationId,
        blob: K,
        from: u64,
        up_to: u64,
    ) -> Result<Input<K>, NoBytes> {
        let Some(mut hand) = self.one_shot.take() else {
            return Err(NoBytes::Contract("the client reads ahead in a blob that can be read again".to_owned()));
        };
        if from < hand.from || hand.ended {
            let (before, ended) = (hand.from, hand.ended);
            let why = format!("the client reads from byte {from}, and let go of all before {before}; ended: {ended}");
            return Err(NoBytes::Contract(why));
        }
        let gone = usize::try_from(from - hand.from).unwrap_or(usize::MAX).min(hand.bytes.len());
        let _ = hand.bytes.split_to(gone);
        hand.from = from;
        let read = hand.from + hand.bytes.len() as u64;
        let mut broke = false;
        for piece in pieces(read..up_to.min(self.len)) {
            let Ok(bytes) = self.piece(&piece) else {
                broke = true;
                break;
            };
            hand.digester.update(&bytes);
            hand.bytes.extend_from_slice(&bytes);
        }
        hand.most = hand.most.max(hand.bytes.len());
        let len = hand.from + hand.bytes.len() as u64;
        let input = if broke {
            Input::Unreadable { blob, why: "the source broke".to_owned() }
        } else if up_to >= self.len {
            hand.ended = true;
            Input::Ended { operation, blob, len, digest: hand.digester.clone().finish() }
        } else {
            Input::Filled { operation, blob, len }
        };
        self.one_shot = Some(hand);
        Ok(input)
    }

    /// The bytes to send, in pieces; an error if the source cannot give all of them.
    pub(crate) fn send(&self, range: &Range<u64>) -> Result<impl Iterator<Item = Bytes> + use<>, NoBytes> {
        if range.end > self.len || range.end > self.breaks_at {
            return Err(NoBytes::Source(format!("bytes {range:?} of {} cannot be read", self.len)));
        }
        let (content, shift) = match &self.one_shot {
            None => (self.content.clone(), 0),
            Some(hand) => {
                let in_hand = hand.from..hand.from + hand.bytes.len() as u64;
                if range.start < in_hand.start || in_hand.end < range.end {
                    let why = format!("the client sends bytes {range:?} of a blob of which {in_hand:?} are in hand");
                    return Err(NoBytes::Contract(why));
                }
                (Content::Bytes(Bytes::copy_from_slice(&hand.bytes)), hand.from)
            }
        };
        Ok(pieces(range.start - shift..range.end - shift).map(move |piece| content.take(&piece)))
    }

    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    fn piece(&self, range: &Range<u64>) -> Result<Bytes, ()> {
        if range.end > self.breaks_at { Err(()) } else { Ok(self.content.take(range)) }
    }
}

impl Content {
    fn take(&self, range: &Range<u64>) -> Bytes {
        let size = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        match self {
            Self::Bytes(bytes) => bytes.slice(size(range.start)..size(range.end)),
            Self::Made(fill) => {
                let mut bytes = vec![0; size(range.end - range.start)];
                fill(range.start, &mut bytes);
                bytes.into()
            }
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len)
    }
}

fn pieces(range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let end = range.end;
    let mut at = range.start;
    std::iter::from_fn(move || {
        let piece = at..end.min(at.saturating_add(PIECE));
        at = piece.end;
        (!piece.is_empty()).then_some(piece)
    })
}
