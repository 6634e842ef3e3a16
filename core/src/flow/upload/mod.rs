//! The upload of one blob, by every way that the spec has.
//!
//! Every state, its request, and the states that may follow it. A test compares this table with the code.
//!
//! ```text
//! Planned      -                 Mounting Checking PostingWhole Opening Resuming
//! Mounting     POST, mount       Mounting Checking Held PostingWhole Opening Reading PuttingWhole Streaming SendingChunk Cancelling Ended
//! Held         -                 Checking Reading PuttingWhole Streaming SendingChunk Cancelling
//! Checking     HEAD blob         PostingWhole Opening Reading PuttingWhole Streaming SendingChunk Cancelling Ended
//! PostingWhole POST, all bytes   Opening PuttingWhole Streaming SendingChunk Confirming Ended
//! Opening      POST              Opening Reading PuttingWhole Streaming Pouring SendingChunk Cancelling Ended
//! Reading      - (reads bytes)   PuttingWhole Streaming Pouring SendingChunk Closing
//! PuttingWhole PUT, all bytes    Confirming Cancelling Ended
//! Streaming    PATCH, all bytes  Opening Closing Cancelling Ended
//! Pouring      PATCH, to the end Closing Cancelling Ended
//! SendingChunk PATCH, a chunk    Opening Reading SendingChunk Closing Resyncing Cancelling Ended
//! Closing      PUT, the rest     SendingChunk Resyncing Confirming Cancelling Ended
//! Resuming     GET upload        SendingChunk Closing Confirming Cancelling
//! Resyncing    GET upload        Reading SendingChunk Closing Cancelling
//! Confirming   HEAD blob         PostingWhole Opening Resyncing Confirming Cancelling Ended
//! Cancelling   DELETE upload     PostingWhole Opening Cancelling Ended
//! Ended        -
//! ```
//!
//! The registry's `Range` is only a hint. The flow relies on its own count of acknowledged bytes, and on the digest.
//!
//! Only `moves` changes the state. `plan` decides what is tried in turn, and `ladder` how bytes are sent; `requests`
//! builds the exchange of each state, `reply` classifies its answer, and `content` records which bytes can still be
//! sent.

mod content;
mod ladder;
mod moves;
mod plan;
mod reply;
mod requests;
mod state;

use std::time::Duration;

pub(crate) use content::Content;
use ladder::Ladder;
use plan::Plan;
pub(crate) use plan::Question;
use state::{LastWord, State, Then};

use super::Context;
use crate::config::RepositoryRef;
use crate::driver::Key;
use crate::endpoint::OpenUpload;
use crate::outcome::{Failure, FailureKind, Stored};
use crate::{Digest, Repository};

/// The longest time that a learned limit is used.
const LIMITS_FOR: Duration = Duration::from_secs(24 * 3600);
/// If a registry shows blobs late, a blob whose upload lost its answer is asked for this many times more, with increasing
/// waits, before its bytes are sent again: with the default options, seven seconds at most.
const LATE_LOOKS: u32 = 3;

/// The upload of one blob.
pub(crate) struct Upload<K> {
    key: K,
    place: RepositoryRef,
    content: Content,
    plan: Plan,
    ladder: Ladder,
    state: State,
    /// Uploads that are open and not in use, because mounts without success opened them. The newest is last.
    opened: Vec<OpenUpload>,
    /// How many uploads were started, including POSTs of the whole blob that stored nothing.
    sessions: u32,
    /// Whether the target repository was asked if it has the blob.
    was_asked: bool,
    /// Whether a mount from the target repository itself did not find the blob there.
    was_not_mounted: bool,
    /// Whether it may wait then, if it is not known whether the registry supports such mounts.
    may_be_held: bool,
    /// How often the blob was asked for again because it may become visible late.
    late_looks: u32,
    /// The result, if it ended while the answer to its request may still open an upload.
    leaving: Option<Failure>,
    /// Whether the POST of the whole blob was refused because of its bytes.
    was_post_blamed_on_bytes: bool,
    last: LastWord,
}

/// The result of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Uploaded {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) how: Stored,
    /// The content that could be sent again if the registry loses the blob.
    pub(crate) content: Content,
}

impl<K: Key> Upload<K> {
    /// An upload of `content`. It first tries to mount the blob from each repository of `mounts`.
    pub(crate) fn new(key: K, place: RepositoryRef, content: Content, mounts: Vec<Repository>) -> Self {
        Self {
            key,
            place,
            content,
            plan: Plan::new(mounts),
            ladder: Ladder::default(),
            state: State::Planned,
            opened: Vec::new(),
            sessions: 0,
            was_asked: false,
            was_not_mounted: false,
            may_be_held: false,
            late_looks: 0,
            leaving: None,
            was_post_blamed_on_bytes: false,
            last: LastWord::default(),
        }
    }

    /// Asks this question before bytes are sent.
    pub(crate) fn asking(mut self, question: Question) -> Self {
        self.plan.asking(question);
        self
    }

    /// Makes the upload wait for [`Self::end_hold`] if the answer to a mount does not show whether the registry has the
    /// blob. Another flow finds out meanwhile what that answer means.
    pub(crate) const fn held(mut self) -> Self {
        self.may_be_held = true;
        self
    }

    /// Continues an upload that another process left open.
    pub(crate) fn resuming(mut self, saved: Option<(OpenUpload, u64)>) -> Self {
        if let Some((open, acknowledged)) = saved {
            self.plan.resuming(open, acknowledged);
        }
        self
    }

    /// The open upload with its acknowledged bytes, if another process could continue it.
    pub(crate) fn progress(&self) -> Option<(Digest, u64, &OpenUpload, u64)> {
        let (State::SendingChunk(open, _)
        | State::Closing(open, _)
        | State::Resuming(open, _)
        | State::Resyncing(open, _)
        | State::Confirming(Some(open))) = &self.state
        else {
            return None;
        };
        let (digest, size) = self.content.identity()?;
        let acknowledged = self.content.acknowledged();
        let is_here = *open.target().origin() == self.place.origin;
        (is_here && acknowledged > 0 && !self.content.is_one_shot()).then_some((digest, size, open, acknowledged))
    }

    /// From now on reads the same blob by another key.
    pub(crate) fn read_from(&mut self, key: K) {
        self.key = key;
    }

    /// The result, if only uploads are still to be cancelled.
    pub(crate) fn early_result(&self) -> Option<Result<Uploaded, Failure>> {
        match (&self.leaving, &self.state) {
            (Some(failure), _) => Some(Err(failure.clone())),
            (None, State::Cancelling(_, Then::End(result))) => Some(result.clone()),
            _ => None,
        }
    }

    /// Whether only cleanup is left.
    pub(crate) const fn is_ending(&self) -> bool {
        matches!(self.state, State::Ended(_) | State::Cancelling(_, Then::End(_)))
    }

    pub(crate) const fn key(&self) -> &K {
        &self.key
    }

    pub(crate) const fn place(&self) -> &RepositoryRef {
        &self.place
    }

    /// The digest, if another push may wait for this upload. It may not for a one-shot source.
    pub(crate) fn shareable(&self) -> Option<Digest> {
        self.content.digest.filter(|_| !self.content.is_one_shot())
    }

    pub(crate) const fn size(&self) -> Option<u64> {
        self.content.size
    }

    /// The position of the first byte that the current exchange sends, if it sends any.
    pub(crate) const fn sending_from(&self) -> Option<u64> {
        match &self.state {
            State::PostingWhole | State::PuttingWhole(_) | State::Streaming(_) | State::Pouring(_) => Some(0),
            State::SendingChunk(_, range) | State::Closing(_, Some(range)) => Some(range.start),
            _ => None,
        }
    }

    /// Cancels after the answer that may open an upload has come. Returns `false` if no such answer is expected.
    pub(crate) fn leave(&mut self) -> bool {
        self.leave_with(Failure::cancelled())
    }

    fn leave_with(&mut self, failure: Failure) -> bool {
        let may_open = matches!(self.state, State::Opening | State::Mounting(_));
        if may_open {
            self.leaving = Some(failure.about(&self.key));
        }
        may_open
    }

    /// Whether only the answer is waited for that may open an upload.
    pub(crate) const fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// Takes the first step, which depends on what was learned.
    pub(crate) fn begin(&mut self, context: &mut Context<'_, K>) {
        context.learned.forget_old_limits(context.now, context.options.limits_for.min(LIMITS_FOR));
        self.step(context);
    }

    /// The bytes of a one-shot blob up to `len` are buffered.
    pub(crate) fn filled(&mut self, len: u64, context: &mut Context<'_, K>) {
        self.content.filled(len);
        self.read(context);
    }

    /// A one-shot blob has ended.
    pub(crate) fn ended(&mut self, len: u64, digest: Digest, context: &mut Context<'_, K>) {
        let known = self.content.digest.is_some();
        if let Err(kind) = self.content.ended(len, digest) {
            return self.fail(Failure::new(kind));
        }
        if !known {
            let blob = self.key.clone();
            context.events.push(crate::outcome::Event::BlobDigested { blob, digest, size: len });
        }
        self.read(context);
    }

    /// The blob cannot be read.
    pub(crate) fn unreadable(&mut self, why: &str) {
        let failure = Failure::new(FailureKind::Unreadable(crate::text::shown(why)));
        if !self.leave_with(failure.clone()) {
            self.fail(failure);
        }
    }
}

#[cfg(test)]
mod steps;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod walk;
