//! `end-14`: `DELETE <blob-push-location>`.

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::wire::{Head, succeeded};
use super::{AnswerError, Endpoint, OpenUpload, Row};
use crate::Target;
use crate::target::TargetError;

/// Gives an upload up (`end-14`), so that the registry need not keep it.
///
/// A courtesy: no push fails because of its answer. Some registries want the right to delete for it
/// (quirks `mount-cancel-needs-delete`, `upload-cancel-status`).
#[derive(Debug, Clone, Copy)]
pub struct CancelUpload<'a> {
    /// The upload, at its newest location.
    pub upload: &'a OpenUpload,
}

/// What became of an upload that was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadEnded {
    /// It is cancelled.
    Cancelled,
    /// It was no more: 404.
    Gone,
}

impl Endpoint for CancelUpload<'_> {
    type Output = UploadEnded;

    fn row(&self) -> Row {
        Row::CancelUpload
    }

    fn target(&self) -> Target {
        self.upload.target().clone()
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        Ok(Head::new(self.row(), self.upload.target())?.content_length(0).done())
    }

    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<UploadEnded, AnswerError> {
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(UploadEnded::Gone);
        }
        succeeded(self.row(), from, response)?;
        Ok(UploadEnded::Cancelled)
    }
}
