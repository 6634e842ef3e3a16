//! The transitions of an upload: each state handles the reply to its exchange. No other module changes the state.

mod chunks;
mod whole;

use super::ladder::Rung;
use super::plan::{How, Step};
use super::reply::{Refusal, Reply};
use super::{LATE_LOOKS, State, Then, Upload, Uploaded};
use crate::Repository;
use crate::driver::Key;
use crate::endpoint::{BlobPresence, BlobStored, Endpoint, MountedBlob, OpenUpload};
use crate::flow::{Context, Outcome, Unseen};
use crate::outcome::{Failure, FailureKind, Stored};

impl<K: Key> Upload<K> {
    /// Moves to the next state, by the outcome of the current exchange.
    pub(super) fn moved(&mut self, outcome: Outcome, context: &mut Context<'_, K>) {
        if let Some(failure) = self.leaving.clone() {
            return self.left(outcome, failure);
        }
        // The registry asks for a longer wait than the options allow, so nothing more is requested from it.
        if let Outcome::Failed(failure) = &outcome
            && matches!(failure.kind, FailureKind::RetryAfter { .. } | FailureKind::PatienceExhausted { .. })
        {
            self.state = State::Ended(Err(failure.clone().about(&self.key)));
            return;
        }
        match std::mem::replace(&mut self.state, State::Planned) {
            State::Mounting(source) => self.mounted(source, outcome, context),
            State::Checking => self.checked(outcome, context),
            State::PostingWhole => self.posted(outcome, context),
            State::Opening => self.opening(outcome, context),
            State::PuttingWhole(open) => self.put(open, outcome, context),
            State::Streaming(open) => self.streamed(open, false, outcome, context),
            State::Pouring(open) => self.streamed(open, true, outcome, context),
            State::SendingChunk(open, range) => self.chunk_sent(open, range, outcome, context),
            State::Closing(open, last) => self.closed(open, last, outcome, context),
            State::Resuming(open, range) => self.resumed(open, range, outcome, context),
            State::Resyncing(open, range) => self.resynced(open, range, outcome, context),
            State::Confirming(open) => self.confirmed(open, outcome, context),
            State::Cancelling(_, Then::BeginAgain) => self.send(context),
            State::Cancelling(_, Then::End(result)) => self.clean_up(result),
            state @ (State::Planned | State::Held | State::Reading(..) | State::Ended(_)) => self.state = state,
        }
    }

    /// Classifies the outcome of the exchange for `call`.
    fn reply<E: Endpoint>(&self, call: &E, outcome: Outcome) -> Reply<E::Output> {
        Reply::read(call, &self.place.origin, outcome)
    }

    /// Takes the next step of the plan.
    pub(super) fn step(&mut self, context: &mut Context<'_, K>) {
        loop {
            match self.plan.next() {
                Step::Resume(open, acknowledged) => {
                    if let Some(size) = self.content.size {
                        self.sessions = 1;
                        self.content.stored(acknowledged);
                        self.state = State::Resuming(open, acknowledged..size);
                        return;
                    }
                }
                Step::Mount(source) if self.content.digest.is_some() => {
                    self.state = State::Mounting(source);
                    return;
                }
                Step::Ask(question) if self.content.digest.is_some() => {
                    let (learned, options) = (&*context.learned, context.options);
                    let one_post = self.ladder.rung(&self.content, learned, options) == Some(Rung::SinglePost);
                    let has_upload = !self.opened.is_empty();
                    match question.how(&self.content, has_upload, one_post, learned, options) {
                        Some(How::Head) => self.state = State::Checking,
                        Some(How::SelfMount) => self.state = State::Mounting(self.place.repository.clone()),
                        None => continue,
                    }
                    self.was_asked = true;
                    return;
                }
                Step::Mount(_) | Step::Ask(_) => {}
                Step::Send => {
                    if self.was_asked {
                        *context.unseen = Some(Unseen::Sent);
                    }
                    // The newest upload that a mount opened is used.
                    return match self.opened.pop() {
                        Some(open) => self.send_in(open, context),
                        None => self.send(context),
                    };
                }
            }
        }
    }

    /// Only 201 means that the blob is mounted. 202 opened an upload like any other, and no refusal of a mount is a
    /// failure.
    fn mounted(&mut self, source: Repository, outcome: Outcome, context: &mut Context<'_, K>) {
        let is_target = source == self.place.repository;
        let reply = self.mount(&source).and_then(|mount| self.reply(&mount, outcome).good());
        match reply {
            Some(MountedBlob::Mounted) if is_target => {
                context.learned.self_mount = Some(true);
                self.stored(Stored::Existing);
            }
            Some(MountedBlob::Mounted) => self.stored(Stored::Mounted(source)),
            Some(MountedBlob::Opened(open)) => {
                self.opened.push(open);
                // It is not known yet whether this registry answers such mounts, so a large blob is asked about by
                // HEAD.
                if is_target && context.learned.self_mount.is_none() && self.content.is_worth_asking(context.options) {
                    self.was_not_mounted = true;
                    if self.may_be_held {
                        *context.unseen = Some(Unseen::Held);
                        self.state = State::Held;
                    } else {
                        self.state = State::Checking;
                    }
                } else {
                    self.step(context);
                }
            }
            // The registry does not mount from the target repository itself: HEAD asks the same question.
            None if is_target => {
                context.learned.self_mount = Some(false);
                self.state = State::Checking;
            }
            None => self.step(context),
        }
    }

    /// Ends the wait: it is known now, or cannot be known, whether this registry answers a mount from the target
    /// repository itself with 201 if it has the blob. If it does, it does not have this blob; otherwise HEAD asks.
    pub(crate) fn end_hold(&mut self, context: &mut Context<'_, K>) {
        if !matches!(self.state, State::Held) {
            return;
        }
        if context.learned.self_mount == Some(true) {
            self.step(context);
        } else {
            self.state = State::Checking;
        }
    }

    /// Every answer except "present" leads to the next step. A refusal of HEAD is not a failure.
    fn checked(&mut self, outcome: Outcome, context: &mut Context<'_, K>) {
        let reply = self.check().and_then(|check| self.reply(&check, outcome).good());
        match reply {
            Some(BlobPresence::Present { .. }) => {
                if self.was_not_mounted {
                    context.learned.self_mount = Some(false);
                }
                self.stored(Stored::Existing);
            }
            Some(BlobPresence::Absent) | None => self.step(context),
        }
    }

    /// Sends the blob in a new upload, or in one POST.
    fn send(&mut self, context: &mut Context<'_, K>) {
        // The upload is opened before a one-shot source is read, so that missing rights fail first.
        if self.content.must_read(0) {
            self.state = State::Opening;
            return;
        }
        if !self.content.can_replay() {
            return self.end_with(None, Err(Failure::new(FailureKind::NotReplayable)));
        }
        match self.ladder.rung(&self.content, context.learned, context.options) {
            Some(Rung::SinglePost) => self.state = State::PostingWhole,
            Some(Rung::WholePut | Rung::StreamedPatch | Rung::Chunks) => self.state = State::Opening,
            None => self.give_up(None),
        }
    }

    fn opening(&mut self, outcome: Outcome, context: &mut Context<'_, K>) {
        let reply = self.reply(&self.start(), outcome);
        match reply {
            Reply::Good(open) => self.send_in(open, context),
            Reply::Refused(refusal @ (Refusal::Malformed | Refusal::Conflict), failure) => {
                self.last.refused(refusal, failure);
                self.sessions = self.sessions.saturating_add(1);
                self.begin_again(None, context);
            }
            Reply::Refused(_, failure) | Reply::GivenUp(failure) => self.fail(failure),
            Reply::Unknown(_) => self.fail(Failure::lost()),
        }
    }

    /// Sends the blob in an upload that has no bytes yet.
    fn send_in(&mut self, open: OpenUpload, context: &mut Context<'_, K>) {
        self.sessions = self.sessions.saturating_add(1);
        self.ladder.opened(open.chunk_max_length());
        self.content.restarted();
        self.send_from_first(open, context);
    }

    fn send_from_first(&mut self, open: OpenUpload, context: &mut Context<'_, K>) {
        if self.content.must_read(0) {
            let end = self.ladder.chunk_len(Some(&open), context.learned, context.options);
            self.state = State::Reading(open, 0, end);
            return;
        }
        let rung = self.ladder.rung(&self.content, context.learned, context.options);
        if let Some(rung) = rung {
            self.ladder.use_rung(rung);
        }
        match rung {
            Some(Rung::WholePut) => self.state = State::PuttingWhole(open),
            Some(Rung::StreamedPatch) if self.content.is_whole() => self.state = State::Streaming(open),
            Some(Rung::StreamedPatch) => self.state = State::Pouring(open),
            Some(Rung::Chunks) => self.chunk(open, 0, context),
            Some(Rung::SinglePost) | None => self.give_up(Some(open)),
        }
    }

    /// Bytes of a one-shot blob, or its end, were buffered.
    pub(super) fn read(&mut self, context: &mut Context<'_, K>) {
        match std::mem::replace(&mut self.state, State::Planned) {
            State::Reading(open, 0, _) => self.send_from_first(open, context),
            State::Reading(open, from, up_to) if !self.content.must_read(from) => self.send_chunk(open, from, up_to),
            state => self.state = state,
        }
    }

    /// Starts again in a new upload, if that is possible and was not done too often.
    fn begin_again(&mut self, left: Option<OpenUpload>, context: &mut Context<'_, K>) {
        if !self.content.can_replay() {
            return self.end_with(left, Err(Failure::new(FailureKind::NotReplayable)));
        }
        if self.sessions >= context.options.sessions {
            return self.give_up(left);
        }
        *context.pause = 1;
        match left {
            Some(open) => self.state = State::Cancelling(open, Then::BeginAgain),
            None => self.send(context),
        }
    }

    /// Only 201 to a commit says that the blob is stored.
    fn committed(&mut self, answer: &BlobStored) {
        if answer.confirmed {
            self.stored(Stored::Uploaded);
        } else {
            self.state = State::Confirming(None);
        }
    }

    /// If the registry has the blob, the upload is complete. If not, the state of the open upload is requested, or the
    /// bytes are sent again.
    fn confirmed(&mut self, open: Option<OpenUpload>, outcome: Outcome, context: &mut Context<'_, K>) {
        let reply = self.check().and_then(|check| self.reply(&check, outcome).good());
        if matches!(reply, Some(BlobPresence::Present { .. })) {
            // Another client may have sent it: then this upload is still open.
            self.opened.extend(open);
            return self.stored(Stored::Uploaded);
        }
        if matches!(reply, Some(BlobPresence::Absent))
            && context.learned.late_blobs == Some(true)
            && self.late_looks < LATE_LOOKS
        {
            self.late_looks = self.late_looks.saturating_add(1);
            *context.pause = self.late_looks;
            self.state = State::Confirming(open);
            return;
        }
        match open {
            // Some chunks were acknowledged, so the upload's state is requested before they are sent again.
            Some(open)
                if self.content.acknowledged() > 0
                    && (self.ladder.is_calm(self.ladder.using()) || !self.content.can_replay()) =>
            {
                let from = self.content.acknowledged();
                let end = self.content.end().unwrap_or(from);
                self.state = State::Resyncing(open, from..end);
            }
            open => self.begin_again(open, context),
        }
    }

    fn stored(&mut self, how: Stored) {
        let result = self.content.identity().map(|(digest, size)| {
            let content = self.content.clone().unsent();
            Uploaded { digest, size, how, content }
        });
        self.end_with(None, result.ok_or_else(|| Failure::new(FailureKind::NotReplayable)));
    }

    /// Everything was tried.
    fn give_up(&mut self, left: Option<OpenUpload>) {
        let failure = self.last.spoken(self.sessions);
        self.end_with(left, Err(failure));
    }

    /// Ends with this failure, whatever the state is.
    pub(super) fn fail(&mut self, failure: Failure) {
        let open = self.state.open_upload();
        self.fail_in(open, failure);
    }

    fn fail_in(&mut self, open: Option<OpenUpload>, failure: Failure) {
        let failure = self.last.over(failure, self.sessions);
        self.end_with(open, Err(failure));
    }

    /// The caller cancelled it.
    pub(super) fn give_up_for_caller(&mut self) {
        if !self.is_ending() {
            let open = self.state.open_upload();
            self.end_with(open, Err(Failure::cancelled()));
        }
    }

    /// Does nothing but cancel an upload that was left open.
    pub(crate) fn cancel_open(&mut self, open: OpenUpload) {
        self.end_with(Some(open), Err(Failure::cancelled()));
    }

    /// The upload in use stays open for another process. Those that are not in use are cancelled.
    pub(crate) fn keep_open(&mut self) {
        self.state = State::Planned;
        self.end_with(None, Err(Failure::cancelled()));
    }

    /// It ended while a request was in flight. An upload that the answer opens is cancelled.
    fn left(&mut self, outcome: Outcome, failure: Failure) {
        let open = match std::mem::replace(&mut self.state, State::Planned) {
            State::Cancelling(_, Then::End(result)) => return self.clean_up(result),
            State::Mounting(source) => {
                let reply = self.mount(&source).and_then(|mount| self.reply(&mount, outcome).good());
                if let Some(MountedBlob::Opened(open)) = reply { Some(open) } else { None }
            }
            _ => self.reply(&self.start(), outcome).good(),
        };
        self.end_with(open, Err(failure));
    }

    /// Ends with this result, after the uploads that are still open have been cancelled.
    fn end_with(&mut self, open: Option<OpenUpload>, result: Result<Uploaded, Failure>) {
        self.opened.extend(open);
        self.clean_up(result.map_err(|failure| failure.about(&self.key)));
    }

    fn clean_up(&mut self, result: Result<Uploaded, Failure>) {
        self.state = match self.opened.pop() {
            Some(open) => State::Cancelling(open, Then::End(result)),
            None => State::Ended(result),
        };
    }
}
