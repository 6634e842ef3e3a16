//! What is known of a blob's content while it is sent, and what of it can still be sent.

use std::ops::Range;

use crate::config::{Blob, Options};
use crate::outcome::FailureKind;
use crate::{Algorithm, Digest};

/// How often an upload is asked where it stands because it refuses what is sent.
const MAX_REFUSALS: u32 = 3;

/// The content of one blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) algorithm: Algorithm,
    /// The digest, once it is known.
    pub(crate) digest: Option<Digest>,
    /// The length in bytes, once it is known.
    pub(crate) size: Option<u64>,
    /// What a source that can be read only once holds; `None` for one that can be read again.
    in_hand: Option<Range<u64>>,
    /// Whether a one-shot source has come to its end.
    ended: bool,
    /// How many bytes the registry has acknowledged in the open upload.
    acknowledged: u64,
    /// Where a chunk was sent again without knowing whether it had arrived.
    resent: Option<u64>,
    /// Where a chunk was refused as out of order last.
    refused: Option<u64>,
    /// How often chunks were refused since the last byte that was acknowledged.
    refusals: u32,
    /// Whether the upload was begun again because the registry said that it has more than was sent.
    doubted: bool,
}

impl Content {
    /// The content of a blob that is to be pushed.
    pub(crate) fn of<K>(blob: &Blob<K>) -> Self {
        match (blob.identity, blob.is_one_shot) {
            (Some((digest, size)), false) => Self::known(digest, size),
            (identity, _) => Self::one_shot(blob.algorithm, identity),
        }
    }

    /// Content of known digest and length, from a source that can be read again.
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
            refusals: 0,
            doubted: false,
        }
    }

    /// Content from a source that can be read only once; its digest and length may be known all the same.
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
            refusals: 0,
            doubted: false,
        }
    }

    /// Whether a question costs less than the bytes it may save.
    pub(crate) fn is_worth_asking(&self, options: &Options) -> bool {
        self.digest.is_some() && self.size.is_none_or(|size| size > options.ask_above)
    }

    pub(super) const fn is_one_shot(&self) -> bool {
        self.in_hand.is_some()
    }

    /// Whether the bytes from `from` on must be read before they can be sent.
    pub(super) fn must_read(&self, from: u64) -> bool {
        !self.ended && self.in_hand.as_ref().is_some_and(|hand| hand.end <= from)
    }

    /// Whether bytes before `end` are still to be read.
    pub(super) fn lacks(&self, end: u64) -> bool {
        !self.ended && self.in_hand.as_ref().is_some_and(|hand| hand.end < end)
    }

    /// The first byte that must stay in hand, where the bytes from `from` on are read.
    pub(super) fn first_in_hand(&self, from: u64) -> u64 {
        self.in_hand.as_ref().map_or(from, |hand| hand.start.min(from))
    }

    /// One past the last byte that can be sent now, where that is known.
    pub(super) fn end(&self) -> Option<u64> {
        match &self.in_hand {
            Some(hand) => Some(hand.end),
            None => self.size,
        }
    }

    /// Whether all of it is in hand or can be had again.
    pub(crate) fn can_replay(&self) -> bool {
        self.in_hand.as_ref().is_none_or(|hand| hand.start == 0)
    }

    /// Whether one request can carry all of it though its end is not known yet: every byte is still to be had, once.
    pub(super) fn can_pour(&self) -> bool {
        !self.ended && self.can_replay()
    }

    /// Its bytes went out with a request that came to nothing: they are gone.
    pub(super) fn poured(&mut self) {
        if let Some(hand) = &mut self.in_hand {
            hand.start = hand.start.max(1);
            hand.end = hand.end.max(hand.start);
        }
    }

    /// Whether its end is known: always, where it can be read again.
    pub(super) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether one request can carry all of it.
    pub(super) fn is_whole(&self) -> bool {
        self.digest.is_some() && self.ended && self.can_replay()
    }

    /// Digest and length, once both are known.
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

    /// A new upload: nothing is acknowledged in it.
    pub(super) fn restarted(&mut self) {
        self.acknowledged = 0;
        self.resent = None;
        self.refused = None;
        self.refusals = 0;
    }

    /// The same content for another upload: what is in hand of it stays so, and what is gone is gone.
    pub(super) fn unsent(mut self) -> Self {
        self.restarted();
        self
    }

    /// Whether the bytes from `at` on can be sent again in the same upload.
    pub(super) fn has_from(&self, at: u64) -> bool {
        self.in_hand.as_ref().is_none_or(|hand| hand.start <= at)
    }

    /// Notes that a chunk is sent again without knowing whether it has arrived; false the second time.
    pub(super) fn resend_blindly(&mut self, at: u64) -> bool {
        let again = self.resent != Some(at) && self.has_from(at);
        self.resent = Some(at);
        again
    }

    /// An offset that was refused just now was read from an end one too high (quirk `status-range-exclusive-with-prefix`).
    pub(super) fn second_guess(&self, at: u64) -> u64 {
        let before = at.saturating_sub(1);
        if self.refused == Some(at) && before >= self.acknowledged { before } else { at }
    }

    /// Notes that a chunk was refused as out of order, and where; false where that was often enough.
    pub(super) fn out_of_order(&mut self, at: u64) -> bool {
        self.refused = Some(at);
        self.is_worth_another()
    }

    /// The registry says that it has more than was ever sent; false where that was said before.
    pub(super) const fn doubt(&mut self) -> bool {
        !std::mem::replace(&mut self.doubted, true)
    }

    /// Counts a refusal since the last byte that was acknowledged.
    pub(super) fn is_worth_another(&mut self) -> bool {
        self.refusals = self.refusals.saturating_add(1);
        self.refusals <= MAX_REFUSALS
    }

    /// Whether this chunk was sent again without knowing whether it had arrived.
    pub(super) fn resent(&self, range: &Range<u64>) -> bool {
        self.resent == Some(range.start)
    }
}
