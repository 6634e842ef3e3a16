//! The ladder: decides which way of sending a blob is tried next, and how large a chunk is.
//!
//! This module sends nothing and does not change the state of an upload. It takes evidence and returns a decision.

use std::collections::{BTreeMap, BTreeSet};

use super::Content;
use crate::Instant;
use crate::config::{Learned, Options};
use crate::endpoint::OpenUpload;

/// A way to send a blob's bytes. The best one is first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rung {
    /// One POST with all bytes (`end-4b`).
    SinglePost,
    /// POST, then one PUT with all bytes (`end-6`).
    WholePut,
    /// POST, one PATCH with all bytes, PUT.
    StreamedPatch,
    /// POST, PATCHes with `Content-Range` (`end-5`), the last chunk in the PUT.
    Chunks,
}

/// The results of each rung while this blob was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ladder {
    /// Rungs that failed for this blob.
    barred: BTreeSet<Rung>,
    /// How often a rung failed for a reason that may be temporary.
    troubles: BTreeMap<Rung, u32>,
    /// How often a whole body or its answer was lost.
    losses: u32,
    /// The registry's maximum for a chunk (`OCI-Chunk-Max-Length`), in bytes.
    announced: Option<u64>,
    /// The smallest body that was refused as too large, in bytes.
    refused: Option<u64>,
    /// The largest chunk to try, in bytes, after a first chunk was refused with 416.
    chunk_cap: Option<u64>,
    /// The rung that was used last.
    using: Option<Rung>,
}

/// The chunk size to try after a larger one was refused: GHCR's limit, in bytes (quirk `patch-max-4mib-416`).
pub(super) const MODEST_CHUNK: u64 = 4 * 1024 * 1024;
/// The largest minimum for chunks that is followed, in bytes, because the buffer of a one-shot source must be as large.
const MAX_CHUNK_FLOOR: u64 = 128 * 1024 * 1024;
/// The largest body that is sent in one POST to a registry of which it is not known whether it supports that, in bytes.
const UNPROVEN_POST: u64 = 64 * 1024;
/// The smallest limit that is learned from a 413, in bytes. If a smaller body is refused, its size is not the reason.
const LEAST_LIMIT: u64 = 64 * 1024;
/// A registry's maximum may split one chunk of the size in the options into at most this many requests ...
const MOST_PARTS: u64 = 128;
/// ... and into this many times more, if a 413 has proved the maximum.
const PROVED: u64 = 16;

/// After this many lost whole bodies, a blob that is larger than a chunk is sent in chunks.
const LOSSES: u32 = 2;
/// After this many temporary failures another rung is tried.
const TROUBLES: u32 = 2;

impl Ladder {
    /// This rung failed for this blob and is not tried again.
    pub(super) fn bar(&mut self, rung: Rung) {
        self.barred.insert(rung);
    }

    pub(super) fn is_barred(&self, rung: Rung) -> bool {
        self.barred.contains(&rung)
    }

    /// A rung failed for a reason that may be temporary.
    pub(super) fn trouble(&mut self, rung: Rung) {
        let troubles = self.troubles.entry(rung).or_default();
        *troubles = troubles.saturating_add(1);
    }

    /// Whether a rung has not failed too often.
    pub(super) fn is_calm(&self, rung: Rung) -> bool {
        self.troubles.get(&rung).is_none_or(|troubles| *troubles < TROUBLES)
    }

    /// A body or its answer was lost. The network is the cause, so this says nothing about what the registry supports.
    pub(super) const fn lost(&mut self) {
        self.losses = self.losses.saturating_add(1);
    }

    /// An upload was opened, and the registry stated this maximum, if any. The blob is not sent in one POST any more.
    pub(super) fn opened(&mut self, announced: Option<u64>) {
        self.announced = announced;
        self.bar(Rung::SinglePost);
    }

    /// Bytes are now sent by this rung.
    pub(super) const fn use_rung(&mut self, rung: Rung) {
        self.using = Some(rung);
    }

    /// The rung that was used last.
    pub(super) fn using(&self) -> Rung {
        self.using.unwrap_or(Rung::Chunks)
    }

    /// A body of this length was refused as too large, which applies to every rung.
    pub(super) fn too_large(&mut self, len: Option<u64>, learned: &mut Learned, now: Instant) {
        self.refused = [self.refused, len].into_iter().flatten().min();
        Self::learn_limit(len, learned, now);
    }

    /// Learns a limit for other blobs from a 413: half of the length that was refused. If even a small body was
    /// refused, its size is not the reason.
    pub(super) fn learn_limit(len: Option<u64>, learned: &mut Learned, now: Instant) {
        if let Some(half) = len.map(|len| len / 2).filter(|half| *half >= LEAST_LIMIT) {
            learned.learn_body_limit(half, now);
        }
    }

    /// A first chunk of this length was refused with 416. Returns whether a smaller one should be tried.
    pub(super) const fn try_modest_chunk(&mut self, len: u64) -> bool {
        let is_worth_a_try = len > MODEST_CHUNK && self.chunk_cap.is_none();
        if is_worth_a_try {
            self.chunk_cap = Some(MODEST_CHUNK);
        }
        is_worth_a_try
    }

    /// A chunk was accepted. If it is smaller because a larger one was refused, its size is learned for other blobs.
    pub(super) fn chunk_taken(&self, learned: &mut Learned, now: Instant) {
        if let Some(cap) = self.chunk_cap {
            learned.learn_chunk_limit(cap, now);
        }
    }

    /// The best rung that has not failed for this blob and that the registry is not known to refuse.
    ///
    /// If none is left, first what was learned is ignored, because it may be out of date or wrong; then temporary
    /// failures are ignored. The number of uploads that are started limits all of this.
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
        // If it is not known whether one POST works, only a small body is risked on it.
        let risk = if learned.single_post == Some(true) { options.single_post } else { UNPROVEN_POST };
        let is_small = size.is_some_and(|size| size <= risk.min(options.single_post));
        let whole = content.is_whole();

        if whole && fits && is_small && is_open(Rung::SinglePost) && learned.single_post != Some(false) {
            return Some(Rung::SinglePost);
        }
        // An empty chunk cannot be expressed, so an empty blob must be a PUT, even if the registry refuses PUTs with a
        // body (quirk `patch-zero-length`).
        if size == Some(0) {
            return (whole && is_open(Rung::WholePut)).then_some(Rung::WholePut);
        }
        let chunk = self.chunk_len(None, learned, options);
        let chunks = is_open(Rung::Chunks)
            && learned.chunks != Some(false)
            && self.may_take(size.map_or(chunk, |size| size.min(chunk)));
        // If whole bodies get lost, smaller bodies lose less.
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

    /// Whether no body of this length or shorter was refused as too large.
    fn may_take(&self, len: u64) -> bool {
        self.refused.is_none_or(|refused| len < refused)
    }

    /// How many whole bodies were lost or refused for a temporary reason, on all rungs.
    fn whole_bodies_lost(&self) -> u32 {
        let whole = self.troubles.iter().filter(|(rung, _)| **rung != Rung::Chunks);
        whole.fold(self.losses, |sum, (_, troubles)| sum.saturating_add(*troubles))
    }

    /// The size of the next chunk in bytes, if the blob has as many. `open` is the upload that it is sent to, if there
    /// is one.
    pub(super) fn chunk_len(&self, open: Option<&OpenUpload>, learned: &Learned, options: &Options) -> u64 {
        // The registry chooses this number, so the memory that a one-shot source needs is limited here.
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

    /// The part of a registry's maximum that is followed. A registry cannot cause unlimited work: a maximum of one byte
    /// would make each byte a request.
    fn believed(&self, announced: u64, options: &Options) -> u64 {
        let floor = options.chunk.checked_div(MOST_PARTS).unwrap_or(0);
        let is_proved = self.refused.is_some_and(|refused| refused <= floor);
        announced.max(if is_proved { floor.checked_div(PROVED).unwrap_or(0) } else { floor })
    }
}

/// A limit that was guessed as half of a refused length. If it is between [`MODEST_CHUNK`] and twice that, it is
/// reduced to that, which is known to work.
const fn modest(limit: u64) -> u64 {
    if limit > MODEST_CHUNK && limit <= 2 * MODEST_CHUNK { MODEST_CHUNK } else { limit }
}

#[cfg(test)]
mod tests;
