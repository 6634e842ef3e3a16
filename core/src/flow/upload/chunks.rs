//! Chunks: what the answer to one says, how to find out where an upload stands, and its end.

use std::ops::Range;

use http::StatusCode;

use super::answers::{is_final, is_unsupported};
use super::ladder::MODEST_CHUNK;
use super::{Rung, State, Upload};
use crate::driver::Key;
use crate::endpoint::{Endpoint, OpenUpload};
use crate::flow::{Context, Outcome};
use crate::header::RangeHint;
use crate::outcome::Event;

impl<K: Key> Upload<K> {
    /// Goes on with the chunk that begins at `from`. What is in hand of it is filled up first: a short chunk that is not the
    /// last is refused by some (quirks `oci-chunk-min-length`, `chunk-min-5mib-undeclared`).
    pub(super) fn chunk(&mut self, open: OpenUpload, from: u64, context: &Context<'_, K>) {
        let end = self.chunk_end(from, Some(&open), context);
        if self.content.lacks(end) {
            self.state = State::Reading(open, from, end);
        } else {
            self.send_chunk(open, from, end);
        }
    }

    /// Sends what is in hand from `from` to at most `wanted`, or closes the upload if there is nothing.
    pub(super) fn send_chunk(&mut self, open: OpenUpload, from: u64, wanted: u64) {
        let end = self.content.end().map_or(wanted, |end| wanted.min(end));
        let range = from..end;
        let is_last = self.content.size == Some(end);
        // A blob of one chunk would be a PUT of everything, and that rung was not chosen.
        self.state = if range.is_empty() {
            State::Closing(open, None)
        } else if is_last && from > 0 && !self.barred.contains(&Rung::WholePut) {
            State::Closing(open, Some(range))
        } else {
            State::SendingChunk(open, range)
        };
    }

    pub(super) fn chunk_sent(
        &mut self,
        open: OpenUpload,
        range: Range<u64>,
        outcome: Outcome,
        context: &mut Context<'_, K>,
    ) {
        let (from, response) = match outcome {
            Outcome::Answer { from, response, .. } => (from, response),
            Outcome::Failed(failure) => return self.fail(failure),
            Outcome::Unknown { status } => {
                (self.last, self.last_status) = (None, status);
                return self.resync(open, range);
            }
        };
        let Some(patch) = self.patch(&open, &range) else { return };
        match patch.parse(&from, &response) {
            // More than was ever sent: somebody on the way delivered the first chunk twice. All of it is still to be had, so the
            // upload begins again; but once, because `Range` is a hint.
            Ok(moved) if range.start == 0 && says_more_than(&range, moved.range) && self.may_doubt(context) => {
                self.doubted = true;
                self.begin_again(Some(moved.upload), context);
            }
            // Own accounting counts, whatever `Range` says (quirks `patch-range-header-stale`, `patch-range-relative-to-chunk`).
            Ok(moved) => {
                if range.start > 0 {
                    context.learned.chunks = Some(true);
                }
                if self.chunk_cap.is_some() {
                    context.learned.chunk_limit = self.chunk_cap;
                }
                self.content.stored(range.end);
                context.events.push(Event::BlobSending {
                    blob: self.key.clone(),
                    sent: range.end,
                    total: self.content.size,
                });
                self.chunk(moved.upload, range.end, context);
            }
            Err(error) => match self.refused(error) {
                Some(status) if is_final(status) => self.give_up(Some(open)),
                Some(StatusCode::NOT_FOUND) => {
                    // An upload that was opened just now is hardly gone: there may be no chunks here (quirk `patch-unsupported`).
                    if range.start == 0 {
                        self.trouble(Rung::Chunks);
                    }
                    self.begin_again(None, context);
                }
                Some(StatusCode::PAYLOAD_TOO_LARGE) => self.smaller_chunk(open, &range, context),
                // Somebody on the way delivered it twice, and this is the answer to the second.
                Some(StatusCode::RANGE_NOT_SATISFIABLE) if range.start == 0 && has_all_of(&range, &response) => {
                    self.content.stored(range.end);
                    self.chunk(open, range.end, context);
                }
                // Else a first chunk cannot be out of order, so it is too large (quirk `patch-max-4mib-416`).
                Some(StatusCode::RANGE_NOT_SATISFIABLE)
                    if range.start == 0 && range.end > MODEST_CHUNK && self.chunk_cap.is_none() =>
                {
                    self.chunk_cap = Some(MODEST_CHUNK);
                    self.chunk(open, 0, context);
                }
                // Or there was another reason, which may pass.
                Some(StatusCode::RANGE_NOT_SATISFIABLE) if range.start == 0 => {
                    self.trouble(Rung::Chunks);
                    self.begin_again(Some(open), context);
                }
                // It was resent because nobody could tell whether it had arrived; it had, or as much of it as is said.
                Some(StatusCode::RANGE_NOT_SATISFIABLE) if self.content.resent(&range) => {
                    let said = RangeHint::read(response.headers()).offset_within(range.start, range.end);
                    let at = said.filter(|at| *at > range.start).unwrap_or(range.end);
                    self.content.stored(at);
                    self.chunk(open, at, context);
                }
                // Another request is at work in this upload, perhaps one of ours that was cut off: it is asked again later.
                Some(StatusCode::CONFLICT) if self.content.is_worth_another() => {
                    *context.pause = true;
                    self.resync(open, self.content.acknowledged()..range.end);
                }
                // Asking how far the upload is and being refused there again is a circle.
                Some(StatusCode::RANGE_NOT_SATISFIABLE) if self.content.out_of_order(range.start) => {
                    self.resync(open, self.content.acknowledged()..range.end);
                }
                Some(StatusCode::RANGE_NOT_SATISFIABLE) => {
                    self.trouble(Rung::Chunks);
                    self.begin_again(Some(open), context);
                }
                status => {
                    if is_unsupported(status) {
                        context.learned.chunks.get_or_insert(false);
                    }
                    self.barred.insert(Rung::Chunks);
                    self.begin_again(Some(open), context);
                }
            },
        }
    }

    /// Whether a hint alone is reason enough to begin again.
    const fn may_doubt(&self, context: &Context<'_, K>) -> bool {
        !self.doubted && self.sessions < context.options.sessions
    }

    /// The registry takes no body of this length.
    pub(super) fn smaller_chunk(&mut self, open: OpenUpload, range: &Range<u64>, context: &mut Context<'_, K>) {
        let len = range.end.saturating_sub(range.start);
        let before = self.chunk_end(range.start, Some(&open), context);
        self.learn_limit(Some(StatusCode::PAYLOAD_TOO_LARGE), Some(len), context);
        self.too_large(Some(len));
        if self.chunk_end(range.start, Some(&open), context) >= before {
            self.barred.insert(Rung::Chunks);
            return self.begin_again(Some(open), context);
        }
        self.chunk(open, range.start, context);
    }

    pub(super) fn closed(
        &mut self,
        open: OpenUpload,
        last: Option<Range<u64>>,
        outcome: Outcome,
        context: &mut Context<'_, K>,
    ) {
        let (from, response) = match outcome {
            Outcome::Answer { from, response, .. } => (from, response),
            Outcome::Failed(failure) => return self.fail(failure),
            Outcome::Unknown { status } => {
                self.doubt(self.using, status);
                return self.confirm(Some(open));
            }
        };
        let Some(close) = self.close(&open, last.as_ref()) else { return };
        match close.parse(&from, &response) {
            Ok(stored) => self.committed(&stored),
            Err(error) => match self.refused(error) {
                Some(status) if is_final(status) => self.give_up(Some(open)),
                Some(StatusCode::NOT_FOUND) => self.confirm(None),
                Some(StatusCode::PAYLOAD_TOO_LARGE) => match last {
                    Some(range) => self.smaller_chunk(open, &range, context),
                    None => self.give_up(Some(open)),
                },
                // Where the upload stands was misread (quirk `status-range-exclusive-with-prefix`).
                Some(StatusCode::RANGE_NOT_SATISFIABLE)
                    if last.as_ref().is_some_and(|last| self.content.out_of_order(last.start)) =>
                {
                    let end = last.map_or(0, |last| last.end);
                    self.resync(open, self.content.acknowledged()..end);
                }
                // Another way of sending them may do.
                _ => {
                    self.trouble(self.using);
                    self.begin_again(Some(open), context);
                }
            },
        }
    }

    /// Believes the status where it lies within what was acknowledged and what was sent, and begins again where it does not.
    pub(super) fn resynced(
        &mut self,
        open: OpenUpload,
        range: Range<u64>,
        outcome: &Outcome,
        context: &mut Context<'_, K>,
    ) {
        if let Outcome::Answer { from, response, .. } = outcome
            && let Ok(status) = self.status(&open).parse(from, response)
            && let Some(at) = status.range.offset_within(range.start, range.end).map(|at| self.content.second_guess(at))
        {
            if at == range.start && range.start == 0 {
                // `0-0` is no byte or one (quirk `status-zero-bytes-ambiguous`).
                return self.begin_again(Some(status.upload), context);
            }
            if at == range.end {
                self.content.stored(at);
            } else if !self.content.has_from(at) {
                return self.begin_again(Some(status.upload), context);
            }
            return self.chunk(status.upload, at, context);
        }
        if !self.content.can_replay() && self.content.resend_blindly(range.start) {
            // The status is not to be had, and the bytes before this chunk are gone: this chunk once more, and the digest
            // will tell (quirk `status-get-404-live-session`).
            self.state = State::SendingChunk(open, range);
            return;
        }
        self.trouble(Rung::Chunks);
        self.begin_again(Some(open), context);
    }
}

/// Whether the registry says that it has more than a first chunk, and not just by a byte (quirk
/// `patch-range-off-by-one-streamed`).
fn says_more_than(first: &Range<u64>, said: RangeHint) -> bool {
    matches!(said, RangeHint::Through(last) if last > first.end)
}

/// Whether the registry says that it has every byte of a first chunk. Of `0-0` nobody can tell.
fn has_all_of(first: &Range<u64>, response: &http::Response<bytes::Bytes>) -> bool {
    RangeHint::read(response.headers()).offset_within(0, first.end) == Some(first.end)
}

#[cfg(test)]
mod tests;
