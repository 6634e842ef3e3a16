//! What is known about a blob's content during its upload, and which of its bytes can still be sent.

use std::ops::Range;

use crate::config::Options;
use crate::outcome::FailureKind;
use crate::{Algorithm, Digest};

/// How often the state of an upload is requested at most, because the registry refuses chunks.
const MAX_REFUSALS: u32 = 3;

/// The content of one blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) algorithm: Algorithm,
    /// The digest, once it is known.
    pub(crate) digest: Option<Digest>,
    /// The size in bytes, once it is known.
    pub(crate) size: Option<u64>,
    /// The bytes that the buffer of a one-shot source has; `None` for a source that can be read again.
    in_hand: Option<Range<u64>>,
    /// Whether a one-shot source has ended.
    ended: bool,
    /// How many bytes the registry has acknowledged in the open upload.
    acknowledged: u64,
    /// The offset of a chunk that was sent again without knowing whether it had arrived.
    resent: Option<u64>,
    /// The offset of the chunk that was last refused as out of order.
    refused: Option<u64>,
    /// The end of a chunk that counts as stored only because, sent again, it was refused as out of order.
    assumed: Option<u64>,
    /// How often chunks were refused since the registry last acknowledged a byte.
    refusals: u32,
    /// Whether the upload was started again because the registry said that it has more bytes than were sent.
    doubted: bool,
}

impl Content {
    /// The content of a blob that is to be pushed: its digest and its length in bytes, where they are known, and whether its
    /// source can be read only once.
    pub(crate) fn new(algorithm: Algorithm, identity: Option<(Digest, u64)>, is_one_shot: bool) -> Self {
        match (identity, is_one_shot) {
            (Some((digest, size)), false) => Self::known(digest, size),
            (identity, _) => Self::one_shot(algorithm, identity),
        }
    }

    /// Content of known digest and size, from a source that can be read again.
    fn known(digest: Digest, size: u64) -> Self {
        Self {
            algorithm: digest.algorithm(),
            digest: Some(digest),
            size: Some(size),
            in_hand: None,
            ended: true,
            acknowledged: 0,
            resent: None,
            refused: None,
            assumed: None,
            refusals: 0,
            doubted: false,
        }
    }

    /// Content from a source that can be read only once. Its digest and size may be known.
    fn one_shot(algorithm: Algorithm, known: Option<(Digest, u64)>) -> Self {
        Self {
            algorithm: known.map_or(algorithm, |(digest, _)| digest.algorithm()),
            digest: known.map(|(digest, _)| digest),
            size: known.map(|(_, size)| size),
            in_hand: Some(0..0),
            ended: false,
            acknowledged: 0,
            resent: None,
            refused: None,
            assumed: None,
            refusals: 0,
            doubted: false,
        }
    }

    /// Whether a question costs less than the bytes that it may save.
    pub(crate) fn is_worth_asking(&self, options: &Options) -> bool {
        self.digest.is_some() && self.size.is_none_or(|size| size > options.ask_above)
    }

    pub(super) const fn is_one_shot(&self) -> bool {
        self.in_hand.is_some()
    }

    /// Whether an upload that has some of the bytes can be continued.
    pub(crate) fn can_resume(&self) -> bool {
        self.size.is_some() && !self.must_read(0)
    }

    /// Whether the bytes from `from` on must be buffered before they can be sent.
    pub(super) fn must_read(&self, from: u64) -> bool {
        !self.ended && self.in_hand.as_ref().is_some_and(|hand| hand.end <= from)
    }

    /// Whether bytes before `end` are still to be buffered.
    pub(super) fn lacks(&self, end: u64) -> bool {
        !self.ended && self.in_hand.as_ref().is_some_and(|hand| hand.end < end)
    }

    /// The position of the first byte that must stay buffered while the bytes from `from` on are read.
    pub(super) fn first_in_hand(&self, from: u64) -> u64 {
        self.in_hand.as_ref().map_or(from, |hand| hand.start.min(from))
    }

    /// The position after the last byte that can be sent now, if it is known.
    pub(super) fn end(&self) -> Option<u64> {
        match &self.in_hand {
            Some(hand) => Some(hand.end),
            None => self.size,
        }
    }

    /// Whether all bytes are buffered or can be read again.
    pub(crate) fn can_replay(&self) -> bool {
        self.in_hand.as_ref().is_none_or(|hand| hand.start == 0)
    }

    /// Whether one request can send all bytes although the end is not known yet: no byte was dropped so far.
    pub(super) fn can_pour(&self) -> bool {
        !self.ended && self.can_replay()
    }

    /// The bytes of a one-shot source were sent by a request without success, and cannot be read again.
    pub(super) fn poured(&mut self) {
        if let Some(hand) = &mut self.in_hand {
            hand.start = hand.start.max(1);
            hand.end = hand.end.max(hand.start);
        }
    }

    /// Whether its end is known. It always is if the source can be read again.
    pub(super) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether one request can send all bytes.
    pub(super) fn is_whole(&self) -> bool {
        self.digest.is_some() && self.ended && self.can_replay()
    }

    /// Digest and size, once both are known.
    pub(super) fn identity(&self) -> Option<(Digest, u64)> {
        self.digest.zip(self.size)
    }

    pub(super) const fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    pub(super) fn filled(&mut self, len: u64) {
        if let Some(hand) = &mut self.in_hand {
            hand.end = hand.end.max(len);
        }
    }

    pub(super) fn ended(&mut self, len: u64, digest: Digest) -> Result<(), FailureKind> {
        self.filled(len);
        self.ended = true;
        if let Some(expected) = self.size.replace(len).filter(|expected| *expected != len) {
            return Err(FailureKind::SizeMismatch { expected, actual: len });
        }
        match self.digest.replace(digest) {
            Some(expected) if expected != digest => Err(FailureKind::DigestMismatch { expected, actual: digest }),
            _ => Ok(()),
        }
    }

    /// The registry has the bytes before `at`; a one-shot source may drop them.
    pub(super) fn stored(&mut self, at: u64) {
        self.acknowledged = at;
        self.resent = None;
        self.refused = None;
        self.refusals = 0;
        if let Some(hand) = &mut self.in_hand
            && !(self.ended && hand.start == 0)
        {
            hand.start = hand.start.max(at.min(hand.end));
        }
    }

    /// A new upload was opened, in which no byte is acknowledged.
    pub(super) fn restarted(&mut self) {
        self.acknowledged = 0;
        self.resent = None;
        self.refused = None;
        self.refusals = 0;
    }

    /// The same content for another upload. The buffer is kept.
    pub(super) fn unsent(mut self) -> Self {
        self.restarted();
        self
    }

    /// Whether the bytes from `at` on can be sent again in the same upload.
    pub(super) fn has_from(&self, at: u64) -> bool {
        self.in_hand.as_ref().is_none_or(|hand| hand.start <= at)
    }

    /// Records that a chunk is sent again without knowing whether it has arrived. Returns `false` the second time.
    pub(super) fn resend_blindly(&mut self, at: u64) -> bool {
        let again = self.resent != Some(at) && self.has_from(at);
        self.resent = Some(at);
        again
    }

    /// Corrects an offset that was refused before, because the registry's end is exclusive (quirk
    /// `status-range-exclusive-with-prefix`).
    pub(super) fn second_guess(&self, at: u64) -> u64 {
        let before = at.saturating_sub(1);
        if self.refused == Some(at) && before >= self.acknowledged { before } else { at }
    }

    /// Records that the chunk at this offset was refused as out of order. Returns `false` if that has happened too
    /// often.
    pub(super) fn out_of_order(&mut self, at: u64) -> bool {
        self.refused = Some(at);
        self.is_worth_another()
    }

    /// The registry says that it has more bytes than were sent. Returns `false` if it has said so before.
    pub(super) const fn doubt(&mut self) -> bool {
        !std::mem::replace(&mut self.doubted, true)
    }

    /// Counts a refusal since the last acknowledged byte. Returns `false` if there were too many.
    pub(super) fn is_worth_another(&mut self) -> bool {
        self.refusals = self.refusals.saturating_add(1);
        self.refusals <= MAX_REFUSALS
    }

    /// A chunk that was sent again was refused as out of order, so it counts as stored. Returns `false` if that cannot be: the
    /// chunk before it was stored in the same way, and then this one was refused the first time as well.
    pub(super) fn assume_stored(&mut self, range: &Range<u64>) -> bool {
        let is_contradicted = self.assumed == Some(range.start) && self.refused == Some(range.start);
        if !is_contradicted {
            self.stored(range.end);
            self.assumed = Some(range.end);
        }
        !is_contradicted
    }

    /// Whether this chunk was sent again without knowing whether it had arrived.
    pub(super) fn resent(&self, range: &Range<u64>) -> bool {
        self.resent == Some(range.start)
    }
}
