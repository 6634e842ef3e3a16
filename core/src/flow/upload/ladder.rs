//! The rungs of the ladder: which of them comes next for a blob, and how large a chunk is.
//!
//! Nothing in here sends, and nothing moves the state of an upload: evidence in, a decision out.

use std::collections::{BTreeMap, BTreeSet};

use super::Content;
use crate::Instant;
use crate::config::{Learned, Options};
use crate::endpoint::OpenUpload;

/// A way to send a blob's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rung {
    /// One POST with everything (`end-4b`).
    SinglePost,
    /// POST, then one PUT with everything (`end-6`).
    WholePut,
    /// POST, one PATCH with everything, PUT.
    StreamedPatch,
    /// POST, PATCHes with `Content-Range` (`end-5`), the last chunk in the PUT.
    Chunks,
}

/// What was seen of each rung while this blob was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ladder {
    /// Rungs that failed for this blob.
    barred: BTreeSet<Rung>,
    /// How often a rung failed for a reason that may be gone the next time.
    troubles: BTreeMap<Rung, u32>,
    /// How often a body was lost on its way, or its answer was.
    losses: u32,
    /// The longest body that the registry said it takes (`OCI-Chunk-Max-Length`), in bytes.
    announced: Option<u64>,
    /// The shortest body that was refused as too large, in bytes.
    refused: Option<u64>,
    /// The largest chunk that is tried, in bytes, once a first chunk was refused with 416.
    chunk_cap: Option<u64>,
    /// The rung that bytes were sent on last.
    using: Option<Rung>,
}

/// The largest chunk that a registry which refused more is known to take: GHCR's limit (quirk `patch-max-4mib-416`).
pub(super) const MODEST_CHUNK: u64 = 4 * 1024 * 1024;
/// The largest minimum for chunks that is honoured, in bytes: a one-shot source holds as much in memory.
const MAX_CHUNK_FLOOR: u64 = 128 * 1024 * 1024;
/// The largest body that is sent in one POST to a registry that may ignore it, in bytes.
const UNPROVEN_POST: u64 = 64 * 1024;
/// The smallest limit that is learned from a 413, in bytes: where less is refused, length is not the reason.
const LEAST_LIMIT: u64 = 64 * 1024;
/// A maximum that a registry announces makes at most so many requests of one chunk that the options choose ...
const MOST_PARTS: u64 = 128;
/// ... and so many times more, where a 413 has proved that it is meant.
const PROVED: u64 = 16;

/// After so many whole bodies that came to nothing, a blob that is longer than a chunk goes in chunks.
const LOSSES: u32 = 2;
/// After so many troubles a rung is left for another.
const TROUBLES: u32 = 2;

impl Ladder {
    /// This rung failed for this blob, and is not tried again.
    pub(super) fn bar(&mut self, rung: Rung) {
        self.barred.insert(rung);
    }

    pub(super) fn is_barred(&self, rung: Rung) -> bool {
        self.barred.contains(&rung)
    }

    /// A rung failed for a reason that may be gone the next time.
    pub(super) fn trouble(&mut self, rung: Rung) {
        let troubles = self.troubles.entry(rung).or_default();
        *troubles = troubles.saturating_add(1);
    }

    /// Whether a rung did not fail too often.
    pub(super) fn is_calm(&self, rung: Rung) -> bool {
        self.troubles.get(&rung).is_none_or(|troubles| *troubles < TROUBLES)
    }

    /// A body was lost, or its answer was: the network's doing, which says nothing of what the registry takes.
    pub(super) const fn lost(&mut self) {
        self.losses = self.losses.saturating_add(1);
    }

    /// An upload was opened, and the registry announced this maximum, if any. Its bytes do not go in a POST any more.
    pub(super) fn opened(&mut self, announced: Option<u64>) {
        self.announced = announced;
        self.bar(Rung::SinglePost);
    }

    /// Bytes are sent on this rung.
    pub(super) const fn use_rung(&mut self, rung: Rung) {
        self.using = Some(rung);
    }

    /// The rung that bytes were sent on last.
    pub(super) fn using(&self) -> Rung {
        self.using.unwrap_or(Rung::Chunks)
    }

    /// A body of this length was refused as too large: that holds for every way of sending it.
    pub(super) fn too_large(&mut self, len: Option<u64>, learned: &mut Learned, now: Instant) {
        self.refused = [self.refused, len].into_iter().flatten().min();
        Self::learn_limit(len, learned, now);
    }

    /// A 413 teaches the limit of other blobs: half of what was refused. Where not even a small body is taken, its length is
    /// not the reason.
    pub(super) fn learn_limit(len: Option<u64>, learned: &mut Learned, now: Instant) {
        if let Some(half) = len.map(|len| len / 2).filter(|half| *half >= LEAST_LIMIT) {
            learned.learn_body_limit(half, now);
        }
    }

    /// A first chunk of this length was refused with 416; says whether a smaller one is worth a try.
    pub(super) const fn try_modest_chunk(&mut self, len: u64) -> bool {
        let is_worth_a_try = len > MODEST_CHUNK && self.chunk_cap.is_none();
        if is_worth_a_try {
            self.chunk_cap = Some(MODEST_CHUNK);
        }
        is_worth_a_try
    }

    /// A chunk was taken: if a smaller one had to be tried, its length is learned for other blobs.
    pub(super) fn chunk_taken(&self, learned: &mut Learned, now: Instant) {
        if let Some(cap) = self.chunk_cap {
            learned.learn_chunk_limit(cap, now);
        }
    }

    /// The best rung that has not failed for this blob, and that the registry was not seen to refuse.
    ///
    /// Where none is left, what was learned counts for nothing, because it may be old or wrong; and then trouble counts for
    /// nothing, because it may be gone. The number of uploads that are begun bounds all of it.
    pub(super) fn rung(&self, content: &Content, learned: &Learned, options: &Options) -> Option<Rung> {
        let announced = self.announced.map(|said| self.believed(said, options));
        let limit = [learned.body_limit, announced].into_iter().flatten().min();
        let nothing = Learned::default();
        self.best_rung(content, learned, limit, options, |rung| self.is_calm(rung))
            .or_else(|| self.best_rung(content, &nothing, None, options, |rung| self.is_calm(rung)))
            .or_else(|| self.best_rung(content, &nothing, None, options, |_| true))
    }

    fn best_rung(
        &self,
        content: &Content,
        learned: &Learned,
        limit: Option<u64>,
        options: &Options,
        may: impl Fn(Rung) -> bool,
    ) -> Option<Rung> {
        let is_open = |rung: Rung| !self.is_barred(rung) && may(rung);
        let size = content.size;
        let fits = size.is_none_or(|size| self.may_take(size) && limit.is_none_or(|limit| size <= limit));
        // Where it is not known whether one POST does, only a body that costs nothing is risked on it.
        let risk = if learned.single_post == Some(true) { options.single_post } else { UNPROVEN_POST };
        let is_small = size.is_some_and(|size| size <= risk.min(options.single_post));
        let whole = content.is_whole();

        if whole && fits && is_small && is_open(Rung::SinglePost) && learned.single_post != Some(false) {
            return Some(Rung::SinglePost);
        }
        // An empty chunk cannot be written, so a blob of no bytes is a PUT or nothing, whatever the registry makes of PUTs
        // that carry something (quirk `patch-zero-length`).
        if size == Some(0) {
            return (whole && is_open(Rung::WholePut)).then_some(Rung::WholePut);
        }
        let chunk = self.chunk_len(None, learned, options);
        let chunks = is_open(Rung::Chunks)
            && learned.chunks != Some(false)
            && self.may_take(size.map_or(chunk, |size| size.min(chunk)));
        // Where whole bodies get lost, less is lost with a chunk.
        let is_risky = self.whole_bodies_lost() >= LOSSES && size.is_some_and(|size| size > chunk);
        let wants_chunks = chunks && (is_risky || size.is_some_and(|size| size > options.chunk_above));
        if whole && fits && !wants_chunks && is_open(Rung::WholePut) && learned.whole_put != Some(false) {
            return Some(Rung::WholePut);
        }
        let streams = (whole && fits || content.can_pour() && !chunks)
            && is_open(Rung::StreamedPatch)
            && learned.streamed_patch != Some(false);
        match (streams, chunks) {
            (true, true) if content.is_one_shot() || wants_chunks => Some(Rung::Chunks),
            (true, _) => Some(Rung::StreamedPatch),
            (false, true) => Some(Rung::Chunks),
            (false, false) => None,
        }
    }

    /// Whether no body of this length, nor a shorter one, was refused as too large.
    fn may_take(&self, len: u64) -> bool {
        self.refused.is_none_or(|refused| len < refused)
    }

    /// How many bodies were lost, or refused for a reason that may be gone, in whichever way all of it was sent.
    fn whole_bodies_lost(&self) -> u32 {
        let whole = self.troubles.iter().filter(|(rung, _)| **rung != Rung::Chunks);
        whole.fold(self.losses, |sum, (_, troubles)| sum.saturating_add(*troubles))
    }

    /// How many bytes the next chunk has, if the blob has as many. `open`: the upload that it goes to, where there is one.
    pub(super) fn chunk_len(&self, open: Option<&OpenUpload>, learned: &Learned, options: &Options) -> u64 {
        // A peer's number: what a one-shot source must hold in memory is bounded here.
        let floor = open.and_then(OpenUpload::chunk_min_length).unwrap_or(1).min(MAX_CHUNK_FLOOR);
        let announced = [open.and_then(OpenUpload::chunk_max_length), self.announced].into_iter().flatten().min();
        let ceiling = [
            announced.map(|said| self.believed(said, options)),
            learned.body_limit.map(modest),
            learned.chunk_limit,
            self.chunk_cap,
        ];
        let ceiling = ceiling.into_iter().flatten().min().unwrap_or(u64::MAX);
        options.chunk.min(ceiling).max(floor).max(1)
    }

    /// What is made of a maximum that a registry announces. It does not steer us into absurd work: a maximum of one byte would
    /// make a request of every byte.
    fn believed(&self, announced: u64, options: &Options) -> u64 {
        let floor = options.chunk.checked_div(MOST_PARTS).unwrap_or(0);
        let is_proved = self.refused.is_some_and(|refused| refused <= floor);
        announced.max(if is_proved { floor.checked_div(PROVED).unwrap_or(0) } else { floor })
    }
}

/// A limit that was guessed as half of what was refused, rounded down to one that is known to work where it is above that.
const fn modest(limit: u64) -> u64 {
    if limit > MODEST_CHUNK && limit <= 2 * MODEST_CHUNK { MODEST_CHUNK } else { limit }
}

#[cfg(test)]
mod tests;
