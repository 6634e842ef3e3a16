//! The states of an upload: each names the exchange that it is in.

use std::ops::Range;

use super::Uploaded;
use crate::Repository;
use crate::endpoint::OpenUpload;
use crate::outcome::Failure;

/// The exchange that the upload is in.
#[derive(Clone)]
pub(super) enum State {
    /// HEAD: is it there? The upload that was opened by the way, if one was.
    Checking(Option<OpenUpload>),
    /// POST: take it from that repository.
    Mounting(Repository),
    /// POST: open an upload.
    Opening,
    /// POST with everything.
    PostingWhole,
    /// No exchange: bytes of a one-shot blob are read, from the first to before the second.
    Reading(OpenUpload, u64, u64),
    /// PUT with everything.
    PuttingWhole(OpenUpload),
    /// PATCH with everything.
    Streaming(OpenUpload),
    /// PATCH with everything, as it comes out of a source whose end is not known.
    Pouring(OpenUpload),
    /// PATCH with these bytes.
    SendingChunk(OpenUpload, Range<u64>),
    /// PUT, with the last chunk or with nothing.
    Closing(OpenUpload, Option<Range<u64>>),
    /// GET: how far are you? It is not known whether the bytes of this range arrived.
    Resyncing(OpenUpload, Range<u64>),
    /// HEAD: did the commit arrive? The upload that may still be open.
    Confirming(Option<OpenUpload>),
    /// DELETE: this upload will not be finished.
    Cancelling(OpenUpload, Then),
    /// The end.
    Ended(Result<Uploaded, Failure>),
}

/// What follows a cancelled upload.
#[derive(Clone)]
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
            | Self::Resyncing(open, _)
            | Self::Cancelling(open, _) => Some(open),
            _ => None,
        }
    }

    /// The upload that is left behind if nothing more is done.
    pub(super) fn open_upload(&self) -> Option<OpenUpload> {
        match self {
            Self::Checking(open) | Self::Confirming(open) => open.clone(),
            Self::Reading(open, ..) => Some(open.clone()),
            _ => self.upload_in_use().cloned(),
        }
    }
}
