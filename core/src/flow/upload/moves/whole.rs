//! All bytes in one request: POST, PUT or PATCH.

use http::StatusCode;

use crate::driver::Key;
use crate::endpoint::{OpenUpload, PostedBlob, Refused};
use crate::flow::upload::ladder::{Ladder, Rung};
use crate::flow::upload::reply::{Refusal, Reply};
use crate::flow::upload::{State, Upload};
use crate::flow::{Context, Outcome};
use crate::outcome::{Failure, FailureKind, Stored};

/// A body of at most this many bytes costs little to send again.
const CHEAP: u64 = 1024 * 1024;

impl<K: Key> Upload<K> {
    pub(super) fn posted(&mut self, outcome: Outcome, context: &mut Context<'_, K>) {
        let Some(post) = self.post() else { return self.fail(Failure::new(FailureKind::NotReplayable)) };
        match self.reply(&post, outcome) {
            Reply::Good(PostedBlob::Stored) => {
                context.learned.single_post = Some(true);
                self.stored(Stored::Uploaded);
            }
            // The registry ignored the body and opened an upload (quirk `post-digest-single-unsupported-202`).
            Reply::Good(PostedBlob::Opened(open)) => {
                context.learned.single_post = Some(false);
                self.send_in(open, context);
            }
            Reply::Unknown(answer) => {
                // It may have opened an upload, so it counts as one.
                self.sessions = self.sessions.saturating_add(1);
                self.doubt(Rung::SinglePost, answer);
                self.state = State::Confirming(None);
            }
            Reply::GivenUp(failure) => self.fail(failure),
            Reply::Refused(refusal, failure) => {
                let is_about_bytes = failure.blames_the_bytes();
                self.last.refused(refusal, failure);
                match refusal {
                    Refusal::Forbidden => return self.give_up(None),
                    Refusal::TooLarge => Ladder::learn_limit(self.content.size, context.learned, context.now),
                    // If they are wrong, this says nothing about the registry.
                    _ if is_about_bytes => self.was_post_blamed_on_bytes = true,
                    Refusal::Unsupported | Refusal::Invalid => {
                        context.learned.single_post.get_or_insert(false);
                    }
                    _ => {}
                }
                self.ladder.bar(Rung::SinglePost);
                self.send(context);
            }
        }
    }

    pub(super) fn put(&mut self, open: OpenUpload, outcome: Outcome, context: &mut Context<'_, K>) {
        let Some(close) = self.close_whole(&open) else { return self.fail(Failure::new(FailureKind::NotReplayable)) };
        match self.reply(&close, outcome) {
            Reply::Good(stored) => {
                context.learned.whole_put = Some(true);
                // The bytes were right, so it was the POST that the registry refused.
                if self.was_post_blamed_on_bytes {
                    context.learned.single_post.get_or_insert(false);
                }
                self.committed(&stored);
            }
            Reply::Unknown(answer) => {
                self.doubt(Rung::WholePut, answer);
                self.state = State::Confirming(Some(open));
            }
            Reply::GivenUp(failure) => self.fail_in(Some(open), failure),
            Reply::Refused(refusal, failure) => {
                self.last.refused(refusal, failure);
                match refusal {
                    Refusal::Forbidden => return self.give_up(Some(open)),
                    // The upload is gone, perhaps because an earlier attempt was applied (quirk
                    // `put-retry-after-commit-404`).
                    Refusal::Gone => {
                        self.ladder.trouble(Rung::WholePut);
                        self.state = State::Confirming(None);
                        return;
                    }
                    Refusal::TooLarge => self.ladder.too_large(self.content.size, context.learned, context.now),
                    Refusal::Unsupported => {
                        context.learned.whole_put.get_or_insert(false);
                        self.ladder.bar(Rung::WholePut);
                    }
                    _ => self.ladder.trouble(Rung::WholePut),
                }
                // A failed commit ends the upload at some registries (quirk `digest-mismatch-kills-session`), so it is
                // not continued. At others it stays open, so it is cancelled.
                self.begin_again(Some(open), context);
            }
        }
    }

    /// Handles the answer to a PATCH with all bytes. `poured` states whether its bytes came directly from a one-shot
    /// source.
    pub(super) fn streamed(&mut self, open: OpenUpload, poured: bool, outcome: Outcome, context: &mut Context<'_, K>) {
        if poured {
            // Whatever the result is, these bytes cannot be read again.
            self.content.poured();
        }
        match self.reply(&self.stream(&open, poured), outcome) {
            Reply::Good(moved) => {
                context.learned.streamed_patch = Some(true);
                if !self.content.has_ended() {
                    let what = "the driver sent a blob to its end and did not report its digest".to_owned();
                    return self.end_with(Some(moved.upload), Err(Failure::new(FailureKind::Misuse(what))));
                }
                self.content.stored(self.content.size.unwrap_or(0));
                self.state = State::Closing(moved.upload, None);
            }
            Reply::Unknown(answer) => {
                self.doubt(Rung::StreamedPatch, answer);
                self.begin_again(Some(open), context);
            }
            Reply::GivenUp(failure) => self.fail_in(Some(open), failure),
            Reply::Refused(refusal, failure) => {
                self.last.refused(refusal, failure);
                match refusal {
                    Refusal::Forbidden => return self.give_up(Some(open)),
                    Refusal::TooLarge => self.ladder.too_large(self.content.size, context.learned, context.now),
                    Refusal::Unsupported => {
                        context.learned.streamed_patch.get_or_insert(false);
                    }
                    _ => {}
                }
                self.ladder.bar(Rung::StreamedPatch);
                let left = (refusal != Refusal::Gone).then_some(open);
                self.begin_again(left, context);
            }
        }
    }

    /// The result of a body is not known. A transient status counts as a temporary failure of the rung, except for a
    /// 503 to a small body: overload says nothing about what the registry supports, and the client limits how often it
    /// may occur. A missing answer is the network's fault and says nothing either.
    pub(super) fn doubt(&mut self, rung: Rung, answer: Option<Box<Refused>>) {
        let status = answer.as_ref().map(|answer| answer.status);
        self.last.unknown(answer);
        match status {
            Some(StatusCode::SERVICE_UNAVAILABLE) if self.content.size.is_some_and(|size| size <= CHEAP) => {
                self.sessions = self.sessions.saturating_sub(1);
            }
            Some(_) => self.ladder.trouble(rung),
            None => self.ladder.lost(),
        }
    }
}
