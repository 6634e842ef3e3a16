//! Chunks: what follows each, how to find out the state of an upload, and how it is closed.

use std::ops::Range;

use http::StatusCode;

use crate::driver::Key;
use crate::endpoint::OpenUpload;
use crate::flow::upload::ladder::Rung;
use crate::flow::upload::reply::{Refusal, Reply};
use crate::flow::upload::{State, Upload};
use crate::flow::{Context, Outcome};
use crate::header::RangeHint;
use crate::outcome::{Event, Failure, FailureKind};

impl<K: Key> Upload<K> {
    /// Continues with the chunk that begins at `from`. Its buffer is filled first, because some registries refuse a
    /// short chunk that is not the last (quirks `oci-chunk-min-length`, `chunk-min-5mib-undeclared`).
    pub(super) fn chunk(&mut self, open: OpenUpload, from: u64, context: &Context<'_, K>) {
        let end = self.chunk_end(from, &open, context);
        if self.content.lacks(end) {
            self.state = State::Reading(open, from, end);
        } else {
            self.send_chunk(open, from, end);
        }
    }

    fn chunk_end(&self, from: u64, open: &OpenUpload, context: &Context<'_, K>) -> u64 {
        from.saturating_add(self.ladder.chunk_len(Some(open), context.learned, context.options))
    }

    /// Sends the buffered bytes from `from` to at most `wanted`, or closes the upload if there are none.
    pub(super) fn send_chunk(&mut self, open: OpenUpload, from: u64, wanted: u64) {
        let end = self.content.end().map_or(wanted, |end| wanted.min(end));
        let range = from..end;
        let is_last = self.content.size == Some(end);
        // The last chunk is sent in the closing PUT, unless it is the whole blob: that would be another rung.
        self.state = if range.is_empty() {
            State::Closing(open, None)
        } else if is_last && from > 0 && !self.ladder.is_barred(Rung::WholePut) {
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
        let Some(patch) = self.patch(&open, &range) else {
            return self.fail_in(Some(open), Failure::new(FailureKind::NotReplayable));
        };
        match self.reply(&patch, outcome) {
            Reply::Good(moved) if self.is_doubtful(&range, moved.range, context) => {
                self.begin_again(Some(moved.upload), context);
            }
            // The client's own count decides, whatever `Range` says (quirks `patch-range-header-stale`,
            // `patch-range-relative-to-chunk`).
            Reply::Good(moved) => {
                if range.start > 0 {
                    context.learned.chunks = Some(true);
                }
                self.ladder.chunk_taken(context.learned, context.now);
                self.content.stored(range.end);
                let (blob, total) = (self.key.clone(), self.content.size);
                context.events.push(Event::BlobSending { blob, sent: range.end, total });
                self.chunk(moved.upload, range.end, context);
            }
            Reply::Unknown(answer) => {
                self.last.unknown(answer);
                self.state = State::Resyncing(open, range);
            }
            Reply::GivenUp(failure) => self.fail_in(Some(open), failure),
            Reply::Refused(refusal, failure) => {
                self.last.refused(refusal, failure);
                self.chunk_refused(open, &range, refusal, context);
            }
        }
    }

    fn chunk_refused(&mut self, open: OpenUpload, range: &Range<u64>, refusal: Refusal, context: &mut Context<'_, K>) {
        match refusal {
            Refusal::Forbidden => self.give_up(Some(open)),
            Refusal::Gone => {
                // An upload that was just opened is not gone: the registry may not support chunks (quirk
                // `patch-unsupported`).
                if range.start == 0 {
                    self.ladder.trouble(Rung::Chunks);
                }
                self.begin_again(None, context);
            }
            Refusal::TooLarge => self.smaller_chunk(open, range, context),
            Refusal::OutOfOrder(said) if range.start == 0 => self.first_out_of_order(open, range, said, context),
            Refusal::OutOfOrder(said) => self.out_of_order(open, range, said, context),
            // Another request uses this upload, perhaps an earlier one whose connection was lost: its state is
            // requested again later.
            Refusal::Conflict if self.content.is_worth_another() => {
                *context.pause = 1;
                self.state = State::Resyncing(open, self.content.acknowledged()..range.end);
            }
            Refusal::Unsupported | Refusal::Invalid | Refusal::Conflict | Refusal::Malformed | Refusal::Other => {
                if refusal == Refusal::Unsupported {
                    context.learned.chunks.get_or_insert(false);
                }
                self.ladder.bar(Rung::Chunks);
                self.begin_again(Some(open), context);
            }
        }
    }

    /// Whether the registry says after a first chunk that it has at least two more bytes than were sent (one more is
    /// quirk `patch-range-off-by-one-streamed`). Then a proxy has delivered the chunk twice. The source still has all
    /// bytes, so the upload starts again, but only once, because `Range` is a hint.
    fn is_doubtful(&mut self, range: &Range<u64>, said: RangeHint, context: &Context<'_, K>) -> bool {
        let says_more = matches!(said, RangeHint::Through(last) if last > range.end);
        range.start == 0 && says_more && self.sessions < context.options.sessions && self.content.doubt()
    }

    fn first_out_of_order(
        &mut self,
        open: OpenUpload,
        range: &Range<u64>,
        said: RangeHint,
        context: &mut Context<'_, K>,
    ) {
        let len = range.end;
        // A proxy has delivered the chunk twice, and this is the answer to the second. `0-0` may mean no byte or one.
        if said.offset_within(0, len) == Some(len) {
            self.content.stored(len);
            self.chunk(open, len, context);
        // Otherwise a first chunk cannot be out of order, so it is too large (quirk `patch-max-4mib-416`).
        } else if self.ladder.try_modest_chunk(len) {
            self.chunk(open, 0, context);
        // Or there was another reason, which may be temporary.
        } else {
            self.ladder.trouble(Rung::Chunks);
            self.begin_again(Some(open), context);
        }
    }

    fn out_of_order(&mut self, open: OpenUpload, range: &Range<u64>, said: RangeHint, context: &mut Context<'_, K>) {
        if self.content.resent(range) {
            // The chunk was sent again because the client did not know whether it had arrived. It had, at least the
            // part that the registry states.
            let said = said.offset_within(range.start, range.end);
            if let Some(at) = said.filter(|at| *at > range.start) {
                self.content.stored(at);
                self.chunk(open, at, context);
            } else if self.content.assume_stored(range) {
                self.chunk(open, range.end, context);
            } else {
                // The registry takes no chunk, and the rest of the source would be sent in vain.
                self.begin_again(Some(open), context);
            }
        } else if self.content.out_of_order(range.start) {
            self.state = State::Resyncing(open, self.content.acknowledged()..range.end);
        } else {
            // Requesting the state and being refused at the same offset again would not end.
            self.ladder.trouble(Rung::Chunks);
            self.begin_again(Some(open), context);
        }
    }

    /// The registry refused a body of this length.
    fn smaller_chunk(&mut self, open: OpenUpload, range: &Range<u64>, context: &mut Context<'_, K>) {
        let len = range.end.saturating_sub(range.start);
        let before = self.chunk_end(range.start, &open, context);
        self.ladder.too_large(Some(len), context.learned, context.now);
        if self.chunk_end(range.start, &open, context) >= before {
            self.ladder.bar(Rung::Chunks);
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
        let Some(close) = self.close(&open, last.as_ref()) else {
            return self.fail_in(Some(open), Failure::new(FailureKind::NotReplayable));
        };
        match (self.reply(&close, outcome), last) {
            (Reply::Good(stored), _) => self.committed(&stored),
            (Reply::Unknown(answer), _) => {
                self.doubt(self.ladder.using(), answer);
                self.state = State::Confirming(Some(open));
            }
            (Reply::GivenUp(failure), _) => self.fail_in(Some(open), failure),
            (Reply::Refused(refusal, failure), last) => {
                self.last.refused(refusal, failure);
                match (refusal, last) {
                    (Refusal::Forbidden, _) | (Refusal::TooLarge, None) => self.give_up(Some(open)),
                    (Refusal::Gone, _) => self.state = State::Confirming(None),
                    (Refusal::TooLarge, Some(last)) => self.smaller_chunk(open, &last, context),
                    // The state of the upload was misread (quirk `status-range-exclusive-with-prefix`).
                    (Refusal::OutOfOrder(_), Some(last)) if self.content.out_of_order(last.start) => {
                        self.state = State::Resyncing(open, self.content.acknowledged()..last.end);
                    }
                    // Another rung may work.
                    _ => {
                        self.ladder.trouble(self.ladder.using());
                        self.begin_again(Some(open), context);
                    }
                }
            }
        }
    }

    /// An upload that is gone may be one that the last request of the other process closed.
    pub(super) fn resumed(
        &mut self,
        open: OpenUpload,
        range: Range<u64>,
        outcome: Outcome,
        context: &mut Context<'_, K>,
    ) {
        match &outcome {
            Outcome::Answer { response, .. } if response.status() == StatusCode::NOT_FOUND => {
                self.content.restarted();
                self.state = State::Confirming(None);
            }
            _ => self.resynced(open, range, outcome, context),
        }
    }

    /// Continues at the offset that the registry states, if it is between what was acknowledged and what was sent;
    /// otherwise starts again.
    pub(super) fn resynced(
        &mut self,
        open: OpenUpload,
        range: Range<u64>,
        outcome: Outcome,
        context: &mut Context<'_, K>,
    ) {
        if let Some(status) = self.reply(&self.status(&open), outcome).good()
            && let Some(at) = status.range.offset_within(range.start, range.end).map(|at| self.content.second_guess(at))
        {
            if at == range.start && range.start == 0 {
                // No byte has arrived, or the registry says so of every upload: a new upload costs no byte more.
                return self.begin_again(Some(status.upload), context);
            }
            if at == range.end {
                // Its last byte stays in hand, because an exclusive end does not show whether that byte has arrived
                // (quirk `status-range-exclusive-with-prefix`).
                self.content.stored(at.saturating_sub(1));
            } else if !self.content.has_from(at) {
                return self.begin_again(Some(status.upload), context);
            }
            return self.chunk(status.upload, at, context);
        }
        if !self.content.can_replay() && self.content.resend_blindly(range.start) {
            // The state cannot be requested, and the bytes before this chunk are gone: this chunk is sent once more,
            // and the digest will show whether that was right (quirk `status-get-404-live-session`).
            self.state = State::SendingChunk(open, range);
            return;
        }
        self.ladder.trouble(Rung::Chunks);
        self.begin_again(Some(open), context);
    }
}
