//! The rungs of the ladder, and which of them comes next.

use super::{Context, Key, OpenUpload, Upload};
use crate::config::Learned;

/// A way to send a blob's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rung {
    /// One POST with everything (end-4b).
    SinglePost,
    /// POST, then one PUT with everything (end-6).
    WholePut,
    /// POST, one PATCH with everything, PUT.
    StreamedPatch,
    /// POST, PATCHes with `Content-Range` (end-5), the last chunk in the PUT.
    Chunks,
}

/// The largest chunk that a registry which refused more is known to take: GHCR's limit (quirk `patch-max-4mib-416`).
pub(super) const MODEST_CHUNK: u64 = 4 * 1024 * 1024;

/// The largest minimum for chunks that is honoured, in bytes.
const MAX_CHUNK_FLOOR: u64 = 128 * 1024 * 1024;
/// The largest body that is sent in one POST to a registry that may ignore it, in bytes.
const UNPROVEN_POST: u64 = 64 * 1024;

/// After so many whole bodies that came to nothing, a blob that is longer than a chunk goes in chunks.
const LOSSES: u32 = 2;
/// After so many troubles of its own that may pass, a rung is left for another.
const TROUBLES: u32 = 2;

impl<K: Key> Upload<K> {
    /// The best rung that has not failed for this blob, and that the registry was not seen to refuse.
    ///
    /// Before all is lost, what was learned counts for nothing, because it may be old or wrong; and then trouble counts for
    /// nothing, because it may have passed. The number of uploads that are begun bounds all of it.
    pub(super) fn rung(&self, context: &Context<'_, K>) -> Option<Rung> {
        let limit = [context.learned.body_limit, self.announced_max].into_iter().flatten().min();
        self.best_rung(context, context.learned, limit, |rung| self.is_calm(rung))
            .or_else(|| self.best_rung(context, &Learned::default(), None, |rung| self.is_calm(rung)))
            .or_else(|| self.best_rung(context, &Learned::default(), None, |_| true))
    }

    /// Whether no body of this length, nor a shorter one, was refused as too large.
    fn may_take(&self, len: u64) -> bool {
        self.refused_len.is_none_or(|refused| len < refused)
    }

    /// How many bodies were lost, or turned away for a reason that may pass; whichever way all of it was sent.
    fn whole_bodies_lost(&self) -> u32 {
        let whole = self.troubles.iter().filter(|(rung, _)| **rung != Rung::Chunks);
        whole.fold(self.losses, |sum, (_, troubles)| sum.saturating_add(*troubles))
    }

    pub(super) fn is_calm(&self, rung: Rung) -> bool {
        self.troubles.get(&rung).is_none_or(|troubles| *troubles < TROUBLES)
    }

    fn best_rung(
        &self,
        context: &Context<'_, K>,
        learned: &Learned,
        limit: Option<u64>,
        may: impl Fn(Rung) -> bool,
    ) -> Option<Rung> {
        let is_open = |rung: Rung| !self.barred.contains(&rung) && may(rung);
        let size = self.content.size;
        let fits = size.is_none_or(|size| self.may_take(size) && limit.is_none_or(|limit| size <= limit));
        // Where it is not known whether one POST does, only a body that costs nothing is risked on it.
        let risk = if learned.single_post == Some(true) { context.options.single_post } else { UNPROVEN_POST };
        let is_small = self.content.size.is_some_and(|size| size <= risk.min(context.options.single_post));
        let whole = self.content.is_whole();

        if whole && fits && is_small && is_open(Rung::SinglePost) && learned.single_post != Some(false) {
            return Some(Rung::SinglePost);
        }
        // An empty chunk cannot be written, so a blob of no bytes is a PUT or nothing, whatever the registry makes of PUTs
        // that carry something (quirk `patch-zero-length`).
        if self.content.size == Some(0) {
            return (whole && is_open(Rung::WholePut)).then_some(Rung::WholePut);
        }
        let chunk = self.chunk_end(0, None, context);
        let chunks = is_open(Rung::Chunks)
            && learned.chunks != Some(false)
            && self.may_take(size.map_or(chunk, |size| size.min(chunk)));
        // Where whole bodies get lost, less is lost with a chunk.
        let is_risky = self.whole_bodies_lost() >= LOSSES && size.is_some_and(|size| size > chunk);
        let wants_chunks = chunks && (is_risky || size.is_some_and(|size| size > context.options.chunk_above));
        if whole && fits && !wants_chunks && is_open(Rung::WholePut) && learned.whole_put != Some(false) {
            return Some(Rung::WholePut);
        }
        let streams = (whole && fits || self.content.can_pour() && !chunks)
            && is_open(Rung::StreamedPatch)
            && learned.streamed_patch != Some(false);
        match (streams, chunks) {
            (true, true) if self.content.is_one_shot() || wants_chunks => Some(Rung::Chunks),
            (true, _) => Some(Rung::StreamedPatch),
            (false, true) => Some(Rung::Chunks),
            (false, false) => None,
        }
    }

    /// Where a chunk that begins at `from` ends, if the blob goes on that far.
    pub(super) fn chunk_end(&self, from: u64, open: Option<&OpenUpload>, context: &Context<'_, K>) -> u64 {
        // A peer's number: what a one-shot source must hold in memory is bounded here.
        let floor = open.and_then(OpenUpload::chunk_min_length).unwrap_or(1).min(MAX_CHUNK_FLOOR);
        let ceiling = [
            open.and_then(OpenUpload::chunk_max_length),
            self.announced_max,
            context.learned.body_limit.map(modest),
            context.learned.chunk_limit,
            self.chunk_cap,
        ];
        let ceiling = ceiling.into_iter().flatten().min().unwrap_or(u64::MAX);
        from.saturating_add(context.options.chunk.min(ceiling).max(floor).max(1))
    }
}

/// A limit that was guessed as half of what was refused, rounded down to one that is known to work where it is above that.
const fn modest(limit: u64) -> u64 {
    if limit > MODEST_CHUNK && limit <= 2 * MODEST_CHUNK { MODEST_CHUNK } else { limit }
}
