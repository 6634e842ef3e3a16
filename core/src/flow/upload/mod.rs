//! The upload of one blob: the whole ladder, and every fall from a rung to another.
//!
//! Every state, what it asks the registry for, and the states that may follow it. A test holds this against the code.
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
//! Confirming   HEAD blob         PostingWhole Opening Resyncing Cancelling Ended
//! Cancelling   DELETE upload     PostingWhole Opening Cancelling Ended
//! Ended        -
//! ```
//!
//! The registry's `Range` is a hint; what was sent and acknowledged here, and the digest, are the truth.
//!
//! `moves` alone moves the state. `plan` says what is tried in turn, and `ladder` in which way bytes are sent; `requests` makes
//! the exchange of each state, `reply` classifies its answer, and `content` knows what can still be sent.

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

/// The longest time for which a limit is believed that was learned: a day.
const LIMITS_FOR: Duration = Duration::from_secs(24 * 3600);

/// The upload of one blob.
pub(crate) struct Upload<K> {
    key: K,
    place: RepositoryRef,
    content: Content,
    plan: Plan,
    ladder: Ladder,
    state: State,
    /// Uploads that are open and not in use: mounts that missed opened them. The newest is last.
    opened: Vec<OpenUpload>,
    /// How often bytes were begun to be sent: in an upload, or in one POST that came to nothing.
    sessions: u32,
    /// Whether the target repository was asked if it has the blob.
    was_asked: bool,
    /// Whether a mount from the target repository itself did not find the blob there.
    was_not_mounted: bool,
    /// Whether it may be held then, where it is not known whether the registry mounts at all.
    may_be_held: bool,
    /// Whether it was given up while its request was in flight.
    leaving: bool,
    last: LastWord,
}

/// What it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Uploaded {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) how: Stored,
    /// What of it could be sent again, should the registry lose it.
    pub(crate) content: Content,
}

impl<K: Key> Upload<K> {
    /// The upload of `content`, which may be in one of `mounts` already: each of them is tried before a byte is sent.
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
            leaving: false,
            last: LastWord::default(),
        }
    }

    /// The same, with this question before bytes are sent.
    pub(crate) fn asking(mut self, question: Question) -> Self {
        self.plan.asking(question);
        self
    }

    /// The same, held where it cannot be told from the answer to a mount whether the blob is there, until [`Self::end_hold`]:
    /// meanwhile others find out what that answer means.
    pub(crate) const fn held(mut self) -> Self {
        self.may_be_held = true;
        self
    }

    /// The same, going on in an upload that another process left open.
    pub(crate) fn resuming(mut self, saved: Option<(OpenUpload, u64)>) -> Self {
        if let Some((open, acknowledged)) = saved.filter(|_| self.content.size.is_some() && !self.content.must_read(0))
        {
            self.plan.resuming(open, acknowledged);
        }
        self
    }

    /// An upload in which bytes were acknowledged, of a blob that another process could go on with.
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
        (acknowledged > 0 && !self.content.is_one_shot()).then_some((digest, size, open, acknowledged))
    }

    /// The same blob under another key, from whose source its bytes come from now on.
    pub(crate) fn read_from(&mut self, key: K) {
        self.key = key;
    }

    /// What it came to, where all that is left is to cancel what it opened.
    pub(crate) fn early_result(&self) -> Option<Result<Uploaded, Failure>> {
        if let State::Cancelling(_, Then::End(result)) = &self.state { Some(result.clone()) } else { None }
    }

    /// Whether all that is left is to clean up.
    pub(crate) const fn is_ending(&self) -> bool {
        matches!(self.state, State::Ended(_) | State::Cancelling(_, Then::End(_)))
    }

    pub(crate) const fn key(&self) -> &K {
        &self.key
    }

    pub(crate) const fn place(&self) -> &RepositoryRef {
        &self.place
    }

    /// The digest, where another push may wait for this upload: not for what can be read only once.
    pub(crate) fn shareable(&self) -> Option<Digest> {
        self.content.digest.filter(|_| !self.content.is_one_shot())
    }

    pub(crate) const fn size(&self) -> Option<u64> {
        self.content.size
    }

    /// The first byte that the current exchange carries, if it carries any.
    pub(crate) const fn sending_from(&self) -> Option<u64> {
        match &self.state {
            State::PostingWhole | State::PuttingWhole(_) | State::Streaming(_) | State::Pouring(_) => Some(0),
            State::SendingChunk(_, range) | State::Closing(_, Some(range)) => Some(range.start),
            _ => None,
        }
    }

    /// Gives up when the answer has come that may open an upload; false where there is none to come.
    pub(crate) fn leave(&mut self) -> bool {
        self.leaving = matches!(self.state, State::Opening | State::Mounting(_));
        self.leaving
    }

    /// Takes the first step; what was learned decides which.
    pub(crate) fn begin(&mut self, context: &mut Context<'_, K>) {
        context.learned.forget_old_limits(context.now, context.options.limits_for.min(LIMITS_FOR));
        self.step(context);
    }

    /// Bytes of a one-shot blob up to `len` are in hand.
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
        self.fail(Failure::new(FailureKind::Unreadable(crate::text::shown(why))));
    }
}

#[cfg(test)]
mod steps;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod walk;
