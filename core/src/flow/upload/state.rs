//! The states of an upload, one for each exchange.

use std::ops::Range;

use http::StatusCode;

use super::Uploaded;
use super::reply::Refusal;
use crate::Repository;
use crate::endpoint::{OpenUpload, Refused};
use crate::outcome::{Failure, FailureKind, NoAnswer};

/// The current exchange of an upload.
#[derive(Debug)]
pub(super) enum State {
    /// No exchange: the upload has not started.
    Planned,
    /// HEAD: does the repository have the blob?
    Checking,
    /// POST: mount the blob from this repository.
    Mounting(Repository),
    /// No exchange: a mount from the target repository itself had no success, and another flow finds out whether this
    /// registry ever answers such mounts with 201.
    Held,
    /// POST: open an upload.
    Opening,
    /// POST with all bytes.
    PostingWhole,
    /// No exchange: bytes of a one-shot blob are buffered, from the first position to before the second.
    Reading(OpenUpload, u64, u64),
    /// PUT with all bytes.
    PuttingWhole(OpenUpload),
    /// PATCH with all bytes.
    Streaming(OpenUpload),
    /// PATCH with all bytes, directly from a source whose end is not known.
    Pouring(OpenUpload),
    /// PATCH with these bytes.
    SendingChunk(OpenUpload, Range<u64>),
    /// PUT, with the last chunk or without a body.
    Closing(OpenUpload, Option<Range<u64>>),
    /// GET: how far is the upload that another process left open? These bytes were not acknowledged to it.
    Resuming(OpenUpload, Range<u64>),
    /// GET: how many bytes does the upload have? It is not known whether the bytes of this range arrived.
    Resyncing(OpenUpload, Range<u64>),
    /// HEAD: was the blob stored? With the upload that may still be open.
    Confirming(Option<OpenUpload>),
    /// DELETE: cancel this upload.
    Cancelling(OpenUpload, Then),
    /// No exchange: this is the result.
    Ended(Result<Uploaded, Failure>),
}

/// What follows a cancelled upload.
#[derive(Debug)]
pub(super) enum Then {
    BeginAgain,
    End(Result<Uploaded, Failure>),
}

impl State {
    /// The upload that the current exchange is made in.
    pub(super) const fn upload_in_use(&self) -> Option<&OpenUpload> {
        match self {
            Self::PuttingWhole(open)
            | Self::Streaming(open)
            | Self::Pouring(open)
            | Self::SendingChunk(open, _)
            | Self::Closing(open, _)
            | Self::Resuming(open, _)
            | Self::Resyncing(open, _)
            | Self::Cancelling(open, _) => Some(open),
            _ => None,
        }
    }

    /// The upload that stays open if nothing more is done.
    pub(super) fn open_upload(&self) -> Option<OpenUpload> {
        match self {
            Self::Confirming(open) => open.clone(),
            Self::Reading(open, ..) => Some(open.clone()),
            _ => self.upload_in_use().cloned(),
        }
    }
}

/// The last refusal by the registry. If every rung has failed, the failure reports it, and not a connection that was
/// lost later.
#[derive(Debug, Default)]
pub(super) struct LastWord {
    /// Its last refusal.
    refusal: Option<Failure>,
    /// Whether another rung was tried because of that refusal.
    is_answered: bool,
    /// The last answer with a transient status to a body.
    answer: Option<Box<Refused>>,
    /// How many bodies met an upload that does not exist, and how many a transient status.
    gone: u32,
    transient: u32,
}

impl LastWord {
    /// The registry refused what was sent. That one way of sending is not supported, that an upload does not exist any
    /// more, or that a proxy answered, says less than why another one failed.
    pub(super) fn refused(&mut self, refusal: Refusal, failure: Failure) {
        self.gone = self.gone.saturating_add(u32::from(refusal == Refusal::Gone));
        let says_little = matches!(refusal, Refusal::Unsupported | Refusal::Gone | Refusal::Malformed);
        if !says_little || self.refusal.is_none() || self.is_answered {
            self.refusal = Some(failure);
            self.is_answered = says_little;
        }
    }

    /// The result of a body is not known: this answer had a transient status, or there was none.
    pub(super) fn unknown(&mut self, answer: Option<Box<Refused>>) {
        self.transient = self.transient.saturating_add(u32::from(answer.is_some()));
        // A 500 is the registry's own; the other transient statuses may come from a proxy.
        if self.answer.as_ref().is_none_or(|answer| answer.status != StatusCode::INTERNAL_SERVER_ERROR) {
            self.answer = answer.or(self.answer.take());
        }
    }

    /// The failure after everything was tried, in this many uploads.
    pub(super) fn spoken(&mut self, sessions: u32) -> Failure {
        let answer = self.answer.take();
        // One upload that is gone is an accident. If that is what most bodies met, the transient status was one.
        let says_why = !self.is_answered || self.gone > self.transient;
        let refusal = self.refusal.take().filter(|_| says_why || answer.is_none());
        refusal.unwrap_or_else(|| Failure::new(FailureKind::TooManySessions { sessions, answer }))
    }

    /// The failure to report if this one ends the upload: an earlier refusal by the registry says more than a lost
    /// connection.
    pub(super) fn over(&mut self, failure: Failure, sessions: u32) -> Failure {
        let is_accident = matches!(failure.kind, FailureKind::NoAnswer(NoAnswer::Lost(_)));
        let has_spoken = self.refusal.is_some() && !self.is_answered || self.answer.is_some();
        if is_accident && has_spoken { self.spoken(sessions) } else { failure }
    }
}
