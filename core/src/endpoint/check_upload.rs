//! `end-13`: `GET <blob-push-location>`.

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::upload::says_something;
use super::wire::{Head, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, OpenUpload, Row, UploadProgress};
use crate::Target;
use crate::target::TargetError;

/// Asks how far an upload is (`end-13`): after a 416, or where an answer was lost.
#[derive(Debug, Clone, Copy)]
pub struct CheckUpload<'a> {
    /// The upload, at its newest location.
    pub upload: &'a OpenUpload,
}

impl Endpoint for CheckUpload<'_> {
    type Output = UploadProgress;

    fn row(&self) -> Row {
        Row::CheckUpload
    }

    fn target(&self) -> Target {
        self.upload.target().clone()
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        Ok(Head::new(self.row(), self.upload.target())?.done())
    }

    /// Any success that has a `Location` or a readable `Range` will do; a 204 needs neither
    /// (quirk `status-range-exclusive-with-prefix`).
    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<UploadProgress, AnswerError> {
        succeeded(self.row(), from, response)?;
        let progress = UploadProgress::read(self.row(), self.upload, from, response)?;
        if response.status() == StatusCode::NO_CONTENT || says_something(&progress, response) {
            Ok(progress)
        } else {
            Err(malformed(self.row(), response, Flaw::Status))
        }
    }
}
