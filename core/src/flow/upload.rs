//! The upload of one blob: the whole ladder, and every fall from a rung to another.
//!
//! ```text
//!            ┌─ Mounting ──201─▶ done            ┌▶ PuttingWhole ────────┐
//! begin ─────┼─ Checking ──200─▶ done            ├▶ Streaming ─▶ Closing ┼─201─▶ done
//!            ├─ PostingWhole ─201─▶ done         └▶ SendingChunk ─▶ Closing
//!            └─ Opening ──202──▶ opened ──────────┘      │  ▲  └▶ Resyncing
//!                  ▲                                      ▼  │
//!                  └──────── begun again ◀──── Confirming ◀── an answer was lost
//! ```
//!
//! The registry's `Range` is a hint; what was sent and acknowledged here, and the digest, are the truth.
//!
//! Read on in `ladder` (which rung is next), `state` and `requests` (what each state asks for), `answers` and `chunks` (what
//! each makes of its answer), and `content` (what can still be sent).

mod answers;
mod chunks;
mod content;
mod ladder;
mod reading;
mod requests;
mod state;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use http::StatusCode;

pub(crate) use content::Content;
use ladder::Rung;
use state::{State, Then};

use super::Context;
use crate::config::RepositoryRef;
use crate::driver::Key;
use crate::endpoint::{AnswerError, BlobStored, OpenUpload};
use crate::outcome::{Failure, FailureKind, Stored};
use crate::{Digest, Repository};

/// The upload of one blob.
pub(crate) struct Upload<K> {
    key: K,
    place: RepositoryRef,
    content: Content,
    /// Repositories to mount from that were not tried yet.
    mounts: VecDeque<Repository>,
    state: State,
    /// Rungs that failed for this blob.
    barred: BTreeSet<Rung>,
    /// The rung that the open upload is on.
    using: Rung,
    /// How often a rung gave trouble that may pass.
    troubles: BTreeMap<Rung, u32>,
    /// How often a body was lost on its way, or its answer was.
    losses: u32,
    /// The longest body that the registry said it takes, in bytes.
    announced_max: Option<u64>,
    /// The shortest body that was refused as too large, in bytes.
    refused_len: Option<u64>,
    /// Uploads that were opened.
    sessions: u32,
    /// What the registry is asked before bytes are sent.
    question: Question,
    /// Whether it was asked.
    asked: bool,
    /// An upload that another process left open, and how many bytes were acknowledged in it.
    saved: Option<(OpenUpload, u64)>,
    /// The largest chunk that this blob is sent in, once one was refused in a way that may mean its length.
    chunk_cap: Option<u64>,
    /// Whether it was begun again because the registry said that it has more than was sent.
    doubted: bool,
    /// Whether it was given up while its request was in flight.
    leaving: bool,
    /// What went wrong last, to tell when everything was tried.
    last: Option<Failure>,
    /// The answer to the last body of which it is not known what became.
    last_status: Option<StatusCode>,
}

/// What the registry is asked before the bytes of a blob are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// Whether the blob is there, where the answer costs less than its bytes.
    Usual,
    /// Whether it is there, whatever its size. The POST that opens its upload asks that by the way: it mounts the blob from
    /// the target repository itself.
    Target,
    /// Whether it is there, with a HEAD, once the repositories to mount from were tried.
    First,
    /// The same, because the registry says that it is missing: what was not mounted then is not mounted now.
    Again,
    /// Nothing: it is sent whatever the registry says it has.
    Nothing,
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
    /// The upload of `content`, which may be in one of `mounts` already.
    pub(crate) fn new(key: K, place: RepositoryRef, content: Content, mounts: Vec<Repository>) -> Self {
        Self {
            key,
            place,
            content,
            mounts: mounts.into(),
            state: State::Opening,
            barred: BTreeSet::new(),
            using: Rung::Chunks,
            troubles: BTreeMap::new(),
            losses: 0,
            announced_max: None,
            refused_len: None,
            sessions: 0,
            question: Question::Usual,
            asked: false,
            saved: None,
            chunk_cap: None,
            doubted: false,
            leaving: false,
            last: None,
            last_status: None,
        }
    }

    /// The same, with this question before bytes are sent.
    pub(crate) fn asking(mut self, question: Question) -> Self {
        self.question = match question {
            // It can only be hoped for.
            Question::Nothing if !self.content.can_replay() => Question::Again,
            other => other,
        };
        self
    }

    /// The same, going on in an upload that another process left open.
    pub(crate) fn resuming(mut self, saved: Option<(OpenUpload, u64)>) -> Self {
        self.saved = saved.filter(|_| self.content.size.is_some() && !self.content.must_read(0));
        self
    }

    /// An upload in which bytes were acknowledged, of a blob that another process could go on with.
    pub(crate) fn progress(&self) -> Option<(Digest, u64, &OpenUpload, u64)> {
        let (State::SendingChunk(open, _) | State::Closing(open, _) | State::Resyncing(open, _)) = &self.state else {
            return None;
        };
        let (digest, size) = self.content.identity()?;
        let acknowledged = self.content.acknowledged();
        (acknowledged > 0 && !self.content.is_one_shot()).then_some((digest, size, open, acknowledged))
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
        if let Some((open, acknowledged)) = self.saved.take()
            && let Some(size) = self.content.size
        {
            self.sessions = 1;
            self.content.stored(acknowledged);
            self.state = State::Resyncing(open, acknowledged..size);
            return;
        }
        if self.content.digest.is_some() {
            let may_mount = !matches!(self.question, Question::Again | Question::Nothing);
            if let Some(from) = self.mounts.pop_front().filter(|_| may_mount) {
                self.state = State::Mounting(from);
                return;
            }
            if !self.asked && self.is_asked_about(context) {
                self.asked = true;
                self.state = if self.is_mounted_from_target(context) {
                    State::Mounting(self.place.repository.clone())
                } else {
                    State::Checking(None)
                };
                return;
            }
        }
        self.open(context);
    }

    fn is_asked_about(&self, context: &Context<'_, K>) -> bool {
        match self.question {
            Question::Usual => self.content.is_worth_asking(context.options),
            Question::Target | Question::First | Question::Again => true,
            Question::Nothing => false,
        }
    }

    /// Whether a mount from the target repository itself puts the question, and not a HEAD.
    fn is_mounted_from_target(&self, context: &Context<'_, K>) -> bool {
        let goes_in_one_post = context.learned.single_post == Some(true)
            && !self.content.is_one_shot()
            && self.content.size.is_some_and(|size| size <= context.options.single_post);
        match self.question {
            Question::Usual => context.learned.self_mount == Some(true),
            // Where one POST stores the blob, the one that opens an upload would be one more.
            Question::Target => context.learned.self_mount != Some(false) && !goes_in_one_post,
            Question::First | Question::Again | Question::Nothing => false,
        }
    }

    /// Opens an upload, or sends all in one POST where that is the rung.
    fn open(&mut self, context: &mut Context<'_, K>) {
        *context.absent |= self.asked;
        // Rights are proved before the content of a one-shot source is touched.
        if self.content.must_read(0) {
            self.state = State::Opening;
            return;
        }
        if !self.content.can_replay() {
            return self.end_with(None, Err(Failure::new(FailureKind::NotReplayable)));
        }
        self.state = match self.rung(context) {
            Some(Rung::SinglePost) => State::PostingWhole,
            Some(Rung::WholePut | Rung::StreamedPatch | Rung::Chunks) => State::Opening,
            None => return self.give_up(None),
        };
    }

    /// Goes on in an upload that holds no byte yet.
    fn opened(&mut self, open: OpenUpload, context: &mut Context<'_, K>) {
        *context.absent |= self.asked;
        self.sessions = self.sessions.saturating_add(1);
        self.announced_max = open.chunk_max_length();
        self.content.restarted();
        self.barred.insert(Rung::SinglePost);
        self.begin_sending(open, context);
    }

    fn begin_sending(&mut self, open: OpenUpload, context: &mut Context<'_, K>) {
        if self.content.must_read(0) {
            let end = self.chunk_end(0, Some(&open), context);
            self.state = State::Reading(open, 0, end);
            return;
        }
        let Some(rung) = self.rung(context) else { return self.give_up(Some(open)) };
        self.using = rung;
        match rung {
            Rung::WholePut => self.state = State::PuttingWhole(open),
            Rung::StreamedPatch if self.content.is_whole() => self.state = State::Streaming(open),
            Rung::StreamedPatch => self.state = State::Pouring(open),
            Rung::Chunks => self.chunk(open, 0, context),
            Rung::SinglePost => self.give_up(Some(open)),
        }
    }

    /// Begins again with a new upload, if that can be done and was not done too often.
    fn begin_again(&mut self, left: Option<OpenUpload>, context: &mut Context<'_, K>) {
        if !self.content.can_replay() {
            return self.end_with(left, Err(Failure::new(FailureKind::NotReplayable)));
        }
        if self.sessions >= context.options.sessions {
            return self.give_up(left);
        }
        match left {
            Some(open) => self.state = State::Cancelling(open, Then::BeginAgain),
            None => self.open(context),
        }
        *context.pause = true;
    }

    /// Everything was tried.
    fn give_up(&mut self, left: Option<OpenUpload>) {
        let sessions = self.sessions;
        let status = self.last_status;
        let failure =
            self.last.take().unwrap_or_else(|| Failure::new(FailureKind::TooManySessions { sessions, status }));
        self.end_with(left, Err(failure));
    }

    fn fail(&mut self, failure: Failure) {
        let open = self.state.open_upload();
        self.end_with(open, Err(failure));
    }

    /// Ends, after an upload that is still open was cancelled.
    fn end_with(&mut self, open: Option<OpenUpload>, result: Result<Uploaded, Failure>) {
        let result = result.map_err(|failure| failure.about(&self.key));
        self.state = match open {
            Some(open) => State::Cancelling(open, Then::End(result)),
            None => State::Ended(result),
        };
    }

    /// The blob is there.
    fn stored(&mut self, how: Stored) {
        self.found(how, None);
    }

    /// The same, and an upload was opened that is not needed.
    fn found(&mut self, how: Stored, left: Option<OpenUpload>) {
        let result = self.content.identity().map(|(digest, size)| {
            let content = self.content.clone().unsent();
            Uploaded { digest, size, how, content }
        });
        self.end_with(left, result.ok_or_else(|| Failure::new(FailureKind::NotReplayable)));
    }

    /// A commit was answered with a success; only 201 says that the blob is stored.
    fn committed(&mut self, answer: &BlobStored) {
        if answer.confirmed {
            self.stored(Stored::Uploaded);
        } else {
            self.state = State::Confirming(None);
        }
    }

    fn refused(&mut self, error: AnswerError) -> Option<StatusCode> {
        let status = error.refused().map(|refused| refused.status);
        self.last = Some(Failure::new(error));
        status
    }
}
