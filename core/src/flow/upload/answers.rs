//! What each state makes of the answer to its exchange.

use std::ops::Range;

use http::StatusCode;

use super::{Rung, State, Then, Upload};
use crate::driver::Key;
use crate::endpoint::{AnswerError, BlobPresence, Endpoint, MountedBlob, OpenUpload, PostedBlob};
use crate::flow::{Context, Outcome};
use crate::outcome::{Failure, FailureKind, Stored};
use crate::target::Target;

/// No limit below this many bytes is believed in.
const LEAST_LIMIT: u64 = 64 * 1024;

impl<K: Key> Upload<K> {
    pub(super) fn answered(&mut self, outcome: Outcome, context: &mut Context<'_, K>) {
        if self.leaving {
            return self.left(&outcome);
        }
        // The registry wants a longer pause than we take: nothing more is asked of it.
        if let Outcome::Failed(failure) = &outcome
            && matches!(failure.kind, FailureKind::RetryAfter { .. })
        {
            self.end_with(None, Err(failure.clone()));
            return;
        }
        match self.state.clone() {
            State::Checking(open) => self.checked(open, &outcome, context),
            State::Mounting(from) => self.mounted(from, &outcome, context),
            State::Opening => self.was_opened(outcome, context),
            State::PostingWhole => self.posted(outcome, context),
            State::PuttingWhole(open) => self.put(open, outcome, context),
            State::Streaming(open) => self.streamed(open, outcome, context),
            State::Pouring(open) => {
                // Whatever came of it, these bytes cannot be had again.
                self.content.poured();
                self.streamed(open, outcome, context);
            }
            State::SendingChunk(open, range) => self.chunk_sent(open, range, outcome, context),
            State::Closing(open, last) => self.closed(open, last, outcome, context),
            State::Resyncing(open, range) => self.resynced(open, range, &outcome, context),
            State::Confirming(open) => self.confirmed(open, &outcome, context),
            State::Cancelling(_, Then::BeginAgain) => self.open(context),
            State::Cancelling(_, Then::End(result)) => self.state = State::Ended(result),
            State::Reading(..) | State::Ended(_) => {}
        }
    }

    /// It was given up: an upload that was opened meanwhile is cancelled.
    fn left(&mut self, outcome: &Outcome) {
        let open = match (&self.state, outcome) {
            (State::Cancelling(..), _) => None,
            (State::Mounting(source), Outcome::Answer { from, response, .. }) => {
                match self.mount(source).map(|mount| mount.parse(from, response)) {
                    Some(Ok(MountedBlob::Opened(open))) => Some(open),
                    _ => None,
                }
            }
            (_, Outcome::Answer { from, response, .. }) => self.start().parse(from, response).ok(),
            (_, Outcome::Unknown { .. } | Outcome::Failed(_)) => None,
        };
        self.end_with(open, Err(Failure::cancelled()));
    }

    /// Anything but "it is here" is advice: the upload will tell (quirks of section B).
    fn checked(&mut self, open: Option<OpenUpload>, outcome: &Outcome, context: &mut Context<'_, K>) {
        if let Outcome::Answer { from, response, .. } = outcome
            && self.check().is_some_and(|check| matches!(check.parse(from, response), Ok(BlobPresence::Present { .. })))
        {
            if open.is_some() {
                // A mount from the repository itself said otherwise.
                context.learned.self_mount = Some(false);
            }
            return self.found(Stored::Existing, open);
        }
        match open {
            Some(open) => self.opened(open, context),
            None => self.open(context),
        }
    }

    /// Only 201 means mounted, 202 is an upload like any other, and no refusal fails a push (quirks of section C).
    fn mounted(&mut self, source: crate::Repository, outcome: &Outcome, context: &mut Context<'_, K>) {
        let to_itself = source == self.place.repository;
        if let Outcome::Answer { from, response, .. } = outcome
            && let Some(mount) = self.mount(&source)
        {
            match mount.parse(from, response) {
                Ok(MountedBlob::Mounted) if to_itself => {
                    context.learned.self_mount = Some(true);
                    return self.stored(Stored::Existing);
                }
                Ok(MountedBlob::Mounted) => return self.stored(Stored::Mounted(source)),
                // It is not known whether this registry ever mounts.
                Ok(MountedBlob::Opened(open))
                    if to_itself
                        && context.learned.self_mount.is_none()
                        && self.content.is_worth_asking(context.options) =>
                {
                    self.state = State::Checking(Some(open));
                    return;
                }
                Ok(MountedBlob::Opened(open)) => return self.opened(open, context),
                Err(_) if to_itself => {
                    // It does not: a HEAD asks the same.
                    context.learned.self_mount = Some(false);
                    self.asked = false;
                }
                Err(_) => {}
            }
        }
        self.begin(context);
    }

    fn was_opened(&mut self, outcome: Outcome, context: &mut Context<'_, K>) {
        let (from, response) = match answer(outcome) {
            Ok(answer) => answer,
            Err(failure) => return self.fail(failure),
        };
        match self.start().parse(&from, &response) {
            Ok(open) => self.opened(open, context),
            // A success that opens nothing is a load balancer's, not the registry's (quirk `post-200-healthcheck`).
            Err(error @ AnswerError::Malformed { .. }) if response.status().is_success() => {
                self.last = Some(Failure::new(error));
                self.sessions = self.sessions.saturating_add(1);
                self.begin_again(None, context);
            }
            Err(error) => self.fail(Failure::new(error)),
        }
    }

    fn posted(&mut self, outcome: Outcome, context: &mut Context<'_, K>) {
        let (from, response) = match outcome {
            Outcome::Answer { from, response, .. } => (from, response),
            Outcome::Failed(failure) => return self.fail(failure),
            Outcome::Unknown { status } => {
                // What it may have begun counts as an upload.
                self.sessions = self.sessions.saturating_add(1);
                self.doubt(Rung::SinglePost, status);
                return self.confirm(None);
            }
        };
        let Some(post) = self.post() else { return };
        match post.parse(&from, &response) {
            Ok(PostedBlob::Stored) => {
                context.learned.single_post = Some(true);
                self.stored(Stored::Uploaded);
            }
            // The body was ignored, and an upload opened (quirk `post-digest-single-unsupported-202`).
            Ok(PostedBlob::Opened(open)) => {
                context.learned.single_post = Some(false);
                self.opened(open, context);
            }
            Err(error) => match self.refused(error) {
                Some(status) if is_final(status) => self.give_up(None),
                status => {
                    self.learn_limit(status, self.content.size, context);
                    if is_unsupported(status) || status == Some(StatusCode::BAD_REQUEST) {
                        context.learned.single_post.get_or_insert(false);
                    }
                    self.barred.insert(Rung::SinglePost);
                    self.open(context);
                }
            },
        }
    }

    fn put(&mut self, open: OpenUpload, outcome: Outcome, context: &mut Context<'_, K>) {
        let (from, response) = match outcome {
            Outcome::Answer { from, response, .. } => (from, response),
            Outcome::Failed(failure) => return self.fail(failure),
            Outcome::Unknown { status } => {
                self.doubt(Rung::WholePut, status);
                return self.confirm(Some(open));
            }
        };
        let Some(close) = self.close(&open, None) else { return };
        match close.parse(&from, &response) {
            Ok(stored) => {
                context.learned.whole_put = Some(true);
                self.committed(&stored);
            }
            Err(error) => match self.refused(error) {
                Some(status) if is_final(status) => self.give_up(Some(open)),
                // The upload is gone; perhaps because an earlier attempt was applied (quirk `put-retry-after-commit-404`).
                Some(StatusCode::NOT_FOUND) => {
                    self.trouble(Rung::WholePut);
                    self.confirm(None);
                }
                status @ Some(StatusCode::PAYLOAD_TOO_LARGE) => {
                    self.learn_limit(status, self.content.size, context);
                    self.too_large(self.content.size);
                    self.begin_again(Some(open), context);
                }
                status if is_unsupported(status) => {
                    context.learned.whole_put.get_or_insert(false);
                    self.barred.insert(Rung::WholePut);
                    self.begin_again(Some(open), context);
                }
                // A failed commit ends the upload at some registries (quirk `digest-mismatch-kills-session`), so it is not
                // gone on with; at others it stays open, so it is cancelled.
                _ => {
                    self.trouble(Rung::WholePut);
                    self.begin_again(Some(open), context);
                }
            },
        }
    }

    fn streamed(&mut self, open: OpenUpload, outcome: Outcome, context: &mut Context<'_, K>) {
        let call = self.stream(&open);
        let result = match outcome {
            Outcome::Answer { from, response, .. } => call.parse(&from, &response),
            Outcome::Failed(failure) => return self.fail(failure),
            Outcome::Unknown { status } => {
                self.doubt(Rung::StreamedPatch, status);
                return self.begin_again(Some(open), context);
            }
        };
        match result {
            Ok(moved) => {
                context.learned.streamed_patch = Some(true);
                if !self.content.has_ended() {
                    let why = FailureKind::Misuse(
                        "the driver sent a blob to its end and did not report its digest".to_owned(),
                    );
                    return self.end_with(Some(moved.upload), Err(Failure::new(why)));
                }
                self.content.stored(self.content.size.unwrap_or(0));
                self.state = State::Closing(moved.upload, None);
            }
            Err(error) => match self.refused(error) {
                Some(status) if is_final(status) => self.give_up(Some(open)),
                status => {
                    self.learn_limit(status, self.content.size, context);
                    if status == Some(StatusCode::PAYLOAD_TOO_LARGE) {
                        self.too_large(self.content.size);
                    }
                    if is_unsupported(status) {
                        context.learned.streamed_patch.get_or_insert(false);
                    }
                    self.barred.insert(Rung::StreamedPatch);
                    self.begin_again(still_open(status, open), context);
                }
            },
        }
    }

    fn confirmed(&mut self, open: Option<OpenUpload>, outcome: &Outcome, context: &mut Context<'_, K>) {
        if let Outcome::Answer { from, response, .. } = outcome
            && self.check().is_some_and(|check| matches!(check.parse(from, response), Ok(BlobPresence::Present { .. })))
        {
            return self.stored(Stored::Uploaded);
        }
        match open {
            // Chunks that were acknowledged are worth asking for before they are sent again.
            Some(open)
                if self.content.acknowledged() > 0 && (self.is_calm(self.using) || !self.content.can_replay()) =>
            {
                let from = self.content.acknowledged();
                let end = self.content.end().unwrap_or(from);
                self.resync(open, from..end);
            }
            open => self.begin_again(open, context),
        }
    }

    pub(super) fn confirm(&mut self, open: Option<OpenUpload>) {
        self.state = State::Confirming(open);
    }

    pub(super) fn resync(&mut self, open: OpenUpload, range: Range<u64>) {
        self.state = State::Resyncing(open, range);
    }

    /// It is not known what became of a body. An answer that may pass counts against the rung; that no answer came is the
    /// network's doing, and says nothing of what the registry takes.
    pub(super) fn doubt(&mut self, rung: Rung, status: Option<StatusCode>) {
        (self.last, self.last_status) = (None, status);
        match status {
            Some(_) => self.trouble(rung),
            None => self.losses = self.losses.saturating_add(1),
        }
    }

    /// A body of this length was refused as too large: that holds for every way of sending it.
    pub(super) fn too_large(&mut self, len: Option<u64>) {
        self.refused_len = [self.refused_len, len].into_iter().flatten().min();
    }

    /// A rung gave trouble that may pass.
    pub(super) fn trouble(&mut self, rung: Rung) {
        let troubles = self.troubles.entry(rung).or_default();
        *troubles = troubles.saturating_add(1);
    }

    /// A 413 teaches a ceiling: half of what was refused. Where not even a small body is taken, size is not the reason.
    pub(super) fn learn_limit(&mut self, status: Option<StatusCode>, len: Option<u64>, context: &mut Context<'_, K>) {
        if status == Some(StatusCode::PAYLOAD_TOO_LARGE)
            && let Some(half) = len.map(|len| len / 2).filter(|half| *half >= LEAST_LIMIT)
        {
            context.learned.body_limit = Some(context.learned.body_limit.map_or(half, |limit| limit.min(half)));
        }
    }
}

/// The answer, or why there is none; lost is a failure where the client repeats by itself.
fn answer(outcome: Outcome) -> Result<(Target, http::Response<bytes::Bytes>), Failure> {
    match outcome {
        Outcome::Answer { from, response, .. } => Ok((from, response)),
        Outcome::Failed(failure) => Err(failure),
        Outcome::Unknown { .. } => {
            Err(Failure::new(FailureKind::NoAnswer(crate::driver::NoAnswer::Lost("no answer came".to_owned()))))
        }
    }
}

/// Answers that another way of sending would not change.
pub(super) fn is_final(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// Answers that say "not this way".
pub(super) fn is_unsupported(status: Option<StatusCode>) -> bool {
    matches!(
        status,
        Some(
            StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::LENGTH_REQUIRED
                | StatusCode::UNSUPPORTED_MEDIA_TYPE
                | StatusCode::NOT_IMPLEMENTED
        )
    )
}

/// A 404 to a request in an upload says that the upload is gone.
fn still_open(status: Option<StatusCode>, open: OpenUpload) -> Option<OpenUpload> {
    (status != Some(StatusCode::NOT_FOUND)).then_some(open)
}
