//! The states of an upload: each names the exchange that it is in.

use std::ops::Range;

use http::StatusCode;

use super::Uploaded;
use super::reply::Refusal;
use crate::Repository;
use crate::endpoint::OpenUpload;
use crate::outcome::{Failure, FailureKind, NoAnswer};

/// The exchange that the upload is in.
#[derive(Debug)]
pub(super) enum State {
    /// No exchange: it has not begun.
    Planned,
    /// HEAD: does the repository have the blob?
    Checking,
    /// POST: mount the blob from this repository.
    Mounting(Repository),
    /// No exchange: a mount from the target repository itself missed, and it is being found out whether that tells anything.
    Held,
    /// POST: open an upload.
    Opening,
    /// POST with all bytes.
    PostingWhole,
    /// No exchange: bytes of a one-shot blob are read, from the first to before the second.
    Reading(OpenUpload, u64, u64),
    /// PUT with all bytes.
    PuttingWhole(OpenUpload),
    /// PATCH with all bytes.
    Streaming(OpenUpload),
    /// PATCH with all bytes, as they come out of a source whose end is not known.
    Pouring(OpenUpload),
    /// PATCH with these bytes.
    SendingChunk(OpenUpload, Range<u64>),
    /// PUT, with the last chunk or with nothing.
    Closing(OpenUpload, Option<Range<u64>>),
    /// GET: how far is the upload that another process left open? These bytes were not acknowledged to it.
    Resuming(OpenUpload, Range<u64>),
    /// GET: how far is the upload? It is not known whether the bytes of this range arrived.
    Resyncing(OpenUpload, Range<u64>),
    /// HEAD: was the blob stored? The upload that may still be open.
    Confirming(Option<OpenUpload>),
    /// DELETE: this upload will not be finished.
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

    /// The upload that is left behind if nothing more is done.
    pub(super) fn open_upload(&self) -> Option<OpenUpload> {
        match self {
            Self::Confirming(open) => open.clone(),
            Self::Reading(open, ..) => Some(open.clone()),
            _ => self.upload_in_use().cloned(),
        }
    }
}

/// What the registry said last against this blob. When every way was tried, the failure tells this, and not a connection that
/// was lost afterwards.
#[derive(Debug, Default)]
pub(super) struct LastWord {
    /// Its last refusal.
    refusal: Option<Failure>,
    /// Whether that refusal was of a way to send, so that another way was the answer to it.
    is_answered: bool,
    /// The last transient status that it answered to a body.
    status: Option<StatusCode>,
}

impl LastWord {
    pub(super) fn refused(&mut self, refusal: Refusal, failure: Failure) {
        self.refusal = Some(failure);
        self.is_answered = refusal == Refusal::Unsupported;
    }

    /// It is not known what became of a body: this transient status was answered, or nothing.
    pub(super) fn unknown(&mut self, status: Option<StatusCode>) {
        self.status = status.or(self.status);
    }

    /// Everything was tried, in so many uploads.
    pub(super) fn spoken(&mut self, sessions: u32) -> Failure {
        let status = self.status;
        let refusal = self.refusal.take().filter(|_| !self.is_answered || status.is_none());
        refusal.unwrap_or_else(|| Failure::new(FailureKind::TooManySessions { sessions, status }))
    }

    /// The failure to tell where this one ends the upload: a lost connection says less than what the registry said before.
    pub(super) fn over(&mut self, failure: Failure, sessions: u32) -> Failure {
        let is_accident = matches!(failure.kind, FailureKind::NoAnswer(NoAnswer::Lost(_)));
        let has_spoken = self.refusal.is_some() && !self.is_answered || self.status.is_some();
        if is_accident && has_spoken { self.spoken(sessions) } else { failure }
    }
}
